// Whether a backend computes a case rightly, asked before it is timed and after.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "bench/grid.hpp"

namespace bptt::bench {

struct Verdict {
  std::string verified;             ///< as in Row: full, reduced, failed, no
  std::optional<double> max_error;  ///< in units of the limit
  std::string note;                 ///< what failed, or how it was reduced

  bool failed() const { return verified == "failed"; }
  /// To "reduced", where it is "full"; the note says why as well.
  void reduce(const std::string& why) {
    if (verified == "full") verified = "reduced";
    note += (note.empty() ? "" : "; ") + why;
  }
  /// Why the case is not measured; empty where it is.
  std::string objection() const;
};

class LayerRun;

/// How to ask; the program asks bptt-verify's library, tests whom they like. Both throw
/// Error(unavailable) where the question cannot be answered, for lack of memory for one.
class Verifier {
 public:
  /// Of plans of the backend that are made for it, before any is timed.
  using Before = std::function<Verdict(const Backend&, const Case&, std::uint64_t seed)>;
  /// Of a plan that was timed, on its own tensors, whose values it overwrites.
  using After = std::function<Verdict(const Backend&, const Case&, std::uint64_t seed, LayerRun&)>;

  /// Who asks nothing afterwards.
  template <class F>
  requires(!std::same_as<std::remove_cvref_t<F>, Verifier>) Verifier(F before)
      : before_(std::move(before)) {}
  Verifier(Before before, After after) : before_(std::move(before)), after_(std::move(after)) {}

  /// Where there is no answer the verdict is "no", and its note says why.
  Verdict before(const Backend&, const Case&, std::uint64_t seed) const;
  /// As before(); nothing where nobody asks.
  std::optional<Verdict> after(const Backend&, const Case&, std::uint64_t seed, LayerRun&) const;

 private:
  Before before_;
  After after_;
};

/// By verify/at_shape.hpp. What connects the layers of a composed stack is not looked at before it
/// is timed, but after, where the reference is quick enough.
Verifier verifier_at_shape();

}  // namespace bptt::bench
