#include "bench/environment.hpp"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <system_error>

#include <benchmark/benchmark.h>
#include <boost/version.hpp>
#include <hwy/highway.h>
#include <nlohmann/json.hpp>

#include "impls/api/registry.hpp"
#include "impls/linalg/blas_kernels.hpp"
#include "impls/program/command_line.hpp"

namespace bptt::bench {
namespace {

using nlohmann::ordered_json;

template <class T>
ordered_json value_or_null(const std::optional<T>& value) {
  return value ? ordered_json(*value) : ordered_json();
}

ordered_json system_json(const System& s) {
  ordered_json caches = ordered_json::array();
  for (const Cache& cache : s.caches) {
    caches.push_back({{"level", cache.level},
                      {"type", cache.type},
                      {"size", cache.size},
                      {"shared_by_processors", cache.shared_by}});
  }
  return {{"os", s.os},
          {"kernel", s.kernel},
          {"cpu", s.cpu_model},
          {"cores", s.cores},
          {"online_processors", s.online_processors},
          {"usable_processors", usable_processors()},
          {"smt", value_or_null(s.smt)},
          {"caches", caches},
          {"governor", s.governor.empty() ? ordered_json() : ordered_json(s.governor)},
          {"boost", value_or_null(s.boost)},
          {"memory_bytes", s.memory_bytes},
          {"load_at_start", value_or_null(s.load)},
          {"busy_processors_at_start", value_or_null(s.busy_processors)},
          {"denormals_flushed", s.denormals_flushed}};
}

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

std::string version_of(int major, int minor, int patch) {
  return std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(patch);
}

ordered_json libraries_json() {
  // Google Benchmark's headers do not tell its version; the build does.
  ordered_json libraries = {{"openblas", linalg::blas_kernels().library},
                            {"highway", version_of(HWY_MAJOR, HWY_MINOR, HWY_PATCH)},
                            {"benchmark", BPTT_BENCHMARK_VERSION},
                            {"boost", version_of(BOOST_VERSION / 100000, BOOST_VERSION / 100 % 1000,
                                                 BOOST_VERSION % 100)}};
  for (const Backend* backend : backends()) {
    libraries["backends"][std::string(backend->name())] = backend->version();
  }
  return libraries;
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
                       {"threads_bound", environment.threads_bound},
                       {"system", system_json(environment.system)},
                       {"build",
                        {{"compiler", program::compiler_text()},
                         {"flags", program::compile_flags()},
                         {"type", program::build_type()}}},
                       {"libraries", libraries_json()}};
  const auto blas = linalg::blas_kernels();
  json["blas"] = {{"library", blas.library},
                  {"config", blas.config},
                  {"live_kernels", blas.live},
                  {"chosen_by", blas.how},
                  {"better_kernels", blas.better}};
  json["gemm_peak"] = peaks_json(environment.peaks, environment.peaks_at_end);
  json["variables"] = relevant_variables();
  const std::string text = json.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
  write_json(environment_path(journal.path()), text);
  const auto folder = std::filesystem::path(journal.path()).parent_path();
  write_json((folder / "environment.json").string(), text);
}

}  // namespace bptt::bench
