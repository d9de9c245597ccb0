#include "bench/doctor/findings.hpp"

#include <algorithm>
#include <cctype>

#include "bench/table.hpp"
#include "impls/api/memory.hpp"
#include "impls/api/names.hpp"

namespace bptt::bench {
namespace {

using Severity = Finding::Severity;

/// What a check has to say; a finding but for its place in the table.
struct Diagnosis {
  std::string what, cost, cure;
  bool harmless = false;  ///< a note, whatever the table says
};
using Answer = std::optional<Diagnosis>;

std::string measured_spread(const Costs& costs) {
  if (!costs.median_spread || !costs.most_spread)
    return "times too long; more so the less they repeat";
  return "measured: equal products took " + number_text(*costs.median_spread) +
         " times the fastest in the median, " + number_text(*costs.most_spread) + " at most";
}

Answer blas_kernels(const Facts& f, const Costs& costs) {
  // Some processors do AVX-512 in halves: the wider kernels gain them next to nothing.
  constexpr double worth_telling = 1.05;
  if (f.blas.better.empty()) return std::nullopt;
  const std::string better = "OPENBLAS_CORETYPE=" + f.blas.better;
  std::string cure = "export " + better;
  if (f.blas.how == "OPENBLAS_CORETYPE") cure = "unset OPENBLAS_CORETYPE, or export " + better;
  if (f.variables.count("BPTT_BLAS_OVERRIDE") != 0) cure = "unset BPTT_BLAS_OVERRIDE, or " + cure;
  return Diagnosis{"OpenBLAS runs its " + f.blas.live + " kernels (chosen by " + f.blas.how +
                       "), which do not use all that this processor has.",
                   costs.better_kernels ? "measured: " + f.blas.better + " multiplies matrices " +
                                              number_text(*costs.better_kernels) + " times as fast"
                                        : "matrix products take up to twice as long",
                   cure, costs.better_kernels && *costs.better_kernels < worth_telling};
}

Answer busy(const Facts& f, const Costs& costs) {
  constexpr double idle = 0.2;
  const System& s = f.system;
  if (!s.busy_processors || *s.busy_processors <= idle) return std::nullopt;
  return Diagnosis{"Other programs keep " + number_text(*s.busy_processors) + " of " +
                       counted(s.online_processors, "processor") + " busy" +
                       (s.load ? " (load average " + number_text(*s.load) + ")." : "."),
                   measured_spread(costs), "stop them; `top` shows which they are"};
}

Answer steal(const Facts& f, const Costs& costs) {
  constexpr double tolerated_now = 0.02, tolerated_ever = 0.005;
  const System& s = f.system;
  const double now = s.steal.value_or(0), ever = s.steal_since_boot.value_or(0);
  if (now <= tolerated_now && ever <= tolerated_ever) return std::nullopt;
  return Diagnosis{"The host takes processor time away (steal): " + percent_text(now) + " now, " +
                       percent_text(ever) + " since the system started.",
                   measured_spread(costs),
                   "an instance with processors of its own; else more --repetitions"};
}

Answer noise(const Facts& f, const Costs& costs) {
  constexpr double quiet = 1.1;
  if (!costs.median_spread || *costs.median_spread <= quiet) return std::nullopt;
  // Told there already.
  if (busy(f, costs) || steal(f, costs)) return std::nullopt;
  return Diagnosis{"The machine's speed changes while nothing else seems to run.",
                   measured_spread(costs),
                   "look for a throttled clock, or neighbours on the same host"};
}

Answer quota(const Facts& f, const Costs&) {
  const System& s = f.system;
  if (!s.processor_quota || *s.processor_quota >= s.usable_processors) return std::nullopt;
  return Diagnosis{"The control group allows " + number_text(*s.processor_quota) + " of " +
                       counted(s.usable_processors, "processor") + "; it was throttled in " +
                       std::to_string(s.throttled_periods) + " periods so far.",
                   "threads beyond that stand still for part of every 100 ms",
                   "raise the limit (docker run --cpus, CPUQuota=), or --threads up to " +
                       std::to_string(std::max(1, static_cast<int>(*s.processor_quota)))};
}

Answer affinity(const Facts& f, const Costs&) {
  const System& s = f.system;
  if (s.usable_processors >= s.online_processors) return std::nullopt;
  return Diagnosis{"This process may use " + std::to_string(s.usable_processors) + " of " +
                       std::to_string(s.online_processors) + " processors (its affinity mask).",
                   "more threads are refused", "taskset, or the job's own settings, widen it"};
}

Answer governor(const Facts& f, const Costs&) {
  if (f.system.governor.empty() || f.system.governor == "performance") return std::nullopt;
  return Diagnosis{"The frequency governor is " + f.system.governor + ", not performance.",
                   "short calls run before the clock has risen",
                   "sudo cpupower frequency-set -g performance"};
}

Answer boost(const Facts& f, const Costs&) {
  if (!f.system.boost.value_or(false)) return std::nullopt;
  return Diagnosis{"The clock may rise above its nominal rate (boost) and falls as the chip warms.",
                   "times drift by some percent; ratios of one round hold",
                   "echo 0 | sudo tee /sys/devices/system/cpu/cpufreq/boost (intel_pstate: "
                   "echo 1 | sudo tee /sys/devices/system/cpu/intel_pstate/no_turbo)"};
}

std::string measured_scaling(const Costs& costs) {
  return "measured: " + counted(costs.scaling_threads, "thread") + " do " +
         number_text(*costs.scaling) + " times the arithmetic of one";
}

Answer smt(const Facts& f, const Costs& costs) {
  const System& s = f.system;
  if (!s.smt.value_or(false) || s.usable_processors <= s.cores) return std::nullopt;
  return Diagnosis{
      std::to_string(s.usable_processors) + " processors share " + counted(s.cores, "core") +
          " (SMT).",
      costs.scaling ? measured_scaling(costs) : "threads beyond the cores add little, or cost",
      "--threads up to " + std::to_string(s.cores) +
          ", or echo off | sudo tee /sys/devices/system/cpu/smt/control"};
}

Answer scaling(const Facts& f, const Costs& costs) {
  constexpr double wanted = 0.8;
  if (!costs.scaling || *costs.scaling >= wanted * costs.scaling_threads) return std::nullopt;
  if (smt(f, costs)) return std::nullopt;
  return Diagnosis{"The processors do not add up: they share cores, or others use them.",
                   measured_scaling(costs),
                   "believe no comparison of several threads here until they do"};
}

Answer virtual_machine(const Facts& f, const Costs&) {
  if (!f.system.virtual_machine) return std::nullopt;
  return Diagnosis{
      "This is a virtual machine: where its processors run, and at which clock, is the "
      "host's affair.",
      "times of two runs may differ by 10%; ratios of one round hold",
      "compare within one run only"};
}

Answer huge_pages(const Facts& f, const Costs&) {
  if (f.system.huge_pages != "never") return std::nullopt;
  return Diagnosis{"Transparent huge pages are off.",
                   "not measured; tensors of many MiB miss the TLB more often",
                   "echo always | sudo tee /sys/kernel/mm/transparent_hugepage/enabled"};
}

Answer memory(const Facts& f, const Costs&) {
  const System& s = f.system;
  if (s.memory_bytes == 0 || s.memory_available * 8 >= s.memory_bytes) return std::nullopt;
  return Diagnosis{bytes_text(static_cast<std::size_t>(s.memory_available)) + " of " +
                       bytes_text(static_cast<std::size_t>(s.memory_bytes)) +
                       " of memory are free.",
                   "large cases are refused, or slowed down by swapping",
                   "stop what holds it; `ps --sort=-rss` shows what does"};
}

Answer denormals(const Facts& f, const Costs&) {
  if (f.threads_flushing == 0 && !f.blas_flushes) return std::nullopt;
  return Diagnosis{std::string("Denormal numbers are taken for zero on ") +
                       (f.threads_flushing > 0 ? std::to_string(f.threads_flushing) + " of " +
                                                     counted(f.threads_checked, "thread")
                                               : "threads of OpenBLAS") +
                       "; all backends are to be measured with them.",
                   "results differ, and what is slowed down by denormals looks fast",
                   "find the library that is built with -ffast-math: it sets this as it is loaded"};
}

Answer build(const Facts& f, const Costs&) {
  const bool sanitised = f.compile_flags.find("-fsanitize") != std::string::npos;
  const bool optimised = f.compile_flags.find("-O2") != std::string::npos ||
                         f.compile_flags.find("-O3") != std::string::npos;
  if (!sanitised && optimised) return std::nullopt;
  return Diagnosis{"This program was built " +
                       (sanitised ? std::string("with a sanitizer")
                                  : "without optimisation (" + f.build_type + ")") +
                       ".",
                   "backends of this suite are several times too slow",
                   "cmake --preset release && cmake --build --preset release"};
}

/// As OpenMP reads its variables: in any case, with blanks around.
bool is_word(const std::string& value, std::string_view word) {
  std::string letters;
  for (const unsigned char c : value) {
    if (std::isspace(c) == 0) letters += static_cast<char>(std::tolower(c));
  }
  return letters == word;
}

Answer spinning(const Facts& f, const Costs&) {
  std::string set;
  for (const auto& [name, value] : f.variables) {
    const bool spins = (name == "OMP_WAIT_POLICY" && is_word(value, "active")) ||
                       name == "GOMP_SPINCOUNT" || name == "KMP_BLOCKTIME" ||
                       name == "OPENBLAS_THREAD_TIMEOUT" || name == "GOTO_THREAD_TIMEOUT";
    if (spins) set += (set.empty() ? "" : " ") + name;
  }
  if (set.empty()) return std::nullopt;
  return Diagnosis{set + " decides how long idle threads of a library keep a processor busy.",
                   "the backend measured next shares its processors with them", "unset " + set};
}

Answer clock_source(const Facts& f, const Costs&) {
  constexpr std::string_view quick[] = {
      "", "tsc", "kvm-clock", "hyperv_clocksource_tsc_page", "arch_sys_counter", "xen"};
  const auto& source = f.system.clock_source;
  if (std::find(std::begin(quick), std::end(quick), source) != std::end(quick)) return std::nullopt;
  return Diagnosis{"The system reads its clock from " + source + ".",
                   "a microsecond or more for each reading",
                   "echo tsc | sudo tee "
                   "/sys/devices/system/clocksource/clocksource0/current_clocksource"};
}

Answer numa(const Facts& f, const Costs&) {
  if (f.system.numa_nodes <= 1) return std::nullopt;
  return Diagnosis{"Memory is in " + std::to_string(f.system.numa_nodes) + " nodes (NUMA).",
                   "tensors lie near the thread that made them, far from others",
                   "numactl --cpunodebind=0 --membind=0 for figures of one node"};
}

Answer blas_alternative(const Facts& f, const Costs&) {
  const std::string& path = f.system.blas_alternative;
  if (path.empty() || path.find("openblas") != std::string::npos) return std::nullopt;
  return Diagnosis{
      "libblas.so.3 stands for " + path +
          ", not for OpenBLAS. This suite links OpenBLAS by name, and so its peers run "
          "on OpenBLAS too; other programs here (NumPy, a PyTorch of their own) do not.",
      "nothing within this suite; figures of theirs may be many times too slow",
      "sudo update-alternatives --config libblas.so.3-x86_64-linux-gnu"};
}

struct Check {
  std::string_view id;
  Severity severity;
  Answer (*ask)(const Facts&, const Costs&);
};

constexpr Check checks[] = {
    {"blas-kernels", Severity::warning, blas_kernels},
    {"build", Severity::warning, build},
    {"busy", Severity::warning, busy},
    {"steal", Severity::warning, steal},
    {"noise", Severity::warning, noise},
    {"quota", Severity::warning, quota},
    {"scaling", Severity::warning, scaling},
    {"governor", Severity::warning, governor},
    {"denormals", Severity::warning, denormals},
    {"spinning", Severity::warning, spinning},
    {"clock", Severity::warning, clock_source},
    {"memory", Severity::warning, memory},
    {"smt", Severity::note, smt},
    {"affinity", Severity::note, affinity},
    {"boost", Severity::note, boost},
    {"virtual-machine", Severity::note, virtual_machine},
    {"huge-pages", Severity::note, huge_pages},
    {"numa", Severity::note, numa},
    {"libblas", Severity::note, blas_alternative},
};

constexpr Named<Severity> severities[] = {{Severity::warning, "warning"}, {Severity::note, "note"}};

}  // namespace

std::string_view name_of(Severity severity) {
  return name_in(severities, severity);
}

std::vector<Finding> examine(const Facts& facts, const Costs& costs) {
  std::vector<Finding> findings;
  for (const Check& check : checks) {
    if (auto d = check.ask(facts, costs)) {
      const Severity severity = d->harmless ? Severity::note : check.severity;
      findings.push_back({severity, check.id, d->what, d->cost, d->cure});
    }
  }
  for (const MissingBackend& missing : facts.missing) {
    findings.push_back({Severity::note, "missing", "The backend " + missing.name + " is left out.",
                        "it is not in the comparison", missing.reason});
  }
  std::stable_sort(findings.begin(), findings.end(),
                   [](const Finding& a, const Finding& b) { return a.severity < b.severity; });
  return findings;
}

std::string one_line(const Finding& f) {
  return std::string(f.id) + ": " + f.what + " Cost: " + f.cost + ". Cure: " + f.cure + ".";
}

bool has_warning(const std::vector<Finding>& findings) {
  return std::any_of(findings.begin(), findings.end(),
                     [](const Finding& f) { return f.severity == Severity::warning; });
}

}  // namespace bptt::bench
