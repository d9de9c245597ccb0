#include "impls/onednn/book.hpp"

#include <algorithm>

namespace bptt::onednn {

Book::Book(const Group& group, const CellMap& map, Place place)
    : descriptors(describe(group, map)) {
  const Shape& s = group.shape;
  const auto weight_layouts = [&](Index n, int weight, int gradient) {
    const Group one{s};
    return WeightLayouts{group,
                         n,
                         our_weights(one, map.gate_count, n),
                         layout_of(descriptors.forward, weight),
                         layout_of(descriptors.backward, weight),
                         layout_of(descriptors.backward, gradient)};
  };
  layer_layouts = weight_layouts(s.I, DNNL_ARG_WEIGHTS_LAYER, DNNL_ARG_DIFF_WEIGHTS_LAYER);
  iter_layouts = weight_layouts(s.H, DNNL_ARG_WEIGHTS_ITER, DNNL_ARG_DIFF_WEIGHTS_ITER);
  layer = Weight::book(layout, map, layer_layouts);
  iter = Weight::book(layout, map, iter_layouts);
  const Index units = group.units();
  bias = layout.book<float>(checked_product({units, map.bias_count, s.H}, "bias"));
  bias_gradient = layout.book<float>(units * map.bias_count * s.H);
  const Index steps = checked_product({s.T, s.B}, "activations");
  const Index y_size = checked_product({steps, group.output_width()}, "y");
  y = layout.book<float>(y_size);
  if (place == Place::top) absent_dy = layout.book<float>(y_size);
  dx = layout.book<float>(checked_product({steps, s.I}, "dx"));
  const Index state_size = checked_product({units, s.B, s.H}, "states");
  for (auto* state : {&zeros, &hT, &cT, &unwanted_dh0, &unwanted_dc0}) {
    *state = layout.book<float>(state_size);
  }
  if (map.peephole) {
    if (units > 1) peephole = layout.book<float>(units * 3 * s.H);
    peephole_gradient = layout.book<float>(units * 3 * s.H);
  }
  const auto bytes = [](const dnnl::primitive_desc& of, int argument) {
    return layout_of(of, argument).get_size();
  };
  workspace = layout.book<char>(static_cast<Index>(bytes(descriptors.forward, DNNL_ARG_WORKSPACE)));
  scratchpad = layout.book<char>(
      static_cast<Index>(std::max(bytes(descriptors.forward, DNNL_ARG_SCRATCHPAD),
                                  bytes(descriptors.backward, DNNL_ARG_SCRATCHPAD))));
}

}  // namespace bptt::onednn
