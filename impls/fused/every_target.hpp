// For tests: what is compiled once per instruction set, on each that this CPU has.
#pragma once

#include <set>
#include <string>

#include <gtest/gtest.h>
#include <hwy/targets.h>

#include "impls/fused/kernels.hpp"

namespace bptt::fused {

/// Calls body on the kernels of every instruction set; plans that it makes use them too.
template <Real T, class Body>
void for_each_target(Body body) {
  std::set<std::string> seen;
  for (std::int64_t all = hwy::SupportedTargets(); all != 0; all &= all - 1) {
    hwy::SetSupportedTargetsForTest(all & -all);
    hwy::GetChosenTarget().DeInit();
    const Kernels<T>& k = kernels<T>();
    if (!seen.insert(k.instruction_set).second) continue;
    SCOPED_TRACE(k.instruction_set);
    body(k);
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().DeInit();
#if defined(__x86_64__)
  EXPECT_EQ(seen.contains("AVX3"), __builtin_cpu_supports("avx512dq") != 0);
  EXPECT_EQ(seen.contains("AVX2"), __builtin_cpu_supports("avx2") != 0);
#endif
}

}  // namespace bptt::fused
