#include "impls/onednn/call.hpp"

#include "impls/onednn/engine.hpp"
#include "impls/onednn/primitives.hpp"

namespace bptt::onednn {

Call::Call(const dnnl::primitive_desc& description, const std::vector<int>& arguments)
    : primitive_(description.get()) {
  for (const int argument : arguments) {
    arguments_.emplace(argument,
                       dnnl::memory(layout_of(description, argument), engine(), DNNL_MEMORY_NONE));
  }
}

std::vector<int> forward_arguments(const CellMap& map) {
  std::vector<int> all = {DNNL_ARG_SRC_LAYER,    DNNL_ARG_SRC_ITER,  DNNL_ARG_WEIGHTS_LAYER,
                          DNNL_ARG_WEIGHTS_ITER, DNNL_ARG_BIAS,      DNNL_ARG_DST_LAYER,
                          DNNL_ARG_DST_ITER,     DNNL_ARG_WORKSPACE, DNNL_ARG_SCRATCHPAD};
  if (map.primitive == Primitive::lstm) {
    all.insert(all.end(), {DNNL_ARG_SRC_ITER_C, DNNL_ARG_DST_ITER_C});
  }
  if (map.peephole) all.push_back(DNNL_ARG_WEIGHTS_PEEPHOLE);
  return all;
}

std::vector<int> backward_arguments(const CellMap& map) {
  std::vector<int> all = forward_arguments(map);
  all.insert(all.end(), {DNNL_ARG_DIFF_SRC_LAYER, DNNL_ARG_DIFF_SRC_ITER,
                         DNNL_ARG_DIFF_WEIGHTS_LAYER, DNNL_ARG_DIFF_WEIGHTS_ITER,
                         DNNL_ARG_DIFF_BIAS, DNNL_ARG_DIFF_DST_LAYER, DNNL_ARG_DIFF_DST_ITER});
  if (map.primitive == Primitive::lstm) {
    all.insert(all.end(), {DNNL_ARG_DIFF_SRC_ITER_C, DNNL_ARG_DIFF_DST_ITER_C});
  }
  if (map.peephole) all.push_back(DNNL_ARG_DIFF_WEIGHTS_PEEPHOLE);
  return all;
}

}  // namespace bptt::onednn
