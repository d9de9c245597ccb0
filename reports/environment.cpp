#include "reports/environment.hpp"

#include <algorithm>
#include <cerrno>
#include <cmath>
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

/// "1 thread", "2 threads"
std::string counted_text(const Json& json, const char* pointer, const std::string& unit) {
  const std::string count = text_at(json, pointer);
  return count.empty() ? count : count + ' ' + unit + (count == "1" ? "" : "s");
}

std::string gemm_peaks(const Json& environment) {
  const Json* peaks = at(environment, "/gemm_peak");
  std::string text;
  if (peaks == nullptr || !peaks->is_array()) return text;
  for (const Json& peak : *peaks) {
    const Json* gflops = peak.is_object() ? at(peak, "/gflops") : nullptr;
    if (gflops == nullptr || !gflops->is_number()) continue;
    const Json* at_end = at(peak, "/gflops_at_end");
    const std::string what =
        joined(text_at(peak, "/dtype"), ", ", counted_text(peak, "/threads", "thread"));
    const std::string later = at_end != nullptr && at_end->is_number()
                                  ? three_digits(at_end->get<double>()) + " at the end"
                                  : "";
    const std::string values = joined(three_digits(gflops->get<double>()), ", ", later);
    text = joined(text, "; ", joined(what, ": ", values));
  }
  return text.empty() ? text : text + " (GFLOP/s)";
}

/// The limits at the run's start, or at its end where only those are there.
const Json* limits_at(const Json& environment, const char* what) {
  for (const char* when : {"/limits/at_start/", "/limits/at_end/"}) {
    const Json* list = at(environment, (std::string(when) + what).c_str());
    if (list != nullptr && list->is_array()) return list;
  }
  return nullptr;
}

/// Numbers of a list's entries, each behind what `label` makes of it.
template <class Label>
std::string listed_numbers(const Json* list, const char* pointer, Label label,
                           std::string (*format)(double)) {
  std::string text;
  for (const Json& entry : list == nullptr ? Json::array() : *list) {
    const Json* number = entry.is_object() ? at(entry, pointer) : nullptr;
    if (number == nullptr || !number->is_number()) continue;
    text = joined(text, "; ", joined(label(entry), ": ", format(number->get<double>())));
  }
  return text;
}

std::string fma_peaks(const Json& environment) {
  const std::string text = listed_numbers(
      limits_at(environment, "fma_peak"), "/gflops",
      [](const Json& e) {
        return joined(text_at(e, "/dtype"), ", ", counted_text(e, "/threads", "thread"));
      },
      three_digits);
  return text.empty() ? text : text + " (GFLOP/s)";
}

std::string bandwidths(const Json& environment) {
  const std::string text = listed_numbers(
      limits_at(environment, "bandwidth"), "/read_gb_per_second",
      [](const Json& e) {
        return joined(text_at(e, "/level"), ", ", counted_text(e, "/threads", "thread"));
      },
      three_digits);
  return text.empty() ? text : text + " (GB/s, reading)";
}

std::string hand_overs(const Json& environment) {
  const auto named = [&](const char* what, const std::string& name) {
    return listed_numbers(
        limits_at(environment, what), "/seconds",
        [&](const Json& e) { return joined(name, ", ", counted_text(e, "/threads", "thread")); },
        duration);
  };
  return joined(joined(named("fork_join", "fork-join"), "; ", named("barrier", "barrier")), "; ",
                named("core_to_core", "core to core"));
}

std::string left_out(const Json& environment) {
  const Json* missing = at(environment, "/left_out");
  std::string text;
  if (missing == nullptr || !missing->is_object()) return text;
  for (const auto& [name, reason] : missing->items()) {
    text = joined(text, "; ", name + ": " + one_line(reason));
  }
  return text;
}

/// One per line of the report's head. `stable` facts must be the same in all environments.
struct FactSource {
  const char* name;
  bool stable;
  std::string (*value)(const Json&);
};

constexpr FactSource fact_sources[] = {
    {"Processor", true,
     [](const Json& e) {
       return joined(text_at(e, "/system/cpu"), ", ", counted_text(e, "/system/cores", "core"));
     }},
    {"BLAS", true,
     [](const Json& e) {
       return joined(text_at(e, "/blas/library"), ", kernels ", text_at(e, "/blas/live_kernels"));
     }},
    {"GEMM peak", false, gemm_peaks},
    {"FMA peak", false, fma_peaks},
    {"Bandwidth", false, bandwidths},
    {"Threads together", false, hand_overs},
    {"Left out", true, left_out},
    {"System", true, [](const Json& e) { return text_at(e, "/system/os"); }},
    {"Governor", true, [](const Json& e) { return text_at(e, "/system/governor"); }},
    {"Compiler", true,
     [](const Json& e) {
       return joined(text_at(e, "/build/compiler"), " ", text_at(e, "/build/flags"));
     }},
    {"Time", false, [](const Json& e) { return text_at(e, "/time"); }},
};

/// More of the processors busy than this, before anything was measured, is not an idle machine.
constexpr double busy_processors_tolerated = 0.5;

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

std::vector<EnvironmentFile> environments_for(const std::optional<std::string>& named,
                                              const std::vector<std::string>& results) {
  namespace fs = std::filesystem;
  std::vector<EnvironmentFile> files;
  const auto read = [&](const fs::path& path) {
    files.push_back({path.filename().string(), read_environment(path.string())});
  };
  if (named) {
    read(*named);
    return files;
  }
  for (const std::string& path : results) {
    const auto own = fs::path(path).replace_extension("environment.json");
    if (fs::exists(own)) read(own);
  }
  if (results.empty()) return files;
  const auto last_run = fs::path(results.front()).replace_filename("environment.json");
  if (files.empty() && fs::exists(last_run)) read(last_run);
  return files;
}

std::vector<Fact> key_facts(const std::vector<EnvironmentFile>& files) {
  std::vector<Fact> facts;
  for (const FactSource& source : fact_sources) {
    for (const EnvironmentFile& file : files) {
      std::string value = source.value(file.content);
      if (value.empty()) continue;
      facts.push_back({source.name, std::move(value)});
      break;
    }
  }
  return facts;
}

std::optional<double> rise_of_limits(const std::vector<EnvironmentFile>& files) {
  std::optional<double> rise;
  for (const EnvironmentFile& file : files) {
    for (const char* what : {"fma_peak", "bandwidth"}) {
      const std::string list = what;
      const Json* start = at(file.content, ("/limits/at_start/" + list).c_str());
      const Json* end = at(file.content, ("/limits/at_end/" + list).c_str());
      if (start == nullptr || end == nullptr || !start->is_array() || !end->is_array()) continue;
      for (std::size_t i = 0; i < std::min(start->size(), end->size()); ++i) {
        for (const char* rate : {"/gflops", "/read_gb_per_second", "/triad_gb_per_second"}) {
          const Json* before = at((*start)[i], rate);
          const Json* after = at((*end)[i], rate);
          if (before == nullptr || after == nullptr || !before->is_number() || !after->is_number())
            continue;
          const double change = after->get<double>() / before->get<double>() - 1;
          if (std::isfinite(change)) rise = std::max(rise.value_or(change), change);
        }
      }
    }
  }
  return rise;
}

std::vector<std::string> environment_cautions(const std::vector<EnvironmentFile>& files) {
  std::vector<std::string> list;
  for (const EnvironmentFile& file : files) {
    // Files that have findings need no second look at the facts behind them.
    const Json* findings = at(file.content, "/findings");
    const bool examined = findings != nullptr && findings->is_array();
    for (const Json& finding : examined ? *findings : Json::array()) {
      if (text_at(finding, "/severity") != "warning") continue;
      list.push_back(file.name + ": " + text_at(finding, "/what") + " Cost: " +
                     text_at(finding, "/cost") + ". Cure: " + text_at(finding, "/cure") + ".");
    }
    const std::string better = text_at(file.content, "/blas/better_kernels");
    if (!examined && !better.empty()) {
      list.push_back(file.name + ": BLAS ran its " + text_at(file.content, "/blas/live_kernels") +
                     " kernels, of which this processor has better: " + better + ".");
    }
    const Json* busy = at(file.content, "/system/busy_processors_at_start");
    if (!examined && busy != nullptr && busy->is_number() &&
        busy->get<double>() > busy_processors_tolerated) {
      list.push_back(file.name + ": the machine was not idle when the run began; " +
                     three_digits(busy->get<double>()) +
                     " processors were busy. Ratios are paired and hold better "
                     "than times.");
    }
    for (const FactSource& source : fact_sources) {
      const std::string first = source.value(files.front().content);
      const std::string value = source.value(file.content);
      if (source.stable && !first.empty() && !value.empty() && value != first) {
        list.push_back(file.name + " differs from " + files.front().name + ": " + source.name +
                       " " + value + ".");
      }
    }
  }
  return list;
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
