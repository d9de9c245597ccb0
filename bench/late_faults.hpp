// For tests: backends that are right where they are verified, and wrong later.
#pragma once

#include <any>
#include <array>
#include <limits>
#include <memory>
#include <vector>

#include "impls/api/tensor.hpp"
#include "verify/self_test/faulty_backend.hpp"

namespace bptt::bench {

using verify::Fault;
using verify::FaultContext;

/// Results of the pass that has just run: outputs, or gradients.
template <Scalar T>
std::vector<View<T>> results_in(const FaultContext<T>& c) {
  std::vector<View<T>> views;
  const auto add = [&](const TensorInfo&, const View<T>& view) {
    if (view) views.push_back(view);
  };
  if (c.backward) {
    for_each(c.spec, c.grads, add);
  } else {
    for_each(c.spec, c.out, add);
  }
  return views;
}

/// The first call's results, for ever.
inline const Fault stale = Fault::make("stale", []<class T>(FaultContext<T>& c) {
  using Kept = std::array<std::vector<std::vector<T>>, 2>;
  if (!c.memory.has_value()) c.memory = Kept();
  auto& kept = std::any_cast<Kept&>(c.memory)[c.backward ? 1 : 0];
  const auto views = results_in(c);
  for (std::size_t i = 0; i < views.size(); ++i) {
    if (kept.size() <= i) kept.emplace_back(views[i].begin(), views[i].end());
    std::copy(kept[i].begin(), kept[i].end(), views[i].begin());
  }
});

inline const Fault zeros = Fault::make("zeros", []<class T>(FaultContext<T>& c) {
  if (c.call < 2) return;
  for (const View<T>& view : results_in(c)) std::fill(view.begin(), view.end(), T(0));
});

/// As a plan would leave it that computes the first half of the batch only.
template <class T>
void skip_half(FaultContext<T>& c) {
  const auto [T_, B, I, H] = c.spec.shape;
  const Index half = (B + 1) / 2;
  if (c.backward) {
    Problem<T> other(c.spec);
    std::copy(c.dout.y.begin(), c.dout.y.end(), other.dout.y.begin());
    std::copy(c.dout.hT.begin(), c.dout.hT.end(), other.dout.hT.begin());
    std::copy(c.dout.cT.begin(), c.dout.cT.end(), other.dout.cT.begin());
    for (Index step = 0; step < T_; ++step) {
      std::fill_n(&other.dout.y(step, half, 0), (B - half) * H, T(0));
    }
    std::fill_n(&other.dout.hT(half, 0), (B - half) * H, T(0));
    if (other.dout.cT) std::fill_n(&other.dout.cT(half, 0), (B - half) * H, T(0));
    c.compute_with(c.spec, c.in, other.dout);
    return;
  }
  for (Index step = 0; step < T_; ++step)
    std::fill_n(&c.out.y(step, half, 0), (B - half) * H, T(0));
}

/// There are three timed calls at least: to find out how long they take, and one in each round.
inline const Fault half_from_third_call = Fault::make("half", []<class T>(FaultContext<T>& c) {
  if (c.call >= 3) skip_half(c);
});
/// All plans but the one that was verified, or those that were.
inline Fault half_after_plans(int honest) {
  return Fault::make("half", [honest]<class T>(FaultContext<T>& c) {
    if (c.plan_number >= honest) skip_half(c);
  });
}
/// In all plans alike: where the tensors are those of the call before, of whichever plan.
inline Fault half_at_known_address(std::shared_ptr<const void*> last) {
  return Fault::make("half", [last]<class T>(FaultContext<T>& c) {
    const bool known = *last == c.in.x.data();
    if (c.backward) *last = c.in.x.data();
    if (known) skip_half(c);
  });
}
/// The gradients of parameters without the second half of the batch, which nothing else shows.
inline const Fault half_of_weight_gradients =
    Fault::make("half dW", []<class T>(FaultContext<T>& c) {
      if (c.plan_number < 2 || !c.backward) return;
      Problem<T> kept(c.spec);
      std::copy(c.grads.x.begin(), c.grads.x.end(), kept.grads.x.begin());
      std::copy(c.grads.h0.begin(), c.grads.h0.end(), kept.grads.h0.begin());
      skip_half(c);
      std::copy(kept.grads.x.begin(), kept.grads.x.end(), c.grads.x.begin());
      std::copy(kept.grads.h0.begin(), kept.grads.h0.end(), c.grads.h0.begin());
    });
/// Another last bit at every call, as where threads add in the order in which they come.
inline Fault restless(double units) {
  const auto calls = std::make_shared<int>(0);
  return Fault::make("restless", [calls, units]<class T>(FaultContext<T>& c) {
    ++*calls;
    for (const View<T>& view : results_in(c)) {
      for (Index e = *calls % 3; e < view.size(); e += 3) {
        view[e] *= 1 + static_cast<T>(units) * std::numeric_limits<T>::epsilon();
      }
    }
  });
}

}  // namespace bptt::bench
