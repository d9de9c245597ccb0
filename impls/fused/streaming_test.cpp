// y and dx written past the caches: that changes no number and writes nothing else, wherever the
// caller's tensors lie.
#include <gtest/gtest.h>

#include "impls/fused/plan_results.hpp"

namespace bptt::fused {
namespace {

/// Tapes of more than the MiB from which on tensors are streamed (Schedule::tape_is_far). Rows of
/// y and dx of whole cache lines and of others, products for dx of one block of k and of two.
template <Real T>
void expect_same_bits_wherever_tensors_lie() {
  constexpr Index elements_of_a_line = 64 / static_cast<Index>(sizeof(T));
  for (const char* cell : {"rnn", "lstm", "gru", "gru:reset=after_matmul"}) {
    for (const Shape& shape : {Shape{180, 13, 64, 64}, {180, 13, 80, 72}, {20, 9, 48, 352}}) {
      for (const bool lengths : {false, true}) {
        Spec spec{parse_cell(cell), shape};
        spec.lengths = lengths;
        const auto results = [&](Index offset) {
          return results_on(*make_backend()->plan<T>(spec, {2}), spec, mixed_length, offset);
        };
        const std::vector<T> on_lines = results(0);
        for (const Index offset : {Index{1}, elements_of_a_line / 2}) {
          EXPECT_TRUE(results(offset) == on_lines) << to_string(spec) << " offset " << offset;
        }
      }
    }
  }
}

TEST(FusedStreaming, SameBitsWhereverTheCallersTensorsLie) {
  expect_same_bits_wherever_tensors_lie<float>();
  expect_same_bits_wherever_tensors_lie<double>();
}

}  // namespace
}  // namespace bptt::fused
