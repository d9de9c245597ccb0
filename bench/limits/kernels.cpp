#include "bench/limits/kernels.hpp"

#include <atomic>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "bench/limits/kernels.cpp"
// foreach_target.h must come before highway.h.
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace bptt::bench::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// Twelve sums: two units of latency 4 or 5 need ten, and more would not fit in AVX2's registers.
/// They begin apart, or a compiler would see that they stay equal, and tend to 1: no denormals.
template <class T>
double multiply_adds(std::size_t rounds, double start, double& sum) {
  const hn::ScalableTag<T> d;
  const auto half = hn::Set(d, static_cast<T>(0.5));
  const auto begin = [&](int k) HWY_ATTR { return hn::Set(d, static_cast<T>(start + k)); };
  auto s0 = begin(0), s1 = begin(1), s2 = begin(2), s3 = begin(3), s4 = begin(4), s5 = begin(5);
  auto s6 = begin(6), s7 = begin(7), s8 = begin(8), s9 = begin(9), s10 = begin(10), s11 = begin(11);
  for (std::size_t round = 0; round < rounds; ++round) {
    s0 = hn::MulAdd(s0, half, half), s1 = hn::MulAdd(s1, half, half);
    s2 = hn::MulAdd(s2, half, half), s3 = hn::MulAdd(s3, half, half);
    s4 = hn::MulAdd(s4, half, half), s5 = hn::MulAdd(s5, half, half);
    s6 = hn::MulAdd(s6, half, half), s7 = hn::MulAdd(s7, half, half);
    s8 = hn::MulAdd(s8, half, half), s9 = hn::MulAdd(s9, half, half);
    s10 = hn::MulAdd(s10, half, half), s11 = hn::MulAdd(s11, half, half);
  }
  const auto low = hn::Add(hn::Add(hn::Add(s0, s1), hn::Add(s2, s3)), hn::Add(s4, s5));
  const auto high = hn::Add(hn::Add(hn::Add(s6, s7), hn::Add(s8, s9)), hn::Add(s10, s11));
  sum = static_cast<double>(hn::GetLane(hn::SumOfLanes(d, hn::Add(low, high))));
  return static_cast<double>(rounds) * 12 * 2 * static_cast<double>(hn::Lanes(d));
}

double multiply_adds_f32(std::size_t rounds, double start, double& sum) {
  return multiply_adds<float>(rounds, start, sum);
}
double multiply_adds_f64(std::size_t rounds, double start, double& sum) {
  return multiply_adds<double>(rounds, start, sum);
}

/// Twelve sums here as well, and one for what is left: none of them is added up before the last
/// pass, which would take as long as reading some KiB.
double read(const double* values, std::size_t count, int passes) {
  const hn::ScalableTag<double> d;
  const std::size_t lanes = hn::Lanes(d);
  auto s0 = hn::Zero(d), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0, s8 = s0,
       s9 = s0, s10 = s0, s11 = s0, rest = s0;
  double sum = 0;
  for (int pass = 0; pass < passes; ++pass) {
    std::size_t i = 0;
    for (; i + 12 * lanes <= count; i += 12 * lanes) {
      s0 = hn::Add(s0, hn::LoadU(d, values + i));
      s1 = hn::Add(s1, hn::LoadU(d, values + i + lanes));
      s2 = hn::Add(s2, hn::LoadU(d, values + i + 2 * lanes));
      s3 = hn::Add(s3, hn::LoadU(d, values + i + 3 * lanes));
      s4 = hn::Add(s4, hn::LoadU(d, values + i + 4 * lanes));
      s5 = hn::Add(s5, hn::LoadU(d, values + i + 5 * lanes));
      s6 = hn::Add(s6, hn::LoadU(d, values + i + 6 * lanes));
      s7 = hn::Add(s7, hn::LoadU(d, values + i + 7 * lanes));
      s8 = hn::Add(s8, hn::LoadU(d, values + i + 8 * lanes));
      s9 = hn::Add(s9, hn::LoadU(d, values + i + 9 * lanes));
      s10 = hn::Add(s10, hn::LoadU(d, values + i + 10 * lanes));
      s11 = hn::Add(s11, hn::LoadU(d, values + i + 11 * lanes));
    }
    for (; i + lanes <= count; i += lanes) rest = hn::Add(rest, hn::LoadU(d, values + i));
    for (; i < count; ++i) sum += values[i];
  }
  const auto low = hn::Add(hn::Add(hn::Add(s0, s1), hn::Add(s2, s3)), hn::Add(s4, s5));
  const auto high = hn::Add(hn::Add(hn::Add(s6, s7), hn::Add(s8, s9)), hn::Add(s10, s11));
  return sum + hn::GetLane(hn::SumOfLanes(d, hn::Add(rest, hn::Add(low, high))));
}

void add_half(double* a, const double* b, const double* c, std::size_t count) {
  const hn::ScalableTag<double> d;
  const std::size_t lanes = hn::Lanes(d);
  const auto half = hn::Set(d, 0.5);
  std::size_t i = 0;
  for (; i + 4 * lanes <= count; i += 4 * lanes) {
    for (std::size_t k = 0; k < 4; ++k) {
      const std::size_t at = i + k * lanes;
      hn::StoreU(hn::MulAdd(half, hn::LoadU(d, c + at), hn::LoadU(d, b + at)), d, a + at);
    }
  }
  for (; i < count; ++i) a[i] = b[i] + 0.5 * c[i];
}

}  // namespace bptt::bench::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bptt::bench {

HWY_EXPORT(multiply_adds_f32);
HWY_EXPORT(multiply_adds_f64);
HWY_EXPORT(read);
HWY_EXPORT(add_half);

namespace {
std::atomic<double> sink;         // threads run these side by side
volatile double first_sum = 1.5;  // unknown to the compiler
}  // namespace

template <>
double run_multiply_adds<float>(std::size_t rounds) {
  double sum = 0;
  const double done = HWY_DYNAMIC_DISPATCH(multiply_adds_f32)(rounds, first_sum, sum);
  sink.store(sum, std::memory_order_relaxed);
  return done;
}

template <>
double run_multiply_adds<double>(std::size_t rounds) {
  double sum = 0;
  const double done = HWY_DYNAMIC_DISPATCH(multiply_adds_f64)(rounds, first_sum, sum);
  sink.store(sum, std::memory_order_relaxed);
  return done;
}

double read_array(const double* values, std::size_t count, int passes) {
  return HWY_DYNAMIC_DISPATCH(read)(values, count, passes);
}

void triad(double* a, const double* b, const double* c, std::size_t count) {
  HWY_DYNAMIC_DISPATCH(add_half)(a, b, c, count);
}

}  // namespace bptt::bench
#endif
