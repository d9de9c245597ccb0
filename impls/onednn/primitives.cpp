#include "impls/onednn/primitives.hpp"

namespace bptt::onednn {
namespace {

using dnnl::memory;
using dnnl::prop_kind;
using dnnl::rnn_flags;
constexpr auto left_to_right = dnnl::rnn_direction::unidirectional_left2right;

/// One layer, one direction: oneDNN's leading dimensions l and d are 1.
struct Layouts {
  Layouts(const Shape& s, const CellMap& map) {
    using tag = memory::format_tag;
    const auto make = [](const memory::dims& dims, tag format) {
      return memory::desc(dims, memory::data_type::f32, format);
    };
    src_layer = make({s.T, s.B, s.I}, tag::tnc);
    dst_layer = make({s.T, s.B, s.H}, tag::tnc);
    state = make({1, 1, s.B, s.H}, tag::ldnc);
    weights_layer = make({1, 1, s.I, map.gate_count, s.H}, tag::any);
    weights_iter = make({1, 1, s.H, map.gate_count, s.H}, tag::any);
    bias = make({1, 1, map.bias_count, s.H}, tag::ldgo);
    if (map.peephole) peephole = make({1, 1, 3, s.H}, tag::ldgo);
  }
  memory::desc src_layer, dst_layer, state, weights_layer, weights_iter, bias;
  memory::desc peephole;  ///< empty: none
};

template <class Forward, class Backward>
Descriptors make(const typename Forward::desc& forward, const typename Backward::desc& backward) {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  const typename Forward::primitive_desc f(forward, attributes, engine());
  const typename Backward::primitive_desc b(backward, attributes, engine(), f);
  return {f, b};
}

Descriptors describe_rnn(const Layouts& l, const CellMap& map) {
  return make<dnnl::vanilla_rnn_forward, dnnl::vanilla_rnn_backward>(
      {prop_kind::forward_training, map.activation, left_to_right, l.src_layer, l.state,
       l.weights_layer, l.weights_iter, l.bias, l.dst_layer, l.state, rnn_flags::undef, map.alpha},
      {prop_kind::backward, map.activation, left_to_right, l.src_layer, l.state, l.weights_layer,
       l.weights_iter, l.bias, l.dst_layer, l.state, l.src_layer, l.state, l.weights_layer,
       l.weights_iter, l.bias, l.dst_layer, l.state, rnn_flags::undef, map.alpha});
}

Descriptors describe_lstm(const Layouts& l) {
  return make<dnnl::lstm_forward, dnnl::lstm_backward>(
      {prop_kind::forward_training, left_to_right, l.src_layer, l.state, l.state, l.weights_layer,
       l.weights_iter, l.peephole, l.bias, l.dst_layer, l.state, l.state},
      {prop_kind::backward,
       left_to_right,
       l.src_layer,
       l.state,
       l.state,
       l.weights_layer,
       l.weights_iter,
       l.peephole,
       l.bias,
       l.dst_layer,
       l.state,
       l.state,
       l.src_layer,
       l.state,
       l.state,
       l.weights_layer,
       l.weights_iter,
       l.peephole,
       l.bias,
       l.dst_layer,
       l.state,
       l.state});
}

template <class Forward, class Backward>
Descriptors describe_gru(const Layouts& l) {
  return make<Forward, Backward>(
      {prop_kind::forward_training, left_to_right, l.src_layer, l.state, l.weights_layer,
       l.weights_iter, l.bias, l.dst_layer, l.state},
      {prop_kind::backward, left_to_right, l.src_layer, l.state, l.weights_layer, l.weights_iter,
       l.bias, l.dst_layer, l.state, l.src_layer, l.state, l.weights_layer, l.weights_iter, l.bias,
       l.dst_layer, l.state});
}

}  // namespace

const dnnl::engine& engine() {
  static const dnnl::engine processor(dnnl::engine::kind::cpu, 0);
  return processor;
}

Descriptors describe(const Shape& shape, const CellMap& map) {
  const Layouts layouts(shape, map);
  switch (map.primitive) {
    case Primitive::vanilla_rnn:
      return describe_rnn(layouts, map);
    case Primitive::lstm:
      return describe_lstm(layouts);
    case Primitive::gru:
      return describe_gru<dnnl::gru_forward, dnnl::gru_backward>(layouts);
    case Primitive::lbr_gru:
      break;
  }
  return describe_gru<dnnl::lbr_gru_forward, dnnl::lbr_gru_backward>(layouts);
}

memory::desc our_weights(Index gates, Index H, Index n) {
  return {{1, 1, n, gates, H}, memory::data_type::f32, memory::format_tag::ldgoi};
}

}  // namespace bptt::onednn
