// What a run of bptt-bench is asked to do: its flags, understood.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "bench/char_lm/options.hpp"
#include "bench/lengths/spread.hpp"
#include "bench/mode.hpp"
#include "bench/phase.hpp"
#include "impls/api/backend.hpp"
#include "impls/program/command_line.hpp"

namespace bptt::bench {

/// The extents of a published size, or of an axis's value; no I means I = H, or 1 where only the
/// recurrence is run. With a kind it is a size of cells of that kind only.
struct ShapeChoice {
  Index T = 0, B = 0, H = 0;
  std::optional<Index> I;
  std::optional<CellKind> kind;
  std::optional<Mode> mode = {};  ///< none: the full layer
  bool operator==(const ShapeChoice&) const = default;
};

struct Settings {
  std::vector<const Backend*> backends;
  std::vector<Cell> cells;
  std::vector<Dtype> dtypes;
  std::vector<ShapeChoice> shapes;
  std::vector<Index> layers = {1};
  std::vector<bool> bidirectional = {false};
  std::vector<Spread> lengths = {Spread()};
  std::vector<Recompute> recompute = {Recompute::none};
  std::vector<int> threads;
  std::vector<Phase> phases;

  int repetitions = 0;
  double min_seconds = 0;       ///< that one repetition lasts at least
  double max_call_seconds = 0;  ///< a backend whose call would take longer is refused the case
  /// Rounds end early, not before least_rounds, when a phase of a case has taken so long; 0: never.
  double case_seconds = 0;
  bool limits = true;  ///< measure the machine's own limits beside the sweep
  bool bind_threads = true;
  std::uint64_t seed = 0;

  enum class Workload { layer, char_lm } workload = Workload::layer;
  TrainingOptions training;  ///< of char-lm

  std::string output;
  std::string preset;  ///< as it was asked for; may be empty
  bool dry_run = false;
  bool gemm_peak = false;  ///< print that and be done
};

/// The command line: `--help` text and flags.
program::CommandLine command_line();

/// Understands what command_line() and, beneath it, a preset have set. A flag of the command line
/// itself, `given`, that has no effect with the others is refused; in variables and files it may
/// stand for other runs. Throws Error(usage) naming the flag, Error(unavailable) for a backend that
/// was left out, Error(data) for a malformed preset.
Settings settings_of(const program::CommandLine&, boost::program_options::variables_map,
                     const std::set<std::string>& given = {});

/// What a confidence interval of a median needs (reports/statistics.hpp).
inline constexpr int least_rounds = 5;

/// Parses "TxBxH", "TxBxHxI", "KIND@TxBxH", each with "/MODE" or without. Throws Error(usage).
ShapeChoice parse_shape(std::string_view);

}  // namespace bptt::bench
