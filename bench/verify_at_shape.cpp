#include "bench/verdict.hpp"
#include "verify/at_shape.hpp"

namespace bptt::bench {

Verdict verify_at_shape(const Backend& backend, const Case& c, std::uint64_t seed) {
  const auto check = verify::check_at_shape(backend, c.spec, c.dtype, c.exec, seed);
  return {std::string(verify::name_of(check.status)), check.max_error, check.note};
}

}  // namespace bptt::bench
