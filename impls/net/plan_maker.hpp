// Where a model gets its recurrent layers from.
#pragma once

#include <concepts>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

#include "impls/api/backend.hpp"

namespace bptt::net {

/// Any function that makes a plan of a Spec: naive's in a type that only it has, or one that
/// watches another. Or a backend with its Exec; two of its plans may then be called at a time.
template <Scalar T>
class PlanMaker {
 public:
  using Made = std::unique_ptr<Plan<T>>;
  template <std::invocable<const Spec&> F>
  requires(!std::same_as<std::remove_cvref_t<F>, PlanMaker>) PlanMaker(F make)
      : make_([make](const Spec& spec, const Exec&) -> Made { return make(spec); }) {}

  /// `make`: for a caller with something to say before the backend does.
  PlanMaker(const Backend& backend, const Exec& exec,
            std::function<Made(const Spec&, const Exec&)> make)
      : make_(std::move(make)), exec_(exec), backend_(&backend) {}
  PlanMaker(const Backend& backend, const Exec& exec) requires Real<T>
      : PlanMaker(backend, exec, [&backend](const Spec& spec, const Exec& own) {
        return backend.plan<T>(spec, own);
      }) {}

  Made operator()(const Spec& spec) const { return make_(spec, exec_); }

  /// One of the two directions of a layer, which side_by_side() calls.
  Made of_direction(const Spec& spec, int direction) const {
    return make_(spec, halves() ? half_of(exec_, direction) : exec_);
  }
  /// The backend's own plan of a whole stack; null where there is no backend or it makes none, and
  /// the stack is composed.
  std::unique_ptr<StackPlan<T>> whole_stack(const StackSpec& spec) const {
    if constexpr (Real<T>) {
      if (backend_ != nullptr && backend_->plans_whole(spec, dtype_of<T>, exec_)) {
        return backend_->plan_stack<T>(spec, exec_);
      }
    }
    return nullptr;
  }
  /// Null: they are called one after the other.
  std::unique_ptr<SideBySide> side_by_side() const {
    return halves() ? backend_->side_by_side(exec_) : nullptr;
  }

 private:
  bool halves() const { return backend_ != nullptr && backend_->runs_side_by_side(exec_); }

  std::function<Made(const Spec&, const Exec&)> make_;
  Exec exec_{};
  const Backend* backend_ = nullptr;
};

/// What a backend's plans of a stack are made with, for who asks it of their memory.
inline Exec exec_of_plans(const Backend& backend, const Exec& exec, bool bidirectional) {
  return bidirectional && backend.runs_side_by_side(exec) ? half_of(exec, 0) : exec;
}

}  // namespace bptt::net
