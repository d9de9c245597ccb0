// The section on sequences of different lengths, on made-up times.
#include "reports/lengths.hpp"

#include <gmock/gmock.h>

#include "reports/markdown.hpp"
#include "reports/page.hpp"
#include "reports/sample_rows.hpp"

namespace bptt::report {
namespace {

using results::Row;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

/// Six rounds of a backend at T=10, B=4.
void add(std::vector<Row>& rows, const std::string& backend, const std::string& spread,
         Index live_steps, double seconds) {
  for (Index k = 0; k < 6; ++k) {
    Row row = sample_row(backend, k, seconds);
    row.live_steps = live_steps;
    if (!spread.empty()) {
      row.options = "lengths=" + spread;
      row.padding = backend == "pads" ? "computed" : "skipped";
    }
    rows.push_back(row);
  }
}

/// `skips` takes a tenth more than the ideal, `pads` computes all, `packs` is slower with lengths.
std::vector<Row> sample() {
  std::vector<Row> rows;
  add(rows, "skips", "", 40, 1);
  add(rows, "packs", "", 40, 2);
  add(rows, "pads", "", 40, 0.5);
  for (const auto& [spread, live] : {std::pair("uniform", 22), std::pair("10%", 4)}) {
    add(rows, "skips", spread, live, 1.1 * live / 40);
    add(rows, "packs", spread, live, 4);
    add(rows, "pads", spread, live, 0.5);
  }
  return rows;
}

Report report_of_rows(const std::vector<Row>& rows) {
  return report_of(study_of_rows(rows), "", {});
}

std::string text_of(const Words& words) {
  std::string text;
  for (const Text& part : words.parts) text += part.text;
  return text;
}

std::vector<std::string> texts(const std::vector<Words>& row) {
  std::vector<std::string> list;
  for (const Words& cell : row) list.push_back(text_of(cell));
  return list;
}

TEST(Lengths, CasesThatDifferInThemOnlyAreAFamily) {
  std::vector<Row> rows = sample();
  Row other = sample_row("skips");
  other.options = "bias=off:recompute=gates:lengths=ewt";
  other.live_steps = 8;
  rows.push_back(other);
  const Report report = report_of_rows(rows);
  const auto families = lengths_families(report, "train_step");
  ASSERT_EQ(families.size(), 2u);
  EXPECT_EQ(families[0].key.cell, "lstm");
  ASSERT_NE(families[0].full, nullptr);
  ASSERT_EQ(families[0].points.size(), 2u);
  EXPECT_EQ(families[0].points[0].spread, "uniform");
  EXPECT_DOUBLE_EQ(families[0].points[0].share, 0.55);
  EXPECT_EQ(families[0].points[1].spread, "10%");
  EXPECT_EQ(families[1].key.cell, "lstm:bias=off:recompute=gates");
  EXPECT_EQ(families[1].full, nullptr);
  EXPECT_TRUE(lengths_families(report, "forward").empty());
}

TEST(Lengths, ATableSetsEachTimeBesideThatOfFullSequencesAndTheIdeal) {
  const Table table = lengths_table(report_of_rows(sample()), "train_step");
  std::vector<std::string> headings;
  for (const TableColumn& column : table.columns) headings.push_back(column.heading);
  EXPECT_THAT(headings,
              ElementsAre("lengths", "live steps", "backend", "time", "of its full-length time",
                          "of the ideal", "of the fastest", "padding"));
  ASSERT_EQ(table.rows.size(), 9u);
  EXPECT_THAT(texts(table.rows[0]),
              ElementsAre("full", "100 %", "skips", "1.00 s", "1.000×", "1.000×", "2.00×", ""));
  EXPECT_THAT(texts(table.rows[6]), ElementsAre("10%", "10 %", "skips", "110 ms", "0.110×", "1.10×",
                                                "1.000×", "skipped"));
  EXPECT_THAT(texts(table.rows[7]),
              ElementsAre("10%", "10 %", "packs", "4.00 s", "2.00×", "20.0×", "36.4×", "skipped"));
  EXPECT_EQ(table.rows[7][4].parts[0].style, Text::Style::alarm);
  EXPECT_THAT(texts(table.rows[8]),
              ElementsAre("10%", "10 %", "pads", "500 ms", "1.000×", "10.0×", "4.55×", "computed"));
  EXPECT_EQ(table.rows[8][7].parts[0].style, Text::Style::alarm);
}

TEST(Lengths, SentencesSayWhatLengthsCost) {
  const auto sentences = lengths_verdicts(report_of_rows(sample()), "train_step");
  ASSERT_EQ(sentences.size(), 3u);
  EXPECT_EQ(
      text_of(sentences[0]),
      "skips takes 1.10× the ideal time in the geometric mean of 2 cases with lengths "
      "(1.10× to 1.10×); always faster than without, at most 0.605× of that (lstm, uniform).");
  EXPECT_THAT(text_of(sentences[1]),
              AllOf(HasSubstr("packs takes 8.53× the ideal time"), HasSubstr("(3.64× to 20.0×)"),
                    HasSubstr("slower than without in 2, at most 2.00× of that")));
  EXPECT_EQ(text_of(sentences[2]), "pads takes no lengths: padded in 2 cases.");
}

TEST(Lengths, WhatIsNotVerifiedIsNoFigure) {
  std::vector<Row> rows = sample();
  for (Row& row : rows) {
    if (row.backend == "packs") row.verified = "failed";
  }
  const Report report = report_of_rows(rows);
  EXPECT_EQ(lengths_verdicts(report, "train_step").size(), 2u);
  EXPECT_THAT(texts(lengths_table(report, "train_step").rows[7]),
              ElementsAre("10%", "10 %", "packs", "failed", "–", "–", "–", "skipped"));
  EXPECT_FALSE(lengths_data(report, "train_step")[0]["series"].contains("packs"));
}

TEST(Lengths, WithoutFullSequencesThereIsNoRatio) {
  std::vector<Row> rows;
  add(rows, "skips", "uniform", 22, 1);
  const Report report = report_of_rows(rows);
  EXPECT_THAT(texts(lengths_table(report, "train_step").rows[0]),
              ElementsAre("uniform", "55 %", "skips", "1.00 s", "–", "–", "1.000×", "skipped"));
  EXPECT_TRUE(lengths_data(report, "train_step")[0]["series"]["skips"][0]["ratio"].is_null());
  EXPECT_TRUE(lengths_verdicts(report, "train_step").empty());
}

TEST(Lengths, WhoRanPaddedIsWarnedOf) {
  const std::string summary = markdown_summary(report_of_rows(sample()));
  EXPECT_THAT(summary,
              HasSubstr("> **Beware.** 2 measurements with lengths ran padded, by pads: "));
  EXPECT_THAT(summary, HasSubstr("## Sequences of different lengths, train_step"));
}

TEST(Lengths, OfNoneThereIsNoSection) {
  const Report report = report_of_rows({sample_row("skips"), sample_row("pads")});
  EXPECT_THAT(markdown_summary(report), Not(HasSubstr("different lengths")));
  EXPECT_THAT(html_page(report), Not(HasSubstr("<section id=\"lengths\">")));
  EXPECT_TRUE(chart_data(report)["lengths"].empty());
}

TEST(Lengths, ThePageHasTheTableAndDrawsFromItsData) {
  const Report report = report_of_rows(sample());
  EXPECT_THAT(html_page(report),
              AllOf(HasSubstr("<section id=\"lengths\">"),
                    HasSubstr("data-kind=\"lengths\" data-name=\"train_step\""),
                    HasSubstr("of its full-length time"), HasSubstr("computed")));
  const Json data = chart_data(report)["lengths"];
  ASSERT_EQ(data.size(), 1u);
  EXPECT_EQ(data[0]["phase"], "train_step");
  const Json& family = data[0]["families"][0];
  EXPECT_EQ(family["title"], "lstm");
  ASSERT_EQ(family["series"]["packs"].size(), 2u);
  EXPECT_EQ(family["series"]["packs"][1]["x"], 0.1);
  EXPECT_EQ(family["series"]["packs"][1]["ratio"], 2.0);
  EXPECT_EQ(family["series"]["packs"][1]["spread"], "10%");
  EXPECT_EQ(family["series"]["pads"][1]["padded"], true);
}

}  // namespace
}  // namespace bptt::report
