#include "impls/net/weights.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <span>

#include "impls/io/printable.hpp"

namespace bptt::net {
namespace {

std::vector<Index> shape_of(const Extents& extents) {
  std::vector<Index> shape;
  for (int axis = 0; axis < extents.rank(); ++axis) shape.push_back(extents[axis]);
  return shape;
}

template <class T, class Visit>
void for_each_weight(const std::vector<ModelTensor<T>>& tensors, Visit visit) {
  for (const auto& tensor : tensors) {
    if (tensor.role == Role::parameter) visit(tensor);
  }
}

[[noreturn]] void fail(const io::Safetensors& file, const std::string& tensor,
                       const std::string& message) {
  throw io::file_error(file.path(),
                       "tensor '" + io::printable(tensor, io::longest_name) + "': " + message);
}

template <Real T>
std::vector<T> read(const io::Safetensors& file, const ModelTensor<T>& tensor) {
  const auto expected = shape_of(tensor.value.extents());
  const auto& stored = file.tensor(tensor.name);
  if (stored.shape != expected) {
    fail(file, tensor.name,
         "expected extents " + io::shape_text(expected) + "; got " + io::shape_text(stored.shape));
  }
  const std::vector<double> wide = file.reals(tensor.name);
  std::vector<T> values(wide.size());
  std::transform(wide.begin(), wide.end(), values.begin(),
                 [](double value) { return static_cast<T>(value); });
  const auto odd =
      std::find_if(values.begin(), values.end(), [](T value) { return !std::isfinite(value); });
  if (odd != values.end()) {
    const auto at = static_cast<std::size_t>(odd - values.begin());
    fail(file, tensor.name,
         "expected finite values; got " + std::to_string(wide[at]) + " at element " +
             std::to_string(at));
  }
  return values;
}

}  // namespace

template <Real T>
void add_weights(const std::vector<ModelTensor<T>>& tensors, io::SafetensorsWriter& writer) {
  for_each_weight(tensors, [&](const ModelTensor<T>& tensor) {
    const auto count = static_cast<std::size_t>(tensor.value.size());
    writer.add(tensor.name, shape_of(tensor.value.extents()),
               std::span<const T>(tensor.value.data(), count));
  });
}

template <Real T>
void load_weights(const io::Safetensors& file, const std::vector<ModelTensor<T>>& tensors) {
  std::set<std::string> known;
  std::vector<std::vector<T>> values;
  for_each_weight(tensors, [&](const ModelTensor<T>& tensor) {
    known.insert(tensor.name);
    values.push_back(read(file, tensor));
  });
  for (const auto& [name, stored] : file.tensors()) {
    if (known.count(name) == 0) fail(file, name, "the model has no such parameter");
  }
  auto next = values.begin();
  for_each_weight(tensors, [&](const ModelTensor<T>& tensor) {
    std::copy(next->begin(), next->end(), tensor.value.data());
    ++next;
  });
}

#define BPTT_INSTANTIATE(T)                                                                 \
  template void add_weights<T>(const std::vector<ModelTensor<T>>&, io::SafetensorsWriter&); \
  template void load_weights<T>(const io::Safetensors&, const std::vector<ModelTensor<T>>&);
BPTT_INSTANTIATE(float)
BPTT_INSTANTIATE(double)
#undef BPTT_INSTANTIATE

}  // namespace bptt::net
