// Whether a backend computes a case rightly, asked before it is timed.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "bench/grid.hpp"

namespace bptt::bench {

struct Verdict {
  std::string verified;             ///< as in Row: full, reduced, failed, no
  std::optional<double> max_error;  ///< in units of the limit
  std::string note;                 ///< what failed, or how it was reduced

  bool failed() const { return verified == "failed"; }
  /// Why the case is not measured; empty where it is.
  std::string objection() const;
};

/// How to ask; the program asks bptt-verify's library, tests whom they like. Throws
/// Error(unavailable) where the question cannot be answered, for lack of memory for one.
using Verifier = std::function<Verdict(const Backend&, const Case&, std::uint64_t seed)>;

/// Asks. Where there is no answer the verdict is "no", and its note says why.
Verdict ask(const Verifier&, const Backend&, const Case&, std::uint64_t seed);

/// By verify/at_shape.hpp.
Verdict verify_at_shape(const Backend&, const Case&, std::uint64_t seed);

}  // namespace bptt::bench
