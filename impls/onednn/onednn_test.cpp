// That what a plan says of itself is what oneDNN says of what it ran: which implementation, which
// primitives, with which instruction set. oneDNN tells it in its verbose output, line by line as it
// executes. Its numbers are bptt-verify's business.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <ostream>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <oneapi/dnnl/dnnl.h>

#include "impls/api/registry.hpp"
#include "impls/api/tensor.hpp"
#include "impls/net/stack.hpp"
#include "impls/net/stack_params.hpp"

namespace bptt {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const Backend& onednn() {
  return **std::ranges::find(backends(), "onednn", &Backend::name);
}

/// One line of the output, of an RNN primitive.
struct Executed {
  std::string implementation, prop, algorithm, direction, flags, extents;
};

std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, at);) parts.push_back(part);
  return parts;
}

/// "lstm" of " alg:lstm direction:..."; nothing where there is no such name.
std::string value_of(const std::string& name, const std::string& description) {
  for (const std::string& part : split(description, ' ')) {
    if (part.starts_with(name + ":")) return part.substr(name.size() + 1);
  }
  return "";
}

/// ...,exec,cpu,rnn,IMPLEMENTATION,PROP,tensors,attributes,alg:A direction:D ...,EXTENTS,time
std::vector<Executed> rnns_in(const std::string& output) {
  std::vector<Executed> all;
  const std::string start = ",exec,cpu,rnn,";
  for (const std::string& line : split(output, '\n')) {
    const auto at = line.find(start);
    if (at == std::string::npos) continue;
    const auto fields = split(line.substr(at + start.size()), ',');
    if (fields.size() < 7) {
      ADD_FAILURE() << line;
      continue;
    }
    const std::string& what = fields[4];
    all.push_back({fields[0], fields[1], value_of("alg", what), value_of("direction", what),
                   value_of("flags", what), fields[5]});
  }
  return all;
}

/// What oneDNN executes while body runs.
template <class Body>
std::vector<Executed> executed_by(const Body& body) {
  EXPECT_EQ(dnnl_set_verbose(1), dnnl_success);
  testing::internal::CaptureStdout();
  body();
  const std::string output = testing::internal::GetCapturedStdout();
  EXPECT_EQ(dnnl_set_verbose(0), dnnl_success);
  return rnns_in(output);
}

void run(Plan<float>& plan, Problem<float>& problem) {
  plan.forward(problem.params, problem.in, problem.out);
  plan.backward(problem.params, problem.in, problem.dout, problem.grads);
}

struct CellCase {
  std::string cell, algorithm;
};
const CellCase cell_cases[] = {{"rnn", "vanilla_rnn"},
                               {"rnn:leaky_relu", "vanilla_rnn"},
                               {"lstm", "vanilla_lstm"},
                               {"lstm:peephole", "vanilla_lstm"},
                               {"gru", "vanilla_gru"},
                               {"gru:update=keep", "vanilla_gru"},
                               {"gru:reset=after_matmul", "lbr_gru"}};

TEST(OneDnn, APlansImplementationIsTheOneThatRan) {
  for (const CellCase& c : cell_cases) {
    SCOPED_TRACE(c.cell);
    const Spec spec{parse_cell(c.cell), {7, 5, 3, 9}};
    Problem<float> problem(spec);
    const auto plan = onednn().plan<float>(spec, {});
    const auto executed = executed_by([&] { run(*plan, problem); });
    ASSERT_EQ(executed.size(), 2);
    const auto& [forward, backward] = std::pair{executed[0], executed[1]};
    EXPECT_EQ(forward.prop, "forward_training");
    EXPECT_EQ(backward.prop, "backward");
    EXPECT_FALSE(forward.implementation.empty());
    EXPECT_EQ(plan->implementation(),
              forward.implementation == backward.implementation
                  ? forward.implementation
                  : "forward " + forward.implementation + ", backward " + backward.implementation);
    for (const Executed& one : executed) {
      EXPECT_EQ(one.algorithm, c.algorithm);
      EXPECT_EQ(one.direction, "unidirectional_left2right");
      EXPECT_EQ(one.extents, "l1t7mb5sic9slc3dhc9dic9");
    }
    // What oneDNN 3 has for speed: gradients need not be zeroed.
    EXPECT_EQ(backward.flags, dnnl_version()->major >= 3 ? "O" : "");
  }
}

/// The extents of the primitives that a stack runs, in their order.
std::vector<std::string> extents_of(const StackSpec& spec, std::string& implementation) {
  net::Stack<float> stack(spec, {onednn(), {}});
  implementation = stack.implementation();
  const net::StackParams<float> params(spec), grads(spec);
  Tensor<float> x({spec.shape.T, spec.shape.B, spec.shape.I}), y(output_extents(spec));
  const auto inputs = net::read_only(params.views());
  const auto executed = executed_by([&] {
    stack.forward(inputs, {x.view(), {}, {}}, {y.view(), {}, {}});
    stack.backward(inputs, {x.view(), {}, {}}, {y.view(), {}, {}}, {grads.views(), {}, {}, {}});
  });
  std::vector<std::string> extents;
  for (const Executed& one : executed) {
    EXPECT_EQ(one.direction,
              spec.bidirectional ? "bidirectional_concat" : "unidirectional_left2right");
    EXPECT_THAT(implementation, HasSubstr(one.implementation));
    extents.push_back((one.prop == "backward" ? "backward " : "forward ") + one.extents);
  }
  return extents;
}

TEST(OneDnn, AStackRunsAsFewPrimitivesAsItCan) {
  const Cell lstm = parse_cell("lstm");
  std::string implementation;
  EXPECT_THAT(extents_of({lstm, {7, 5, 9, 9}, 3}, implementation),
              ElementsAre("forward l3t7mb5sic9slc9dhc9dic9", "backward l3t7mb5sic9slc9dhc9dic9"));
  EXPECT_THAT(implementation, testing::Not(HasSubstr("primitives")));
  EXPECT_THAT(extents_of({lstm, {7, 5, 3, 9}, 3}, implementation),
              ElementsAre("forward l1t7mb5sic9slc3dhc9dic9", "forward l2t7mb5sic9slc9dhc9dic9",
                          "backward l2t7mb5sic9slc9dhc9dic9", "backward l1t7mb5sic9slc3dhc9dic9"));
  EXPECT_THAT(implementation, HasSubstr("2 primitives: "));
  EXPECT_THAT(extents_of({lstm, {7, 5, 9, 9}, 1, true}, implementation),
              ElementsAre("forward l1t7mb5sic9slc9dhc9dic9", "backward l1t7mb5sic9slc9dhc9dic9"));
  EXPECT_THAT(extents_of({lstm, {7, 5, 3, 9}, 2, true}, implementation),
              ElementsAre("forward l1t7mb5sic9slc3dhc9dic9", "forward l1t7mb5sic9slc18dhc9dic9",
                          "backward l1t7mb5sic9slc18dhc9dic9", "backward l1t7mb5sic9slc3dhc9dic9"));
}

TEST(OneDnn, SaysItsVersion) {
  const auto version = onednn().version();
  const auto* v = dnnl_version();
  EXPECT_TRUE(version.starts_with("oneDNN " + std::to_string(v->major) + "." +
                                  std::to_string(v->minor) + "." + std::to_string(v->patch) + " "))
      << version;
  // For the test below, which calls this one with verbose output.
  std::cout << "version: " << version << "\n";
  const Spec spec{parse_cell("lstm"), {7, 5, 3, 9}};
  Problem<float> problem(spec);
  run(*onednn().plan<float>(spec, {}), problem);
}

/// What the test above prints, and oneDNN beside it, in a process of its own: the instruction set
/// is settled with the first use of the library.
std::string output_with(const std::string& environment) {
  const std::string self = std::filesystem::read_symlink("/proc/self/exe");
  const std::string command =
      environment + " ONEDNN_VERBOSE=1 '" + self + "' --gtest_filter=OneDnn.SaysItsVersion 2>&1";
  std::string output;
  FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return output;
  char buffer[4096];
  for (std::size_t n; (n = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) {
    output.append(buffer, n);
  }
  EXPECT_EQ(::pclose(pipe), 0) << output;
  return output;
}

TEST(OneDnn, TheInstructionSetAskedForIsTheOneThatRuns) {
#if defined(__x86_64__)
  struct Asked {
    bool there;
    std::string environment, name;
  };
  // More than the processor has would be no more than it has.
  const Asked all[] = {{__builtin_cpu_supports("sse4.1") != 0, "SSE41", "SSE4.1"},
                       {__builtin_cpu_supports("avx") != 0, "AVX", "AVX"},
                       {__builtin_cpu_supports("avx2") != 0, "AVX2", "AVX2"}};
  for (const auto& [there, environment, name] : all) {
    if (!there) continue;
    SCOPED_TRACE(environment);
    const std::string output = output_with("ONEDNN_MAX_CPU_ISA=" + environment);
    EXPECT_THAT(output, HasSubstr("cpu,isa:Intel " + name + "\n"));
    EXPECT_THAT(output, HasSubstr(" " + name + ", OpenMP"));
  }
#else
  GTEST_SKIP() << "the instruction sets here are those of x86-64";
#endif
}

}  // namespace
}  // namespace bptt
