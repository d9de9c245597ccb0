// Google Benchmark as the clock: it times, this project decides what, in which order and how often.
#pragma once

#include <functional>
#include <string>

#include "impls/api/index.hpp"

namespace bptt::bench {

/// Wall seconds of one call of `body`, the mean of `calls` in a row. An exception of `body` comes
/// through. `name` is what Google Benchmark knows the benchmark as.
double time_calls(const std::string& name, Index calls, const std::function<void()>& body);

/// The same, with `before` ahead of every call and not timed.
double time_calls(const std::string& name, Index calls, const std::function<void()>& before,
                  const std::function<void()>& body);

}  // namespace bptt::bench
