#include "bench/verdict.hpp"

namespace bptt::bench {

std::string Verdict::objection() const {
  if (failed()) return "verification failed: " + note;
  return verified == "no" ? "cannot be verified: " + note : "";
}

namespace {

template <class Ask>
Verdict answer(Ask ask) {
  try {
    return ask();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::unavailable) throw;
    return {"no", std::nullopt, error.what()};
  }
}

}  // namespace

Verdict Verifier::before(const Backend& backend, const Case& c, std::uint64_t seed) const {
  return answer([&] { return before_(backend, c, seed); });
}

std::optional<Verdict> Verifier::after(const Backend& backend, const Case& c, std::uint64_t seed,
                                       LayerRun& run) const {
  if (!after_) return std::nullopt;
  return answer([&] { return after_(backend, c, seed, run); });
}

}  // namespace bptt::bench
