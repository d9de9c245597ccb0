#include "bench/doctor/costs.hpp"

#include <algorithm>
#include <cstdio>
#include <sstream>
#include <vector>

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/gemm_peak.hpp"
#include "bench/statistics.hpp"

namespace bptt::bench {
namespace {

/// This process's variables, without the settings of bptt-bench, which are not for the child.
std::vector<std::string> variables_for_child(const std::string& core_type) {
  std::vector<std::string> variables;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const bool replaced = !core_type.empty() && text.starts_with("OPENBLAS_CORETYPE=");
    if (!replaced && !text.starts_with("BPTT_")) variables.emplace_back(text);
  }
  variables.emplace_back("BPTT_BLAS_OVERRIDE=off");
  if (!core_type.empty()) variables.push_back("OPENBLAS_CORETYPE=" + core_type);
  return variables;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> list;
  for (std::string& text : texts) list.push_back(text.data());
  list.push_back(nullptr);
  return list;
}

}  // namespace

std::optional<double> gemm_rate_of_child(const std::string& core_type) {
  std::vector<std::string> arguments = {"bptt-bench", "--gemm-peak", "--dtype",
                                        "f32",        "--threads",   "1"};
  std::vector<std::string> variables = variables_for_child(core_type);
  int ends[2];
  if (pipe(ends) != 0) return std::nullopt;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_addclose(&actions, ends[0]);
  pid_t child = 0;
  const int failed = posix_spawn(&child, "/proc/self/exe", &actions, nullptr,
                                 pointers(arguments).data(), pointers(variables).data());
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  std::string text;
  char buffer[256];
  for (ssize_t n = 0; failed == 0 && (n = read(ends[0], buffer, sizeof buffer)) > 0;) {
    text.append(buffer, static_cast<std::size_t>(n));
  }
  close(ends[0]);
  int status = 0;
  if (failed != 0 || waitpid(child, &status, 0) != child || status != 0) return std::nullopt;
  std::istringstream words(text);
  std::string dtype;
  int threads = 0;
  double gflops = 0;
  return words >> dtype >> threads >> gflops && gflops > 0 ? std::optional(gflops) : std::nullopt;
}

std::optional<double> cost_of_kernels(const Facts& facts, const GemmRate& rate) {
  if (facts.blas.better.empty()) return std::nullopt;
  // Each is the best of several tries already.
  const auto live = rate(facts.blas.live), better = rate(facts.blas.better);
  return live && better ? std::optional(*better / *live) : std::nullopt;
}

Costs measure_costs(const Facts& facts, const GemmRate& rate) {
  Costs costs;
  costs.better_kernels = cost_of_kernels(facts, rate);
  constexpr int products = 9;
  std::vector<double> seconds;
  for (int i = 0; i < products; ++i) seconds.push_back(1 / measure_gemm_peak(Dtype::f32, 1, 1));
  const auto [least, most] = std::minmax_element(seconds.begin(), seconds.end());
  costs.median_spread = median(seconds) / *least;
  costs.most_spread = *most / *least;
  return costs;
}

void add_scaling(const Limits& limits, Costs& costs) {
  const auto one = limits.fma.find({Dtype::f32, 1});
  if (one == limits.fma.end()) return;
  for (const auto& [key, rate] : limits.fma) {
    if (key.first != Dtype::f32 || key.second <= costs.scaling_threads) continue;
    costs.scaling_threads = key.second;
    costs.scaling = rate / one->second;
  }
}

}  // namespace bptt::bench
