// Whole outputs: from the results in testdata/, and from results that were written to do harm.
#include "reports/page.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <pugixml.hpp>

#include "impls/api/error.hpp"
#include "reports/markdown.hpp"
#include "reports/sample_rows.hpp"

namespace bptt::report {
namespace {

using results::Row;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string testdata = std::string(BPTT_SOURCE_DIR) + "/reports/testdata/";

Report report_of_testdata() {
  const std::string path = testdata + "results.csv";
  return report_of(study_of({{path, results::read_csv_with_lines(path)}}), "",
                   environments_for(std::nullopt, {path}));
}

/// The text between the first `begin` and the `end` after it, taken out of `page`.
std::string take(std::string& page, const std::string& begin, const std::string& end) {
  const std::size_t from = page.find(begin);
  if (from == std::string::npos) return "";
  const std::size_t to = page.find(end, from);
  const std::string inner = page.substr(from + begin.size(), to - from - begin.size());
  page.erase(from, to + end.size() - from);
  return inner;
}

/// A page in parts. Its markup keeps XML's rules, so that a strict parser can judge it.
struct Parts {
  explicit Parts(std::string page) {
    data = Json::parse(take(page, "<script type=\"application/json\" id=\"data\">", "</script>"));
    echarts = take(page, "<script>", "</script>");
    script = take(page, "<script>", "</script>");
    take(page, "<style>", "</style>");
    const auto parsed = markup.load_string(page.c_str(), pugi::parse_default | pugi::parse_doctype);
    EXPECT_TRUE(parsed) << parsed.description() << " near "
                        << page.substr(static_cast<std::size_t>(parsed.offset), 80);
  }
  pugi::xml_document markup;
  Json data;
  std::string echarts, script;
};

std::string text_of(const pugi::xml_node& node) {
  std::string text = node.value();
  for (const pugi::xml_node& child : node) text += text_of(child);
  return text;
}

std::string section(const Parts& parts, const std::string& id) {
  return text_of(parts.markup.select_node(("//section[@id='" + id + "']").c_str()).node());
}

TEST(Page, HoldsEverythingAsTables) {
  const Parts parts(html_page(report_of_testdata()));
  const std::vector<std::string> backends = {"naive", "blas", "tbb"};
  for (const char* id : {"sweeps", "speedups", "training", "measurements"}) {
    for (const std::string& backend : backends) {
      EXPECT_THAT(section(parts, id), HasSubstr(backend)) << id;
    }
  }
  EXPECT_THAT(section(parts, "winners"),
              AllOf(HasSubstr("too close: tbb, blas"), HasSubstr("tbb")));
  EXPECT_THAT(section(parts, "training"), AllOf(HasSubstr("characters/s"), HasSubstr("43691")));
  EXPECT_THAT(section(parts, "unranked"), AllOf(HasSubstr("failed"), HasSubstr("needs 96 GiB")));
  EXPECT_THAT(section(parts, "environment"), HasSubstr("1024K"));
  EXPECT_THAT(text_of(parts.markup.select_node("//header").node()), HasSubstr("kernels SkylakeX"));
  for (const auto& found : parts.markup.select_nodes("//table")) {
    const auto width = found.node().select_nodes("thead/tr/th").size();
    EXPECT_GT(width, 0u);
    for (const auto& row : found.node().select_nodes("tbody/tr")) {
      EXPECT_EQ(row.node().select_nodes("td").size(), width);
    }
  }
}

TEST(Page, EveryChartHasATableBesideIt) {
  const Parts parts(html_page(report_of_testdata()));
  const auto figures = parts.markup.select_nodes("//figure");
  EXPECT_EQ(figures.size(), 3u) << "a sweep along T, the speed-ups, a training";
  for (const auto& figure : figures) {
    EXPECT_TRUE(figure.node().select_node("following-sibling::*//table")) << "no table";
  }
}

TEST(Page, DrawsFromItsData) {
  const Parts parts(html_page(report_of_testdata()));
  EXPECT_EQ(parts.data["baseline"], "naive");
  ASSERT_EQ(parts.data["axes"].size(), 1u);
  const Json& sweep = parts.data["axes"][0]["sweeps"].back();
  EXPECT_EQ(sweep["fixed"], "B=16, I=H=32, threads=1");
  ASSERT_EQ(sweep["series"]["tbb"].size(), 3u);
  EXPECT_EQ(sweep["series"]["tbb"][0]["x"], 10);
  EXPECT_EQ(parts.data["trainings"][0]["curves"].size(), 3u);
}

TEST(Page, DrawsNothingThatIsNotVerified) {
  std::vector<Row> rows;
  for (const char* backend : {"naive", "wrong"}) {
    for (const Index T : {10, 20}) {
      Row& row = rows.emplace_back(sample_row(backend));
      row.T = T;
      if (backend == std::string("wrong")) row.verified = "failed";
    }
  }
  const Json data = chart_data(report_of(study_of_rows(rows), "", {}));
  const Json& series = data["axes"][0]["sweeps"][0]["series"];
  EXPECT_TRUE(series.contains("naive"));
  EXPECT_FALSE(series.contains("wrong"));
  EXPECT_TRUE(data["phases"].empty());
}

TEST(Page, AsksForNothingFromOutside) {
  const std::string page = html_page(report_of_testdata());
  EXPECT_THAT(page, HasSubstr("default-src 'none'"));
  const Parts parts(page);
  for (const char* attribute : {"src", "href", "data", "srcset", "action", "poster"}) {
    EXPECT_TRUE(
        parts.markup.select_nodes((std::string("//*[@") + attribute + "]").c_str()).empty());
  }
}

TEST(Page, HasChartsExactlyWhereEChartsWasBuiltIn) {
  const std::string page = html_page(report_of_testdata());
  const Parts parts(page);
  EXPECT_EQ(parts.echarts, echarts_js());
  EXPECT_EQ(parts.script.substr(1, page_js().size()), page_js());
  EXPECT_EQ(echarts_js().empty(), page.find("npm ci --prefix third_party") != std::string::npos);
  EXPECT_EQ(echarts_js().find("</script"), std::string_view::npos);
  EXPECT_EQ(page_js().find("</script"), std::string_view::npos);
}

/// Every free text of a row is an attack.
std::vector<Row> hostile_rows() {
  std::vector<Row> rows;
  for (const std::string attack :
       {"</script><script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "<!--", "]]>",
        "' onmouseover='alert(1)", "{{script}}", "a|b\n# c", "[x](javascript:alert(1))",
        "&lt;b&gt;"}) {
    for (Index k = 0; k < 2; ++k) {
      Row row = sample_row(attack, k);
      row.backend_version = row.note = row.host = row.commit = attack;
      row.run_id = row.options = attack;
      row.T = 10 + k;
      rows.push_back(row);
      row.workload = "char-lm", row.loss = 1;
      rows.push_back(row);
      row.phase = "forward", row.verified = "failed";
      rows.push_back(row);
      row.phase = "backward", row.seconds.reset(), row.note = "refused: " + attack;
      rows.push_back(row);
    }
  }
  return rows;
}

TEST(HostileResults, AreInertInThePage) {
  const Json environment = {{"<img src=x>", "</dl><script>alert(1)</script>"},
                            {"system", {{"cpu", "<script>"}}}};
  const std::string page =
      html_page(report_of(study_of_rows(hostile_rows()), "", {{"<script>", environment}}));
  const Parts parts(page);
  EXPECT_EQ(parts.script.substr(1, page_js().size()), page_js()) << "{{script}} was filled twice";
  for (const char* none :
       {"//script", "//img", "//style", "//comment()", "//b[not(ancestor::div)]"}) {
    EXPECT_TRUE(parts.markup.select_nodes(none).empty()) << none;
  }
  for (const auto& found : parts.markup.select_nodes("//@*")) {
    EXPECT_THAT(found.attribute().name(), Not(::testing::StartsWith("on")));
  }
  EXPECT_EQ(parts.data["backends"][0], "</script><script>alert(1)</script>");
  EXPECT_THAT(section(parts, "measurements"), HasSubstr("\"><img src=x onerror=alert(1)>"));
}

TEST(HostileResults, AreInertInMarkdown) {
  const std::string summary = markdown_summary(report_of(study_of_rows(hostile_rows()), "", {}));
  EXPECT_EQ(summary.find('<'), std::string::npos);
  EXPECT_EQ(summary.find("](javascript"), summary.find("\\](javascript") + 1);
  std::istringstream lines(summary);
  for (std::string line; std::getline(lines, line);) {
    EXPECT_NE(line, "# c");
    EXPECT_EQ(line.starts_with("|"), line.ends_with("|")) << line;
  }
}

TEST(Markdown, IsAsInTestdata) {
  // After a change that is meant: bptt-report testdata/results.csv --markdown testdata/results.md
  std::ostringstream expected;
  expected << std::ifstream(testdata + "results.md").rdbuf();
  EXPECT_EQ(markdown_summary(report_of_testdata()), expected.str());
}

TEST(Report, TellsWhatToBewareOf) {
  Row other = sample_row("tbb", 1);
  other.host = "elsewhere", other.commit = "def";
  const Report report = report_of(study_of_rows({sample_row("tbb"), other}), "",
                                  {{"environment.json", Json{{"run_id", "unheard of"}}}});
  const std::string summary = markdown_summary(report);
  EXPECT_THAT(summary, HasSubstr("2 hosts"));
  EXPECT_THAT(summary, HasSubstr("2 commits"));
  EXPECT_THAT(summary, HasSubstr("environment.json is of run unheard of"));
}

TEST(Report, WarnsOfCallsThatAreFasterThanTheirBound) {
  std::vector<Row> rows = {sample_row("tbb"), sample_row("blas"), sample_row("naive")};
  rows[0].bound_seconds = 1.25, rows[1].bound_seconds = 1.5, rows[2].bound_seconds = 0.5;
  EXPECT_THAT(cautions(report_of(study_of_rows(rows), "", {})), testing::IsEmpty());
  for (const std::size_t k : {0u, 1u}) {
    rows[k].note = "before; " + std::string(results::faster_than_bound) + ": why";
  }
  const Json limits = Json::parse(R"({"limits": {"at_start": {"fma_peak": [{"gflops": 10}]},
                                                 "at_end": {"fma_peak": [{"gflops": 14}]}}})");
  const Report report = report_of(study_of_rows(rows), "", {{"environment.json", limits}});
  const auto list = cautions(report);
  ASSERT_EQ(list.size(), 1u);
  EXPECT_THAT(list[0],
              testing::AllOf(HasSubstr("2 of 3 measurements took less time"),
                             HasSubstr("most of all blas (lstm, f32, T=10"), HasSubstr("at 150 %"),
                             HasSubstr("up to 40 % higher at the end")));
  // At the top of page and summary, and beside the measurement.
  const std::string summary = markdown_summary(report);
  EXPECT_LT(summary.find("2 of 3 measurements"), summary.find("Fastest backend"));
  const std::string page = html_page(report);
  EXPECT_THAT(page, HasSubstr("2 of 3 measurements took less time"));
  EXPECT_THAT(page, HasSubstr("before; faster than the bound by more than noise: why"));
}

TEST(Report, TheBaselineIsNaiveOrTheFirstOrAsAsked) {
  const auto baseline = [](const std::vector<Row>& rows, const std::string& asked) {
    return report_of(study_of_rows(rows), asked, {}).baseline;
  };
  EXPECT_EQ(baseline({sample_row("tbb"), sample_row("naive")}, ""), "naive");
  EXPECT_EQ(baseline({sample_row("tbb"), sample_row("blas")}, ""), "tbb");
  EXPECT_EQ(baseline({sample_row("tbb"), sample_row("blas")}, "blas"), "blas");
  try {
    baseline({sample_row("tbb"), sample_row("blas")}, "mkl");
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_THAT(error.what(), AllOf(HasSubstr("tbb, blas"), HasSubstr("'mkl'")));
  }
}

}  // namespace
}  // namespace bptt::report
