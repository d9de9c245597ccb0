// y and dx written past the caches: that changes no number and writes nothing else, wherever the
// caller's tensors lie.
#include <gtest/gtest.h>

#include "impls/fused/partition.hpp"
#include "impls/fused/plan_results.hpp"

namespace bptt::fused {
namespace {

constexpr const char* cells[] = {"rnn", "lstm", "gru", "gru:reset=after_matmul"};

/// Where tensors do not begin at a line, or rows are not whole lines, nothing is streamed.
template <Real T>
void expect_same_bits_wherever_tensors_lie(const char* cell, const Shape& shape, const Exec& exec) {
  constexpr Index elements_of_a_line = 64 / static_cast<Index>(sizeof(T));
  for (const bool lengths : {false, true}) {
    Spec spec{parse_cell(cell), shape};
    spec.lengths = lengths;
    const auto results = [&](Index offset) {
      return results_on(*make_backend()->plan<T>(spec, exec), spec, mixed_length, offset);
    };
    const std::vector<T> on_lines = results(0);
    for (const Index offset : {Index{1}, elements_of_a_line / 2}) {
      EXPECT_TRUE(results(offset) == on_lines)
          << to_string(spec) << ", " << exec.threads << " threads, offset " << offset;
    }
  }
}

/// One thread: because of the tape, or of y and dx, which are more than a MiB
/// (Schedule::streams).
TEST(FusedStreaming, LongTensors) {
  for (const char* cell : cells) {
    for (const Recompute recompute : {Recompute::none, Recompute::gates, Recompute::checkpoint}) {
      expect_same_bits_wherever_tensors_lie<float>(cell, {330, 13, 64, 64}, {1, recompute});
      expect_same_bits_wherever_tensors_lie<double>(cell, {170, 13, 64, 64}, {1, recompute});
    }
    // Rows of y that are not whole lines, and of dx; products for dx whose k has two blocks.
    expect_same_bits_wherever_tensors_lie<float>(cell, {330, 13, 64, 72}, {1});
    expect_same_bits_wherever_tensors_lie<float>(cell, {330, 13, 72, 64}, {1});
    expect_same_bits_wherever_tensors_lie<float>(cell, {90, 9, 352, 352}, {1});
  }
}

TEST(FusedStreaming, PartsOfABatch) {
  for (const char* cell : cells) {
    for (const int threads : {2, 3}) {
      const Shape shape{20, 13, 64, 80};
      ASSERT_EQ(partition({parse_cell(cell), shape}, {threads}, 4).parts, threads);
      for (const Recompute recompute : {Recompute::none, Recompute::checkpoint}) {
        expect_same_bits_wherever_tensors_lie<float>(cell, shape, {threads, recompute});
      }
      expect_same_bits_wherever_tensors_lie<double>(cell, shape, {threads});
    }
  }
}

TEST(FusedStreaming, ABatchThatIsNotCut) {
  using enum Partition::Way;
  const auto check = [](const char* cell, const Shape& shape, Partition::Way way) {
    for (const int threads : {2, 3}) {
      ASSERT_EQ(partition({parse_cell(cell), shape}, {threads}, 4).way, way);
      expect_same_bits_wherever_tensors_lie<float>(cell, shape, {threads});
    }
  };
  check("lstm", {30, 1, 208, 208}, units);
  check("gru", {30, 1, 256, 256}, units);
  check("lstm", {500, 2, 128, 64}, ahead);
}

}  // namespace
}  // namespace bptt::fused
