// PyTorch's recurrent layers on the caller's memory: what nn.RNN, nn.LSTM and nn.GRU run, and the
// graph that autograd keeps of it. Of tensors, whatever the type of their elements.
#pragma once

#include <span>
#include <vector>

#include <ATen/ATen.h>

#include "impls/api/stack_spec.hpp"

namespace bptt::torch {

/// The leaves of autograd's graph. All require gradients: which of them are wanted is known only at
/// backward, and autograd then computes no others.
struct Leaves {
  at::Tensor x;       ///< [T,B,I]
  at::Tensor h0, c0;  ///< [L*D,B,H]; c0 of the lstm only
  /// W_ih, W_hh and, with bias, b_ih, b_hh of layer 0, then of its reverse direction, layer 1, ...
  std::vector<at::Tensor> weights;
};

/// What PyTorch computes a layer with.
enum class Path {
  native,  ///< its own loop over time, of a product and a pointwise kernel for each step
  onednn,  ///< oneDNN's primitive, a call for each layer and direction (f32 lstm, from 2.0.1 on)
};

/// What the layers give, and behind it the graph with all that backward needs.
struct Results {
  at::Tensor y;       ///< [T,B,D*H]
  at::Tensor hT, cT;  ///< [L*D,B,H]; cT of the lstm only
  /// As autograd's graph has it: it holds the derivative of what ran, by name.
  Path path = Path::native;
};

/// Runs all layers in one call and records the graph. `lengths` is empty where the spec has none.
///
/// With lengths: as torch.nn.utils.rnn.pack_padded_sequence(enforce_sorted=False) has it, the
/// layers on its packed sequence and pad_packed_sequence. PyTorch wants no sequence without a step,
/// so those are left out of the batch: their state passes through.
Results run_layers(const StackSpec&, const Leaves&, std::span<const Index> lengths);

/// The path that PyTorch takes for such layers: found by running the smallest of them.
Path path_of(const StackSpec&, at::ScalarType);

}  // namespace bptt::torch
