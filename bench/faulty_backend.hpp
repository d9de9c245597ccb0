// For tests: an honest backend with one line of its backward pass broken.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "impls/api/backend.hpp"

namespace bptt::bench {

/// The gradient of weight_hh comes out `factor` times as large as it is.
class FaultyBackend final : public Backend {
 public:
  explicit FaultyBackend(const Backend& honest, double factor)
      : Backend("faulty"), honest_(honest), factor_(factor) {}
  std::string version() const override { return "of " + std::string(honest_.name()); }
  bool same_for_all_threads() const override { return honest_.same_for_all_threads(); }

 private:
  template <Real T>
  class FaultyPlan final : public Plan<T> {
   public:
    FaultyPlan(std::unique_ptr<Plan<T>> honest, double factor)
        : Plan<T>(honest->spec(), honest->exec()),
          honest_(std::move(honest)),
          factor_(static_cast<T>(factor)) {}
    std::size_t workspace_bytes() const override { return honest_->workspace_bytes(); }

   private:
    void do_forward(const Params<const T>& params, const Inputs<const T>& in,
                    const Outputs<T>& out) override {
      honest_->forward(params, in, out);
    }
    void do_backward(const Params<const T>& params, const Inputs<const T>& in,
                     const OutputGrads<const T>& dout, const Grads<T>& grads) override {
      honest_->backward(params, in, dout, grads);
      for (T& value : grads.params.weight_hh) value *= factor_;
    }

    std::unique_ptr<Plan<T>> honest_;
    T factor_;
  };

  std::optional<std::string> do_refusal(const Spec& spec, Dtype dtype,
                                        const Exec& exec) const override {
    return honest_.refusal(spec, dtype, exec);
  }
  std::size_t do_workspace_bytes(const Spec& spec, Dtype dtype, const Exec& exec) const override {
    return honest_.workspace_bytes(spec, dtype, exec);
  }
  template <Real T>
  std::unique_ptr<Plan<T>> faulty(const Spec& spec, const Exec& exec) const {
    return std::make_unique<FaultyPlan<T>>(honest_.plan<T>(spec, exec), factor_);
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
  double factor_;
};

}  // namespace bptt::bench
