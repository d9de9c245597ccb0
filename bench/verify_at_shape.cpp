#include <algorithm>
#include <memory>

#include "bench/layer.hpp"
#include "bench/verdict.hpp"
#include "verify/at_shape.hpp"
#include "verify/tolerance.hpp"

namespace bptt::bench {
namespace {

static_assert(limit_in_units == verify::error_limit);

Verdict verdict_of(const verify::AtShape& check) {
  return {std::string(verify::name_of(check.status)), check.max_error, check.note};
}

/// As the layer that is timed has them.
std::vector<Index> lengths_of(const Case& c, std::uint64_t seed) {
  if (!c.spec.lengths) return {};
  return c.lengths.lengths(c.spec.shape.T, c.spec.shape.B, seed);
}

Verdict check_before(verify::ShapeChecks& checks, const Backend& backend, const Case& c,
                     std::uint64_t seed) {
  const std::vector<Index> lengths = lengths_of(c, seed);
  if (c.spec.is_single() || backend.plans_whole(c.spec, c.dtype, c.exec)) {
    return verdict_of(checks.check(backend, c.spec, c.dtype, c.exec, seed, lengths));
  }
  // What connects layers and directions, also where these run at the same time, is looked at
  // afterwards, and by bptt-verify and tests; here every different layer is, by itself.
  const Exec exec = net::exec_of_plans(backend, c.exec, c.spec.bidirectional);
  verify::AtShape worst;
  for (const auto& [spec, plans] : c.spec.different_layers()) {
    const StackSpec layer{.cell = spec.cell, .shape = spec.shape, .lengths = spec.lengths};
    const auto check = checks.check(backend, layer, c.dtype, exec, seed, lengths);
    worst.status = std::max(worst.status, check.status);
    worst.max_error = std::max(worst.max_error, check.max_error);
    if (check.note.empty()) continue;
    worst.note += (worst.note.empty() ? "" : "; ") + std::string("layers with ") +
                  to_string(spec.shape) + ": " + check.note;
  }
  return verdict_of(worst);
}

Verdict check_after(verify::ShapeChecks& checks, const Backend& backend, const Case& c,
                    std::uint64_t seed, LayerRun& run) {
  const auto check = std::visit(
      [&]<Real T>(net::StackProblem<T>* p) {
        const auto call = [&run] { run.call(Phase::train_step); };
        return checks.check<T>({p->params(), p->in, p->out, p->dout, p->grads, call}, c.spec, seed,
                               lengths_of(c, seed));
      },
      run.problem());
  // Too much for the reference: what was verified before, once more, with new plans.
  return check ? verdict_of(*check) : check_before(checks, backend, c, seed);
}

}  // namespace

Verifier verifier_at_shape() {
  const auto checks = std::make_shared<verify::ShapeChecks>();
  return {[checks](const Backend& backend, const Case& c, std::uint64_t seed) {
            return check_before(*checks, backend, c, seed);
          },
          [checks](const Backend& backend, const Case& c, std::uint64_t seed, LayerRun& run) {
            return check_after(*checks, backend, c, seed, run);
          }};
}

}  // namespace bptt::bench
