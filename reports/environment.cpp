#include "reports/environment.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

#include "impls/api/error.hpp"
#include "reports/format.hpp"

namespace bptt::report {
namespace {

/// "line 3, column 7" of a byte offset as nlohmann counts them, from 1.
std::string position(const std::string& text, std::size_t byte) {
  const std::size_t end = std::min(byte == 0 ? 0 : byte - 1, text.size());
  const auto stop = text.begin() + static_cast<std::ptrdiff_t>(end);
  const auto line = 1 + std::count(text.begin(), stop, '\n');
  const std::size_t line_break = end == 0 ? std::string::npos : text.rfind('\n', end - 1);
  const std::size_t column = line_break == std::string::npos ? end + 1 : end - line_break;
  return std::to_string(line) + ": column " + std::to_string(column);
}

const Json* at(const Json& json, const char* pointer) {
  const Json::json_pointer path(pointer);
  return json.contains(path) ? &json.at(path) : nullptr;
}

std::string text_at(const Json& json, const char* pointer) {
  const Json* value = at(json, pointer);
  return value == nullptr || value->is_null() || value->is_structured() ? "" : one_line(*value);
}

/// Two texts as one, where both are there.
std::string joined(const std::string& a, const std::string& separator, const std::string& b) {
  return a.empty() || b.empty() ? a + b : a + separator + b;
}

std::string gemm_peaks(const Json& environment) {
  const Json* peaks = at(environment, "/gemm_peak");
  std::string text;
  if (peaks == nullptr || !peaks->is_array()) return text;
  for (const Json& peak : *peaks) {
    const Json* gflops = peak.is_object() ? at(peak, "/gflops") : nullptr;
    if (gflops == nullptr || !gflops->is_number()) continue;
    const std::string threads = text_at(peak, "/threads");
    const std::string what =
        joined(text_at(peak, "/dtype"), ", ",
               threads.empty() ? "" : threads + (threads == "1" ? " thread" : " threads"));
    text = joined(text, "; ", joined(what, ": ", three_digits(gflops->get<double>()) + " GFLOP/s"));
  }
  return text;
}

}  // namespace

Json read_environment(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream contents;
  if (file) contents << file.rdbuf();
  if (!file) {
    throw Error(ErrorKind::data,
                path + ": cannot read the environment: " + std::generic_category().message(errno));
  }
  const std::string text = contents.str();
  try {
    Json json = Json::parse(text);
    if (!json.is_object()) {
      throw Error(ErrorKind::data,
                  path + ":1: expected a JSON object; got " + std::string(json.type_name()));
    }
    return json;
  } catch (const Json::parse_error& error) {
    throw Error(ErrorKind::data,
                path + ':' + position(text, error.byte) + ": expected JSON; it breaks off here");
  }
}

Json environment_for(const std::optional<std::string>& named, const std::string& results) {
  if (named) return read_environment(*named);
  const auto beside = std::filesystem::path(results).replace_filename("environment.json");
  return std::filesystem::exists(beside) ? read_environment(beside) : Json::object();
}

std::vector<Fact> key_facts(const Json& environment) {
  const std::string cores = text_at(environment, "/cpu/cores");
  const Fact candidates[] = {
      {"Processor", joined(text_at(environment, "/cpu/model"), ", ",
                           cores.empty() ? "" : cores + (cores == "1" ? " core" : " cores"))},
      {"BLAS", joined(text_at(environment, "/blas/library"), ", kernels ",
                      text_at(environment, "/blas/kernels"))},
      {"GEMM peak", gemm_peaks(environment)},
      {"Governor", text_at(environment, "/governor")},
      {"Compiler", joined(text_at(environment, "/compiler"), " ", text_at(environment, "/flags"))},
      {"Time", text_at(environment, "/time")},
  };
  std::vector<Fact> facts;
  for (const Fact& fact : candidates) {
    if (!fact.value.empty()) facts.push_back(fact);
  }
  return facts;
}

std::string one_line(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  const auto plain = [](const Json& part) { return !part.is_structured(); };
  if (!value.is_array() || !std::all_of(value.begin(), value.end(), plain)) return value.dump();
  std::string text;
  for (const Json& part : value) text = joined(text, ", ", one_line(part));
  return text;
}

}  // namespace bptt::report
