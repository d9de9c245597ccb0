#include "bench/doctor/doctor.hpp"

#include <cerrno>
#include <fstream>
#include <ostream>
#include <string>
#include <system_error>

#include "bench/doctor/costs.hpp"
#include "bench/doctor/print.hpp"
#include "bench/flag_values.hpp"
#include "impls/linalg/blas_threads.hpp"
#include "impls/program/exit_code.hpp"
#include "impls/threads/affinity.hpp"

namespace bptt::bench {
namespace {

void write_json(const std::string& path, const std::string& text, std::ostream& out) {
  if (path == "-") {
    out << text << std::flush;
    return;
  }
  errno = 0;
  std::ofstream file(path);
  file << text << std::flush;
  if (file) return;
  throw Error(ErrorKind::unavailable, path + ": cannot write what the doctor found: " +
                                          std::generic_category().message(errno));
}

}  // namespace

int run_doctor(const boost::program_options::variables_map& flags,
               const std::set<std::string>& given, std::ostream& out) {
  for (const std::string& flag : given) {
    if (flag == "doctor" || flag == "json" || flag == "strict" || flag == "config") continue;
    refuse_flag(flag.c_str(), "it without --doctor, which examines the machine and runs no case",
                "both");
  }
  const std::string path = text_or_none(flags, "json");
  // What cannot be written is told before seconds are spent on it.
  if (!path.empty() && path != "-") write_json(path, "", out);
  const Facts facts = inspect();
  const linalg::BlasThreads one_thread(1);
  threads::bind_this_thread(0);
  linalg::bind_blas_threads();
  Costs costs = measure_costs(facts, gemm_rate_of_child);
  std::vector<int> counts = {1};
  if (facts.system.usable_processors > 1) counts.push_back(facts.system.usable_processors);
  const Limits limits = measure_limits({Dtype::f32, Dtype::f64}, counts, facts.system.caches, true);
  add_scaling(limits, costs);
  const std::vector<Finding> findings = examine(facts, costs);

  if (path != "-") print_doctor(facts, limits, findings, out);
  if (!path.empty()) {
    nlohmann::ordered_json json = {{"schema_version", 1},
                                   {"time", utc_now()},
                                   {"host", host_name()},
                                   {"findings", findings_json(findings)}};
    json.update(facts_json(facts));
    json["limits"] = limits_json(limits);
    using Handler = nlohmann::ordered_json::error_handler_t;
    write_json(path, json.dump(2, ' ', false, Handler::replace) + "\n", out);
  }
  const bool strict = flags.count("strict") != 0;
  return strict && has_warning(findings) ? program::inconclusive : program::good;
}

}  // namespace bptt::bench
