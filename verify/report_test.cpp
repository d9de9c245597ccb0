// What is written for other programs: the JSON document against its published schema, Markdown,
// annotations, and where documents go.
#include "verify/report.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "impls/api/registry.hpp"
#include "impls/io/test_folder.hpp"
#include "verify/json_schema.hpp"

namespace bptt::verify {
namespace {

using io::text_in;
using testing::AllOf;
using testing::HasSubstr;

using testing::Not;
using Json = nlohmann::json;

JsonSchema schema() {
  return JsonSchema(Json::parse(text_in(BPTT_SOURCE_DIR "/docs/schema/verify.schema.json")));
}

Settings settings() {
  Settings settings;
  settings.backends = backends();
  return settings;
}

Place some_place() {
  Place place;
  place.tensor = "grad.weight_hh_l0";
  place.index = 5;
  place.gate = "f";
  place.row = 1;
  place.column = 0;
  return place;
}

/// One result of every verdict, hostile where a file may be.
std::vector<Result> some_results() {
  Result pass;
  pass.backend = backends().front()->name();
  pass.cell = "lstm";
  pass.subject = "lstm/plain/T7-B3-I5-H4";
  pass.elements = 100;
  pass.slices = 10;
  pass.worst = 2.5;
  pass.worst_place = some_place();
  pass.command = "bptt-verify --only 'lstm/plain/T7-B3-I5-H4'";
  Result fail = pass;
  fail.backend = backends().back()->name();
  fail.kind = CheckKind::fuzz;
  fail.subject = "lstm T=1 B=1 I=1 H=17";
  fail.verdict = Verdict::fail;
  fail.worst = std::numeric_limits<double>::infinity();
  fail.findings.push_back({"equality", some_place(), std::nan(""), 0.25, fail.worst, 1e-9,
                           "1 of 9 elements are off by more than the limit, 50% of them",
                           "step 3 of 7"});
  fail.findings.push_back({"error", {}, 0, 0, 0, 0, "it threw", ""});
  Result doubtful = pass;
  doubtful.verdict = Verdict::inconclusive;
  doubtful.reason = "the signal lies under the noise";
  Result refused = fail;
  refused.findings.clear();
  refused.worst_place = {};
  refused.verdict = Verdict::refused;
  refused.reason = "no";
  Result error;
  error.kind = CheckKind::golden;
  error.subject = "a|b`\n\x1b[2J.safetensors";
  error.verdict = Verdict::error;
  error.reason = "a|b`??[2J.safetensors: cannot open it, <b>";
  Result bits = pass;
  bits.kind = CheckKind::determinism;
  bits.stability = "racy";
  return {pass, fail, doubtful, refused, error, bits};
}

TEST(Json, IsAsTheSchemaHasIt) {
  for (const auto& results : {some_results(), std::vector<Result>()}) {
    const Json document = Json::parse(json_text(settings(), results));
    EXPECT_EQ(schema().complaints(document), std::vector<std::string>());
    EXPECT_EQ(document.at("schema_version"), json_schema_version);
  }
}

/// The schema notices what it is for.
TEST(Json, TheSchemaRefusesOtherDocuments) {
  const Json good = Json::parse(json_text(settings(), some_results()));
  const auto refused = [&](const char* pointer, const Json& value) {
    Json bad = good;
    bad[Json::json_pointer(pointer)] = value;
    return !schema().complaints(bad).empty();
  };
  EXPECT_TRUE(refused("/schema_version", 1));
  EXPECT_TRUE(refused("/new_key", 1));
  EXPECT_TRUE(refused("/counts/pass", -1));
  EXPECT_TRUE(refused("/counts/pass", "3"));
  EXPECT_TRUE(refused("/results/0/kind", "other"));
  EXPECT_TRUE(refused("/results/0/threads", 0));
  EXPECT_TRUE(refused("/results/0/worst_error", "inf"));
  EXPECT_TRUE(refused("/results/1/findings/0/place/time", -1));
  EXPECT_TRUE(refused("/results/1/findings/0/message", ""));
  for (const char* key : {"/results/0/subject", "/results/1/findings/0/got", "/limit"}) {
    Json bad = good;
    const Json::json_pointer pointer(key);
    bad[pointer.parent_pointer()].erase(pointer.back());
    EXPECT_FALSE(schema().complaints(bad).empty()) << key;
  }
}

/// The names stand twice: in the code's tables and in the schema.
TEST(Json, TheSchemaKnowsEveryKindAndVerdict) {
  const Json document = Json::parse(text_in(BPTT_SOURCE_DIR "/docs/schema/verify.schema.json"));
  std::string kinds;
  for (const Json& kind : document["$defs"]["result"]["properties"]["kind"]["enum"]) {
    kinds += (kinds.empty() ? "" : ", ") + kind.get<std::string>();
    EXPECT_NO_THROW(parse_check_kind(kind.get<std::string>()));
  }
  EXPECT_EQ(std::count(kinds.begin(), kinds.end(), ','), [](const std::string& names) {
    return std::count(names.begin(), names.end(), ',');
  }(check_kind_names()));
}

TEST(Markdown, NamesCountsErrorsAndFailures) {
  const std::string text = markdown_text(settings(), some_results());
  EXPECT_THAT(text, HasSubstr("## bptt-verify: FAIL"));
  EXPECT_THAT(text,
              HasSubstr("6 results: 2 pass, 1 fail, 1 inconclusive, 1 refused, 1 unreadable"));
  EXPECT_THAT(text,
              HasSubstr("| equality | " + std::string(backends().front()->name()) +
                        " | f64 | inconclusive (1) | 1 | 0 | 1 | 0 | 200 | 2.5 | 32 | 13x |"));
  EXPECT_THAT(text, HasSubstr("```text\nFAIL fuzz"));
  EXPECT_THAT(text, HasSubstr("reproduce: bptt-verify --only"));
  EXPECT_THAT(text, HasSubstr("- a\\|b\\`??\\[2J.safetensors: cannot open it, \\<b\\>"));
  // Every row of the table has as many cells as its head.
  std::istringstream lines(text);
  std::size_t cells = 0;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("|")) continue;
    std::size_t bars = 0;
    for (std::size_t i = 0; i < line.size(); ++i)
      bars += line[i] == '|' && (i == 0 || line[i - 1] != '\\');
    if (cells == 0) cells = bars;
    EXPECT_EQ(bars, cells) << line;
  }
  EXPECT_EQ(cells, 14u);
}

TEST(Github, OneAnnotationForEachBackendOnOneLine) {
  const std::string text = github_text(settings(), some_results());
  std::istringstream lines(text);
  int annotations = 0;
  for (std::string line; std::getline(lines, line); ++annotations) {
    EXPECT_TRUE(line.starts_with("::error title=") || line.starts_with("::warning title=")) << line;
  }
  EXPECT_EQ(annotations, 3);  // two backends, one unreadable file
  EXPECT_THAT(text, HasSubstr("are wrong; the first:%0AFAIL fuzz"));
  EXPECT_THAT(text, HasSubstr("off by more than the limit, 50%25 of them"));
  EXPECT_THAT(github_text(settings(), {some_results().front()}),
              testing::StartsWith("::notice title="));
  EXPECT_EQ(github_text(settings(), {}), "::error title=bptt-verify::nothing was checked\n");
}

class Documents : public testing::Test {
 protected:
  void TearDown() override { ::unsetenv("GITHUB_STEP_SUMMARY"); }
  std::string path(const char* name) const { return folder_ / name; }

  io::TestFolder folder_;
  std::ostringstream out_;
};

TEST_F(Documents, AreWrittenWholeAndReplaceWhatWasThere) {
  Settings s = settings();
  s.json = path("a.json");
  s.junit = path("a.xml");
  s.markdown = path("a.md");
  std::ofstream(s.markdown) << "old";
  write_documents(s, some_results(), out_);
  EXPECT_EQ(text_in(s.json), json_text(s, some_results()));
  EXPECT_EQ(text_in(s.junit), junit_text(some_results()));
  EXPECT_EQ(text_in(s.markdown), markdown_text(s, some_results()));
  EXPECT_EQ(out_.str(), "");
}

TEST_F(Documents, AreAppendedToTheSummaryOfAStep) {
  Settings s = settings();
  s.markdown = path("summary.md");
  std::ofstream(s.markdown) << "before\n";
  ::setenv("GITHUB_STEP_SUMMARY", s.markdown.c_str(), 1);
  write_documents(s, some_results(), out_);
  EXPECT_EQ(text_in(s.markdown), "before\n" + markdown_text(s, some_results()));
}

TEST_F(Documents, GoToStandardOutputWhereAsked) {
  Settings s = settings();
  s.json = "-";
  write_documents(s, some_results(), out_);
  EXPECT_EQ(out_.str(), json_text(s, some_results()));
}

TEST_F(Documents, OneThatCannotBeWrittenDoesNotKeepTheOthers) {
  Settings s = settings();
  s.json = path("no/such/folder/a.json");
  s.junit = path("a.xml");
  s.markdown = "/dev/full";
  try {
    write_documents(s, some_results(), out_);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::unavailable);
    EXPECT_THAT(error.what(), AllOf(HasSubstr("a.json: cannot write it: No such file"),
                                    HasSubstr("/dev/full: cannot write it: No space left"),
                                    Not(HasSubstr("\n"))));
  }
  EXPECT_EQ(text_in(s.junit), junit_text(some_results()));
}

}  // namespace
}  // namespace bptt::verify
