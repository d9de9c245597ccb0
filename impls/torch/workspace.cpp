#include "impls/torch/workspace.hpp"

#include <algorithm>

#include "impls/api/error.hpp"

namespace bptt::torch {
namespace {

constexpr const char* what = "PyTorch's tensors";

/// What PyTorch 1.13 and 2.6 take, in elements of [T,B,H] (torch_test.cpp measures it).
struct Activations {
  Index tape;     ///< of each layer and direction: kept for backward
  Index at_once;  ///< while a layer runs forward
};
Activations of_native(CellKind kind) {
  switch (kind) {
    case CellKind::lstm:
      return {8, 4};
    case CellKind::gru:
      return {8, 3};
    case CellKind::rnn:
      return {2, 1};
  }
  return {};
}

Index weights(const Spec& layer) {
  const Index rows = layer.cell.gates() * layer.shape.H;
  return checked_sum(
      {checked_product({rows, layer.shape.I}, what), checked_product({rows, layer.shape.H}, what),
       checked_product({4, rows}, what)},
      what);
}

/// Of all layers and directions.
Index weights(const StackSpec& spec) {
  Index sum = 0;
  for (const auto& [layer, count] : spec.different_layers()) {
    sum = checked_sum({sum, checked_product({count, weights(layer)}, what)}, what);
  }
  return sum;
}

/// Gradients of x by each direction and their sum.
Index input_gradients(const StackSpec& spec) {
  const Shape& s = spec.shape;
  return checked_product({spec.bidirectional ? 3 : 1, s.T, s.B, s.I}, what);
}

/// What backward frees as it goes makes room for its own, but for the gradients of x and of the
/// weights: that of W_hh is a sum, with one more for the step that is added.
Index native_elements(const StackSpec& spec) {
  const Shape& s = spec.shape;
  const Index rows = spec.cell.gates() * s.H;
  const auto [tape, at_once] = of_native(spec.cell.kind);
  Index activations = tape * spec.states() + at_once + (spec.bidirectional ? 2 : 0);
  // Packed: the operands of a step are copies, and so are x and y in the order of lengths.
  Index sorted = 0;
  if (spec.lengths) {
    activations += 2 * spec.cell.gates() + 1;
    sorted = checked_product({s.T, s.B, s.I}, what);
  }
  return checked_sum({checked_product({activations, s.T, s.B, s.H}, what), sorted,
                      input_gradients(spec), weights(spec), checked_product({rows, s.H}, what)},
                     what);
}

/// oneDNN's own arrays for T steps of a layer: rows of whole cache lines, in some arrays as long as
/// the wider of x and h, one step more than T; each begins a page.
Index onednn_tape(const Spec& layer) {
  constexpr Index line = 16, page = 1024, arrays = 6;
  const auto padded = [](Index width) { return (width + line - 1) / line * line; };
  const Shape& s = layer.shape;
  return checked_sum(
      {checked_product({10, s.T, s.B, padded(s.H)}, what),
       checked_product({11, s.T + 1, s.B, padded(std::max(s.I, s.H))}, what), arrays * page},
      what);
}

Index onednn_elements(const StackSpec& spec) {
  const Shape& s = spec.shape;
  Index tapes = 0, most_weights = 0;
  for (const auto& [layer, count] : spec.different_layers()) {
    tapes = checked_sum({tapes, checked_product({count, onednn_tape(layer)}, what)}, what);
    most_weights = std::max(most_weights, weights(layer));
  }
  // The most is alive when backward begins, with all tapes, or when it ends, with all gradients.
  const Index begins = checked_sum(
      {tapes, checked_product({spec.directions() * spec.states(), s.T, s.B, s.H}, what),
       checked_product({spec.directions(), weights(spec.layer_spec(spec.layers - 1))}, what)},
      what);
  const Index ends =
      checked_sum({checked_product({spec.directions(), onednn_tape(spec.layer_spec(0))}, what),
                   input_gradients(spec), weights(spec)},
                  what);
  // A layer's backward works in as much again as a tape is where x is no wider than h, and on
  // copies of the weights.
  const Index working = onednn_tape({spec.cell, {s.T, s.B, s.H, s.H}});
  // Without bias PyTorch keeps two tensors of zeros, together as large as the weights.
  const Index no_bias = spec.cell.bias ? 0 : weights(spec);
  return checked_sum(
      {std::max(begins, ends), working, checked_product({2, most_weights}, what), no_bias}, what);
}

}  // namespace

Index workspace_elements(const StackSpec& spec, Path path) {
  return path == Path::onednn ? onednn_elements(spec) : native_elements(spec);
}

}  // namespace bptt::torch
