// A backend that computes with another, honest one and then does one thing wrong.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "impls/api/backend.hpp"
#include "impls/naive/naive.hpp"
#include "verify/self_test/fault.hpp"

namespace bptt::verify {

/// What tells the plans of a faulty backend from others.
struct FaultyMark {
  virtual ~FaultyMark() = default;
};

/// An honest plan with a fault behind it.
template <Scalar T>
class FaultyPlan final : public Plan<T>, public FaultyMark {
 public:
  /// `honest_plan` makes what the fault is planted in. The fault has to outlive the plan.
  FaultyPlan(const Fault& fault, int plan_number, const Spec& spec, const Exec& exec,
             net::PlanMaker<T> honest_plan)
      : Plan<T>(spec, exec),
        fault_(fault),
        plan_number_(plan_number),
        honest_plan_(std::move(honest_plan)),
        honest_(honest_plan_(spec)) {}
  std::size_t workspace_bytes() const override { return honest_->workspace_bytes(); }

 private:
  void do_forward(const Params<const T>& params, const Inputs<const T>& in,
                  const Outputs<T>& out) override {
    ++call_;
    last_out_ = out;
    honest_->forward(params, in, out);
    spoil(false, params, in, {}, out, {});
  }
  void do_backward(const Params<const T>& params, const Inputs<const T>& in,
                   const OutputGrads<const T>& dout, const Grads<T>& grads) override {
    honest_->backward(params, in, dout, grads);
    spoil(true, params, in, dout, last_out_, grads);
  }
  void spoil(bool backward, const Params<const T>& params, const Inputs<const T>& in,
             const OutputGrads<const T>& dout, const Outputs<T>& out, const Grads<T>& grads) {
    FaultContext<T> context{this->spec(), this->exec(), plan_number_, call_,
                            backward,     params,       in,           dout,
                            out,          grads,        memory_,      honest_plan_};
    fault_.spoil(context);
  }

  const Fault& fault_;
  int plan_number_, call_ = 0;
  net::PlanMaker<T> honest_plan_;
  std::unique_ptr<Plan<T>> honest_;
  Outputs<T> last_out_;
  std::any memory_;
};

/// Refuses, promises and is called what the honest one is. Both have to outlive its plans.
class FaultyBackend final : public Backend {
 public:
  FaultyBackend(const Backend& honest, Fault fault)
      : Backend(honest.name()), honest_(honest), fault_(std::move(fault)) {}
  /// For tests: in naive, under another name.
  explicit FaultyBackend(Fault fault)
      : Backend("faulty"), honest_(naive_backend()), fault_(std::move(fault)) {}
  std::string version() const override { return fault_.name; }
  bool same_for_all_threads(const Exec& exec) const override {
    return honest_.same_for_all_threads(exec);
  }

 private:
  static const Backend& naive_backend() {
    static const auto backend = naive::make_backend();
    return *backend;
  }
  std::optional<std::string> do_refusal(const Spec& spec, Dtype dtype,
                                        const Exec& exec) const override {
    return honest_.refusal(spec, dtype, exec);
  }
  std::size_t do_workspace_bytes(const Spec& spec, Dtype dtype, const Exec& exec) const override {
    return honest_.workspace_bytes(spec, dtype, exec);
  }
  template <Real T>
  std::unique_ptr<Plan<T>> faulty_plan(const Spec& spec, const Exec& exec) const {
    return std::make_unique<FaultyPlan<T>>(
        fault_, plans_++, spec, exec,
        [this, exec](const Spec& other) { return honest_.plan<T>(other, exec); });
  }
  std::unique_ptr<Plan<float>> do_plan(std::type_identity<float>, const Spec& spec,
                                       const Exec& exec) const override {
    return faulty_plan<float>(spec, exec);
  }
  std::unique_ptr<Plan<double>> do_plan(std::type_identity<double>, const Spec& spec,
                                        const Exec& exec) const override {
    return faulty_plan<double>(spec, exec);
  }

  const Backend& honest_;
  Fault fault_;
  mutable int plans_ = 0;
};

}  // namespace bptt::verify
