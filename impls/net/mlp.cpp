#include "impls/net/mlp.hpp"

#include <algorithm>
#include <utility>

#include "impls/api/memory.hpp"
#include "impls/net/dense.hpp"
#include "impls/net/products.hpp"

namespace bptt::net {
namespace {

void check_range(const std::string& what, Index value, Index least) {
  if (value >= least && value <= largest_extent) return;
  throw Error(ErrorKind::usage, what + ": expected " + std::to_string(least) + ".." +
                                    std::to_string(largest_extent) + "; got " +
                                    std::to_string(value));
}

void check_count(const char* what, std::size_t came, const MlpSpec& spec) {
  if (came == spec.layers.size()) return;
  throw Error(ErrorKind::usage, std::string("dense layers: expected ") + what + " of " +
                                    std::to_string(spec.layers.size()) + " layers; got " +
                                    std::to_string(came));
}

template <class T>
Matrix<T> matrix(const View<T>& view) {
  return {view.data(), view.extents()[0], view.extents()[1]};
}

}  // namespace

void MlpSpec::validate() const {
  check_range("inputs of a dense layer", inputs, 1);
  if (layers.empty()) {
    throw Error(ErrorKind::usage, "dense layers: expected at least 1; got none");
  }
  for (std::size_t l = 0; l < layers.size(); ++l) {
    check_range("width of dense layer " + std::to_string(l), layers[l].width, 1);
  }
}

std::string to_string(const MlpSpec& spec) {
  std::string text = std::to_string(spec.inputs);
  for (const DenseSpec& layer : spec.layers) {
    text += "-" + std::to_string(layer.width) + ":" + std::string(name_of(layer.activation));
  }
  return text + (spec.bias ? "" : " bias=off");
}

template <Scalar T>
std::size_t Mlp<T>::buffer_bytes(const MlpSpec& spec, Index rows) {
  Index widths = 0;
  for (const DenseSpec& layer : spec.layers) widths = checked_sum({widths, layer.width}, "widths");
  const Index deltas = widths - spec.outputs();
  return static_cast<std::size_t>(checked_product(
      {checked_sum({widths, deltas}, "dense layers"), rows, static_cast<Index>(sizeof(T))},
      "activations of dense layers"));
}

template <Scalar T>
Mlp<T>::Mlp(const MlpSpec& spec, Index rows) : spec_(spec), rows_(rows) {
  spec.validate();
  check_range("rows of dense layers", rows, 0);
  require_memory(buffer_bytes(spec, rows), "activations of dense layers " + to_string(spec));
  for (std::size_t l = 0; l < spec.layers.size(); ++l) {
    const Extents extents{rows, spec.layers[l].width};
    activations_.emplace_back(extents);
    if (l + 1 < spec.layers.size()) deltas_.emplace_back(extents);
  }
}

template <Scalar T>
View<const T> Mlp<T>::forward(std::span<const DenseParams<const T>> params, View<const T> a) {
  check_count("parameters", params.size(), spec_);
  for (std::size_t l = 0; l < spec_.layers.size(); ++l) {
    const View<T> z = activations_[l].view();
    dense_forward<T>(a, params[l].weight, params[l].bias, z);
    activate_rows(spec_.layers[l].activation, matrix(z));
    a = z;
  }
  return a;
}

template <Scalar T>
void Mlp<T>::backward(std::span<const DenseParams<const T>> params, View<const T> a, View<T> dout,
                      std::span<const DenseParams<T>> grads, View<T> da) {
  check_count("parameters", params.size(), spec_);
  check_count("gradients", grads.size(), spec_);
  View<T> delta = dout;
  for (std::size_t l = spec_.layers.size(); l-- > 0;) {
    const View<const T> output = std::as_const(activations_[l]).view();
    differentiate_rows(spec_.layers[l].activation, matrix(output), matrix(delta));
    const View<const T> input = l == 0 ? a : std::as_const(activations_[l - 1]).view();
    const View<T> dinput = l == 0 ? da : deltas_[l - 1].view();
    dense_backward<T>(input, params[l].weight, delta, dinput, grads[l].weight, grads[l].bias);
    delta = dinput;
  }
}

template class Mlp<float>;
template class Mlp<double>;
template class Mlp<long double>;
template class Mlp<std::complex<double>>;

}  // namespace bptt::net
