// The cases of a sweep, and what each would need.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bench/settings.hpp"

namespace bptt::bench {

/// What the same plan runs: one row of the grid. Its phases are measured one after the other.
struct Case {
  Spec spec;
  Dtype dtype = Dtype::f32;
  Exec exec;
};
/// "lstm f32 T=50 B=64 I=128 H=128, 2 threads"
std::string to_string(const Case&);

/// Every combination, threads innermost.
std::vector<Case> expand(const Settings&);

/// The tensors that all backends of a case share.
std::size_t tensor_bytes(const Case&);

/// Why a backend does not run a case, in words a user understands: its own reason, too few
/// processors, or too little memory for the tensors and its workspace. Allocates nothing.
std::optional<std::string> refusal(const Backend&, const Case&);

}  // namespace bptt::bench
