#include "impls/net/head.hpp"

#include <algorithm>
#include <utility>

#include "impls/api/memory.hpp"
#include "impls/net/products.hpp"

namespace bptt::net {
namespace {

/// The rows that count, refused before they are listed where they are too many.
std::vector<Index> checked_rows(Index T, Index B, std::span<const Index> lengths, Steps steps) {
  const Index all = checked_product({T, B}, "rows of a head");
  if (all > largest_extent) {
    throw Error(ErrorKind::usage, "head: expected at most " + std::to_string(largest_extent) +
                                      " steps of all sequences together (T*B); got " +
                                      std::to_string(all));
  }
  require_memory(static_cast<std::size_t>(all) * sizeof(Index), "rows of a head");
  return counted_rows(T, B, lengths, steps);
}

}  // namespace

MlpSpec HeadSpec::mlp(Index width) const {
  MlpSpec spec{width, hidden, bias};
  spec.layers.push_back({O, output});
  return spec;
}

void HeadSpec::validate() const {
  mlp(1).validate();
  if (loss != Loss::half_squared_error && output != LayerActivation::identity) {
    throw Error(ErrorKind::usage, "head: " + std::string(name_of(loss)) +
                                      " brings its own output activation, expected identity; got " +
                                      std::string(name_of(output)));
  }
}

std::string to_string(const HeadSpec& spec) {
  std::string text = "O=" + std::to_string(spec.O) + " " + std::string(name_of(spec.loss));
  if (spec.output != LayerActivation::identity) {
    text += " output=" + std::string(name_of(spec.output));
  }
  for (const DenseSpec& layer : spec.hidden) {
    text += " hidden=" + std::to_string(layer.width) + ":" + std::string(name_of(layer.activation));
  }
  if (spec.steps != Steps::all) text += " steps=" + std::string(name_of(spec.steps));
  if (spec.reduction != Reduction::sum) text += " " + std::string(name_of(spec.reduction));
  return text + (spec.bias ? "" : " bias=off");
}

std::string head_prefix(const HeadSpec& spec, std::size_t layer) {
  return layer == spec.hidden.size() ? "head." : "head.hidden" + std::to_string(layer) + ".";
}

template <Scalar T>
Head<T>::Head(const HeadSpec& spec, Index T_, Index B, Index width, std::span<const Index> lengths)
    : spec_((spec.validate(), spec)),
      extents_{T_, B, width},
      rows_(checked_rows(T_, B, lengths, spec.steps)),
      mlp_(spec.mlp(width), static_cast<Index>(rows_.size())) {
  const Index rows = static_cast<Index>(rows_.size());
  const bool gathers = !every_row_counts();
  const Index gathered = gathers ? checked_product({2, rows, width}, "head") : 0;
  const Index dq = checked_product({rows, spec.O}, "head");
  require_memory(static_cast<std::size_t>(checked_product(
                     {checked_sum({gathered, dq}, "head"), static_cast<Index>(sizeof(T))}, "head")),
                 "rows of the head");
  if (gathers) {
    gathered_ = Tensor<T>({rows, width});
    dgathered_ = Tensor<T>({rows, width});
  }
  dq_ = Tensor<T>({rows, spec.O});
}

template <Scalar T>
bool Head<T>::every_row_counts() const {
  return static_cast<Index>(rows_.size()) == extents_[0] * extents_[1];
}

template <Scalar T>
std::size_t Head<T>::workspace_bytes() const {
  const auto bytes = [](const Tensor<T>& tensor) {
    return static_cast<std::size_t>(tensor.view().size()) * sizeof(T);
  };
  return mlp_.workspace_bytes() + bytes(gathered_) + bytes(dgathered_) + bytes(dq_) +
         rows_.size() * sizeof(Index);
}

template <Scalar T>
void Head<T>::check(View<const T> a) const {
  if (a.extents() == extents_) return;
  throw Error(ErrorKind::usage, "head: expected states of extents " + to_string(extents_) +
                                    "; got " + to_string(a.extents()));
}

/// The rows of `a` that count, one under the other.
template <Scalar T>
View<const T> Head<T>::counted(View<const T> a) const {
  const Index width = extents_[2];
  if (every_row_counts()) return {a.data(), {extents_[0] * extents_[1], width}};
  return gathered_.view();
}

template <Scalar T>
T Head<T>::forward(std::span<const DenseParams<const T>> params, View<const T> a,
                   const Target<T>& target) {
  check(a);
  const Index B = extents_[1], width = extents_[2];
  if (!every_row_counts()) {
    T* to = gathered_.view().data();
    for (const Index row : rows_) to = std::copy_n(a.data() + row * width, width, to);
  }
  const View<const T> q = mlp_.forward(params, counted(a));
  const double scale = scale_of(spec_.reduction, static_cast<Index>(rows_.size()), B);
  const T loss = loss_of_rows(spec_.loss, q, rows_, B, target, scale, dq_.view());
  dq_ready_ = true;
  return loss;
}

template <Scalar T>
void Head<T>::backward(std::span<const DenseParams<const T>> params, View<const T> a,
                       std::span<const DenseParams<T>> grads, View<T> da) {
  check(a);
  if (!std::exchange(dq_ready_, false)) {
    throw Error(ErrorKind::usage, "head: expected one forward before each backward; got none");
  }
  const Index width = extents_[2];
  if (every_row_counts()) {
    const View<T> all = da ? View<T>(da.data(), {extents_[0] * extents_[1], width}) : View<T>();
    return mlp_.backward(params, counted(a), dq_.view(), grads, all);
  }
  mlp_.backward(params, counted(a), dq_.view(), grads, da ? dgathered_.view() : View<T>());
  if (!da) return;
  std::fill(da.begin(), da.end(), T(0));
  const T* from = dgathered_.view().data();
  for (const Index row : rows_) {
    std::copy_n(from, width, da.data() + row * width);
    from += width;
  }
}

template class Head<float>;
template class Head<double>;
template class Head<long double>;
template class Head<std::complex<double>>;

}  // namespace bptt::net
