#include "impls/net/composed_stack.hpp"

#include <algorithm>
#include <utility>

#include "impls/net/sequences.hpp"

namespace bptt::net {
namespace {

/// Elements of each kind of buffer that a stack has beside its plans.
struct Buffers {
  explicit Buffers(const StackSpec& spec)
      : outputs(spec.layers - 1), doutputs(std::min<Index>(spec.layers - 1, 2)) {
    const Shape& s = spec.shape;
    output = output_extents(spec);
    if (!spec.bidirectional) return;
    const Index widest = spec.layers == 1 ? s.I : std::max(s.I, spec.output_width());
    reversed = {s.T, s.B, widest};
    direction = {s.T, s.B, s.H};
  }
  /// Both directions may run at the same time, so each has its own.
  Index elements() const {
    return checked_sum({checked_product({checked_sum({outputs, doutputs}, "stack"), output.size()},
                                        "buffers of a stack"),
                        reversed.size(), reversed.size(), direction.size(), direction.size()},
                       "buffers of a stack");
  }
  Index outputs, doutputs;
  Extents output, reversed, direction;
};

}  // namespace

template <Scalar T>
std::size_t ComposedStack<T>::buffer_bytes(const StackSpec& spec) {
  return static_cast<std::size_t>(checked_product(
      {Buffers(spec).elements(), static_cast<Index>(sizeof(T))}, "buffers of a stack"));
}

template <Scalar T>
ComposedStack<T>::ComposedStack(const StackSpec& spec, const PlanMaker<T>& make_plan)
    : StackPlan<T>(spec) {
  spec.validate();
  require_memory(buffer_bytes(spec), "buffers of stack " + to_string(spec));
  for (Index layer = 0; layer < spec.layers; ++layer) {
    for (Index d = 0; d < spec.directions(); ++d) {
      const Spec own = spec.layer_spec(layer);
      plans_.push_back(spec.bidirectional ? make_plan.of_direction(own, static_cast<int>(d))
                                          : make_plan(own));
    }
  }
  if (spec.bidirectional) side_by_side_ = make_plan.side_by_side();
  const Buffers buffers(spec);
  for (Index i = 0; i < buffers.outputs; ++i) outputs_.emplace_back(buffers.output);
  for (Index i = 0; i < buffers.doutputs; ++i) doutputs_.emplace_back(buffers.output);
  reversed_x_ = Tensor<T>(buffers.reversed);
  reversed_dx_ = Tensor<T>(buffers.reversed);
  for (Tensor<T>& y : direction_y_) y = Tensor<T>(buffers.direction);
}

template <Scalar T>
LayoutSeconds ComposedStack<T>::layout_seconds() const {
  LayoutSeconds sum;
  for (const auto& plan : plans_) sum = sum + plan->layout_seconds();
  return sum;
}

template <Scalar T>
std::string ComposedStack<T>::implementation() const {
  std::vector<std::string> different;
  for (const auto& plan : plans_) {
    std::string of_one = plan->implementation();
    if (std::find(different.begin(), different.end(), of_one) == different.end()) {
      different.push_back(std::move(of_one));
    }
  }
  std::string all;
  for (const std::string& one : different) all += (all.empty() ? "" : "; ") + one;
  return all;
}

template <Scalar T>
std::size_t ComposedStack<T>::workspace_bytes() const {
  std::size_t bytes = buffer_bytes(this->spec());
  for (const auto& plan : plans_) bytes += plan->workspace_bytes();
  return bytes;
}

template <Scalar T>
View<const T> ComposedStack<T>::input(Index layer, const Inputs<const T>& in) const {
  return layer == 0 ? in.x : outputs_[static_cast<std::size_t>(layer - 1)].view();
}

template <Scalar T>
typename ComposedStack<T>::Unit ComposedStack<T>::unit(Index layer, Index direction,
                                                       std::span<const Params<const T>> params,
                                                       const Inputs<const T>& in) {
  const Index index = layer * this->spec().directions() + direction;
  const auto position = static_cast<std::size_t>(index);
  View<const T> x = input(layer, in);
  if (direction == 1) x = {reversed_x_.view().data(), x.extents()};
  return {*plans_[position], index, params[position],
          Inputs<const T>{x, state_of(in.h0, index), state_of(in.c0, index), in.lengths}};
}

template <Scalar T>
void ComposedStack<T>::do_forward(std::span<const Params<const T>> params,
                                  const Inputs<const T>& in, const Outputs<T>& out) {
  for (Index layer = 0; layer < this->spec().layers; ++layer) {
    const View<T> y =
        layer + 1 == this->spec().layers ? out.y : outputs_[static_cast<std::size_t>(layer)].view();
    if (this->spec().bidirectional) {
      forward_both(layer, params, in, out, y);
    } else {
      const Unit u = unit(layer, 0, params, in);
      u.plan.forward(u.params, u.in, {y, state_of(out.hT, u.index), state_of(out.cT, u.index)});
    }
  }
}

template <Scalar T>
template <class Body>
void ComposedStack<T>::for_both(const Body& body) {
  if (side_by_side_) return side_by_side_->run(body);
  body(0);
  body(1);
}

template <Scalar T>
void ComposedStack<T>::reverse_input(Index layer, const Inputs<const T>& in) {
  const View<const T> x = input(layer, in);
  copy_reversed(x, in.lengths, {reversed_x_.view().data(), x.extents()});
}

template <Scalar T>
void ComposedStack<T>::forward_both(Index layer, std::span<const Params<const T>> params,
                                    const Inputs<const T>& in, const Outputs<T>& out, View<T> y) {
  for_both([&](int d) {
    if (d == 1) reverse_input(layer, in);
    const Unit u = unit(layer, d, params, in);
    const View<T> own_y = direction_y_[static_cast<std::size_t>(d)].view();
    u.plan.forward(u.params, u.in, {own_y, state_of(out.hT, u.index), state_of(out.cT, u.index)});
    put_direction<T>(own_y, {d, in.lengths}, y);
  });
}

template <Scalar T>
void ComposedStack<T>::do_backward(std::span<const Params<const T>> params,
                                   const Inputs<const T>& in, const OutputGrads<const T>& dout,
                                   const StackGrads<T>& grads) {
  const auto between = [&](Index layer) {
    return doutputs_[static_cast<std::size_t>(layer) % doutputs_.size()].view();
  };
  for (Index layer = this->spec().layers - 1; layer >= 0; --layer) {
    const View<const T> dy = layer + 1 == this->spec().layers ? dout.y : between(layer);
    const View<T> dx = layer == 0 ? grads.x : between(layer - 1);
    if (this->spec().bidirectional) {
      backward_both(layer, params, in, dout, grads, dy, dx);
    } else {
      backward_unit(unit(layer, 0, params, in), dout, grads, dy, dx);
    }
  }
}

template <Scalar T>
void ComposedStack<T>::backward_unit(const Unit& u, const OutputGrads<const T>& dout,
                                     const StackGrads<T>& grads, View<const T> dy, View<T> dx) {
  const Params<T> none{};
  const Params<T>& own =
      grads.params.empty() ? none : grads.params[static_cast<std::size_t>(u.index)];
  u.plan.backward(u.params, u.in, {dy, state_of(dout.hT, u.index), state_of(dout.cT, u.index)},
                  {own, dx, state_of(grads.h0, u.index), state_of(grads.c0, u.index)});
}

template <Scalar T>
void ComposedStack<T>::backward_both(Index layer, std::span<const Params<const T>> params,
                                     const Inputs<const T>& in, const OutputGrads<const T>& dout,
                                     const StackGrads<T>& grads, View<const T> dy, View<T> dx) {
  View<T> reversed_dx;
  if (dx) reversed_dx = {reversed_dx_.view().data(), dx.extents()};
  for_both([&](int d) {
    // A single layer's is as forward left it; several take turns with the buffer.
    if (d == 1 && this->spec().layers > 1) reverse_input(layer, in);
    View<T> own_dy;
    if (dy) {
      own_dy = direction_y_[static_cast<std::size_t>(d)].view();
      take_direction(dy, {d, in.lengths}, own_dy);
    }
    backward_unit(unit(layer, d, params, in), dout, grads, own_dy, d == 0 ? dx : reversed_dx);
  });
  if (!dx) return;
  const Index end = this->spec().shape.T, middle = end / 2;
  for_both([&](int half) {
    add_reversed<T>(reversed_dx, in.lengths,
                    half == 0 ? StepRange{0, middle} : StepRange{middle, end}, dx);
  });
}

template class ComposedStack<float>;
template class ComposedStack<double>;
template class ComposedStack<long double>;
template class ComposedStack<std::complex<double>>;

}  // namespace bptt::net
