// What the findings cost, measured where that can be done in a moment.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "bench/doctor/findings.hpp"

namespace bptt::bench {

/// GFLOP/s of a matrix product (f32, one thread) by the kernels of an OpenBLAS core type, "" for
/// those that are live; nothing where it cannot be told.
using GemmRate = std::function<std::optional<double>(const std::string& core_type)>;

/// By this program started anew, with `bptt-bench --gemm-peak`: OpenBLAS picks its kernels once.
std::optional<double> gemm_rate_of_child(const std::string& core_type);

/// Of the better kernels over the live ones, where there are better ones.
std::optional<double> cost_of_kernels(const Facts&, const GemmRate&);

/// All that can be measured, in about half a second, and in two more where there are better
/// kernels.
Costs measure_costs(const Facts&, const GemmRate&);

/// Of the threads that the limits were measured with, the most.
void add_scaling(const Limits&, Costs&);

}  // namespace bptt::bench
