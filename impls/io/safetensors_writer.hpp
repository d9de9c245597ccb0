// Writing safetensors files (see safetensors.hpp).
#pragma once

#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "impls/io/safetensors.hpp"

namespace bptt::io {

class SafetensorsWriter {
 public:
  void add_metadata(const std::string& key, const std::string& value) { metadata_[key] = value; }

  /// Copies the values. Throws Error(usage) where there are not as many as the shape has, or where
  /// the name is taken.
  void add(const std::string& name, std::span<const Index> shape, std::span<const float> values);
  void add(const std::string& name, std::span<const Index> shape, std::span<const double> values);
  void add(const std::string& name, std::span<const Index> shape, std::span<const Index> values);

  /// The whole file.
  std::vector<char> bytes() const;
  /// Throws Error(unavailable) where the file cannot be written.
  void write(const std::string& path) const;

 private:
  void add_bytes(const std::string& name, StoredType, std::span<const Index> shape,
                 const void* values, std::size_t count);

  std::map<std::string, std::string> metadata_;
  std::vector<std::pair<std::string, StoredTensor>> tensors_;
  std::set<std::string> names_;
  std::vector<char> data_;
};

}  // namespace bptt::io
