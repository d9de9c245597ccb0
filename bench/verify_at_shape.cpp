#include <algorithm>

#include "bench/verdict.hpp"
#include "verify/at_shape.hpp"

namespace bptt::bench {

Verdict verify_at_shape(const Backend& backend, const Case& c, std::uint64_t seed) {
  // What connects layers and directions, also where these run at the same time, bptt-verify and
  // tests check; here every different layer is, by itself.
  const Exec exec = net::exec_of_plans(backend, c.exec, c.spec.bidirectional);
  std::vector<Index> lengths;
  if (c.spec.lengths) lengths = c.lengths.lengths(c.spec.shape.T, c.spec.shape.B, seed);
  verify::AtShape worst;
  for (const auto& [spec, plans] : c.spec.different_layers()) {
    const auto check = verify::check_at_shape(backend, spec, c.dtype, exec, seed, lengths);
    worst.status = std::max(worst.status, check.status);
    worst.max_error = std::max(worst.max_error, check.max_error);
    if (check.note.empty()) continue;
    worst.note += (worst.note.empty() ? "" : "; ") +
                  (c.spec.is_single() ? "" : "layers with " + to_string(spec.shape) + ": ") +
                  check.note;
  }
  return {std::string(verify::name_of(worst.status)), worst.max_error, worst.note};
}

}  // namespace bptt::bench
