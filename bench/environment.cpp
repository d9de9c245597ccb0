#include "bench/environment.hpp"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <system_error>

#include <nlohmann/json.hpp>

#include "bench/doctor/print.hpp"
#include "impls/program/command_line.hpp"

namespace bptt::bench {
namespace {

using nlohmann::ordered_json;

ordered_json peaks_json(const Peaks& at_start, const Peaks& at_end) {
  ordered_json list = ordered_json::array();
  for (const auto& [key, gflops] : at_start) {
    ordered_json entry = {
        {"dtype", name_of(key.first)}, {"threads", key.second}, {"gflops", gflops}};
    if (const auto end = at_end.find(key); end != at_end.end()) {
      entry["gflops_at_end"] = end->second;
    }
    list.push_back(std::move(entry));
  }
  return list;
}

ordered_json gemms_json(const std::vector<GemmAtShape>& gemms) {
  ordered_json list = ordered_json::array();
  for (const GemmAtShape& g : gemms) {
    list.push_back({{"dtype", name_of(g.dtype)},
                    {"threads", g.threads},
                    {"m", g.m},
                    {"n", g.n},
                    {"k", g.k},
                    {"gflops", g.gflops}});
  }
  return list;
}

void write_json(const std::string& path, const std::string& text) {
  errno = 0;
  std::ofstream file(path);
  file << text << std::flush;
  if (!file) {
    throw Error(ErrorKind::unavailable, path + ": cannot write the environment file: " +
                                            std::generic_category().message(errno));
  }
}

}  // namespace

std::string environment_path(const std::string& results_path) {
  return std::filesystem::path(results_path).replace_extension("environment.json").string();
}

void write_environment(const Environment& environment, const Journal& journal) {
  if (!std::filesystem::is_regular_file(journal.path())) return;
  ordered_json json = {{"run_id", journal.run_id()},
                       {"results", std::filesystem::path(journal.path()).filename().string()},
                       {"time", utc_now()},
                       {"host", host_name()},
                       {"commit", program::source_commit()},
                       {"command", environment.command},
                       {"preset", environment.preset},
                       {"threads_bound", environment.threads_bound}};
  json.update(facts_json(environment.facts));
  json["findings"] = findings_json(environment.findings);
  json["gemm_peak"] = peaks_json(environment.peaks, environment.peaks_at_end);
  if (!environment.gemms.empty()) json["gemm_at_shapes"] = gemms_json(environment.gemms);
  if (!environment.limits.empty()) json["limits"]["at_start"] = limits_json(environment.limits);
  if (!environment.limits_at_end.empty()) {
    json["limits"]["at_end"] = limits_json(environment.limits_at_end);
  }
  const std::string text = json.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
  write_json(environment_path(journal.path()), text);
  const auto folder = std::filesystem::path(journal.path()).parent_path();
  write_json((folder / "environment.json").string(), text);
}

}  // namespace bptt::bench
