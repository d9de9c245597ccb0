#include "impls/io/safetensors_writer.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <fstream>

#include <nlohmann/json.hpp>

#include "impls/api/error.hpp"

namespace bptt::io {

void SafetensorsWriter::add(const std::string& name, std::span<const Index> shape,
                            std::span<const float> values) {
  add_bytes(name, StoredType::f32, shape, values.data(), values.size());
}
void SafetensorsWriter::add(const std::string& name, std::span<const Index> shape,
                            std::span<const double> values) {
  add_bytes(name, StoredType::f64, shape, values.data(), values.size());
}
void SafetensorsWriter::add(const std::string& name, std::span<const Index> shape,
                            std::span<const Index> values) {
  add_bytes(name, StoredType::i64, shape, values.data(), values.size());
}

void SafetensorsWriter::add_bytes(const std::string& name, StoredType type,
                                  std::span<const Index> shape, const void* values,
                                  std::size_t count) {
  Index size = 1;
  for (const Index extent : shape) size = checked_product({size, extent}, name.c_str());
  if (static_cast<std::size_t>(size) != count) {
    throw Error(ErrorKind::usage, name + ": expected " + std::to_string(size) + " values for " +
                                      shape_text(shape) + "; got " + std::to_string(count));
  }
  if (name == "__metadata__" || !names_.insert(name).second) {
    throw Error(ErrorKind::usage, name + ": expected a name of its own; it is taken");
  }
  tensors_.emplace_back(name,
                        StoredTensor{type, {shape.begin(), shape.end()}, data_.size(), count});
  const auto* begin = static_cast<const char*>(values);
  data_.insert(data_.end(), begin, begin + count * bytes_of(type));
}

std::vector<char> SafetensorsWriter::bytes() const {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata_.empty()) header["__metadata__"] = metadata_;
  for (const auto& [name, tensor] : tensors_) {
    header[name] = {
        {"dtype", name_of(tensor.type)},
        {"shape", tensor.shape},
        {"data_offsets", {tensor.offset, tensor.offset + tensor.elements * bytes_of(tensor.type)}}};
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8,
              ' ');  // so that the data is aligned for readers that map it
  const std::uint64_t length = text.size();
  std::vector<char> bytes(sizeof length + text.size() + data_.size());
  std::memcpy(bytes.data(), &length, sizeof length);
  std::copy(text.begin(), text.end(), bytes.begin() + sizeof length);
  std::copy(data_.begin(), data_.end(), bytes.end() - static_cast<std::ptrdiff_t>(data_.size()));
  return bytes;
}

void SafetensorsWriter::write(const std::string& path) const {
  const std::vector<char> all = bytes();
  std::ofstream file(path, std::ios::binary);
  file.write(all.data(), static_cast<std::streamsize>(all.size()));
  file.close();
  if (!file) throw Error(ErrorKind::unavailable, path + ": cannot write it");
}

}  // namespace bptt::io
