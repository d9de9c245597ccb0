// One row of a results file: the contract between bptt-bench, which writes it, and bptt-report and
// everybody's scripts, which read it. docs/formats.md describes each column for a user.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "impls/api/index.hpp"

namespace bptt::results {

/// Changes with every change of the columns or of their meaning. Files of former versions are read:
/// columns that came later are then empty. 2: from `origin` on. 3: from `implementation` on.
inline constexpr int schema_version = 3;

/// How the note of a refused case begins; the reason follows.
inline constexpr std::string_view refused_prefix = "refused: ";

/// How the note begins, or a part of it after "; ", of a call that took less than its bound allows.
inline constexpr std::string_view faster_than_bound = "faster than the bound by more than noise";

/// One repetition of one phase of one case by one backend. An empty optional is an empty CSV cell.
/// A refused case is a row without seconds whose note starts with "refused: ".
struct Row {
  int schema = schema_version;
  std::string run_id;  ///< one invocation of bptt-bench
  std::string time;    ///< ISO 8601, UTC, when the repetition ended
  std::string host;
  std::string commit;  ///< of the source built from
  std::string backend;
  std::string backend_version;
  std::string cell;     ///< rnn | lstm | gru
  std::string options;  ///< the rest of the cell's spelling: "relu", "update=keep", ...
  std::string dtype;    ///< f32 | f64
  Index T = 0, B = 0, I = 0, H = 0;
  Index layers = 1, directions = 1;
  Index threads = 1;
  std::string phase;                  ///< forward | backward | train_step
  Index repetition = 0;               ///< from 0; for char-lm the training step
  std::optional<double> seconds;      ///< raw: wall time of one call
  std::optional<double> flops;        ///< of one call, as impls/api/spec.hpp counts them
  std::optional<double> gflops;       ///< flops / seconds / 1e9
  std::optional<double> peak_gflops;  ///< GEMM peak measured in this run, dtype and threads alike
  std::optional<double> fraction_of_peak;  ///< gflops / peak_gflops
  std::optional<Index> workspace_bytes;    ///< of the plan
  std::optional<Index> peak_rss_bytes;     ///< of the process so far
  std::string verified;                    ///< full | reduced | failed | no
  std::optional<double> max_error;  ///< largest error met in verifying, in units of the limit
  std::optional<double> noise;  ///< median absolute deviation / median of this case's repetitions
  std::string note;
  std::string workload;                    ///< layer | char-lm
  std::optional<double> items_per_second;  ///< time steps of sequences (char-lm: characters)
  std::optional<double> loss;              ///< char-lm: mean loss per character, in nats
  std::string origin;  ///< own | peer: of this suite, or another library behind its interface
  std::optional<double> reorder_seconds;    ///< of `seconds`, in reordering and packing weights
  std::optional<double> excluded_seconds;   ///< not in `seconds`: layout copies of activations
  std::optional<double> bytes;              ///< least traffic of one call (docs/measuring.md)
  std::optional<double> bound_seconds;      ///< by a model and this run's own limits
  std::optional<double> fraction_of_bound;  ///< bound_seconds / seconds
  std::string implementation;       ///< which of its implementations the backend ran, as it says
  std::string stack;                ///< composed | whole; empty: a single layer and direction
  std::optional<Index> live_steps;  ///< sum of the sequences' lengths: T*B where all are full
  std::string padding;              ///< skipped | computed; empty: there is none
  bool operator==(const Row&) const = default;
};

/// The columns in file order, of this version.
const std::vector<std::string_view>& columns();

/// A cell as results files spell it, split into its `cell` and `options` columns, joined again:
/// "gru:update=keep".
std::string cell_text(const Row&);

/// Why the case was refused; nothing for a measured row.
std::optional<std::string> refusal_of(const Row&);

}  // namespace bptt::results
