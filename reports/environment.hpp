// environment.json, which bptt-bench leaves beside its results: on what they were measured. Nothing
// in it is relied on: what is missing is left out, what is unknown is shown as it is.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace bptt::report {

/// Keeps the file's order of keys.
using Json = nlohmann::ordered_json;

/// Throws Error(data) naming path, line and column where the file cannot be read, is not JSON, or
/// is not an object.
Json read_environment(const std::string& path);

/// The file named, or else environment.json beside `results` if there is one, or else {}.
Json environment_for(const std::optional<std::string>& named, const std::string& results);

struct Fact {
  std::string name, value;
};

/// What a reader of figures must know, as far as it is there: processor, BLAS kernels, GEMM peak.
std::vector<Fact> key_facts(const Json& environment);

/// A value on one line: text as it is, lists of plain values joined by commas; other JSON as JSON.
std::string one_line(const Json& value);

}  // namespace bptt::report
