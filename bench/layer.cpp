#include "bench/layer.hpp"

#include <algorithm>

#include "bench/engine.hpp"
#include "bench/stack_problem.hpp"
#include "impls/net/initialise.hpp"

namespace bptt::bench {
namespace {

/// [T,B,n]: the steps beyond each sequence's length to zero.
template <Real T>
void clear_padding(const View<T>& values, const std::vector<Index>& lengths) {
  const Index steps = values.extents()[0], batch = values.extents()[1], n = values.extents()[2];
  for (Index t = 0; t < steps; ++t) {
    for (Index b = 0; b < batch; ++b) {
      if (t < lengths[static_cast<std::size_t>(b)]) continue;
      std::fill_n(values.data() + (t * batch + b) * n, n, T(0));
    }
  }
}

template <Real T>
class TypedRun final : public LayerRun {
 public:
  TypedRun(StackProblem<T>& problem, const StackSpec& spec, const net::PlanMaker<T>& plans)
      : problem_(problem), in_(problem.in), stack_(spec, plans) {
    if (!spec.lengths) in_.lengths = {};
  }
  void forward() override { stack_.forward(problem_.params_to_read(), in_, problem_.out); }
  void backward() override {
    stack_.backward(problem_.params_to_read(), in_, problem_.dout, problem_.grads);
  }
  std::size_t workspace_bytes() const override { return stack_.workspace_bytes(); }
  LayoutSeconds layout_seconds() const override { return stack_.layout_seconds(); }
  std::string implementation() const override { return stack_.implementation(); }

 private:
  StackProblem<T>& problem_;
  Inputs<T> in_;  ///< without lengths for a run that is padded
  net::Stack<T> stack_;
};

template <Real T>
class TypedLayer final : public Layer {
 public:
  TypedLayer(const Case& c, std::uint64_t seed) : case_(c), problem_(c.spec) {
    net::Random random(seed);
    for (Index k = 0; k < c.spec.states(); ++k) {
      net::initialise(c.spec.layer_spec(k / c.spec.directions()),
                      problem_.params()[static_cast<std::size_t>(k)], random);
    }
    const auto fill = [&](const TensorInfo&, View<T> values) {
      net::fill_normal(values, 1, random);
    };
    for_each(c.spec, problem_.in, fill);
    for_each(c.spec, problem_.dout, fill);
    if (!c.lengths.given()) return;
    lengths_ = c.lengths.lengths(c.spec.shape.T, c.spec.shape.B, seed);
    problem_.in.lengths = lengths_;
    // Of no account to who takes lengths; zero is what whoever pads would put there.
    clear_padding(problem_.in.x, lengths_);
    clear_padding(problem_.dout.y, lengths_);
  }
  std::unique_ptr<LayerRun> plan(const Backend& backend) override {
    return std::make_unique<TypedRun<T>>(problem_, as_run(backend, case_).spec,
                                         net::PlanMaker<T>(backend, case_.exec));
  }

 private:
  Case case_;
  StackProblem<T> problem_;
  std::vector<Index> lengths_;
};

}  // namespace

void LayerRun::call(Phase phase) {
  forward();
  if (phase != Phase::forward) backward();
}

CallTime LayerRun::time(Phase phase, Index calls) {
  const std::string name(name_of(phase));
  LayoutSeconds layouts;  // of what is timed alone
  const auto watched = [&](auto body) {
    return [&layouts, this, body] {
      const LayoutSeconds before = layout_seconds();
      body();
      layouts = layouts + (layout_seconds() - before);
    };
  };
  const double wall = phase == Phase::backward
                          ? time_calls(
                                name, calls, [this] { forward(); }, watched([this] { backward(); }))
                          : time_calls(name, calls, watched([this, phase] { call(phase); }));
  const auto count = static_cast<double>(calls);
  const double excluded = layouts.activations / count;
  return {wall - excluded, layouts.weights / count, excluded};
}

std::unique_ptr<Layer> Layer::make(const Case& c, std::uint64_t seed) {
  return dispatch(c.dtype, [&]<class T>(std::type_identity<T>) -> std::unique_ptr<Layer> {
    return std::make_unique<TypedLayer<T>>(c, seed);
  });
}

}  // namespace bptt::bench
