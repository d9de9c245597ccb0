// The loops compute what they claim, and limits come out whole. How fast is nobody's business here.
#include "bench/limits/limits.hpp"

#include <atomic>
#include <numeric>

#include <gmock/gmock.h>

#include "bench/bound.hpp"
#include "bench/limits/kernels.hpp"
#include "bench/limits/team.hpp"

namespace bptt::bench {
namespace {

TEST(LimitKernels, DoTheirWork) {
  for (const std::size_t count : {0u, 1u, 7u, 64u, 96u, 1001u}) {
    std::vector<double> values(count);
    std::iota(values.begin(), values.end(), 1.0);
    EXPECT_DOUBLE_EQ(read_array(values.data(), count, 1),
                     static_cast<double>(count * (count + 1) / 2));
    EXPECT_DOUBLE_EQ(read_array(values.data(), count, 3),
                     static_cast<double>(3 * count * (count + 1) / 2));
    std::vector<double> a(count + 1, -1.0), c(count, 4.0);
    triad(a.data(), values.data(), c.data(), count);
    for (std::size_t i = 0; i < count; ++i) EXPECT_EQ(a[i], values[i] + 2);
    EXPECT_EQ(a[count], -1.0) << "wrote behind the end";
  }
  EXPECT_EQ(run_multiply_adds<float>(200), 200 * run_multiply_adds<float>(1));
  EXPECT_EQ(run_multiply_adds<float>(1), 2 * run_multiply_adds<double>(1)) << "twice the lanes";
}

TEST(Team, EverybodyMeetsEverybody) {
  constexpr int threads = 3;
  SpinBarrier barrier(threads);
  std::atomic<int> before = 0;
  std::atomic<bool> early = false;
  run_team(threads, false, [&](int) {
    for (int round = 1; round <= 5; ++round) {
      ++before;
      barrier.wait();
      if (before < round * threads) early = true;
      barrier.wait();
    }
  });
  EXPECT_EQ(before, 5 * threads);
  EXPECT_FALSE(early);
  EXPECT_THROW(run_team(2, false,
                        [](int k) {
                          if (k == 1) throw 1;
                        }),
               int);
}

TEST(Limits, AreAllThere) {
  const std::vector<Cache> caches = {{1, "Data", "32K", "0", 1},
                                     {1, "Instruction", "32K", "0", 1},
                                     {2, "Unified", "256K", "0-1", 2}};
  const Limits limits = measure_limits({Dtype::f32}, {1, 100000}, caches, false);
  ASSERT_EQ(limits.fma.size(), 1u) << "nobody has 100000 processors";
  EXPECT_GT(limits.fma.at({Dtype::f32, 1}), 0);
  std::vector<std::string> levels;
  for (const Bandwidth& b : limits.bandwidths) {
    levels.push_back(b.level);
    EXPECT_GT(std::min(b.read, b.triad), 0);
  }
  EXPECT_THAT(levels, ::testing::ElementsAre("L1", "L2", "memory"));
  EXPECT_EQ(limits.level_for(1000, 1)->level, "L1");
  EXPECT_EQ(limits.level_for(33 * 1024, 1)->level, "L2");
  EXPECT_EQ(limits.level_for(1e9, 1)->level, "memory");
  EXPECT_EQ(limits.level_for(1e9, 2), nullptr);
}

TEST(Limits, CacheSizesAreRead) {
  EXPECT_EQ(bytes_of("32K"), 32768);
  EXPECT_EQ(bytes_of("2M"), 2 * 1024 * 1024);
  EXPECT_EQ(bytes_of("100"), 100);
  EXPECT_EQ(bytes_of(""), 0);
  EXPECT_EQ(bytes_of("32Q"), 0);
}

Case small_case(const char* cell) {
  Case c;
  c.spec = {.cell = parse_cell(cell), .shape = {3, 2, 5, 4}};
  return c;
}

TEST(Bound, CountsTheWorkOfEachPart) {
  // rnn, T=3 B=2 I=5 H=4, f32: x 30, y 24, W_ih 20, W_hh 16, biases 8, h 8 elements.
  const Spec spec = small_case("rnn").spec.layer_spec(0);
  const auto forward = work_of(spec, Dtype::f32, Phase::forward, Mode::full_layer);
  ASSERT_EQ(forward.size(), 2u);
  EXPECT_EQ(forward[0].flops, 2 * 3 * 2 * 4 * 5);
  EXPECT_EQ(forward[0].bytes_once, 4 * (30 + 20 + 8));
  EXPECT_EQ(forward[1].flops, 2 * 3 * 2 * 4 * 4);
  EXPECT_EQ(forward[1].bytes_once, 4 * (2 * 8 + 24));
  EXPECT_EQ(forward[1].weight_bytes, 4 * 16);
  EXPECT_EQ(forward[1].passes, 3);
  const auto sum = [&](Phase phase, Mode mode) {
    double flops = 0;
    for (const Work& work : work_of(spec, Dtype::f32, phase, mode)) flops += work.flops;
    return flops;
  };
  // What is counted part by part is what is counted elsewhere as a whole.
  for (const char* cell : {"rnn", "lstm", "gru"}) {
    const Case c = small_case(cell);
    double flops = 0;
    for (const Work& work :
         work_of(c.spec.layer_spec(0), Dtype::f64, Phase::train_step, Mode::full_layer)) {
      flops += work.flops;
    }
    EXPECT_EQ(flops, flops_of(Phase::train_step, c)) << cell;
  }
  EXPECT_EQ(sum(Phase::forward, Mode::recurrent_only), 2 * 3 * 2 * 4 * 4);
  EXPECT_EQ(sum(Phase::train_step, Mode::recurrent_only), 3 * 2 * 3 * 2 * 4 * 4);
}

TEST(Bound, IsTheSlowerOfArithmeticAndMemory) {
  const Case c = small_case("rnn");
  Limits limits;
  EXPECT_EQ(bound_seconds(c, Phase::forward, limits, {}), std::nullopt);
  limits.fma[{Dtype::f32, 1}] = 1;
  limits.bandwidths = {{"memory", 1, 0, 1e12, 1e12}};
  const double flops = flops_of(Phase::forward, c);
  EXPECT_NEAR(*bound_seconds(c, Phase::forward, limits, {}), flops, 1e-6);
  EXPECT_NEAR(*bound_seconds(c, Phase::forward, limits, 2.0), flops / 2, 1e-6) << "GEMM was faster";
  limits.fma[{Dtype::f32, 1}] = 1e12;
  limits.bandwidths = {{"memory", 1, 0, 1, 2}};
  EXPECT_NEAR(*bound_seconds(c, Phase::forward, limits, {}), least_bytes(c, Phase::forward) / 2,
              1e-6);
  // The recurrent weights fit where the rest does not.
  limits.bandwidths = {{"L1", 1, 64, 1e12, 1e12}, {"memory", 1, 0, 1, 1}};
  EXPECT_NEAR(*bound_seconds(c, Phase::forward, limits, {}),
              least_bytes(c, Phase::forward) - 3 * 64, 1e-6);
}

TEST(Bound, LooksForWhatThePhaseTouches) {
  // rnn, T=3 B=2 I=5 H=4: x 30, y 24, W_ih 20, W_hh 16, biases 8, h0 and hT 8 each.
  const Case c = small_case("rnn");
  const double forward = 4 * (30 + 24 + 20 + 16 + 8 + 16);
  EXPECT_EQ(touched_bytes(c, Phase::forward), forward);
  EXPECT_EQ(touched_bytes(c, Phase::train_step), 2 * forward) << "and as many gradients";
  EXPECT_EQ(touched_bytes(c, Phase::backward), forward + 4 * (30 + 24 + 20 + 16 + 8));
  // Nearly all of what all backends share; nobody's tape.
  EXPECT_NEAR(touched_bytes(c, Phase::train_step), static_cast<double>(tensor_bytes(c)),
              0.1 * static_cast<double>(tensor_bytes(c)));
  // Forward alone fits where a training step does not.
  Limits limits;
  limits.fma[{Dtype::f32, 1}] = 1e12;
  limits.bandwidths = {{"L1", 1, forward, 1e3, 1e3}, {"memory", 1, 0, 1, 1}};
  EXPECT_LT(*bound_seconds(c, Phase::forward, limits, {}), 10);
  EXPECT_GT(*bound_seconds(c, Phase::train_step, limits, {}), 100);
}

TEST(Bound, OfAStackIsTheSumOfItsLayers) {
  Case c = small_case("lstm"), above = c;
  above.spec.shape.I = above.spec.shape.H;
  const double one = least_bytes(c, Phase::train_step),
               next = least_bytes(above, Phase::train_step);
  c.spec.layers = 3;
  EXPECT_DOUBLE_EQ(least_bytes(c, Phase::train_step), one + 2 * next);
}

}  // namespace
}  // namespace bptt::bench
