#include "verify/fuzz/subject.hpp"

#include <cmath>

#include "verify/inputs.hpp"
#include "verify/layer_model.hpp"
#include "verify/random_values.hpp"

namespace bptt::verify::fuzz {
namespace {

/// Clears the view of one optional tensor.
template <Scalar T>
struct OptionalView {
  const char* name;
  View<T>& (*view)(Problem<T>&);
};

template <Scalar T>
void make_absent(Problem<T>& p, const std::string& name) {
  const OptionalView<T> views[] = {
      {"h0", [](Problem<T>& q) -> View<T>& { return q.in.h0; }},
      {"c0", [](Problem<T>& q) -> View<T>& { return q.in.c0; }},
      {"hT", [](Problem<T>& q) -> View<T>& { return q.out.hT; }},
      {"cT", [](Problem<T>& q) -> View<T>& { return q.out.cT; }},
      {"dy", [](Problem<T>& q) -> View<T>& { return q.dout.y; }},
      {"dhT", [](Problem<T>& q) -> View<T>& { return q.dout.hT; }},
      {"dcT", [](Problem<T>& q) -> View<T>& { return q.dout.cT; }},
      {"grad.x", [](Problem<T>& q) -> View<T>& { return q.grads.x; }},
      {"grad.h0", [](Problem<T>& q) -> View<T>& { return q.grads.h0; }},
      {"grad.c0", [](Problem<T>& q) -> View<T>& { return q.grads.c0; }},
      {"grad.weight_ih_l0", [](Problem<T>& q) -> View<T>& { return q.grads.params.weight_ih; }},
      {"grad.weight_hh_l0", [](Problem<T>& q) -> View<T>& { return q.grads.params.weight_hh; }},
      {"grad.bias_ih_l0", [](Problem<T>& q) -> View<T>& { return q.grads.params.bias_ih; }},
      {"grad.bias_hh_l0", [](Problem<T>& q) -> View<T>& { return q.grads.params.bias_hh; }},
      {"grad.weight_peephole_l0",
       [](Problem<T>& q) -> View<T>& { return q.grads.params.weight_peephole; }},
  };
  for (const auto& row : views) {
    if (row.name == name) row.view(p) = {};
  }
}

struct Prepare {
  std::vector<Index> lengths;
  std::vector<std::string> without;

  template <Scalar T>
  void operator()(Problem<T>& p) const {
    p.lengths() = lengths;
    p.in.lengths = p.lengths();
    for (const std::string& name : without) make_absent(p, name);
  }
};

/// Makes of a fixture's value what the distribution has in its place. NaN of padding stays.
class Redraw {
 public:
  Redraw(const Description& d, std::uint64_t seed)
      : values_(d.values),
        bound_(1 / std::sqrt(static_cast<double>(d.network.stack.shape.H))),
        larger_(larger_of(d.network.stack.cell)),
        seed_(seed) {}

  template <Scalar T>
  void apply(const net::ModelTensor<T>& tensor, std::vector<double>& data) const {
    net::Random random(seed_, hash_of(tensor.name) + 1);
    const bool parameter = tensor.role == net::Role::parameter;
    // Biases hold gates where gradients live on: larger ones would shut them.
    const bool grows = parameter && tensor.name.find("bias") == std::string::npos;
    const bool all_zero = random.below(2) == 0;
    // A loss is not defined for targets outside its range, and a zero is as good as any there.
    if (tensor.role == net::Role::target) return;
    for (double& value : data) {
      if (std::isnan(value)) continue;
      value = grows && values_ == InputValues::large ? larger_ * value
                                                     : one(value, parameter, all_zero, random);
    }
  }

 private:
  /// Where a gru's update gate nears 0, a backend that holds 1-z in its place loses what naive,
  /// which holds z, keeps: more than a difference in rounding, and not an error. So not as far.
  /// States that nothing bounds would leave the range of f32 within a hundred steps.
  static double larger_of(const Cell& cell) {
    const bool is_linear = cell.kind == CellKind::rnn ? cell.activation == Activation::identity
                                                      : cell.kind == CellKind::lstm &&
                                                            cell.output == Activation::identity &&
                                                            cell.candidate == Activation::identity;
    return is_linear ? 1 : cell.kind == CellKind::gru ? 1.5 : 2.5;
  }

  double one(double value, bool parameter, bool all_zero, net::Random& random) const {
    constexpr double smaller = 1.0 / 1024;
    switch (values_) {
      case InputValues::fixture:
      case InputValues::large:
        break;
      case InputValues::initial:
        return parameter ? random.uniform(-bound_, bound_) : value;
      case InputValues::tiny:
        return smaller * value;
      case InputValues::sparse:
        return random.below(3) == 0 ? value : 0;
      case InputValues::zero_tensors:
        return all_zero ? 0 : value;
      case InputValues::coarse:
        return std::round(4 * value) / 4;
    }
    return value;
  }

  InputValues values_;
  double bound_;
  double larger_;
  std::uint64_t seed_;
};

void redraw(const Subject& subject, const Description& d, std::uint64_t seed, Dtype dtype,
            Given& given) {
  if (d.values == InputValues::fixture) return;
  const Redraw change(d, seed);
  const auto model = subject.make<double>(naive_plans<double>());
  const auto tensors = given_tensors(*model);
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    change.apply(tensors[i], given.values[i]);
    if (dtype == Dtype::f64) continue;
    for (double& value : given.values[i]) value = static_cast<double>(static_cast<float>(value));
  }
}

std::shared_ptr<const Subject> layer_of(const Description& d) {
  const Spec spec = d.network.stack.layer_spec(0);
  const Prepare prepare{d.lengths, d.without};
  const auto make = [spec, prepare]<Scalar T>(const net::PlanMaker<T>& plans) {
    return std::unique_ptr<net::Model<T>>(std::make_unique<LayerModel<T>>(spec, plans, prepare));
  };
  const auto draw = [d, spec, prepare](const Subject& subject, std::uint64_t seed, Dtype dtype) {
    Given given = dispatch(dtype, [&]<class T>(std::type_identity<T>) {
      Problem<T> p(spec);
      prepare(p);
      draw_inputs(seed, p);
      return given_of(p);
    });
    redraw(subject, d, seed, dtype, given);
    return given;
  };
  return make_subject(spec.cell, make, draw);
}

std::shared_ptr<const Subject> network_of(const Description& d) {
  const auto make = [d]<Scalar T>(const net::PlanMaker<T>& plans) {
    return net::make_network<T>(d.network, d.lengths, plans);
  };
  const auto draw = [d](const Subject& subject, std::uint64_t seed, Dtype dtype) {
    Given given = dispatch(
        dtype, [&]<class T>(std::type_identity<T>) { return draw_model<T>(subject, seed); });
    redraw(subject, d, seed, dtype, given);
    return given;
  };
  return make_subject(d.network.stack.cell, make, draw);
}

}  // namespace

double work_of(const Description& d) {
  const StackSpec& stack = d.network.stack;
  const Shape& s = stack.shape;
  constexpr double pointwise = 60;  // of one gate of one unit in multiply-adds, roughly
  const double rows = static_cast<double>(s.T * s.B * stack.states());
  return forward_flops(stack, s.T * s.B) / 2 +
         pointwise * rows * static_cast<double>(s.H * stack.cell.gates());
}

Case case_of(const Description& d) {
  d.validate();
  Case c;
  c.name = to_string(d);
  c.cell = to_string(d.network.stack.cell);
  c.subject = d.is_layer() ? layer_of(d) : network_of(d);
  c.work = work_of(d);
  return c;
}

}  // namespace bptt::verify::fuzz
