#include "verify/localise.hpp"

namespace bptt::verify {
namespace {

std::string from_step(Index step) {
  return "wrong from upstream step " + std::to_string(step) + " on";
}

}  // namespace

std::string describe_first_wrong(Index steps,
                                 const std::function<bool(const Upstream&)>& is_wrong) {
  if (!is_wrong({0, steps - 1, true})) return "not against naive with the same inputs";
  const auto alone = [&](Index step) { return is_wrong({step, step, false}); };
  if (is_wrong({0, steps - 1, false})) {
    Index low = 0, high = steps - 1;
    while (low < high) {
      const Index middle = (low + high) / 2;
      if (is_wrong({0, middle, false})) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    if (alone(low) && (low == 0 || !alone(low - 1))) return from_step(low);
  }
  for (Index step = 0; step < steps; ++step) {
    if (alone(step)) return from_step(step);
  }
  if (is_wrong({0, -1, true})) return "wrong from the gradient of the final state (dhT, dcT) on";
  return "wrong only under all upstream gradients together";
}

}  // namespace bptt::verify
