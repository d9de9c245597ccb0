// What must not depend on how many threads there are, or on how far each has come.
#include <algorithm>
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "impls/api/backend.hpp"
#include "impls/api/tensor.hpp"
#include "impls/fused/every_target.hpp"

namespace bptt::fused {

std::unique_ptr<Backend> make_backend();

namespace {

/// Every number that a forward and a backward pass produce.
template <Real T>
std::vector<T> results(const Spec& spec, const Exec& exec) {
  const auto backend = make_backend();
  const auto plan = backend->plan<T>(spec, exec);
  Problem<T> problem(spec);
  double value = 0.1;
  const auto put = [&](const TensorInfo&, const View<T>& view) {
    for (T& element : view) {
      value = std::fmod(value * 1.618 + 0.357, 1.0);
      element = static_cast<T>((value - 0.5) / 4);
    }
  };
  for_each(spec, problem.params, put);
  for_each(spec, problem.in, put);
  for_each(spec, problem.dout, put);
  plan->forward(problem.params, problem.in, problem.out);
  plan->backward(problem.params, problem.in, problem.dout, problem.grads);
  std::vector<T> all;
  const auto take = [&](const TensorInfo&, const View<T>& view) {
    all.insert(all.end(), view.begin(), view.end());
  };
  for_each(spec, problem.out, take);
  for_each(spec, problem.grads, take);
  return all;
}

constexpr const char* cells[] = {"rnn", "lstm", "gru", "gru:reset=after_matmul"};

template <Real T>
void expect_same_bits(const Spec& spec, Exec exec) {
  exec.threads = 1;
  const std::vector<T> one = results<T>(spec, exec);
  for (const int threads : {2, 3}) {
    exec.threads = threads;
    EXPECT_TRUE(results<T>(spec, exec) == one)
        << to_string(spec) << " " << name_of(exec.recompute) << ": 1 and " << threads << " threads";
  }
}

TEST(FusedThreads, SameBitsInOnePart) {
  // Batches of one part, whose rows are more and fewer than those of a register tile; units in as
  // many panels as change the tiles with the number of threads that share them. Small ones are not
  // split: one thread runs the loop, the others take the inputs, in more than one chunk.
  const auto check = []<class T>(const Kernels<T>&) {
    for (const char* cell : cells) {
      for (const Index B : {3, 7}) {
        for (const Index H : {48, 96, 200}) {
          for (const Recompute recompute : {Recompute::none, Recompute::checkpoint}) {
            expect_same_bits<T>({parse_cell(cell), {B == 3 ? 25 : 4, B, 40, H}}, {1, recompute, true});
          }
        }
      }
    }
  };
  for_each_target<float>(check);
  for_each_target<double>(check);
}

TEST(FusedThreads, SameBitsWhereTheBatchIsCut) {
  for (const char* cell : cells) {
    for (const Index B : {8, 13, 70}) {
      expect_same_bits<float>({parse_cell(cell), {5, B, 20, 33}}, {1, Recompute::none, true});
    }
  }
}

/// More inputs than are packed at once: whoever is ahead packs the next ones while another still
/// multiplies by the ones before.
TEST(FusedThreads, ManyInputs) {
  for (const Index I : {8193, 8300, 16500}) {
    const Spec spec{parse_cell("rnn"), {3, 4, I, 128}};
    const std::vector<float> one = results<float>(spec, {1});
    for (const int threads : {2, 3}) {
      for (int run = 0; run < 10; ++run) {
        EXPECT_TRUE(results<float>(spec, {threads}) == one) << to_string(spec) << " run " << run;
      }
    }
  }
}

}  // namespace
}  // namespace bptt::fused
