// A backend that plans stacks as a whole, as some libraries do: of another, honest one's plans,
// with something wrong between them or not.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "impls/net/composed_stack.hpp"

namespace bptt::verify {

/// All that a call of a stack sees, right after it was computed.
template <Real T>
struct StackCall {
  const StackSpec& spec;
  int plan_number;  ///< how many plans of stacks its backend had made before this one
  int call;         ///< 1 for a plan's first
  bool backward;    ///< else forward has just run
  std::span<const Params<const T>> params;
  const Inputs<const T>& in;
  const Outputs<T>& out;  ///< of the last forward, also in backward
  const StackGrads<T>& grads;
};

/// A generic function of a StackCall that spoils results.
struct StackFault {
  std::function<void(StackCall<float>&)> f32;
  std::function<void(StackCall<double>&)> f64;

  template <class S>
  static StackFault make(S spoil) {
    return {spoil, spoil};
  }
  template <Real T>
  const auto& of() const {
    if constexpr (std::same_as<T, float>) return f32;
    if constexpr (std::same_as<T, double>) return f64;
  }
};

class WholeStackBackend final : public Backend {
 public:
  explicit WholeStackBackend(const Backend& honest, StackFault fault = {})
      : Backend("whole"), honest_(honest), fault_(std::move(fault)) {}
  std::string version() const override { return "of " + std::string(honest_.name()); }
  bool same_for_all_threads(const Exec& exec) const override {
    return honest_.same_for_all_threads(exec);
  }
  /// Of stacks.
  int plans_made() const { return plans_; }

 private:
  template <Real T>
  class WholePlan final : public StackPlan<T> {
   public:
    WholePlan(const Backend& honest, const StackFault& fault, int number, const StackSpec& spec,
              const Exec& exec)
        : StackPlan<T>(spec),
          fault_(fault),
          number_(number),
          honest_(spec, net::PlanMaker<T>(honest, exec)) {}
    std::size_t workspace_bytes() const override { return honest_.workspace_bytes(); }

   private:
    void do_forward(std::span<const Params<const T>> params, const Inputs<const T>& in,
                    const Outputs<T>& out) override {
      ++call_;
      last_out_ = out;
      honest_.forward(params, in, out);
      spoil(false, params, in, {});
    }
    void do_backward(std::span<const Params<const T>> params, const Inputs<const T>& in,
                     const OutputGrads<const T>& dout, const StackGrads<T>& grads) override {
      honest_.backward(params, in, dout, grads);
      spoil(true, params, in, grads);
    }
    void spoil(bool backward, std::span<const Params<const T>> params, const Inputs<const T>& in,
               const StackGrads<T>& grads) {
      if (!fault_.template of<T>()) return;
      StackCall<T> call{this->spec(), number_, call_, backward, params, in, last_out_, grads};
      fault_.template of<T>()(call);
    }

    const StackFault& fault_;
    int number_, call_ = 0;
    net::ComposedStack<T> honest_;
    Outputs<T> last_out_;
  };

  std::optional<std::string> do_refusal(const Spec& spec, Dtype dtype,
                                        const Exec& exec) const override {
    return honest_.refusal(spec, dtype, exec);
  }
  std::size_t do_workspace_bytes(const Spec& spec, Dtype dtype, const Exec& exec) const override {
    return honest_.workspace_bytes(spec, dtype, exec);
  }
  std::unique_ptr<Plan<float>> do_plan(std::type_identity<float>, const Spec& spec,
                                       const Exec& exec) const override {
    return honest_.plan<float>(spec, exec);
  }
  std::unique_ptr<Plan<double>> do_plan(std::type_identity<double>, const Spec& spec,
                                        const Exec& exec) const override {
    return honest_.plan<double>(spec, exec);
  }
  bool do_plans_whole(const StackSpec&, Dtype, const Exec&) const override { return true; }
  std::size_t do_stack_workspace_bytes(const StackSpec& spec, Dtype dtype,
                                       const Exec& exec) const override {
    return net::stack_workspace_bytes(honest_, spec, dtype, exec);
  }
  std::unique_ptr<StackPlan<float>> do_plan_stack(std::type_identity<float>, const StackSpec& spec,
                                                  const Exec& exec) const override {
    return std::make_unique<WholePlan<float>>(honest_, fault_, plans_++, spec, exec);
  }
  std::unique_ptr<StackPlan<double>> do_plan_stack(std::type_identity<double>,
                                                   const StackSpec& spec,
                                                   const Exec& exec) const override {
    return std::make_unique<WholePlan<double>>(honest_, fault_, plans_++, spec, exec);
  }

  const Backend& honest_;
  StackFault fault_;
  mutable int plans_ = 0;
};

}  // namespace bptt::verify
