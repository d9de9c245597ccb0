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

/// How results are judged: by bptt-verify's library in the program, by stand-ins in tests. Both
/// functions throw Error(unavailable) where there is no answer, for lack of memory for one.
class Verifier {
 public:
  /// Of plans of the backend that are made for it, before any is timed.
  using Before = std::function<Verdict(const Backend&, const Case&, std::uint64_t seed)>;
  /// Of a plan that was timed, on its own tensors, whose values it overwrites.
  using After = std::function<Verdict(const Backend&, const Case&, std::uint64_t seed, LayerRun&)>;

  /// Asks nothing afterwards.
  template <class F>
  requires(!std::same_as<std::remove_cvref_t<F>, Verifier>) Verifier(F ask)
      : before_(std::move(ask)) {}
  Verifier(Before ask, After ask_after) : before_(std::move(ask)), after_(std::move(ask_after)) {}

  /// Where there is no answer the verdict is "no", and its note says why.
  Verdict before(const Backend&, const Case&, std::uint64_t seed) const;
  /// As before(); nothing where there is no such question.
  std::optional<Verdict> after(const Backend&, const Case&, std::uint64_t seed, LayerRun&) const;

 private:
  Before before_;
  After after_;
};

/// By verify/at_shape.hpp. What connects the layers of a composed stack is not looked at before it
/// is timed, but after, where the reference is quick enough.
Verifier verifier_at_shape();

}  // namespace bptt::bench
