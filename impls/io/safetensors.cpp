#include "impls/io/safetensors.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>

#include <nlohmann/json.hpp>

#include "impls/api/error.hpp"
#include "impls/api/memory.hpp"
#include "impls/io/printable.hpp"

namespace bptt::io {
namespace {

using Json = nlohmann::json;

static_assert(std::endian::native == std::endian::little, "tensors are copied as they are stored");

struct TypeRow {
  StoredType type;
  std::string_view name;
  std::size_t bytes;
};
constexpr TypeRow types[] = {{StoredType::f32, "F32", sizeof(float)},
                             {StoredType::f64, "F64", sizeof(double)},
                             {StoredType::i64, "I64", sizeof(std::int64_t)}};

const TypeRow& row_of(StoredType type) {
  return *std::find_if(std::begin(types), std::end(types),
                       [type](const TypeRow& row) { return row.type == type; });
}

constexpr std::size_t length_bytes = 8;
// The cap of the format's own implementation: a header is names and numbers, never bulk.
constexpr std::uint64_t header_cap = 100'000'000;

[[noreturn]] void fail(const std::string& path, const std::string& message) {
  throw file_error(path, message);
}

[[noreturn]] void fail_tensor(const std::string& path, const std::string& tensor,
                              const std::string& message) {
  fail(path, "tensor '" + printable(tensor, longest_name) + "': " + message);
}

/// The JSON library keeps the last of two equal keys; here that would hide a tensor.
Json parse_header(const std::string& path, const char* begin, const char* end) {
  std::vector<std::set<std::string>> keys;
  std::optional<std::string> duplicate;
  const auto watch = [&](int, Json::parse_event_t event, Json& value) {
    if (event == Json::parse_event_t::object_start) keys.emplace_back();
    if (event == Json::parse_event_t::object_end) keys.pop_back();
    if (event == Json::parse_event_t::key) {
      const auto& key = value.get_ref<const std::string&>();
      if (!keys.back().insert(key).second && !duplicate) duplicate = key;
    }
    return true;
  };
  Json header;
  try {
    header = Json::parse(begin, end, watch);
  } catch (const Json::exception& error) {
    fail(path, std::string("expected a JSON header; ") + error.what());
  }
  if (duplicate)
    fail_tensor(path, *duplicate, "expected each name once; it stands twice in the header");
  if (!header.is_object()) {
    fail(path, std::string("expected a JSON object as header; got ") + header.type_name());
  }
  return header;
}

std::map<std::string, std::string> read_metadata(const std::string& path, const Json& json) {
  std::map<std::string, std::string> metadata;
  if (!json.is_object()) {
    fail(path, std::string("__metadata__: expected an object; got ") + json.type_name());
  }
  for (const auto& [key, value] : json.items()) {
    if (!value.is_string()) {
      fail(path, "__metadata__, key '" + key + "': expected a string; got " + value.type_name());
    }
    metadata[key] = value.get<std::string>();
  }
  return metadata;
}

const Json& member(const std::string& path, const std::string& tensor, const Json& entry,
                   const char* key) {
  const auto found = entry.find(key);
  if (found == entry.end()) {
    fail_tensor(path, tensor, std::string("expected a key '") + key + "'; there is none");
  }
  return *found;
}

/// A number that is a count: JSON's 5.0 and -5 are not.
std::uint64_t count_of(const std::string& path, const std::string& tensor, const char* what,
                       const Json& json) {
  if (!json.is_number_unsigned()) {
    fail_tensor(path, tensor,
                std::string(what) + ": expected non-negative integers; got " + json.dump());
  }
  return json.get<std::uint64_t>();
}

struct Entry {
  StoredTensor tensor;
  std::uint64_t begin = 0, end = 0;
};

Entry read_entry(const std::string& path, const std::string& name, const Json& json,
                 std::uint64_t data_bytes) {
  if (!json.is_object()) {
    fail_tensor(path, name, std::string("expected an object; got ") + json.type_name());
  }
  Entry entry;
  const Json& dtype = member(path, name, json, "dtype");
  const auto* row = std::find_if(std::begin(types), std::end(types), [&](const TypeRow& candidate) {
    return dtype.is_string() && dtype.get_ref<const std::string&>() == candidate.name;
  });
  if (row == std::end(types)) {
    fail_tensor(path, name, "dtype: expected F32, F64 or I64; got " + dtype.dump());
  }
  entry.tensor.type = row->type;

  const Json& shape = member(path, name, json, "shape");
  if (!shape.is_array()) fail_tensor(path, name, "shape: expected an array; got " + shape.dump());
  std::uint64_t bytes = row->bytes;
  for (const Json& extent : shape) {
    const std::uint64_t value = count_of(path, name, "shape", extent);
    if (__builtin_mul_overflow(bytes, value, &bytes) || value > INT64_MAX) {
      fail_tensor(path, name, "shape " + shape.dump() + ": its size does not fit in 64 bits");
    }
    entry.tensor.shape.push_back(static_cast<Index>(value));
  }
  entry.tensor.elements = bytes / row->bytes;

  const Json& offsets = member(path, name, json, "data_offsets");
  if (!offsets.is_array() || offsets.size() != 2) {
    fail_tensor(path, name, "data_offsets: expected [begin,end]; got " + offsets.dump());
  }
  entry.begin = count_of(path, name, "data_offsets", offsets[0]);
  entry.end = count_of(path, name, "data_offsets", offsets[1]);
  entry.tensor.offset = entry.begin;
  if (entry.begin > entry.end) {
    fail_tensor(path, name, "data_offsets: expected begin <= end; got " + offsets.dump());
  }
  if (entry.end > data_bytes) {
    fail_tensor(path, name,
                "data_offsets: expected an end within the " + std::to_string(data_bytes) +
                    " bytes of data in the file; got " + offsets.dump());
  }
  if (entry.end - entry.begin != bytes) {
    fail_tensor(path, name,
                "expected " + std::to_string(bytes) + " bytes for " + std::string(row->name) + " " +
                    shape.dump() + "; its data_offsets " + offsets.dump() + " hold " +
                    std::to_string(entry.end - entry.begin));
  }
  return entry;
}

/// Every byte of the data belongs to exactly one tensor.
void check_coverage(const std::string& path, std::vector<std::pair<std::string, Entry>> entries,
                    std::uint64_t data_bytes) {
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
    return std::pair(a.second.begin, a.second.end) < std::pair(b.second.begin, b.second.end);
  });
  std::uint64_t reached = 0;
  for (const auto& [name, entry] : entries) {
    if (entry.begin != reached) {
      fail_tensor(path, name,
                  std::string(entry.begin < reached ? "overlaps the tensor before it"
                                                    : "leaves a gap before it") +
                      ": expected its data at byte " + std::to_string(reached) + "; got " +
                      std::to_string(entry.begin));
    }
    reached = entry.end;
  }
  if (reached != data_bytes) {
    fail(path, "expected tensors for all " + std::to_string(data_bytes) +
                   " bytes of data; the header accounts for " + std::to_string(reached));
  }
}

}  // namespace

std::string_view name_of(StoredType type) {
  return row_of(type).name;
}
std::size_t bytes_of(StoredType type) {
  return row_of(type).bytes;
}

std::string shape_text(std::span<const Index> shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    text += (i == 0 ? "" : ",") + std::to_string(shape[i]);
  }
  return text + "]";
}

Safetensors Safetensors::read(const std::string& path) {
  std::error_code failure;
  const auto status = std::filesystem::status(path, failure);
  if (!std::filesystem::is_regular_file(status)) {
    fail(path, std::filesystem::exists(status) ? "expected a file; it is something else"
                                               : "expected a safetensors file; there is none");
  }
  const std::uintmax_t size = std::filesystem::file_size(path, failure);
  std::ifstream file(path, std::ios::binary);
  if (failure || !file) fail(path, "expected a readable file; cannot open it");
  require_memory(size, path);
  std::vector<char> bytes(size);
  if (!file.read(bytes.data(), static_cast<std::streamsize>(size))) fail(path, "cannot read it");
  return parse(path, std::move(bytes));
}

Safetensors Safetensors::parse(std::string path, std::vector<char> bytes) {
  Safetensors file;
  file.path_ = std::move(path);
  file.bytes_ = std::move(bytes);
  const std::uint64_t size = file.bytes_.size();
  if (size < length_bytes) {
    fail(file.path_, "expected at least 8 bytes; the file has " + std::to_string(size));
  }
  std::uint64_t header_bytes = 0;
  std::memcpy(&header_bytes, file.bytes_.data(), length_bytes);
  if (header_bytes > header_cap) {
    fail(file.path_, "expected a header of at most " + std::to_string(header_cap) +
                         " bytes; its length field says " + std::to_string(header_bytes));
  }
  if (header_bytes > size - length_bytes) {
    fail(file.path_, "truncated: the header should have " + std::to_string(header_bytes) +
                         " bytes; " + std::to_string(size - length_bytes) + " are there");
  }
  file.data_begin_ = length_bytes + header_bytes;
  const char* begin = file.bytes_.data() + length_bytes;
  const Json header = parse_header(file.path_, begin, begin + header_bytes);

  const std::uint64_t data_bytes = size - file.data_begin_;
  std::vector<std::pair<std::string, Entry>> entries;
  for (const auto& [name, json] : header.items()) {
    if (name == "__metadata__") {
      file.metadata_ = read_metadata(file.path_, json);
      continue;
    }
    entries.emplace_back(name, read_entry(file.path_, name, json, data_bytes));
    file.tensors_[name] = entries.back().second.tensor;
  }
  check_coverage(file.path_, std::move(entries), data_bytes);
  return file;
}

const StoredTensor& Safetensors::tensor(const std::string& name) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) fail(path_, "expected a tensor '" + name + "'; there is none");
  return found->second;
}

template <class Stored, class Value>
std::vector<Value> Safetensors::values(const StoredTensor& tensor) const {
  std::vector<Value> values(tensor.elements);
  const char* at = bytes_.data() + data_begin_ + tensor.offset;
  for (Value& value : values) {
    Stored stored;
    std::memcpy(&stored, at, sizeof stored);
    value = static_cast<Value>(stored);
    at += sizeof stored;
  }
  return values;
}

std::vector<double> Safetensors::reals(const std::string& name) const {
  const StoredTensor& found = tensor(name);
  switch (found.type) {
    case StoredType::f32:
      return values<float, double>(found);
    case StoredType::f64:
      return values<double, double>(found);
    case StoredType::i64:
      break;
  }
  fail_tensor(path_, name, "expected F32 or F64; got I64");
}

std::vector<Index> Safetensors::integers(const std::string& name) const {
  const StoredTensor& found = tensor(name);
  if (found.type != StoredType::i64) {
    fail_tensor(path_, name, "expected I64; got " + std::string(name_of(found.type)));
  }
  return values<std::int64_t, Index>(found);
}

}  // namespace bptt::io
