// A recurrent stack with or without a head, as a Model.
#pragma once

#include <optional>
#include <span>

#include "impls/api/stack_spec.hpp"
#include "impls/net/head.hpp"
#include "impls/net/model.hpp"

namespace bptt::net {

struct NetworkSpec {
  StackSpec stack;
  /// Without a head the loss is <dy,y> + <dhT,hT> + <dcT,cT>.
  std::optional<HeadSpec> head{};
  /// The input of one-to-many networks: x is [1,B,I], read by the first step; later steps read
  /// zero.
  bool input_at_first_step_only = false;
  bool operator==(const NetworkSpec&) const = default;

  /// Throws Error(usage).
  void validate() const;
};
std::string to_string(const NetworkSpec&);

/// Its tensors, in this order, under the names that golden and weights files have:
///
///   parameters  weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0, weight_peephole_l0, the same
///               with _l0_reverse, _l1, ...; head.hidden0.weight, ..., head.weight, head.bias
///   inputs      x [T,B,I] or [1,B,I], h0 and c0 [L*D,B,H]
///   upstream    dy [T,B,D*H], dhT, dcT [L*D,B,H]; with a head none
///   target      target [T,B,O]; of a softmax cross-entropy: targets()
///   outputs     y, hT, cT; with a head loss [1] as well
///
/// `lengths` [B] where the spec has lengths. Throws Error(usage), Error(unavailable) where its
/// tensors and buffers do not fit in memory, and what the maker throws.
template <Scalar T>
std::unique_ptr<Model<T>> make_network(const NetworkSpec&, std::span<const Index> lengths,
                                       const PlanMaker<T>&);

}  // namespace bptt::net
