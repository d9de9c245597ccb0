// bptt-verify as a user calls it: exit codes, messages, reports that parse back, commands that
// reproduce.
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <pugixml.hpp>
#include <unistd.h>

#include "impls/api/registry.hpp"
#include "impls/io/safetensors_writer.hpp"
#include "verify/call_program.hpp"
#include "verify/cases.hpp"
#include "verify/directions.hpp"
#include "verify/json_schema.hpp"
#include "verify/properties/property.hpp"

namespace bptt::verify {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// A file of this test's own, removed at the end.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& name)
      : path((std::filesystem::temp_directory_path() /
              ("bptt_verify_cli_" + std::to_string(::getpid()) + "_" + name))
                 .string()) {}
  ~TemporaryFile() { std::filesystem::remove(path); }
  std::string read() const {
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }
  const std::string path;
};

/// One word of a shell.
std::string in_shell(const std::string& text) {
  std::string word = "'";
  for (const char c : text) word += c == '\'' ? "'\\''" : std::string(1, c);
  return word + "'";
}

TEST(Cli, PassesOnOneCase) {
  const Outcome outcome = call(one_case);
  EXPECT_EQ(outcome.code, 0) << outcome.text;
  EXPECT_THAT(outcome.text, AllOf(HasSubstr("PASS: "), HasSubstr("Gradients of naive"),
                                  HasSubstr("Backends against naive"), Not(HasSubstr("Golden"))));
  for (const Backend* backend : backends()) {
    EXPECT_THAT(outcome.text, HasSubstr(std::string(backend->name())));
  }
}

TEST(Cli, ListsCasesAsItWouldRunThem) {
  const Outcome all = call("--list-cases");
  EXPECT_EQ(all.code, 0);
  const auto lines = std::count(all.text.begin(), all.text.end(), '\n');
  EXPECT_EQ(static_cast<std::size_t>(lines),
            all_cases().size() + direction_cases().size() + property_cases().size());
  const Outcome some = call("--list-cases --cell gru:update=keep --quick");
  EXPECT_THAT(some.text,
              AllOf(HasSubstr("gru:update=keep/"), HasSubstr("gru:update=keep:bias=off/"),
                    Not(HasSubstr("lstm")), Not(HasSubstr("after_matmul"))));
  EXPECT_EQ(call("--list-cases --cell lstm:bias=off").text.find("lstm/"), std::string::npos);
}

TEST(Cli, VerdictsStandOnTheTerminalWhereADocumentCannotBeWritten) {
  const Outcome outcome =
      call("--backend naive --threads 1 " + one_case + "--junit /nonexistent/a.xml");
  EXPECT_EQ(outcome.code, 69);
  EXPECT_THAT(outcome.text, AllOf(HasSubstr("PASS: "), HasSubstr("/nonexistent/a.xml")));
}

/// The documents of a run over a case in words, and over a few drawn ones.
TEST(Cli, RunsCasesThatNoTableHas) {
  const JsonSchema schema(
      nlohmann::json::parse(std::ifstream(BPTT_SOURCE_DIR "/docs/schema/verify.schema.json")));
  const std::string word = "lstm:peephole T=3 B=2 I=1 H=5 lengths=2,0 without=c0,dhT";
  for (const std::string& arguments :
       {"--case '" + word + "' --threads 1", std::string("--fuzz 8 --seed 3 --threads 1")}) {
    // Standard output has the document alone; what is left out stands on standard error.
    const Outcome outcome =
        call(arguments + " --backend naive,blas --json - --github 2>/dev/null #");
    ASSERT_EQ(outcome.code, 0) << outcome.text;
    const auto document = nlohmann::json::parse(outcome.text);
    EXPECT_EQ(schema.complaints(document), std::vector<std::string>());
    EXPECT_EQ(document.at("results").size(), 4u);
    for (const auto& result : document.at("results")) EXPECT_EQ(result.at("kind"), "fuzz");
  }
}

TEST(Cli, LabelsChooseKindsOfChecks) {
  const Outcome outcome = call(one_case + "--threads 1 --label gradient --json - 2>/dev/null #");
  ASSERT_EQ(outcome.code, 0) << outcome.text;
  const auto document = nlohmann::json::parse(outcome.text);
  ASSERT_EQ(document.at("results").size(), 1u);
  EXPECT_EQ(document.at("results").at(0).at("kind"), "gradient");
}

TEST(Cli, AnInterruptedFuzzRunPrintsWhatItHas) {
  const Outcome outcome =
      call("--fuzz 100000000 --backend naive --threads 1", "timeout --preserve-status -s INT 1");
  EXPECT_EQ(outcome.code, 130) << outcome.text;
  EXPECT_THAT(outcome.text, AllOf(HasSubstr("then interrupted"), HasSubstr("PASS: ")));
}

TEST(Cli, GoldenNamesFileBackendTensorErrorAndVerdict) {
  const Outcome outcome =
      call("--verbose --golden " + golden_folder + "/lstm_lengths.safetensors " + golden_folder +
           "/lstm_deep3_bidir_lengths.safetensors");
  EXPECT_EQ(outcome.code, 0) << outcome.text;
  for (const Backend* backend : own_backends()) {
    EXPECT_THAT(outcome.text,
                testing::ContainsRegex("lstm_lengths.safetensors +" + std::string(backend->name()) +
                                       " +f64 +1 +[a-z].* pass"));
    EXPECT_THAT(outcome.text,
                testing::ContainsRegex("lstm_deep3_bidir_lengths.safetensors +" +
                                       std::string(backend->name()) + " +f32 +1 +[a-z].* pass"));
  }
  EXPECT_THAT(outcome.text, Not(HasSubstr("Backends against naive")));
}

/// A copy of a golden file in which one expected number is wrong.
void write_wrong_golden(const std::string& path) {
  const auto file = io::Safetensors::read(golden_folder + "/lstm.safetensors");
  io::SafetensorsWriter writer;
  for (const auto& [key, value] : file.metadata()) writer.add_metadata(key, value);
  for (const auto& [name, tensor] : file.tensors()) {
    auto values = file.reals(name);
    if (name == "grad.weight_hh_l0") values[17] += 1e-8;
    writer.add(name, tensor.shape, std::span<const double>(values));
  }
  writer.write(path);
}

/// A file of a few bytes that claims to hold far more.
TEST(Cli, AnUnreadableGoldenFileIsAResultAndTheOthersRun) {
  const TemporaryFile huge("huge.safetensors"), json("report.json");
  io::SafetensorsWriter writer;
  writer.add_metadata("bptt", R"({"cell": "rnn", "T": 4000000000, "B": 1, "I": 1, "H": 1})");
  for (const char* name : {"x", "weight_ih_l0", "weight_hh_l0", "out.y"}) {
    writer.add(name, std::vector<Index>{1, 1}, std::vector<double>{1});
  }
  writer.write(huge.path);
  const Outcome outcome =
      call("--backend " + own_names() + " --threads 1 --golden /nonexistent.safetensors " +
           huge.path + ' ' + golden_folder + "/gru_before_take.safetensors --json " + json.path);
  EXPECT_EQ(outcome.code, 65) << outcome.text;
  EXPECT_THAT(outcome.text, HasSubstr(huge.path + ": tensor 'x': expected extents"));
  const auto document = nlohmann::json::parse(json.read());
  EXPECT_EQ(document.at("exit_code"), 65);
  EXPECT_EQ(document.at("counts").at("errors"), 2);
  EXPECT_EQ(document.at("counts").at("pass"), 2 * own_backends().size());
  const auto& first = document.at("results").at(0);
  EXPECT_EQ(first.at("verdict"), "error");
  EXPECT_EQ(first.at("subject"), "/nonexistent.safetensors");
  EXPECT_THAT(first.at("reason").get<std::string>(), HasSubstr("/nonexistent.safetensors"));
}

TEST(Cli, GoldenRunsEveryThreadCountAndSaysWhatAFileDoesNotHave) {
  if (other_name().empty()) GTEST_SKIP() << "no backend with threads is built in";
  const TemporaryFile golden("few.safetensors"), json("report.json");
  const auto file = io::Safetensors::read(golden_folder + "/lstm.safetensors");
  io::SafetensorsWriter writer;
  for (const auto& [key, value] : file.metadata()) writer.add_metadata(key, value);
  for (const auto& [name, tensor] : file.tensors()) {
    if (name == "out.cT" || name == "grad.x") continue;
    const auto values = file.reals(name);
    writer.add(name, tensor.shape, std::span<const double>(values));
  }
  writer.write(golden.path);
  const Outcome outcome =
      call("--backend " + other_name() + " --threads 1,2,3 --verbose --golden " + golden.path +
           " --json " + json.path);
  EXPECT_EQ(outcome.code, 0) << outcome.text;
  EXPECT_THAT(outcome.text,
              AllOf(HasSubstr("pass (2 results not in the file)"), HasSubstr("out.cT grad.x")));
  const auto document = nlohmann::json::parse(json.read());
  ASSERT_EQ(document.at("results").size(), 6u);
  std::set<int> threads;
  for (const auto& result : document.at("results")) {
    threads.insert(result.at("threads").get<int>());
    EXPECT_EQ(result.at("not_compared"), nlohmann::json::array({"out.cT", "grad.x"}));
  }
  EXPECT_EQ(threads, (std::set<int>{1, 2, 3}));
}

TEST(Cli, RecomputesAsAskedAndInMarkedCasesInEveryWay) {
  const std::string one_thread = "--backend blas --dtype f32 --threads 1 --only ";
  const auto modes = [&](const std::string& arguments) {
    const TemporaryFile json("report.json");
    EXPECT_EQ(call(one_thread + arguments + " --json " + json.path).code, 0);
    std::set<std::string> names;
    const auto document = nlohmann::json::parse(json.read());
    for (const auto& result : document.at("results")) {
      names.insert(result.at("recompute").get<std::string>());
    }
    return names;
  };
  EXPECT_EQ(modes("'gru/lengths/T7-B3-I5-H4'"), (std::set<std::string>{"none"}));
  EXPECT_EQ(modes("'gru/plain/T50-B3-I5-H17'"),
            (std::set<std::string>{"none", "gates", "checkpoint"}));
  EXPECT_EQ(modes("'gru/lengths/T7-B3-I5-H4' --recompute gates"), (std::set<std::string>{"gates"}));
}

TEST(Cli, WrongResultsExitWithOneAndTheCommandReproducesThem) {
  const TemporaryFile golden("wrong.safetensors");
  write_wrong_golden(golden.path);
  const Outcome outcome = call("--dtype f64 --golden " + golden.path);
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.text, AllOf(HasSubstr("FAIL golden"),
                                  HasSubstr("grad.weight_hh_l0 gate f row 0 column 1: got")));
  const std::string lead = "reproduce: bptt-verify ";
  const auto at = outcome.text.find(lead);
  ASSERT_NE(at, std::string::npos);
  const auto end = outcome.text.find('\n', at);
  const Outcome again = call(outcome.text.substr(at + lead.size(), end - at - lead.size()));
  EXPECT_EQ(again.code, 1);
  // The failure as it was printed the first time: all but the backends left out are the same.
  const auto failure =
      outcome.text.substr(outcome.text.find("FAIL golden"), end - outcome.text.find("FAIL golden"));
  EXPECT_THAT(again.text, HasSubstr(failure));
}

TEST(Cli, JsonParsesBackAndCountsWhatRan) {
  const TemporaryFile golden("wrong.safetensors"), json("report.json");
  write_wrong_golden(golden.path);
  EXPECT_EQ(call("--backend " + own_names() + " --dtype f64 --threads 1 --golden " + golden.path +
                 " --json " + json.path)
                .code,
            1);
  const auto document = nlohmann::json::parse(json.read());
  EXPECT_EQ(document.at("schema_version"), 2);
  EXPECT_EQ(document.at("exit_code"), 1);
  ASSERT_EQ(document.at("results").size(), own_backends().size());
  EXPECT_EQ(document.at("counts").at("fail"), own_backends().size());
  for (const auto& result : document.at("results")) {
    EXPECT_EQ(result.at("verdict"), "fail");
    EXPECT_EQ(result.at("kind"), "golden");
    EXPECT_EQ(result.at("recompute"), "none");
    EXPECT_EQ(result.at("findings").at(0).at("place").at("gate"), "f");
    EXPECT_GT(result.at("findings").at(0).at("error").get<double>(), document.at("limit"));
  }
}

TEST(Cli, JunitParsesBackAndCountsWhatRan) {
  const TemporaryFile golden("wrong.safetensors"), junit("report.xml");
  write_wrong_golden(golden.path);
  EXPECT_EQ(
      call("--backend " + own_names() + " --dtype f64 --threads 1 --golden " + golden.path + ' ' +
           golden_folder + "/lstm.safetensors /nonexistent.safetensors --junit " + junit.path)
          .code,
      1);  // what is wrong weighs more than what cannot be read
  pugi::xml_document document;
  ASSERT_TRUE(document.load_file(junit.path.c_str()));
  const auto suites = document.child("testsuites");
  const auto count = static_cast<int>(own_backends().size());
  EXPECT_EQ(suites.attribute("tests").as_int(), 2 * count + 1);
  EXPECT_EQ(suites.attribute("failures").as_int(), count);
  EXPECT_EQ(suites.attribute("errors").as_int(), 1);
  int failures = 0, errors = 0;
  for (const auto& test : document.select_nodes("//testcase")) {
    failures += test.node().child("failure") ? 1 : 0;
    errors += test.node().child("error") ? 1 : 0;
  }
  EXPECT_EQ(failures, count);
  EXPECT_EQ(errors, 1);
  EXPECT_THAT(document.select_node("//failure").node().text().as_string(),
              HasSubstr("reproduce: bptt-verify"));
}

/// Names of files and of tensors that would clear the screen and claim success.
TEST(Cli, HostileNamesReachNeitherTerminalNorXml) {
  const std::string evil = "\x1b[2J\nPASS: 384 results\x01\xff";
  const TemporaryFile wrong(evil + "it's.safetensors"), odd(evil + "2.safetensors");
  const TemporaryFile junit("report.xml");
  write_wrong_golden(wrong.path);
  io::SafetensorsWriter writer;
  writer.add_metadata("bptt", R"({"cell": "rnn", "T": 1, "B": 1, "I": 1, "H": 1})");
  writer.add("\x1b[2J\nPASS: 384 results", std::vector<Index>{1}, std::vector<double>{1});
  writer.write(odd.path);
  const Outcome outcome =
      call("--backend naive --dtype f64 --threads 1 --golden " + in_shell(wrong.path) + ' ' +
           in_shell(odd.path) + " --junit " + junit.path);
  EXPECT_EQ(outcome.code, 1) << outcome.text;
  EXPECT_THAT(outcome.text, AllOf(HasSubstr("?[2J?PASS: 384 results??"), Not(HasSubstr("\x1b")),
                                  Not(HasSubstr("\nPASS")), Not(HasSubstr("\xff"))));
  const std::string xml = junit.read();
  EXPECT_THAT(xml, AllOf(HasSubstr("?[2J?PASS: 384 results??"), Not(HasSubstr("&#27;")),
                         Not(HasSubstr("&#01;")), Not(HasSubstr("\x1b"))));
  for (const char c : xml) EXPECT_TRUE(c == '\n' || (c >= ' ' && c <= '~')) << int{c};
}

TEST(Cli, ACaseAloneGivesTheNumbersItGivesAmongOthers) {
  const TemporaryFile alone("alone.json"), among("among.json");
  const std::string name = "gru/lengths/T9-B1-I3-H5";
  EXPECT_EQ(
      call("--backend naive --dtype f32 --seed 7 --only '" + name + "' --json " + alone.path).code,
      0);
  EXPECT_EQ(call("--backend naive --seed 7 --only 'gru/*/T9-*' --json " + among.path).code, 0);
  const auto find = [&](const TemporaryFile& file) {
    const auto document = nlohmann::json::parse(file.read());
    for (const auto& result : document.at("results")) {
      if (result.at("subject") == name && result.at("dtype") == "f32" && result.at("threads") == 1)
        return result;
    }
    return nlohmann::json();
  };
  ASSERT_TRUE(find(alone).is_object());
  EXPECT_EQ(find(alone), find(among));
}

}  // namespace
}  // namespace bptt::verify
