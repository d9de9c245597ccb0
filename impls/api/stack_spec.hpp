// What a stack of recurrent layers is: depth, directions, extents, and the names of its parameters,
// which are PyTorch's.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "impls/api/spec.hpp"

namespace bptt {

/// L layers of D directions. Layer 0 reads x [T,B,I], layer l+1 the outputs [T,B,D*H] of layer l:
/// forward features, then those of the reverse direction, which starts at each sequence's own end.
struct StackSpec {
  Cell cell;
  Shape shape;
  Index layers = 1;
  bool bidirectional = false;
  bool lengths = false;
  bool operator==(const StackSpec&) const = default;

  Index directions() const { return bidirectional ? 2 : 1; }
  /// L*D: parameter sets and initial states, (layer 0 forward, layer 0 reverse, layer 1 ...).
  Index states() const { return layers * directions(); }
  Index output_width() const { return directions() * shape.H; }
  Index input_width(Index layer) const { return layer == 0 ? shape.I : output_width(); }
  /// Of either direction of a layer.
  Spec layer_spec(Index layer) const;
  /// One layer of one direction: what a plan does alone.
  bool is_single() const { return states() == 1; }
  /// Its layers that differ, each with how many plans of it the stack has: the first, and those
  /// above where they read another width.
  std::vector<std::pair<Spec, Index>> different_layers() const;

  /// Throws Error(usage) that names what is out of range, or whose size would not fit in 64 bits.
  void validate() const;
};
/// "lstm T=7 B=3 I=5 H=4 layers=3 bidirectional lengths"
std::string to_string(const StackSpec&);

/// "weight_ih_l0" of layer 1's reverse direction (1) is "weight_ih_l1_reverse".
std::string parameter_name(std::string_view name_in_layer_0, Index layer, Index direction);

/// Throws Error(usage) where there are not B lengths in 0..T, or some where the spec has none.
/// `name` is for the message.
void check_lengths(const StackSpec&, std::span<const Index> lengths, const char* name);

/// As forward_flops(Spec): of all layers and directions.
double forward_flops(const StackSpec&, Index live_steps);

}  // namespace bptt
