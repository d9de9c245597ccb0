// The environment files that bptt-bench leaves beside its results: on what they were measured.
// Nothing in them is relied on: what is missing is left out, what is unknown is shown as it is.
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

struct EnvironmentFile {
  std::string name;  ///< without its folder
  Json content;      ///< an object
};

/// The file named; or else X.environment.json beside each X.csv that has one; or else, where none
/// has, environment.json beside the first.
std::vector<EnvironmentFile> environments_for(const std::optional<std::string>& named,
                                              const std::vector<std::string>& results);

struct Fact {
  std::string name, value;
};

/// What a reader of figures must know, as far as it is there: processor, BLAS kernels, GEMM peak.
/// Of several environments, the first that knows it.
std::vector<Fact> key_facts(const std::vector<EnvironmentFile>&);

/// By which share the machine's limits were higher at the end of a run than at its start, at most:
/// what bounds, which are computed from those at the start, may be too high by. Nothing where they
/// were not measured twice.
std::optional<double> rise_of_limits(const std::vector<EnvironmentFile>&);

/// What a reader should beware of: kernels that are not the best, a busy machine, environments that
/// differ from the first.
std::vector<std::string> environment_cautions(const std::vector<EnvironmentFile>&);

/// A value on one line: text as it is, lists of plain values joined by commas; other JSON as JSON.
std::string one_line(const Json& value);

}  // namespace bptt::report
