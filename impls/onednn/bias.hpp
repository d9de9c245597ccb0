// The two biases of one layer and direction, which oneDNN takes as one (zero where the cell has
// none). lbr_gru has a fourth block: the b_hn that r multiplies, beside b_in.
#pragma once

#include "impls/api/tensors.hpp"
#include "impls/onednn/cell_map.hpp"

namespace bptt::onednn {

void sum_biases(const CellMap&, Index H, const Params<const float>&, float* sum);
void split_bias_gradient(const CellMap&, Index H, const float* gradient, const Params<float>&);

}  // namespace bptt::onednn
