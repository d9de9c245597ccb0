#include "bench/doctor/print.hpp"

#include <algorithm>
#include <ostream>
#include <sstream>

#include "bench/table.hpp"
#include "impls/api/memory.hpp"

namespace bptt::bench {
namespace {

using Severity = Finding::Severity;

std::string or_unknown(const std::string& text) {
  return text.empty() ? "not told by the system" : text;
}

std::string yes_no(const std::optional<bool>& value) {
  return value ? (*value ? "on" : "off") : "not told by the system";
}

std::string joined(const std::vector<std::pair<std::string, std::string>>& versions) {
  std::string text;
  for (const auto& [name, version] : versions) {
    text += (text.empty() ? "" : "; ") + name + ": " + version;
  }
  return text;
}

std::string caches_text(const System& s) {
  std::string text;
  for (const Cache& cache : s.caches) {
    if (cache.type == "Instruction") continue;
    text += (text.empty() ? "" : ", ") + ("L" + std::to_string(cache.level)) + " " + cache.size +
            (cache.sharers > 1 ? " for " + counted(cache.sharers, "processor") : "");
  }
  return or_unknown(text);
}

std::string load_text(const System& s) {
  std::string text = s.load ? "load average " + number_text(*s.load) : "";
  if (s.busy_processors) {
    text += (text.empty() ? "" : ", ") + number_text(*s.busy_processors) + " processors busy now";
  }
  if (s.steal_since_boot) {
    text += ", steal " + percent_text(s.steal.value_or(0)) + " now, " +
            percent_text(*s.steal_since_boot) + " since boot";
  }
  return or_unknown(text);
}

void print_facts(const Facts& f, std::ostream& out) {
  const System& s = f.system;
  const auto line = [&](const std::string& name, const std::string& value) {
    constexpr std::size_t indent = 16;
    std::string begin = "  " + name;
    begin.resize(indent, ' ');
    out << wrapped(begin, value, indent) << '\n';
  };
  line("processor", or_unknown(s.cpu_model) + ", " + counted(s.cores, "core") + ", " +
                        std::to_string(s.usable_processors) + " of " +
                        counted(s.online_processors, "processor") + " usable" +
                        (s.virtual_machine ? ", virtual" : ""));
  line("caches", caches_text(s));
  line("SMT", yes_no(s.smt));
  line("clock", "governor " + or_unknown(s.governor) + "; boost " + yes_no(s.boost) +
                    "; read from " + or_unknown(s.clock_source));
  line("quota", s.processor_quota ? number_text(*s.processor_quota) + " processors" : "none");
  line("load", load_text(s));
  line("memory", bytes_text(static_cast<std::size_t>(s.memory_available)) + " of " +
                     bytes_text(static_cast<std::size_t>(s.memory_bytes)) +
                     " free; transparent huge pages: " + or_unknown(s.huge_pages) + "; " +
                     counted(s.numa_nodes, "NUMA node"));
  line("BLAS", f.blas.library + ", kernels " + f.blas.live + " (chosen by " + f.blas.how + ")");
  line("libblas.so.3", s.blas_alternative.empty() ? "no alternative" : s.blas_alternative);
  line("denormals", f.threads_flushing == 0 && !f.blas_flushes
                        ? "kept on all " + counted(f.threads_checked, "thread")
                        : "taken for zero on some threads");
  line("system", s.os + ", " + s.kernel);
  line("build", f.build_type + ", " + f.compiler + ", " + f.compile_flags);
  line("libraries", joined(f.libraries));
  line("backends", joined(f.backends));
  std::string variables;
  for (const auto& [name, value] : f.variables) {
    variables += (variables.empty() ? "" : " ") + name + "=" + value;
  }
  line("variables", variables.empty() ? "none that matter" : variables);
}

void print_limits(const Limits& limits, std::ostream& out) {
  constexpr auto right = Table::Align::right;
  Table rates({{"threads", right},
               {"f32", right},
               {"f64", right},
               {"barrier", right},
               {"fork-join", right}});
  std::vector<int> counts;
  for (const auto& [key, rate] : limits.fma) {
    if (std::find(counts.begin(), counts.end(), key.second) == counts.end()) {
      counts.push_back(key.second);
    }
  }
  for (const int threads : counts) {
    const auto rate = [&](Dtype dtype) {
      const auto found = limits.fma.find({dtype, threads});
      return found == limits.fma.end() ? std::string("-")
                                       : number_text(found->second / 1e9) + " GFLOP/s";
    };
    const auto seconds = [&](const std::map<int, double>& of) {
      const auto found = of.find(threads);
      return found == of.end() ? std::string("-") : duration_text(found->second);
    };
    rates.add({std::to_string(threads), rate(Dtype::f32), rate(Dtype::f64), seconds(limits.barrier),
               seconds(limits.fork_join)});
  }
  rates.print(out, "  ");
  Table memory({{"threads", right}, {"level"}, {"read", right}, {"triad", right}});
  for (const Bandwidth& b : limits.bandwidths) {
    memory.add({std::to_string(b.threads), b.level, number_text(b.read / 1e9) + " GB/s",
                number_text(b.triad / 1e9) + " GB/s"});
  }
  out << '\n';
  memory.print(out, "  ");
  if (limits.core_to_core.empty()) return;
  out << "\n  From processor 0 to";
  for (const CoreLatency& one : limits.core_to_core) {
    out << ' ' << one.processor << ": " << duration_text(one.seconds)
        << (&one == &limits.core_to_core.back() ? "\n" : ",");
  }
}

void print_findings(const std::vector<Finding>& findings, Severity severity,
                    const std::string& title, std::ostream& out) {
  bool first = true;
  for (const Finding& f : findings) {
    if (f.severity != severity) continue;
    if (first) out << '\n' << title << '\n';
    first = false;
    out << wrapped("  " + std::string(f.id) + ": ", f.what, 6) << '\n'
        << wrapped("      costs: ", f.cost, 13) << '\n'
        << wrapped("      cure:  ", f.cure, 13) << '\n';
  }
}

}  // namespace

std::string wrapped(const std::string& begin, const std::string& text, std::size_t indent) {
  constexpr std::size_t width = 80;
  std::string all, line = begin;
  bool empty = true;  // but for its beginning
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    if (!empty && line.size() + 1 + word.size() > width) {
      all += line + '\n';
      line.assign(indent, ' ');
      empty = true;
    }
    line += (empty ? "" : " ") + word;
    empty = false;
  }
  return all + line;
}

void print_doctor(const Facts& facts, const Limits& limits, const std::vector<Finding>& findings,
                  std::ostream& out) {
  const auto warnings = std::count_if(findings.begin(), findings.end(), [](const Finding& f) {
    return f.severity == Severity::warning;
  });
  const auto notes = static_cast<Index>(findings.size()) - warnings;
  out << counted(warnings, "warning") << ", " << counted(notes, "note") << "\n";
  print_findings(findings, Severity::warning, "Warnings: figures measured here will mislead", out);
  print_findings(findings, Severity::note, "Notes: good to know when reading figures", out);
  out << "\nThis machine\n";
  print_facts(facts, out);
  out << "\nIts limits, measured just now\n";
  print_limits(limits, out);
}

}  // namespace bptt::bench
