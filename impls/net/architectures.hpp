// The architectures that textbooks name, each a Model of small, fixed extents: one table.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "impls/net/encoder_decoder.hpp"
#include "impls/net/feed_forward.hpp"
#include "impls/net/network.hpp"

namespace bptt::net {

/// What an architecture is made with. Defaults: all extents distinct and odd but for those that a
/// name fixes.
struct ArchitectureSettings {
  Cell cell{};
  Shape shape{7, 3, 5, 9};   ///< of the one recurrence, or of the encoder
  Index target_steps = 11;   ///< U of a decoder
  Index target_inputs = 13;  ///< I of a decoder
  Index outputs = 17;        ///< O
  Index hidden = 15;         ///< width of the first hidden dense layer; the next has two more
  Index layers = 2;          ///< of the deep ones
  /// [B] of the recurrence or the encoder, and of the decoder; empty: none.
  std::vector<Index> lengths{}, target_lengths{};
};

/// Which cells an architecture is made of.
enum class CellUse {
  any,   ///< any cell
  rnn,   ///< plain recurrent cells only; their bias option is ignored, there is none
  none,  ///< no recurrence: the cell is ignored
};

using AnyNetworkSpec = std::variant<NetworkSpec, EncoderDecoderSpec, FeedForwardSpec>;

struct Architecture {
  std::string name;         ///< "many-to-one"
  std::string description;  ///< one line
  CellUse cells = CellUse::any;
  bool takes_lengths = true;
  AnyNetworkSpec (*describe)(const Architecture&, const ArchitectureSettings&) = nullptr;
  HeadSpec head{};  ///< its loss and layers; extents come from the settings

  bool takes(const Cell&) const;
  /// Throws Error(usage) for a cell that it does not take, or extents that do not fit together.
  AnyNetworkSpec spec(const ArchitectureSettings&) const;
  template <Scalar T>
  std::unique_ptr<Model<T>> make(const ArchitectureSettings&, const PlanMaker<T>&) const;
};

/// The same order in every list and table.
const std::vector<Architecture>& architectures();
/// Throws Error(usage) that lists the names.
const Architecture& find_architecture(std::string_view name);

}  // namespace bptt::net
