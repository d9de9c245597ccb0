// Gradient flow in the report: tables, sentences, chart data, and what is done with bad names.
#include "reports/flow.hpp"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>

#include "reports/markdown.hpp"
#include "reports/page.hpp"
#include "reports/sample_rows.hpp"

namespace bptt::report {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using verify::flow::Verdict;

/// Lags 1..T of one network whose norm is factor^lag, with the bound 2^lag of an rnn.
void add_network(Flow& flow, const std::string& cell, const std::string& initialisation,
                 double factor, Index T = 4) {
  for (Index lag = T; lag >= 1; --lag) {  // in any order
    verify::flow::Row row;
    row.backend = "naive", row.dtype = "f64", row.cell = cell, row.initialisation = initialisation;
    row.T = T, row.H = 8, row.seed = 1;
    row.sigma_max = 2, row.spectral_radius = 1.5;
    row.lag = lag;
    row.norm = std::pow(factor, static_cast<double>(lag));
    if (cell.starts_with("rnn")) {
      row.bound = std::pow(2.0, static_cast<double>(lag));
      row.verdict = row.norm <= *row.bound ? Verdict::holds : Verdict::violated;
    } else {
      row.cell_norm = row.norm / 2;
    }
    flow.push_back(row);
  }
}

Flow sample_flow() {
  Flow flow;
  add_network(flow, "rnn", "uniform", 0.5);
  add_network(flow, "lstm", "uniform", 0.9);
  add_network(flow, "rnn", "orthogonal", 1);
  return flow;
}

std::string text_of(const Words& words) {
  std::string text;
  for (const Text& part : words.parts) text += part.text;
  return text;
}

std::vector<std::string> texts_of(const std::vector<Words>& row) {
  std::vector<std::string> texts;
  for (const Words& cell : row) texts.push_back(text_of(cell));
  return texts;
}

TEST(FlowReport, HasARowForEachNetworkGroupedByCell) {
  const Table table = flow_summary(sample_flow());
  EXPECT_EQ(table.caption, "naive, f64, T=4, H=8, seed 1");
  ASSERT_EQ(table.rows.size(), 3u);
  EXPECT_EQ(texts_of(table.rows[0]),
            (std::vector<std::string>{"rnn", "uniform", "2.00", "1.50", "0.500", "0.250", "0.0625",
                                      "0.500", "–", "16.0", "holds"}));
  EXPECT_EQ(texts_of(table.rows[1])[1], "orthogonal");
  EXPECT_EQ(texts_of(table.rows[2]),
            (std::vector<std::string>{"lstm", "uniform", "2.00", "1.50", "0.900", "0.810", "0.656",
                                      "0.900", "0.328", "–", "–"}));
  for (const auto& row : table.rows) EXPECT_EQ(row.size(), table.columns.size());
}

TEST(FlowReport, WhatDiffersGetsAColumnAndStandsInTheTitle) {
  Flow flow = sample_flow();
  add_network(flow, "rnn", "uniform", 0.5, 7);
  EXPECT_EQ(flow_titles(flow), (std::vector<std::string>{"rnn, T=4", "lstm, T=4", "rnn, T=7"}));
  const Table table = flow_summary(flow);
  EXPECT_EQ(table.caption, "naive, f64, H=8, seed 1");
  EXPECT_EQ(table.columns[1].heading, "T");
  EXPECT_EQ(text_of(table.rows.back()[1]), "T=7");
}

TEST(FlowReport, EveryLagIsInTheLongTableInOrder) {
  const Table table = flow_table(sample_flow());
  ASSERT_EQ(table.rows.size(), 12u);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(text_of(table.rows[i][2]), std::to_string(i + 1));
  EXPECT_EQ(texts_of(table.rows[3]),
            (std::vector<std::string>{"rnn", "uniform", "4", "0.0625", "–", "16.0", "holds"}));
}

TEST(FlowReport, AViolatedBoundIsAnAlarm) {
  Flow flow = sample_flow();
  EXPECT_EQ(text_of(flow_verdict(flow)), "All 8 bounds hold.");
  add_network(flow, "rnn", "radius=1.5", 2.5);
  EXPECT_EQ(text_of(flow_verdict(flow)),
            "4 of 12 bounds do not hold: the backward pass that was measured is wrong.");
  EXPECT_EQ(flow_verdict(flow).parts.front().style, Text::Style::alarm);
  const Table table = flow_summary(flow);
  EXPECT_EQ(table.rows[2].back().parts.front().style, Text::Style::alarm);
  EXPECT_EQ(flow_data(flow)[0]["networks"][2]["holds"], false);
  flow = sample_flow();
  flow[0].verdict = Verdict::out_of_range;
  EXPECT_EQ(text_of(flow_verdict(flow)),
            "7 of 8 bounds hold; of the others norm and bound are out of range.");
  EXPECT_EQ(text_of(flow_summary(flow).rows[0].back()), "out of range");
  Flow gated;
  add_network(gated, "gru", "uniform", 0.9);
  EXPECT_EQ(text_of(flow_verdict(gated)), "Of these cells, none has a bound.");
}

TEST(FlowReport, ChartsGetWhatALogarithmicScaleCanShow) {
  Flow flow = sample_flow();
  flow[0].norm = 0;  // rnn, lag 4
  flow[1].norm = std::numeric_limits<double>::infinity();
  const Json data = flow_data(flow);
  ASSERT_EQ(data.size(), 2u);
  EXPECT_EQ(data[0]["title"], "rnn");
  EXPECT_EQ(data[0]["networks"][1]["name"], "orthogonal");
  const Json& points = data[0]["networks"][0]["points"];
  EXPECT_EQ(points[0], (Json{1, 0.5, nullptr, 2.0}));
  EXPECT_TRUE(points[2][1].is_null()) << "infinity";
  EXPECT_TRUE(points[3][1].is_null()) << "zero";
  EXPECT_EQ(data[1]["networks"][0]["points"][0][2], 0.45);
  EXPECT_TRUE(flow_data({}).empty());
}

Report flow_only(Flow flow) {
  Report report = report_of({}, "", {});
  report.flow = std::move(flow);
  return report;
}

TEST(FlowReport, StandsAloneInPageAndMarkdown) {
  const Report report = flow_only(sample_flow());
  const std::string page = html_page(report);
  EXPECT_THAT(page, AllOf(HasSubstr("<h1>How do gradients flow here?</h1>"),
                          HasSubstr("data-kind=\"flow\" data-name=\"1\""), HasSubstr("orthogonal"),
                          HasSubstr("All 8 bounds hold."), Not(HasSubstr("Speed-up is"))));
  const std::string summary = markdown_summary(report);
  EXPECT_THAT(summary,
              AllOf(StartsWith("# How do gradients flow here?\n\n## Gradient flow\n\nAll 8"),
                    HasSubstr("| rnn | orthogonal | 2.00 | 1.50 | 1.00 |")));
}

TEST(FlowReport, StandsBesideTimings) {
  Report report = report_of(study_of_rows({sample_row("naive", 0, 2), sample_row("tbb")}), "", {});
  EXPECT_EQ(html_page(report).find("data-kind=\"flow\" data-name"), std::string::npos);
  report.flow = sample_flow();
  const std::string page = html_page(report);
  EXPECT_THAT(page, AllOf(HasSubstr("<h1>Which backend is fastest here?</h1>"),
                          HasSubstr("id=\"winners\""), HasSubstr("id=\"flow\""),
                          HasSubstr("(gamma sigma_max(W_hh))^(T-k)"), HasSubstr("Speed-up is")));
}

TEST(FlowReport, HostileNamesAreInert) {
  Flow flow;
  for (const std::string attack : {"</script><script>alert(1)</script>", "\"><img src=x>", "<!--",
                                   "{{script}}", "a|b\n# c", "[x](javascript:alert(1))"}) {
    add_network(flow, "rnn", attack, 0.5, 2);
    flow.back().backend = attack;
  }
  std::string page = html_page(flow_only(flow));
  if (!echarts_js().empty()) page.erase(page.find(echarts_js()), echarts_js().size());
  EXPECT_EQ(page.find("<img"), std::string::npos);
  EXPECT_EQ(page.find("alert(1)</script>"), std::string::npos);
  EXPECT_EQ(page.find("<script>alert"), std::string::npos);
  const std::string summary = markdown_summary(flow_only(flow));
  EXPECT_EQ(summary.find('<'), std::string::npos);
  EXPECT_EQ(summary.find("\n# c"), std::string::npos);
}

}  // namespace
}  // namespace bptt::report
