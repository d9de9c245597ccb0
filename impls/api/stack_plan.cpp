#include "impls/api/stack_plan.hpp"

namespace bptt {
namespace {

template <class Tensors>
void check_all(const StackSpec& spec, const Tensors& tensors, std::string_view required,
               bool are_gradients = false) {
  for_each(spec, tensors, [&](const TensorInfo& info, const auto& view) {
    check_extents({info.base_name, info.extents, are_gradients}, static_cast<bool>(view),
                  view.extents(),
                  info.base_name == required ? Presence::required : Presence::optional);
  });
}

template <class U>
void check_params(const StackSpec& spec, std::span<const Params<U>> params, Presence presence,
                  bool are_gradients) {
  if (static_cast<Index>(params.size()) != spec.states()) {
    throw Error(ErrorKind::usage, std::string(are_gradients ? "gradients" : "parameters") +
                                      ": expected those of " + std::to_string(spec.states()) +
                                      " layers and directions; got " +
                                      std::to_string(params.size()));
  }
  for (Index i = 0; i < spec.states(); ++i) {
    const Index layer = i / spec.directions(), direction = i % spec.directions();
    for_each(spec.layer_spec(layer), params[static_cast<std::size_t>(i)],
             [&](const TensorInfo& info, const View<U>& view) {
               const bool given = static_cast<bool>(view);
               const bool may_be_absent =
                   presence == Presence::optional || info.extents.rank() == 0;
               if (given ? view.extents() == info.extents : may_be_absent) return;
               // The name is put together only where it is needed: running allocates nothing.
               const std::string name = parameter_name(info.base_name, layer, direction);
               check_extents({name, info.extents, are_gradients}, given, view.extents(), presence);
             });
  }
}

template <class T>
void check_given(const StackSpec& spec, std::span<const Params<const T>> params,
                 const Inputs<const T>& in) {
  check_params(spec, params, Presence::required, false);
  check_all(spec, in, "x");
  check_lengths(spec, in.lengths, "lengths");
}

}  // namespace

template <Scalar T>
void StackPlan<T>::forward(std::span<const Params<const T>> params, const Inputs<const T>& in,
                           const Outputs<T>& out) {
  check_given(spec_, params, in);
  check_all(spec_, out, "y");
  tape_ready_ = false;
  do_forward(params, in, out);
  tape_ready_ = true;
}

template <Scalar T>
void StackPlan<T>::backward(std::span<const Params<const T>> params, const Inputs<const T>& in,
                            const OutputGrads<const T>& dout, const StackGrads<T>& grads) {
  check_given(spec_, params, in);
  check_all(spec_, dout, "");
  if (!grads.params.empty()) check_params(spec_, grads.params, Presence::optional, true);
  check_all(spec_, Inputs<T>{grads.x, grads.h0, grads.c0, {}}, "", true);
  if (!tape_ready_) {
    throw Error(ErrorKind::usage,
                "backward: expected one forward before each backward; the tape is empty");
  }
  tape_ready_ = false;
  do_backward(params, in, dout, grads);
}

template class StackPlan<float>;
template class StackPlan<double>;
template class StackPlan<long double>;
template class StackPlan<std::complex<double>>;

}  // namespace bptt
