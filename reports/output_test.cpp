// The pieces that pages and summaries are made of: numbers, escaping, templates, the environment.
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>

#include "impls/api/error.hpp"
#include "impls/io/test_folder.hpp"
#include "reports/environment.hpp"
#include "reports/format.hpp"
#include "reports/html.hpp"
#include "reports/markdown.hpp"
#include "reports/table.hpp"

namespace bptt::report {
namespace {

using ::testing::HasSubstr;

TEST(Format, ThreeDigits) {
  EXPECT_EQ(three_digits(1.234), "1.23");
  EXPECT_EQ(three_digits(12.34), "12.3");
  EXPECT_EQ(three_digits(123.4), "123");
  EXPECT_EQ(three_digits(123456), "123456");
  EXPECT_EQ(three_digits(0.01234), "0.0123");
  EXPECT_EQ(three_digits(9.999), "10.0");
  EXPECT_EQ(three_digits(99.96), "100");
  EXPECT_EQ(three_digits(0), "0");
  EXPECT_EQ(three_digits(-1.5), "-1.50");
  EXPECT_EQ(three_digits(5e-6), "5.00e-06");
  EXPECT_EQ(three_digits(1e300), "1.00e+300");
  EXPECT_EQ(three_digits(std::numeric_limits<double>::infinity()), "inf");
  EXPECT_EQ(three_digits(std::numeric_limits<double>::quiet_NaN()), "nan");
}

TEST(Format, Units) {
  EXPECT_EQ(duration(2.5), "2.50 s");
  EXPECT_EQ(duration(0.9996), "1.00 s");
  EXPECT_EQ(duration(0.0123), "12.3 ms");
  EXPECT_EQ(duration(4.56e-6), "4.56 µs");
  EXPECT_EQ(duration(1.5e-10), "0.150 ns");
  EXPECT_EQ(bytes(1000), "1000 B");
  EXPECT_EQ(bytes(1536), "1.50 KiB");
  EXPECT_EQ(bytes(Index{1} << 33), "8.00 GiB");
  EXPECT_EQ(percent(0.0123), "1.2 %");
  EXPECT_EQ(percent(0.876), "88 %");
}

TEST(Format, RatiosNearOneShowOnWhichSideTheyAre) {
  EXPECT_EQ(times(1.004), "1.004×");
  EXPECT_EQ(times(1.84), "1.84×");
  EXPECT_EQ(with_interval({1.84, {1.79, 1.9, 0.95}, 9}), "1.84× (1.79–1.90)");
  EXPECT_EQ(with_interval({2, {2, 2, 0}, 0}), "2.00× (unpaired)");
  EXPECT_EQ(with_interval({2, {2, 2, 0}, 1}), "2.00×");
}

TEST(Table, DropsAColumnOfNotesWhereThereAreNone) {
  Table table{"", {{"a"}, {"note"}}, {{"1", ""}, {"2", ""}}};
  Table noted = table;
  noted.rows[1][1] = "x";
  table.drop_last_column_if_empty();
  noted.drop_last_column_if_empty();
  EXPECT_EQ(table.columns.size(), 1u);
  EXPECT_EQ(table.rows[0].size(), 1u);
  EXPECT_EQ(noted.columns.size(), 2u);
}

TEST(Markdown, EscapesWhatWouldBeMarkup) {
  EXPECT_EQ(escape_markdown("a|b\nc"), "a\\|b c");
  EXPECT_EQ(escape_markdown("<b>&"), "&lt;b&gt;&amp;");
  EXPECT_EQ(escape_markdown("[x](y) `z` *w*"), "\\[x\\](y) \\`z\\` \\*w\\*");
}

TEST(Html, EscapesWhatWouldBeMarkup) {
  EXPECT_EQ(escape_html("<a href=\"x\" b='y'>&"),
            "&lt;a href=&quot;x&quot; b=&#39;y&#39;&gt;&amp;");
}

TEST(Html, JsonInAScriptCannotEndIt) {
  const Json hostile = {{"</script><!--", "<script>"}};
  const std::string text = escape_json_for_script(hostile);
  EXPECT_EQ(text.find('<'), std::string::npos);
  EXPECT_EQ(Json::parse(text), hostile);
}

TEST(Html, FillsATemplateOnce) {
  EXPECT_EQ(fill("a {{x}} b {{y}}", {{"x", "{{y}}"}, {"y", "2"}}), "a {{y}} b 2");
  EXPECT_THROW(fill("{{x}}", {}), std::logic_error);
  EXPECT_THROW(fill("", {{"x", "1"}}), std::logic_error);
}

TEST(Html, ShowsAnyJson) {
  const Json json = Json::parse(R"({"a": {"b": [1, 2, "<3>"]}, "c": [{"d": null}, [true]]})");
  EXPECT_EQ(
      json_html(json),
      "<dl><dt>a</dt><dd><dl><dt>b</dt><dd>1, 2, &lt;3&gt;</dd></dl></dd>"
      "<dt>c</dt><dd><ul><li><dl><dt>d</dt><dd>null</dd></dl></li><li>true</li></ul></dd></dl>");
}

TEST(Environment, KeyFactsAreWhatIsThere) {
  EXPECT_TRUE(key_facts({}).empty());
  EXPECT_TRUE(key_facts({{"e.json", Json::object()}}).empty());
  const Json odd = Json::parse(
      R"({"system": "a string", "blas": {"live_kernels": "Haswell", "library": {}},
          "gemm_peak": [1, {}, {"gflops": "x"}, {"gflops": 5}]})");
  const Json second = Json::parse(R"({"blas": {"live_kernels": "Zen"}, "time": "now"})");
  const auto facts = key_facts({{"odd.json", odd}, {"second.json", second}});
  ASSERT_EQ(facts.size(), 3u);
  EXPECT_EQ(facts[0].value, "Haswell");
  EXPECT_EQ(facts[1].value, "5.00 (GFLOP/s)");
  EXPECT_EQ(facts[2].value, "now");
}

TEST(Environment, CautionsNameTheFile) {
  const Json good = Json::parse(
      R"({"system": {"cpu": "A", "busy_processors_at_start": 0.1}, "blas": {"better_kernels": ""}})");
  EXPECT_THAT(environment_cautions({{"a.json", good}, {"b.json", good}}), ::testing::IsEmpty());
  const Json bad = Json::parse(
      R"({"system": {"cpu": "B", "busy_processors_at_start": 1.5},
          "blas": {"live_kernels": "Haswell", "better_kernels": "SkylakeX"}})");
  const auto cautions = environment_cautions({{"a.json", good}, {"b.json", bad}});
  ASSERT_EQ(cautions.size(), 3u);
  EXPECT_EQ(cautions[0],
            "b.json: BLAS ran its Haswell kernels, of which this processor has better: SkylakeX.");
  EXPECT_THAT(cautions[1], HasSubstr("b.json: the machine was not idle"));
  EXPECT_EQ(cautions[2], "b.json differs from a.json: Processor B.");
}

TEST(Environment, LimitsRoseByTheMostThatAnyOfThemDid) {
  const Json once = Json::parse(R"({"limits": {"at_start": {"fma_peak": [{"gflops": 10}]}}})");
  EXPECT_EQ(rise_of_limits({{"a.json", once}}), std::nullopt);
  const Json twice = Json::parse(
      R"({"limits": {"at_start": {"fma_peak": [{"gflops": 10}, {"gflops": "x"}],
                                  "bandwidth": [{"read_gb_per_second": 4}]},
                     "at_end": {"fma_peak": [{"gflops": 9}, {"gflops": 5}],
                                "bandwidth": [{"read_gb_per_second": 5}]}}})");
  EXPECT_EQ(rise_of_limits({{"a.json", once}, {"b.json", twice}}), 0.25);
}

class EnvironmentFiles : public ::testing::Test {
 protected:
  std::string message_of(const std::string& text) {
    const std::string path = directory / "environment.json";
    std::ofstream(path) << text;
    try {
      read_environment(path);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::data);
      return std::string(error.what()).substr(path.size());
    }
    return "accepted";
  }
  const io::TestFolder folder;
  const std::filesystem::path directory = folder.path();
};

TEST_F(EnvironmentFiles, ErrorsNameLineAndColumn) {
  EXPECT_EQ(message_of("{}"), "accepted");
  EXPECT_EQ(message_of("{\n \"a\": x}"), ":2: column 7: expected JSON; it breaks off here");
  EXPECT_EQ(message_of("?"), ":1: column 1: expected JSON; it breaks off here");
  EXPECT_THAT(message_of(""), HasSubstr("expected JSON"));
  EXPECT_EQ(message_of("[1]"), ":1: expected a JSON object; got array");
  EXPECT_THAT(message_of("{\"a\": \"\xff\"}"), HasSubstr("expected JSON"));
}

TEST_F(EnvironmentFiles, LieBesideTheResultsOrAreLeftOut) {
  const std::vector<std::string> results = {directory / "a.csv", directory / "b.csv"};
  const auto names = [&](const std::optional<std::string>& named) {
    std::vector<std::string> list;
    for (const auto& file : environments_for(named, results)) list.push_back(file.name);
    return list;
  };
  using ::testing::ElementsAre;
  EXPECT_THAT(names(std::nullopt), ElementsAre());
  std::ofstream(directory / "environment.json") << "{}";
  EXPECT_THAT(names(std::nullopt), ElementsAre("environment.json"));
  std::ofstream(directory / "b.environment.json") << "{}";
  EXPECT_THAT(names(std::nullopt), ElementsAre("b.environment.json"));
  std::ofstream(directory / "a.environment.json") << "{}";
  EXPECT_THAT(names(std::nullopt), ElementsAre("a.environment.json", "b.environment.json"));
  EXPECT_THAT(names(std::string(directory / "environment.json")), ElementsAre("environment.json"));
  EXPECT_THROW(names(std::string(directory / "absent.json")), Error);
}

}  // namespace
}  // namespace bptt::report
