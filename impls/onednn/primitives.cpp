#include "impls/onednn/primitives.hpp"

namespace bptt::onednn {
namespace {

using dnnl::memory;

Layouts layouts_of(const Group& group, const CellMap& map) {
  using tag = memory::format_tag;
  const auto make = [](const memory::dims& dims, tag format) {
    return memory::desc(dims, memory::data_type::f32, format);
  };
  const Shape& s = group.shape;
  const Index L = group.layers, D = group.directions;
  Layouts layouts;
  layouts.direction = D == 1 ? dnnl::rnn_direction::unidirectional_left2right
                             : dnnl::rnn_direction::bidirectional_concat;
  layouts.src_layer = make({s.T, s.B, s.I}, tag::tnc);
  layouts.dst_layer = make({s.T, s.B, group.output_width()}, tag::tnc);
  layouts.state = make({L, D, s.B, s.H}, tag::ldnc);
  layouts.weights_layer = make({L, D, s.I, map.gate_count, s.H}, tag::any);
  layouts.weights_iter = make({L, D, s.H, map.gate_count, s.H}, tag::any);
  layouts.bias = make({L, D, map.bias_count, s.H}, tag::ldgo);
  if (map.peephole) layouts.peephole = make({L, D, 3, s.H}, tag::ldgo);
  return layouts;
}

}  // namespace

std::vector<Group> groups_of(const StackSpec& spec) {
  std::vector<Group> groups;
  for (Index layer = 0; layer < spec.layers; ++layer) {
    const Shape shape = spec.layer_spec(layer).shape;
    const bool joins = layer > 0 && !spec.bidirectional && groups.back().shape == shape;
    if (joins) {
      ++groups.back().layers;
    } else {
      groups.push_back({shape, 1, spec.directions()});
    }
  }
  return groups;
}

Descriptors describe(const Group& group, const CellMap& map) {
  const Layouts layouts = layouts_of(group, map);
  switch (map.primitive) {
    case Primitive::vanilla_rnn:
      return describe_rnn(layouts, map.activation, map.alpha);
    case Primitive::lstm:
      return describe_lstm(layouts);
    case Primitive::gru:
      return describe_gru(layouts);
    case Primitive::lbr_gru:
      break;
  }
  return describe_lbr_gru(layouts);
}

memory::desc our_weights(const Group& group, Index gates, Index n) {
  return {{group.layers, group.directions, n, gates, group.shape.H},
          memory::data_type::f32,
          memory::format_tag::ldgoi};
}

std::string implementation_of(const Descriptors& descriptors) {
  const std::string forward = descriptors.forward.impl_info_str();
  const std::string backward = descriptors.backward.impl_info_str();
  return forward == backward ? forward : "forward " + forward + ", backward " + backward;
}

}  // namespace bptt::onednn
