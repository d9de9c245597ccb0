// For tests: an honest backend with one thing wrong: a line of its backward pass, what it throws,
// or what it refuses.
#pragma once

#include <limits>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include "impls/api/backend.hpp"

namespace bptt::bench {

struct Wrong {
  double weight_hh = 1;  ///< its gradient comes out so many times as large as it is
  /// A plan's forward throws what nobody expects at its call of this number, from 0, and later.
  int good_calls = std::numeric_limits<int>::max();
  LayoutSeconds layouts{};  ///< claimed for each forward and each backward
  bool takes_lengths = true;
  std::string refuses{};  ///< every case, for this reason; empty: none
  /// Calls from this plan on (0: the first that the backend makes) return at once, and leave in the
  /// results what is there.
  int idle_from_plan = std::numeric_limits<int>::max();
};

class FaultyBackend final : public Backend {
 public:
  FaultyBackend(const Backend& honest, const Wrong& wrong)
      : Backend("faulty"), honest_(honest), wrong_(wrong) {}
  std::string version() const override { return "of " + std::string(honest_.name()); }
  bool same_for_all_threads(const Exec& exec) const override {
    return honest_.same_for_all_threads(exec);
  }

 private:
  template <Real T>
  class FaultyPlan final : public Plan<T> {
   public:
    FaultyPlan(std::unique_ptr<Plan<T>> honest, const Wrong& wrong, int number)
        : Plan<T>(honest->spec(), honest->exec()),
          honest_(std::move(honest)),
          wrong_(wrong),
          is_idle_(number >= wrong.idle_from_plan) {}
    std::size_t workspace_bytes() const override { return honest_->workspace_bytes(); }
    LayoutSeconds layout_seconds() const override { return claimed_; }

   private:
    void do_forward(const Params<const T>& params, const Inputs<const T>& in,
                    const Outputs<T>& out) override {
      if (wrong_.good_calls-- <= 0) throw std::length_error("vector too long");
      claimed_ = claimed_ + wrong_.layouts;
      if (is_idle_) return;
      honest_->forward(params, in, out);
    }
    void do_backward(const Params<const T>& params, const Inputs<const T>& in,
                     const OutputGrads<const T>& dout, const Grads<T>& grads) override {
      claimed_ = claimed_ + wrong_.layouts;
      if (is_idle_) return;
      honest_->backward(params, in, dout, grads);
      for (T& value : grads.params.weight_hh) value *= static_cast<T>(wrong_.weight_hh);
    }

    std::unique_ptr<Plan<T>> honest_;
    Wrong wrong_;
    bool is_idle_;
    LayoutSeconds claimed_;
  };

  std::optional<std::string> do_refusal(const Spec& spec, Dtype dtype,
                                        const Exec& exec) const override {
    if (spec.lengths && !wrong_.takes_lengths) return "it knows no lengths";
    if (!wrong_.refuses.empty()) return wrong_.refuses;
    return honest_.refusal(spec, dtype, exec);
  }
  std::size_t do_workspace_bytes(const Spec& spec, Dtype dtype, const Exec& exec) const override {
    return honest_.workspace_bytes(spec, dtype, exec);
  }
  template <Real T>
  std::unique_ptr<Plan<T>> faulty(const Spec& spec, const Exec& exec) const {
    return std::make_unique<FaultyPlan<T>>(honest_.plan<T>(spec, exec), wrong_, plans_++);
  }
  std::unique_ptr<Plan<float>> do_plan(std::type_identity<float>, const Spec& spec,
                                       const Exec& exec) const override {
    return faulty<float>(spec, exec);
  }
  std::unique_ptr<Plan<double>> do_plan(std::type_identity<double>, const Spec& spec,
                                        const Exec& exec) const override {
    return faulty<double>(spec, exec);
  }

  const Backend& honest_;
  Wrong wrong_;
  mutable int plans_ = 0;
};

}  // namespace bptt::bench
