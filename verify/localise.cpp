#include "verify/localise.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <tuple>

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

template <Real T>
void localise(const Subject& subject, const Backend& backend, const Exec& exec,
              const Reference<T>& reference, std::uint64_t seed, std::vector<Finding>& findings) {
  std::unique_ptr<net::Model<T>> model;
  // Tensors mostly ask about the same parts.
  std::map<std::tuple<Index, Index, bool>, std::vector<std::string>> wrong_under;
  const auto wrong_tensors = [&](const Upstream& upstream) -> const std::vector<std::string>& {
    const auto key = std::tuple(upstream.first, upstream.last, upstream.final_state);
    const auto [entry, is_new] = wrong_under.try_emplace(key);
    if (!is_new) return entry->second;
    const Given lit = light(*model, reference.given, upstream);
    const auto part = make_reference<T>(subject, lit, seed);
    Result result;
    compare_all(part, run(*model, part.given), result);
    for (const Finding& finding : result.findings) entry->second.push_back(finding.place.tensor);
    return entry->second;
  };
  for (Finding& finding : findings) {
    if (!finding.time_step.empty()) continue;
    if (!model) model = subject.make<T>(plans_of<T>(backend, exec));
    const Index steps = upstream_steps(*model);
    if (steps == 0) {
      finding.time_step = "no time axis, and no upstream gradient to take apart by time";
      continue;
    }
    finding.time_step = describe_first_wrong(steps, [&](const Upstream& upstream) {
      const auto& wrong = wrong_tensors(upstream);
      return std::find(wrong.begin(), wrong.end(), finding.place.tensor) != wrong.end();
    });
  }
}

template void localise(const Subject&, const Backend&, const Exec&, const Reference<float>&,
                       std::uint64_t, std::vector<Finding>&);
template void localise(const Subject&, const Backend&, const Exec&, const Reference<double>&,
                       std::uint64_t, std::vector<Finding>&);

}  // namespace bptt::verify
