#include "impls/torch/layers.hpp"

#include <algorithm>
#include <string_view>
#include <tuple>

#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/function.h>

namespace bptt::torch {
namespace {

using at::Tensor;

/// The tensors at the end of a call's graph have one of these, or its direct operands have, where
/// directions are put together.
constexpr std::string_view onednn_derivative = "MkldnnRnnLayerBackward0";

Path path_taken(const Tensor& y) {
  const auto is_onednn = [](const ::torch::autograd::Node* node) {
    return node != nullptr && node->name() == onednn_derivative;
  };
  const auto& last = y.grad_fn();
  if (last == nullptr) return Path::native;
  if (is_onednn(last.get())) return Path::onednn;
  for (const auto& edge : last->next_edges()) {
    if (is_onednn(edge.function.get())) return Path::onednn;
  }
  return Path::native;
}

/// `input`: x, or the packed data with its batch sizes.
template <class... Options, class... Input>
Results call(const StackSpec& spec, const Leaves& in, std::tuple<Options...> options,
             const Input&... input) {
  constexpr double dropout = 0;
  constexpr bool train = true;
  const auto run = [&](const auto& function, const auto& state) {
    return std::apply(
        [&](auto... last) {
          return function(input..., state, in.weights, spec.cell.bias, spec.layers, dropout, train,
                          spec.bidirectional, last...);
        },
        options);
  };
  Results out;
  switch (spec.cell.kind) {
    case CellKind::lstm: {
      const Tensor states[] = {in.h0, in.c0};
      std::tie(out.y, out.hT, out.cT) =
          run([](auto&&... a) { return at::lstm(a...); }, at::TensorList(states));
      break;
    }
    case CellKind::gru:
      std::tie(out.y, out.hT) = run([](auto&&... a) { return at::gru(a...); }, in.h0);
      break;
    case CellKind::rnn:
      std::tie(out.y, out.hT) = spec.cell.activation == Activation::relu
                                    ? run([](auto&&... a) { return at::rnn_relu(a...); }, in.h0)
                                    : run([](auto&&... a) { return at::rnn_tanh(a...); }, in.h0);
      break;
  }
  out.path = path_taken(out.y);
  return out;
}

Tensor tensor_of(const std::vector<std::int64_t>& values) {
  return at::from_blob(const_cast<std::int64_t*>(values.data()),
                       {static_cast<std::int64_t>(values.size())}, at::kLong)
      .clone();
}

/// The sequences that have a step, longest first.
struct Sorted {
  explicit Sorted(std::span<const Index> of_batch) {
    for (std::size_t b = 0; b < of_batch.size(); ++b) {
      if (of_batch[b] > 0) order.push_back(static_cast<std::int64_t>(b));
    }
    const auto length = [&](std::int64_t b) { return of_batch[static_cast<std::size_t>(b)]; };
    std::stable_sort(order.begin(), order.end(),
                     [&](std::int64_t a, std::int64_t b) { return length(a) > length(b); });
    for (const std::int64_t b : order) lengths.push_back(length(b));
  }
  std::vector<std::int64_t> inverse() const {
    std::vector<std::int64_t> places(order.size());
    for (std::size_t k = 0; k < order.size(); ++k) {
      places[static_cast<std::size_t>(order[k])] = static_cast<std::int64_t>(k);
    }
    return places;
  }
  std::vector<std::int64_t> order, lengths;
};

Results run_packed(const StackSpec& spec, const Leaves& in, std::span<const Index> of_batch) {
  constexpr std::int64_t batch = 1;  ///< the axis
  const Shape& s = spec.shape;
  const Sorted sorted(of_batch);
  const auto no_steps = [&] {
    return at::zeros({s.T, s.B, spec.output_width()}, in.x.options().requires_grad(false));
  };
  if (sorted.order.empty()) return {no_steps(), in.h0, in.c0};

  const Tensor order = tensor_of(sorted.order);
  Leaves packed{{}, in.h0.index_select(batch, order), {}, in.weights};
  if (in.c0.defined()) packed.c0 = in.c0.index_select(batch, order);
  const auto [data, batch_sizes] = at::_pack_padded_sequence(
      in.x.index_select(batch, order), tensor_of(sorted.lengths), /*batch_first=*/false);
  Results out = call(spec, packed, std::tuple<>(), data, batch_sizes);
  out.y = std::get<0>(at::_pad_packed_sequence(out.y, batch_sizes, /*batch_first=*/false,
                                               /*padding_value=*/0, /*total_length=*/s.T));
  if (sorted.order.size() == of_batch.size()) {
    const Tensor inverse = tensor_of(sorted.inverse());
    for (Tensor* result : {&out.y, &out.hT, &out.cT}) {
      if (result->defined()) *result = result->index_select(batch, inverse);
    }
    return out;
  }
  out.y = no_steps().index_copy(batch, order, out.y);
  out.hT = in.h0.index_copy(batch, order, out.hT);
  if (out.cT.defined()) out.cT = in.c0.index_copy(batch, order, out.cT);
  return out;
}

}  // namespace

Results run_layers(const StackSpec& spec, const Leaves& in, std::span<const Index> lengths) {
  const c10::AutoGradMode record(true);
  if (spec.lengths) return run_packed(spec, in, lengths);
  return call(spec, in, std::tuple(/*batch_first=*/false), in.x);
}

Path path_of(const StackSpec& spec, at::ScalarType type) {
  StackSpec least = spec;
  least.shape = {1, 1, 1, 1};
  const auto leaf = [&](at::IntArrayRef sizes) { return at::zeros(sizes, type).requires_grad_(); };
  const Index rows = least.cell.gates();
  Leaves in;
  in.x = leaf({1, 1, 1});
  in.h0 = leaf({least.states(), 1, 1});
  if (least.cell.has_cell_state()) in.c0 = leaf({least.states(), 1, 1});
  for (Index k = 0; k < least.states(); ++k) {
    in.weights.push_back(leaf({rows, least.input_width(k / least.directions())}));
    in.weights.push_back(leaf({rows, 1}));
    if (!least.cell.bias) continue;
    in.weights.push_back(leaf({rows}));
    in.weights.push_back(leaf({rows}));
  }
  const Index one = 1;
  return run_layers(least, in, {&one, least.lengths ? 1U : 0U}).path;
}

}  // namespace bptt::torch
