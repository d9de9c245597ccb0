// A model that does one thing wrong where it stands on a faulty backend's plans; on those of naive,
// which references are made of, it is as it should be, unless the fault is in both.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <tuple>

#include "verify/self_test/faulty_backend.hpp"
#include "verify/subject.hpp"

namespace bptt::verify {

/// Called in place of a model's forward and backward, which it runs itself.
template <Scalar T>
using ModelPass = std::function<void(net::Model<T>&, bool backward)>;

/// What goes wrong around the plans: between layers and directions, in a head, in attention.
struct ModelFault {
  std::tuple<ModelPass<float>, ModelPass<double>, ModelPass<long double>,
             ModelPass<std::complex<double>>>
      passes;

  /// `spoil(model, backward)` looks at the model after the honest pass, and changes its tensors.
  template <class S>
  static ModelFault make(S spoil) {
    const auto pass = after_honest_pass(spoil);
    return {{pass, pass, {}, {}}};
  }
  /// In the reference as well.
  template <class S>
  static ModelFault make_for_all(S spoil) {
    const auto pass = after_honest_pass(spoil);
    return {{pass, pass, pass, pass}};
  }
  bool is_planted() const { return static_cast<bool>(std::get<0>(passes)); }
  bool is_shared() const { return static_cast<bool>(std::get<2>(passes)); }

 private:
  template <class S>
  static auto after_honest_pass(S spoil) {
    return [spoil](auto& model, bool backward) {
      backward ? model.backward() : model.forward();
      spoil(model, backward);
    };
  }
};

template <Scalar T>
class FaultyModel final : public net::Model<T> {
 public:
  FaultyModel(std::unique_ptr<net::Model<T>> honest, ModelPass<T> pass)
      : honest_(std::move(honest)), pass_(std::move(pass)) {
    this->tensors_ = honest_->tensors();
    this->targets_ = honest_->targets();
  }
  Index classes() const override { return honest_->classes(); }
  void forward() override {
    honest_->targets() = this->targets_;
    pass_(*honest_, false);
  }
  void backward() override { pass_(*honest_, true); }
  T loss() const override { return honest_->loss(); }
  std::size_t workspace_bytes() const override { return honest_->workspace_bytes(); }

 private:
  std::unique_ptr<net::Model<T>> honest_;
  ModelPass<T> pass_;
};

/// The subject of `honest`. Its models have `around` where they stand on plans with the mark, and
/// everywhere where that fault is shared; honest plans get `in_plans` where that one is.
inline std::shared_ptr<const Subject> faulty_subject(std::shared_ptr<const Subject> honest,
                                                     const Fault& in_plans,
                                                     const ModelFault& around) {
  const auto make = [honest, in_plans, around]<Scalar T>(const net::PlanMaker<T>& plans) {
    bool marked = false;
    int number = 0;
    auto model = honest->make<T>([&](const Spec& spec) {
      auto plan = plans(spec);
      const bool has_mark = dynamic_cast<const FaultyMark*>(plan.get()) != nullptr;
      marked = marked || has_mark;
      if (in_plans.is_shared() && !has_mark) {
        plan = std::make_unique<FaultyPlan<T>>(in_plans, number++, spec, plan->exec(), plans);
      }
      return plan;
    });
    const ModelPass<T>& pass = std::get<ModelPass<T>>(around.passes);
    if (pass && (marked || around.is_shared())) {
      model = std::make_unique<FaultyModel<T>>(std::move(model), pass);
    }
    return model;
  };
  const auto draw = [honest](const Subject&, std::uint64_t seed, Dtype dtype) {
    return honest->draw(seed, dtype);
  };
  return make_subject(honest->cell(), make, draw);
}

}  // namespace bptt::verify
