// A case in one line of text, so that any case can be run again: what is computed, over which
// lengths, which optional tensors are absent, and what the inputs are like.
//
//   lstm:peephole T=3 B=2 I=1 H=5 lengths=2,0 without=c0,dhT values=sparse
//   gru T=4 B=2 I=3 H=2 layers=2 bidirectional head=softmax_cross_entropy:6:last
//
// The grammar stands in docs/verification.md.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "impls/net/network.hpp"

namespace bptt::verify::fuzz {

/// What inputs are like.
enum class InputValues {
  fixture,       ///< as the suite's own cases: gradients alive far back in time, nothing zero
  initial,       ///< parameters as libraries initialise them: uniform in +-1/sqrt(H)
  large,         ///< weights 2.5 times (of a gru 1.5 times) a fixture's: gates near saturation. Not
                 ///< where states are linear in each other, and would grow without bound
  tiny,          ///< parameters and inputs a 1024th of a fixture's
  sparse,        ///< two of three values are zero
  zero_tensors,  ///< every other tensor is zero throughout
  coarse,        ///< multiples of 1/4: products and short sums are exact
};
std::string_view name_of(InputValues);
/// All of them, in the order above.
const std::vector<InputValues>& all_input_values();

struct Description {
  net::NetworkSpec network;    ///< stack and head; no other option of it is used
  std::vector<Index> lengths;  ///< [B] where network.stack.lengths
  /// Tensors that are not given, or not wanted, of a single layer without head: "h0", "dy",
  /// "hT", "grad.x". In the order of optional_tensors().
  std::vector<std::string> without;
  InputValues values = InputValues::fixture;
  bool operator==(const Description&) const = default;

  /// A layer straight on a backend's plan: what alone may lack tensors.
  bool is_layer() const { return network.stack.is_single() && !network.head; }
  /// Throws Error(usage) where what is described contradicts itself.
  void validate() const;
};

/// Throws Error(usage), one line that names the word, what was expected and what came.
Description parse_description(std::string_view text);
/// The inverse; what is at its default is left out.
std::string to_string(const Description&);

/// Every name that `without` may have; each is understood for every cell that has the tensor.
const std::vector<std::string>& optional_tensors();
/// Whether the cell has such a tensor at all.
bool has_tensor(const Cell&, std::string_view name);

}  // namespace bptt::verify::fuzz
