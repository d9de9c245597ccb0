// Facts, limits and findings as JSON: for environment.json and `--doctor --json`.
#include "bench/doctor/print.hpp"

namespace bptt::bench {
namespace {

using nlohmann::ordered_json;

template <class T>
ordered_json value_or_null(const std::optional<T>& value) {
  return value ? ordered_json(*value) : ordered_json();
}

ordered_json text_or_null(const std::string& text) {
  return text.empty() ? ordered_json() : ordered_json(text);
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
          {"virtual_machine", s.virtual_machine},
          {"cores", s.cores},
          {"online_processors", s.online_processors},
          {"usable_processors", s.usable_processors},
          {"processor_quota", value_or_null(s.processor_quota)},
          {"throttled_periods", s.throttled_periods},
          {"smt", value_or_null(s.smt)},
          {"numa_nodes", s.numa_nodes},
          {"caches", caches},
          {"governor", text_or_null(s.governor)},
          {"boost", value_or_null(s.boost)},
          {"memory_bytes", s.memory_bytes},
          {"memory_available_at_start", s.memory_available},
          {"huge_pages", text_or_null(s.huge_pages)},
          {"clock_source", text_or_null(s.clock_source)},
          {"libblas_alternative", text_or_null(s.blas_alternative)},
          {"load_at_start", value_or_null(s.load)},
          {"busy_processors_at_start", value_or_null(s.busy_processors)},
          {"steal_at_start", value_or_null(s.steal)},
          {"steal_since_boot", value_or_null(s.steal_since_boot)}};
}

ordered_json by_name(const std::vector<std::pair<std::string, std::string>>& versions) {
  ordered_json json = ordered_json::object();
  for (const auto& [name, version] : versions) json[name] = version;
  return json;
}

ordered_json seconds_by_threads(const std::map<int, double>& seconds) {
  ordered_json list = ordered_json::array();
  for (const auto& [threads, value] : seconds) {
    list.push_back({{"threads", threads}, {"seconds", value}});
  }
  return list;
}

}  // namespace

ordered_json facts_json(const Facts& f) {
  ordered_json json = {
      {"system", system_json(f.system)},
      {"build", {{"compiler", f.compiler}, {"flags", f.compile_flags}, {"type", f.build_type}}},
      {"libraries", by_name(f.libraries)}};
  json["libraries"]["backends"] = by_name(f.backends);
  ordered_json missing = ordered_json::object();
  for (const MissingBackend& one : f.missing) missing[one.name] = one.reason;
  json["left_out"] = missing;
  json["blas"] = {{"library", f.blas.library},
                  {"config", f.blas.config},
                  {"live_kernels", f.blas.live},
                  {"chosen_by", f.blas.how},
                  {"better_kernels", f.blas.better}};
  json["denormals"] = {{"threads_checked", f.threads_checked},
                       {"threads_flushing", f.threads_flushing},
                       {"blas_flushes", f.blas_flushes}};
  json["variables"] = f.variables;
  return json;
}

ordered_json limits_json(const Limits& limits) {
  ordered_json fma = ordered_json::array(), bandwidths = ordered_json::array(),
               cores = ordered_json::array();
  for (const auto& [key, rate] : limits.fma) {
    fma.push_back({{"dtype", name_of(key.first)}, {"threads", key.second}, {"gflops", rate / 1e9}});
  }
  for (const Bandwidth& b : limits.bandwidths) {
    bandwidths.push_back(
        {{"level", b.level},
         {"threads", b.threads},
         {"capacity_bytes", b.capacity > 0 ? ordered_json(b.capacity) : ordered_json()},
         {"read_gb_per_second", b.read / 1e9},
         {"triad_gb_per_second", b.triad / 1e9}});
  }
  for (const CoreLatency& one : limits.core_to_core) {
    cores.push_back({{"processors", {0, one.processor}}, {"seconds", one.seconds}});
  }
  return {{"fma_peak", fma},
          {"bandwidth", bandwidths},
          {"fork_join", seconds_by_threads(limits.fork_join)},
          {"barrier", seconds_by_threads(limits.barrier)},
          {"core_to_core", cores}};
}

ordered_json findings_json(const std::vector<Finding>& findings) {
  ordered_json list = ordered_json::array();
  for (const Finding& f : findings) {
    list.push_back({{"severity", name_of(f.severity)},
                    {"id", f.id},
                    {"what", f.what},
                    {"cost", f.cost},
                    {"cure", f.cure}});
  }
  return list;
}

}  // namespace bptt::bench
