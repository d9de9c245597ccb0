// A backend: one way to compute what a Spec describes. It accepts or refuses, in words, and plans.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "impls/api/plan.hpp"
#include "impls/api/side_by_side.hpp"
#include "impls/api/stack_plan.hpp"

namespace bptt {

class Backend {
 public:
  virtual ~Backend() = default;

  std::string_view name() const { return name_; }
  /// Of the library below, with the kernels that are live; of this suite where there is none.
  virtual std::string version() const = 0;
  /// Results are promised to be bitwise equal for every thread count that is not refused, the rest
  /// of the Exec being the same: always, or where Exec::same_for_all_threads asks for it. A backend
  /// that cannot do what is asked refuses.
  virtual bool same_for_all_threads(const Exec&) const = 0;

  /// Another project's library behind this interface: judged and timed like any backend, but what
  /// the suite promises of its own does not bind it where the library cannot (docs/peers.md):
  /// running may allocate.
  virtual bool is_peer() const { return false; }

  /// Where plans that have nothing to ask of each other, as those of a layer's two directions, are
  /// called at the same time with half of these threads each (`half_of`): what calls them so. Null
  /// where they are called one after the other with all threads: where these are odd in number, or
  /// the backend's plans share more than processors.
  std::unique_ptr<SideBySide> side_by_side(const Exec& exec) const {
    return runs_side_by_side(exec) ? do_side_by_side(exec) : nullptr;
  }
  bool runs_side_by_side(const Exec&) const;

  /// Why this backend does not run the case, in words a user understands; nothing where it does.
  std::optional<std::string> refusal(const Spec&, Dtype, const Exec&) const;

  /// What plan() would allocate. Allocates nothing itself. Throws Error(usage) where the size does
  /// not fit in 64 bits. Only for cases that are not refused.
  std::size_t workspace_bytes(const Spec&, Dtype, const Exec&) const;

  /// Throws Error(usage) for a spec that is not valid, Error(unavailable) with the reason where the
  /// case is refused, or where its workspace is larger than the memory that is free; all of that
  /// before anything is allocated.
  template <Real T>
  std::unique_ptr<Plan<T>> plan(const Spec&, const Exec&) const;

  /// Whether the backend plans this stack as a whole, as libraries do that take several layers and
  /// both directions in one call. Where it does not, impls/net composes the stack of plans of its
  /// layers and directions; a single layer in one direction is never a whole stack.
  bool plans_whole(const StackSpec&, Dtype, const Exec&) const;

  /// As workspace_bytes() and plan(), of a stack that is planned as a whole.
  std::size_t stack_workspace_bytes(const StackSpec&, Dtype, const Exec&) const;
  template <Real T>
  std::unique_ptr<StackPlan<T>> plan_stack(const StackSpec&, const Exec&) const;

 protected:
  explicit Backend(std::string_view name) : name_(name) {}

 private:
  /// The second only where the first says so.
  virtual bool can_run_side_by_side() const { return false; }
  virtual std::unique_ptr<SideBySide> do_side_by_side(const Exec&) const;
  virtual std::optional<std::string> do_refusal(const Spec&, Dtype, const Exec&) const = 0;
  virtual std::size_t do_workspace_bytes(const Spec&, Dtype, const Exec&) const = 0;
  virtual std::unique_ptr<Plan<float>> do_plan(std::type_identity<float>, const Spec&,
                                               const Exec&) const = 0;
  virtual std::unique_ptr<Plan<double>> do_plan(std::type_identity<double>, const Spec&,
                                                const Exec&) const = 0;

  /// The others are asked only for stacks for which the first says true.
  virtual bool do_plans_whole(const StackSpec&, Dtype, const Exec&) const { return false; }
  virtual std::size_t do_stack_workspace_bytes(const StackSpec&, Dtype, const Exec&) const;
  virtual std::unique_ptr<StackPlan<float>> do_plan_stack(std::type_identity<float>,
                                                          const StackSpec&, const Exec&) const;
  virtual std::unique_ptr<StackPlan<double>> do_plan_stack(std::type_identity<double>,
                                                           const StackSpec&, const Exec&) const;

  std::string_view name_;
};

}  // namespace bptt
