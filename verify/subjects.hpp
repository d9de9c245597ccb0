// The kinds of subjects that cases are made of: a single layer, a stack with or without a head, an
// architecture.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "impls/net/architectures.hpp"
#include "verify/subject.hpp"

namespace bptt::verify {

/// Which of a layer's optional tensors are given, and whether sequences have lengths of their own.
enum class Variant {
  plain,    ///< everything given, no lengths
  lengths,  ///< everything given, lengths with a full one, a 1 and (where B allows) a 0, unsorted
  bare,     ///< no h0, c0, dhT, dcT; hT, cT, dx, dh0, dc0, dW_hh, db_hh not wanted
  last,     ///< no dy: the loss sees the final state only; dW_ih, db_ih not wanted
};
std::string_view name_of(Variant);

/// [B] lengths in 0..T with a full one, a 1 and (where B allows) a 0, unsorted.
std::vector<Index> unsorted_lengths(const Shape&);

/// One layer, straight on a backend's plan. `lengths` [B] where the spec has lengths.
std::shared_ptr<const Subject> layer_subject(const Spec&, std::vector<Index> lengths = {},
                                             Variant = Variant::plain);

/// Layers, directions, head.
std::shared_ptr<const Subject> network_subject(const net::NetworkSpec&,
                                               std::vector<Index> lengths = {});

/// An architecture that takes the settings' cell.
std::shared_ptr<const Subject> architecture_subject(const net::Architecture&,
                                                    const net::ArchitectureSettings&);

/// What a layer's tensors hold, as layer_subject() lists them.
template <Real T>
Given given_of(const Problem<T>&);

}  // namespace bptt::verify
