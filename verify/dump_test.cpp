// --dump: what fails is written so that --golden reads it back and fails in the same way.
#include "verify/dump.hpp"

#include <filesystem>
#include <set>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "impls/api/registry.hpp"
#include "impls/io/safetensors_writer.hpp"
#include "impls/io/test_folder.hpp"
#include "verify/cases.hpp"
#include "verify/fuzz/campaign.hpp"
#include "verify/golden.hpp"
#include "verify/self_test/faulty_backend.hpp"

namespace bptt::verify {
namespace {

using testing::HasSubstr;

constexpr auto first_gradient_off = []<class T>(FaultContext<T>& c) {
  if (c.backward && c.grads.params.weight_hh) c.grads.params.weight_hh[0] *= T(1.01);
};

class Dump : public testing::Test {
 protected:
  Dump() : faulty_(*backends().front(), Fault::make("off", first_gradient_off)) {
    settings_.dump = folder_ / "made/for/it";
    settings_.backends = {&faulty_};
  }

  std::vector<Result> run(const char* text, Dtype dtype) const {
    return fuzz::run_case(fuzz::parse_description(text), settings_.backends, {dtype}, {1},
                          {Recompute::none}, 3);
  }
  std::vector<std::string> files() const { return golden_paths({settings_.dump}); }

  FaultyBackend faulty_;
  Settings settings_;
  io::TestFolder folder_;
  std::ostringstream notes_;
};

TEST_F(Dump, IsReadBackAsAGoldenFileAndFailsInTheSamePlace) {
  const char* texts[] = {
      "lstm:peephole T=3 B=2 I=1 H=5 lengths=2,0 without=c0,dhT,grad.x",
      "gru:reset=after_matmul:update=keep T=4 B=2 I=3 H=2 layers=2 bidirectional lengths=4,2",
      "rnn:relu:bias=off T=4 B=2 I=3 H=2 head=half_squared_error:3:all",
      "lstm:output=identity:candidate=identity T=2 B=2 I=3 H=2 head=softmax_cross_entropy:3:last "
      "lengths=1,2",
  };
  for (const char* text : texts) {
    for (const Dtype dtype : all_dtypes) {
      std::filesystem::remove_all(settings_.dump);
      const auto results = run(text, dtype);
      ASSERT_EQ(results.front().verdict, Verdict::fail) << text;
      dump_failures(settings_, results, notes_);
      ASSERT_EQ(files().size(), 1u) << notes_.str();
      const auto stored = io::Safetensors::read(files().front());
      EXPECT_EQ(stored.metadata().at("command"), results.front().command);
      const Finding& first = results.front().findings.front();
      const auto got = stored.reals("got." + first.place.tensor);
      EXPECT_EQ(got[static_cast<std::size_t>(first.place.index)], first.got);

      GoldenOptions options;
      options.backends = {&faulty_, backends().front()};
      options.dtypes = {dtype};
      options.recompute = {Recompute::none};
      options.threads = {1};
      const auto again = check_golden_file(files().front(), options);
      ASSERT_EQ(again.size(), 2u) << again.front().reason;
      EXPECT_EQ(again[0].verdict, Verdict::fail) << text << again[0].reason;
      EXPECT_EQ(again[0].findings.front().place.tensor, first.place.tensor) << text;
      EXPECT_NE(again[1].verdict, Verdict::fail) << text << " " << again[1].reason;
      EXPECT_NE(again[1].verdict, Verdict::error) << text << " " << again[1].reason;
    }
  }
}

/// Cases of the table, and what the format cannot say.
TEST_F(Dump, WritesArchitecturesWithoutAKeyForGoldenFiles) {
  for (const char* name : {"gru/2-layers/T5-B2-I4-H3", "many-to-one/rnn/lengths/T5-B4-I2-H3"}) {
    std::filesystem::remove_all(settings_.dump);
    Result result;
    result.subject = find_case(name).name;
    result.backend = faulty_.name();
    result.verdict = Verdict::fail;
    result.seed = 1;
    dump_failures(settings_, {result}, notes_);
    ASSERT_EQ(files().size(), 1u) << notes_.str();
    const auto stored = io::Safetensors::read(files().front());
    EXPECT_EQ(stored.metadata().count("bptt"), name[0] == 'g' ? 1u : 0u) << name;
    EXPECT_TRUE(stored.contains("got.y"));
  }
}

TEST_F(Dump, IsBoundedAndSaysSo) {
  const Result one = run("rnn T=1 B=1 I=1 H=2", Dtype::f64).front();
  std::vector<Result> results(most_dumped + 3, one);
  for (Result& result : results) result.seed += static_cast<std::uint64_t>(&result - &results[0]);
  results.front().subject = "not a case at all";
  dump_failures(settings_, results, notes_);
  EXPECT_EQ(files().size(), static_cast<std::size_t>(most_dumped));
  EXPECT_THAT(notes_.str(), HasSubstr("not written: "));
  EXPECT_THAT(notes_.str(), HasSubstr("left out 2 more failing results"));
  settings_.dump = "/proc/no/such/folder";
  EXPECT_THROW(dump_failures(settings_, results, notes_), Error);
}

TEST(DumpNames, AreSafeAndTellResultsApart) {
  std::set<std::string> names;
  for (const char* subject : {"a/b", "a_b", "../../etc/passwd", "x y\n\x1b'$(rm)", ""}) {
    Result result;
    result.kind = CheckKind::equality;
    result.backend = "tbb";
    result.subject = subject;
    const std::string name = dump_name(result);
    EXPECT_EQ(name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                     "0123456789._-"),
              std::string::npos);
    EXPECT_THAT(name, testing::StartsWith("equality-tbb-f64-threads1-none-"));
    names.insert(name);
  }
  EXPECT_EQ(names.size(), 5u);
  Result huge;
  huge.subject = std::string(5000, 'x');
  EXPECT_LT(dump_name(huge).size(), 200u);
}

TEST(GoldenMetadata, GivesEveryCellBack) {
  for (const Case& c : all_cases()) {
    if (c.cell.empty()) continue;
    net::NetworkSpec network;
    network.stack.cell = parse_cell(c.cell);
    network.stack.shape = {3, 2, 4, 5};
    network.stack.layers = 2;
    network.stack.bidirectional = true;
    io::SafetensorsWriter writer;
    writer.add_metadata("bptt", golden_metadata(network, {}));
    const auto spec = read_golden_spec(io::Safetensors::parse("x", writer.bytes()));
    EXPECT_EQ(spec.refusal.value_or(""), "") << c.cell;
    EXPECT_EQ(spec.network, network) << c.cell;
  }
}

}  // namespace
}  // namespace bptt::verify
