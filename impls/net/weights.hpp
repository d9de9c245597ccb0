// Parameters to and from safetensors files, under PyTorch's names.
#pragma once

#include <vector>

#include "impls/io/safetensors.hpp"
#include "impls/io/safetensors_writer.hpp"
#include "impls/net/model.hpp"

namespace bptt::net {

/// Adds every parameter among `tensors`, under its name, in the model's own precision.
template <Real T>
void add_weights(const std::vector<ModelTensor<T>>& tensors, io::SafetensorsWriter&);

/// Every parameter among `tensors` takes its value from the file, converted to T. The file must
/// hold exactly these tensors, F32 or F64, of these extents, and every value must be finite, in T
/// too. Otherwise Error(data), one line that names file and tensor, and no parameter has changed.
template <Real T>
void load_weights(const io::Safetensors&, const std::vector<ModelTensor<T>>& tensors);

}  // namespace bptt::net
