// For tests: a model that does one thing wrong where it stands on a faulty backend's plans; on
// those of naive, which references are made of, it is as it should be.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "verify/faulty_backend.hpp"
#include "verify/subject.hpp"

namespace bptt::verify {

/// Called in place of a model's forward and backward, which it runs itself.
template <Real T>
using ModelPass = std::function<void(net::Model<T>&, bool backward)>;

struct ModelFault {
  std::string name;
  ModelPass<float> f32;
  ModelPass<double> f64;

  /// `spoil(model, backward)` looks at the model after the honest pass, and changes its tensors.
  template <class Spoil>
  static ModelFault make(std::string name, Spoil spoil) {
    const auto pass = [spoil](auto& model, bool backward) {
      backward ? model.backward() : model.forward();
      spoil(model, backward);
    };
    return {std::move(name), pass, pass};
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

/// The subject of `honest`, whose models have the fault where the mark is.
inline std::shared_ptr<const Subject> faulty_subject(std::shared_ptr<const Subject> honest,
                                                     const ModelFault& fault) {
  const auto make = [honest, fault]<Scalar T>(const net::PlanMaker<T>& plans) {
    bool marked = false;
    auto model = honest->make<T>([&](const Spec& spec) {
      auto plan = plans(spec);
      marked = marked || dynamic_cast<const FaultyMark*>(plan.get()) != nullptr;
      return plan;
    });
    if constexpr (std::same_as<T, float>) {
      if (marked) model = std::make_unique<FaultyModel<T>>(std::move(model), fault.f32);
    } else if constexpr (std::same_as<T, double>) {
      if (marked) model = std::make_unique<FaultyModel<T>>(std::move(model), fault.f64);
    }
    return model;
  };
  const auto draw = [honest](const Subject&, std::uint64_t seed, Dtype dtype) {
    return honest->draw(seed, dtype);
  };
  return make_subject(honest->cell(), make, draw);
}

}  // namespace bptt::verify
