// Reading safetensors files: an 8-byte little-endian header length, a JSON header, raw
// little-endian tensors. Strict: what the header says must account for every byte of the file
// exactly once.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "impls/api/index.hpp"

namespace bptt::io {

/// The element types this suite reads and writes.
enum class StoredType { f32, f64, i64 };

std::string_view name_of(StoredType);
std::size_t bytes_of(StoredType);

struct StoredTensor {
  StoredType type = StoredType::f64;
  std::vector<Index> shape;  ///< outermost first; empty for a single number
  std::size_t offset = 0;    ///< of its first byte, within the file's data
  std::size_t elements = 0;
};

/// "[7,3,5]"
std::string shape_text(std::span<const Index> shape);

/// A file that was read whole. Every failure is an Error(data) in one line that names the file, and
/// the tensor where there is one. Values are not judged: NaN and Inf are data like any other.
class Safetensors {
 public:
  /// Throws Error(data) where the file cannot be opened or is not as the format has it.
  static Safetensors read(const std::string& path);
  /// The same of bytes in memory; `path` is how messages name them.
  static Safetensors parse(std::string path, std::vector<char> bytes);

  const std::string& path() const { return path_; }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  const std::map<std::string, StoredTensor>& tensors() const { return tensors_; }
  bool contains(const std::string& name) const { return tensors_.count(name) != 0; }

  /// Throws Error(data) where there is no such tensor.
  const StoredTensor& tensor(const std::string& name) const;
  /// The values of an F32 or F64 tensor. Throws Error(data) for any other type.
  std::vector<double> reals(const std::string& name) const;
  /// The values of an I64 tensor. Throws Error(data) for any other type.
  std::vector<Index> integers(const std::string& name) const;

 private:
  template <class Stored, class Value>
  std::vector<Value> values(const StoredTensor&) const;

  std::string path_;
  std::map<std::string, std::string> metadata_;
  std::map<std::string, StoredTensor> tensors_;
  std::vector<char> bytes_;
  std::size_t data_begin_ = 0;
};

}  // namespace bptt::io
