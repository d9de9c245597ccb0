// For tests: a backend that throws what nobody expects, after some calls.
#pragma once

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include "impls/api/backend.hpp"

namespace bptt::bench {

/// A plan's forward throws at its call number `good_calls`, from 0, and at every later one.
class BrokenBackend final : public Backend {
 public:
  BrokenBackend(const Backend& honest, int good_calls)
      : Backend("broken"), honest_(honest), good_calls_(good_calls) {}
  std::string version() const override { return "of " + std::string(honest_.name()); }
  bool same_for_all_threads() const override { return honest_.same_for_all_threads(); }

 private:
  template <Real T>
  class BrokenPlan final : public Plan<T> {
   public:
    BrokenPlan(std::unique_ptr<Plan<T>> honest, int good_calls)
        : Plan<T>(honest->spec(), honest->exec()),
          honest_(std::move(honest)),
          good_calls_(good_calls) {}
    std::size_t workspace_bytes() const override { return honest_->workspace_bytes(); }

   private:
    void do_forward(const Params<const T>& params, const Inputs<const T>& in,
                    const Outputs<T>& out) override {
      if (good_calls_-- <= 0) throw std::length_error("vector too long");
      honest_->forward(params, in, out);
    }
    void do_backward(const Params<const T>& params, const Inputs<const T>& in,
                     const OutputGrads<const T>& dout, const Grads<T>& grads) override {
      honest_->backward(params, in, dout, grads);
    }

    std::unique_ptr<Plan<T>> honest_;
    int good_calls_;
  };

  std::optional<std::string> do_refusal(const Spec& spec, Dtype dtype,
                                        const Exec& exec) const override {
    return honest_.refusal(spec, dtype, exec);
  }
  std::size_t do_workspace_bytes(const Spec& spec, Dtype dtype, const Exec& exec) const override {
    return honest_.workspace_bytes(spec, dtype, exec);
  }
  template <Real T>
  std::unique_ptr<Plan<T>> broken(const Spec& spec, const Exec& exec) const {
    return std::make_unique<BrokenPlan<T>>(honest_.plan<T>(spec, exec), good_calls_);
  }
  std::unique_ptr<Plan<float>> do_plan(std::type_identity<float>, const Spec& spec,
                                       const Exec& exec) const override {
    return broken<float>(spec, exec);
  }
  std::unique_ptr<Plan<double>> do_plan(std::type_identity<double>, const Spec& spec,
                                        const Exec& exec) const override {
    return broken<double>(spec, exec);
  }

  const Backend& honest_;
  int good_calls_;
};

}  // namespace bptt::bench
