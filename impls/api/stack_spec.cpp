#include "impls/api/stack_spec.hpp"

#include <algorithm>

namespace bptt {

Spec StackSpec::layer_spec(Index layer) const {
  return {cell, {shape.T, shape.B, input_width(layer), shape.H}, lengths};
}

std::vector<std::pair<Spec, Index>> StackSpec::different_layers() const {
  std::vector<std::pair<Spec, Index>> all = {{layer_spec(0), directions()}};
  const Index above = states() - directions();
  if (above == 0) return all;
  const Spec spec = layer_spec(1);
  if (spec == all.front().first) {
    all.front().second += above;
  } else {
    all.emplace_back(spec, above);
  }
  return all;
}

void StackSpec::validate() const {
  if (layers < 1) {
    throw Error(ErrorKind::usage,
                "layers: expected a number of at least 1; got " + std::to_string(layers));
  }
  layer_spec(0).validate();
  // As in Spec::validate(): the widest element is a long double of 16 bytes.
  constexpr Index widest = 16;
  checked_product({directions(), shape.H}, "y [T,B,D*H]");
  checked_product({shape.T, shape.B, output_width(), widest}, "y [T,B,D*H]");
  checked_product({layers, directions(), shape.B, shape.H, widest}, "h0 [L*D,B,H]");
  if (layers > 1) layer_spec(1).validate();
}

void check_lengths(const StackSpec& spec, std::span<const Index> lengths, const char* name) {
  const auto expected = static_cast<std::size_t>(spec.lengths ? spec.shape.B : 0);
  const bool in_range = std::all_of(lengths.begin(), lengths.end(), [&](Index length) {
    return length >= 0 && length <= spec.shape.T;
  });
  if (lengths.size() == expected && in_range) return;
  throw Error(ErrorKind::usage, std::string(name) + ": expected " + std::to_string(expected) +
                                    " values in 0.." + std::to_string(spec.shape.T) + "; got " +
                                    std::to_string(lengths.size()) + " values" +
                                    (in_range ? "" : ", one of them out of range"));
}

std::string to_string(const StackSpec& spec) {
  std::string text = to_string(spec.cell) + " " + to_string(spec.shape);
  if (spec.layers != 1) text += " layers=" + std::to_string(spec.layers);
  if (spec.bidirectional) text += " bidirectional";
  if (spec.lengths) text += " lengths";
  return text;
}

std::string parameter_name(std::string_view name_in_layer_0, Index layer, Index direction) {
  const std::string_view base = name_in_layer_0.substr(0, name_in_layer_0.rfind("_l0"));
  return std::string(base) + "_l" + std::to_string(layer) + (direction == 0 ? "" : "_reverse");
}

double forward_flops(const StackSpec& spec, Index live_steps) {
  double flops = 0;
  for (Index layer = 0; layer < spec.layers; ++layer) {
    flops +=
        static_cast<double>(spec.directions()) * forward_flops(spec.layer_spec(layer), live_steps);
  }
  return flops;
}

}  // namespace bptt
