#include "impls/api/plan.hpp"

namespace bptt {
namespace {

/// Checks every tensor of a structure; `required` names the one that may not be absent, or is
/// empty.
template <class Tensors>
void check_all(const Spec& spec, const Tensors& tensors, std::string_view required) {
  for_each(spec, tensors, [&](const TensorInfo& info, const auto& view) {
    const bool needed = required == "*" || info.base_name == required;
    check_extents(info, static_cast<bool>(view), view.extents(),
                  needed ? Presence::required : Presence::optional);
  });
}

template <class T>
void check_lengths(const Spec& spec, const Inputs<const T>& in) {
  const auto fail = [&](const std::string& came) {
    throw Error(ErrorKind::usage,
                "lengths: expected " +
                    (spec.lengths ? std::to_string(spec.shape.B) + " values in 0.." +
                                        std::to_string(spec.shape.T)
                                  : std::string("none, the spec has none")) +
                    "; got " + came);
  };
  const auto expected = static_cast<std::size_t>(spec.lengths ? spec.shape.B : 0);
  if (in.lengths.size() != expected) fail(std::to_string(in.lengths.size()) + " values");
  for (const Index length : in.lengths) {
    if (length < 0 || length > spec.shape.T) fail(std::to_string(length));
  }
}

}  // namespace

template <Scalar T>
void Plan<T>::forward(const Params<const T>& params, const Inputs<const T>& in,
                      const Outputs<T>& out) {
  check_all(spec_, params, "*");
  check_all(spec_, in, "x");
  check_lengths(spec_, in);
  check_all(spec_, out, "y");
  tape_ready_ = false;
  do_forward(params, in, out);
  tape_ready_ = true;
}

template <Scalar T>
void Plan<T>::backward(const Params<const T>& params, const Inputs<const T>& in,
                       const OutputGrads<const T>& dout, const Grads<T>& grads) {
  check_all(spec_, params, "*");
  check_all(spec_, in, "x");
  check_lengths(spec_, in);
  check_all(spec_, dout, "");
  check_all(spec_, grads, "");
  if (!tape_ready_) {
    throw Error(ErrorKind::usage,
                "backward: expected one forward before each backward; the tape is empty");
  }
  tape_ready_ = false;
  do_backward(params, in, dout, grads);
}

template class Plan<float>;
template class Plan<double>;
template class Plan<long double>;
template class Plan<std::complex<double>>;

}  // namespace bptt
