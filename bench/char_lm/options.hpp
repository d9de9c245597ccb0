// How the char-lm workload trains, and what it leaves behind: its flags, understood.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bench/flag_values.hpp"
#include "impls/api/spec.hpp"
#include "impls/net/initialise.hpp"
#include "impls/net/optimizer.hpp"
#include "impls/net/truncated.hpp"
#include "impls/program/command_line.hpp"

namespace bptt::bench {

struct TrainingOptions {
  std::string text;                     ///< path
  int steps = 0;                        ///< updates; 0 where a loaded model is only used
  std::optional<double> learning_rate;  ///< else default_learning_rate
  double clip_norm = 0;
  net::OptimizerOptions optimizer;
  net::Init init = net::Init::uniform;
  std::optional<double> forget_bias;          ///< none: as `init` has it
  std::optional<net::Truncation> truncation;  ///< none: k1 = k2 = T
  bool compare_curves = true;

  Index sample = 0;        ///< characters of text to draw from the trained model
  double temperature = 1;  ///< 0: always the likeliest
  std::string prime;       ///< what the sample continues; empty: a line's begin
  std::string load_weights, save_weights, dump_logits;  ///< paths; empty: not wanted
};

/// At which a cell of that kind learns fast and is not chaotic (see CurveBound).
double default_learning_rate(const net::OptimizerOptions&, CellKind);

/// Adds the flags, in groups of their own, which live as long as the command line does.
std::vector<const boost::program_options::options_description*> add_training_flags(
    program::CommandLine&);
/// Their names, without dashes.
std::vector<std::string> training_flags();

/// Throws Error(usage) naming the flag.
TrainingOptions training_of(const FlagValues&);

}  // namespace bptt::bench
