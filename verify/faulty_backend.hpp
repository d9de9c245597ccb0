// For tests: a backend that computes with naive and then does one thing wrong.
#pragma once

#include <algorithm>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "impls/api/backend.hpp"
#include "impls/naive/naive.hpp"
#include "verify/tensor_list.hpp"

namespace bptt::verify {

/// What a fault may look at, and spoil, after naive has filled the results.
template <Real T>
struct FaultContext {
  const Spec& spec;
  const Exec& exec;
  int plan_number;  ///< how many plans its backend had made before this one
  int call;         ///< 1 for a plan's first
  bool backward;    ///< else forward has just run
  Params<const T> params;
  Inputs<const T> in;
  OutputGrads<const T> dout;  ///< backward only
  Outputs<T> out;             ///< of the last forward, also in backward
  Grads<T> grads;             ///< backward only

  /// Naive anew, forward and backward, with other inputs, into this context's results.
  void compute_with(const Spec& other, const Inputs<const T>& inputs,
                    const OutputGrads<const T>& upstream) {
    const auto plan = naive::make_plan<T>(other);
    if (!backward) {
      plan->forward(params, inputs, out);
      return;
    }
    Problem<T> scratch(other);
    plan->forward(params, inputs, scratch.out);
    plan->backward(params, inputs, upstream, grads);
  }
};

/// A name and a spoiler, for both types.
struct Fault {
  std::string name;
  std::function<void(FaultContext<float>&)> spoil_f32;
  std::function<void(FaultContext<double>&)> spoil_f64;

  template <class Spoil>
  static Fault make(std::string name, Spoil spoil) {
    return {std::move(name), spoil, spoil};
  }
  void spoil(FaultContext<float>& context) const { spoil_f32(context); }
  void spoil(FaultContext<double>& context) const { spoil_f64(context); }
};

/// What tells the plans of a faulty backend from others.
struct FaultyMark {
  virtual ~FaultyMark() = default;
};

class FaultyBackend final : public Backend {
 public:
  explicit FaultyBackend(Fault fault, bool same_for_all_threads = true)
      : Backend("faulty"), fault_(std::move(fault)), same_(same_for_all_threads) {}
  std::string version() const override { return fault_.name; }
  bool same_for_all_threads() const override { return same_; }

 private:
  template <Real T>
  class FaultyPlan final : public Plan<T>, public FaultyMark {
   public:
    FaultyPlan(const Fault& fault, int plan, const Spec& spec, const Exec& exec)
        : Plan<T>(spec, exec),
          fault_(fault),
          plan_(plan),
          inner_(naive::make_plan<T>(spec)),
          kept_(spec) {}
    std::size_t workspace_bytes() const override { return 0; }

   private:
    void do_forward(const Params<const T>& params, const Inputs<const T>& in,
                    const Outputs<T>& out) override {
      ++call_;
      inner_->forward(params, in, out);
      inner_->forward(params, in, kept_.out);
      FaultContext<T> context{this->spec(), this->exec(), plan_, call_, false,
                              params,       in,           {},    out,   {}};
      fault_.spoil(context);
    }
    void do_backward(const Params<const T>& params, const Inputs<const T>& in,
                     const OutputGrads<const T>& dout, const Grads<T>& grads) override {
      inner_->backward(params, in, dout, grads);
      FaultContext<T> context{this->spec(), this->exec(), plan_, call_,     true,
                              params,       in,           dout,  kept_.out, grads};
      fault_.spoil(context);
    }

    const Fault& fault_;
    int plan_;
    std::unique_ptr<Plan<T>> inner_;
    Problem<T> kept_;
    int call_ = 0;
  };

  std::optional<std::string> do_refusal(const Spec&, Dtype, const Exec&) const override {
    return std::nullopt;
  }
  std::size_t do_workspace_bytes(const Spec&, Dtype, const Exec&) const override { return 0; }
  std::unique_ptr<Plan<float>> do_plan(std::type_identity<float>, const Spec& spec,
                                       const Exec& exec) const override {
    return std::make_unique<FaultyPlan<float>>(fault_, plans_++, spec, exec);
  }
  std::unique_ptr<Plan<double>> do_plan(std::type_identity<double>, const Spec& spec,
                                        const Exec& exec) const override {
    return std::make_unique<FaultyPlan<double>>(fault_, plans_++, spec, exec);
  }

  Fault fault_;
  bool same_;
  mutable int plans_ = 0;
};

}  // namespace bptt::verify
