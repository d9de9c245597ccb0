#include "bench/layer.hpp"

#include "bench/engine.hpp"
#include "impls/api/tensor.hpp"
#include "impls/net/initialise.hpp"

namespace bptt::bench {
namespace {

template <Real T>
class TypedRun final : public LayerRun {
 public:
  TypedRun(Problem<T>& problem, std::unique_ptr<Plan<T>> plan)
      : problem_(problem), plan_(std::move(plan)) {}
  void forward() override { plan_->forward(problem_.params, problem_.in, problem_.out); }
  void backward() override {
    plan_->backward(problem_.params, problem_.in, problem_.dout, problem_.grads);
  }
  std::size_t workspace_bytes() const override { return plan_->workspace_bytes(); }

 private:
  Problem<T>& problem_;
  std::unique_ptr<Plan<T>> plan_;
};

template <Real T>
class TypedLayer final : public Layer {
 public:
  TypedLayer(const Case& c, std::uint64_t seed) : case_(c), problem_(c.spec) {
    net::Random random(seed);
    net::initialise(c.spec, problem_.params, random);
    const auto fill = [&](const TensorInfo&, View<T> values) {
      net::fill_normal(values, 1, random);
    };
    for_each(c.spec, problem_.in, fill);
    for_each(c.spec, problem_.dout, fill);
  }
  std::unique_ptr<LayerRun> plan(const Backend& backend) override {
    return std::make_unique<TypedRun<T>>(problem_, backend.plan<T>(case_.spec, case_.exec));
  }

 private:
  Case case_;
  Problem<T> problem_;
};

}  // namespace

void LayerRun::call(Phase phase) {
  forward();
  if (phase != Phase::forward) backward();
}

double LayerRun::time(Phase phase, Index calls) {
  const std::string name(name_of(phase));
  if (phase == Phase::backward) {
    return time_calls(
        name, calls, [this] { forward(); }, [this] { backward(); });
  }
  return time_calls(name, calls, [this, phase] { call(phase); });
}

std::unique_ptr<Layer> Layer::make(const Case& c, std::uint64_t seed) {
  return dispatch(c.dtype, [&]<class T>(std::type_identity<T>) -> std::unique_ptr<Layer> {
    return std::make_unique<TypedLayer<T>>(c, seed);
  });
}

}  // namespace bptt::bench
