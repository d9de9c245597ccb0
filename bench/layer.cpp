#include "bench/layer.hpp"

#include <algorithm>
#include <cmath>

#include "bench/engine.hpp"
#include "bench/new_inputs.hpp"
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
  TypedRun(net::StackProblem<T>& problem, NewInputs<T>& new_inputs, const StackSpec& spec,
           const net::PlanMaker<T>& plans)
      : problem_(problem), in_(problem.in), new_inputs_(new_inputs), stack_(spec, plans) {
    if (!spec.lengths) in_.lengths = {};
  }
  void forward() override { stack_.forward(problem_.params_to_read(), in_, problem_.out); }
  void backward() override {
    stack_.backward(problem_.params_to_read(), in_, problem_.dout, problem_.grads);
  }
  std::size_t workspace_bytes() const override { return stack_.workspace_bytes(); }
  LayoutSeconds layout_seconds() const override { return stack_.layout_seconds(); }
  std::string implementation() const override { return stack_.implementation(); }
  std::variant<net::StackProblem<float>*, net::StackProblem<double>*> problem() override {
    return &problem_;
  }
  void change_inputs() override { new_inputs_(); }

 private:
  net::StackProblem<T>& problem_;
  Inputs<T> in_;  ///< without lengths for a run that is padded
  NewInputs<T>& new_inputs_;
  net::Stack<T> stack_;
};

/// Every input by one unit in its last place, up or down at random, and back.
template <Real T>
class MovedInputs {
 public:
  MovedInputs(const StackSpec& spec, const net::StackProblem<T>& problem, int run)
      : spec_(spec), problem_(problem), run_(run) {
    move(+1);
  }
  ~MovedInputs() { move(-1); }

 private:
  void move(int sign) const {
    net::Random random(static_cast<std::uint64_t>(run_), 0x6d6f766564u);
    const auto visit = [&](const TensorInfo&, const View<T>& view) {
      constexpr T infinity = std::numeric_limits<T>::infinity();
      for (T& value : view) {
        const bool up = (random.bits() & 1) != 0;
        value = std::nextafter(value, up == (sign > 0) ? infinity : -infinity);
      }
    };
    net::for_each_parameter(spec_, problem_.params(),
                            [&](const std::string&, const TensorInfo& info, const View<T>& view) {
                              visit(info, view);
                            });
    for_each(spec_, problem_.in, visit);
    for_each(spec_, problem_.dout, visit);
  }

  const StackSpec& spec_;
  const net::StackProblem<T>& problem_;
  int run_;
};

template <Real T>
class TypedLayer final : public Layer {
 public:
  TypedLayer(const Case& c, std::uint64_t seed)
      : case_(c), problem_(c.spec), new_inputs_(c.spec, problem_, seed) {
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
    // A backend that takes lengths does not read it; a user that pads puts zeros there.
    clear_padding(problem_.in.x, lengths_);
    clear_padding(problem_.dout.y, lengths_);
  }
  std::unique_ptr<LayerRun> plan(const Backend& backend) override {
    return std::make_unique<TypedRun<T>>(problem_, new_inputs_, as_run(backend, case_).spec,
                                         net::PlanMaker<T>(backend, case_.exec));
  }
  Difference judge(const Backend& backend, Phase phase) override {
    require_memory(net::StackProblem<T>::result_bytes(case_.spec),
                   "results of " + to_string(case_.spec));
    Judge<T> judge(results_of(case_.spec, problem_, phase), case_.spec.cell.has_kink());
    return judge([&](int run) {
      const auto first = plan(backend);
      if (run == 0) return first->call(phase);
      const MovedInputs<T> moved(case_.spec, problem_, run);
      first->call(phase);
    });
  }

 private:
  Case case_;
  net::StackProblem<T> problem_;
  NewInputs<T> new_inputs_;
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
  const auto forward_of_backward = [this] {
    change_inputs();
    forward();
  };
  const auto all = watched([this, phase] {
    change_inputs();
    call(phase);
  });
  const double wall = phase == Phase::backward ? time_calls(name, calls, forward_of_backward,
                                                            watched([this] { backward(); }))
                                               : time_calls(name, calls, all);
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
