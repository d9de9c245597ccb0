#include "bench/verdict.hpp"

namespace bptt::bench {

std::string Verdict::objection() const {
  if (failed()) return "verification failed: " + note;
  return verified == "no" ? "cannot be verified: " + note : "";
}

Verdict ask(const Verifier& verifier, const Backend& backend, const Case& c, std::uint64_t seed) {
  try {
    return verifier(backend, c, seed);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::unavailable) throw;
    return {"no", std::nullopt, error.what()};
  }
}

}  // namespace bptt::bench
