#include "bench/phase.hpp"

namespace bptt::bench {
namespace {

struct PhaseInfo {
  Phase phase;
  std::string_view name;
  bool forward, backward;
};
constexpr PhaseInfo phase_table[] = {
    {Phase::forward, "forward", true, false},
    {Phase::backward, "backward", false, true},
    {Phase::train_step, "train_step", true, true},
};

const PhaseInfo& info(Phase phase) {
  return phase_table[static_cast<int>(phase)];
}

}  // namespace

std::string_view name_of(Phase phase) {
  return info(phase).name;
}

Phase parse_phase(std::string_view text) {
  std::string known;
  for (const auto& row : phase_table) {
    if (row.name == text) return row.phase;
    known += (known.empty() ? "" : ", ") + std::string(row.name);
  }
  throw Error(ErrorKind::usage,
              "--phase: expected one of " + known + "; got '" + std::string(text) + "'");
}

double flops_of(Phase phase, const StackSpec& spec, Index live_steps) {
  const double forward = forward_flops(spec, live_steps);
  return (info(phase).forward ? forward : 0) + (info(phase).backward ? 2 * forward : 0);
}

double flops_of(Phase phase, const StackSpec& spec) {
  return flops_of(phase, spec, spec.shape.T * spec.shape.B);
}

}  // namespace bptt::bench
