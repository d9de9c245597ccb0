// The flags of bptt-bench, and what --help says about them.
#include "bench/char_lm/options.hpp"
#include "bench/settings.hpp"

namespace bptt::bench {
namespace po = boost::program_options;

program::CommandLine command_line() {
  program::CommandLine line(
      "bptt-bench", "bptt-bench [--preset NAME] [flags]",
      "Times recurrent layers, forward and backward, on every backend, into a CSV file.\n"
      "Each backend is verified at a case first; one that is wrong there is not timed.",
      "Lists and ranges: 16,64   16:1024:x2 (doubling)   1:8:+1 (steps of 1)   1,4:16:x2 (both)\n"
      "Cells:            lstm   gru   rnn:relu   gru:reset=after_matmul:update=keep   "
      "lstm:bias=off\n"
      "\n"
      "Examples:\n"
      "  bptt-bench --preset quick --output quick.csv\n"
      "  bptt-bench --cell lstm,gru --hidden 64:1024:x2 --batch 1,32 --threads 1,2\n"
      "  bptt-bench --preset deepbench --cell lstm --dry-run\n"
      "  bptt-bench --layers 1,2,4 --bidirectional off,on --recompute none,gates\n"
      "  bptt-bench --lengths full,uniform,10%,ewt,./lengths.txt\n"
      "  bptt-bench --doctor\n"
      "  bptt-bench --workload char-lm --layers 2 --text book.txt --sample 500\n"
      "\n"
      "Settings come from flags, then from BPTT_* variables (BPTT_SEQ_LEN=50), then from "
      "--config,\n"
      "then from --preset.\n"
      "\n"
      "Exit codes: 0 good, 1 a check failed, 3 a training was inconclusive (too chaotic to be\n"
      "checked, diverged, or its loss did not fall enough), 4 nothing "
      "was\n"
      "measured, 64 bad usage, 65 bad input, 69 not available, 130 interrupted (what was measured "
      "is in the file).");
  auto text = [] { return po::value<std::string>(); };
  line.group("What to measure")
      .add_options()("preset", text()->value_name("NAME|FILE"),
                     "settings that belong together; see --list-presets")(
          "workload", text()->value_name("NAME")->default_value("layer"),
          "layer: recurrent layers; char-lm: train a character-level language model")(
          "backend", text()->value_name("LIST")->default_value("all"), "backends, or all")(
          "cell", text()->value_name("LIST")->default_value("lstm"), "cells with their options")(
          "dtype", text()->value_name("LIST")->default_value("f32"), "f32, f64")(
          "seq-len", text()->value_name("LIST"), "time steps T (default 50; char-lm 32)")(
          "batch", text()->value_name("LIST"), "sequences B (default 32; char-lm 16)")(
          "hidden", text()->value_name("LIST"), "hidden units H (default 128)")(
          "input", text()->value_name("LIST"), "inputs I (default: as many as hidden units)")(
          "shape", po::value<std::vector<std::string>>()->value_name("LIST"),
          "sizes as TxBxH, TxBxHxI or, for one kind of cell, gru@TxBxH; may be repeated; an extent "
          "given "
          "by its own flag as well replaces that of every size")(
          "mode", text()->value_name("LIST"),
          "full-layer, recurrent-only: without the product of input and weights, as DeepBench "
          "counts (default: full-layer, or as --shape has it: TxBxH/recurrent-only)")(
          "layers", text()->value_name("LIST")->default_value("1"), "layers, one upon the other")(
          "bidirectional", text()->value_name("LIST")->default_value("off"),
          "off, on: a second direction in every layer")(
          "lengths", text()->value_name("LIST")->default_value("full"),
          "how long the sequences of a batch are: full (T steps each); uniform (evenly spread over "
          "1..T); 25% (so many of the T*B steps are live, most sequences short); ewt (words of a "
          "sentence in a treebank); or a file of lengths, one on a line, scaled to T")(
          "recompute", text()->value_name("LIST")->default_value("none"),
          "what backward computes again instead of remembering it: none, gates, checkpoint")(
          "threads", text()->value_name("LIST")->default_value("1"),
          "threads; `cores` stands for the number of processors, as in 1:cores:x2")(
          "phase", text()->value_name("LIST")->default_value("train_step"),
          "forward, backward, train_step (both)");
  line.group("How to measure")
      .add_options()("repetitions", po::value<long long>()->value_name("N")->default_value(7),
                     "rounds; in each, every backend is measured once in turn")(
          "min-time", po::value<double>()->value_name("SECONDS")->default_value(0.05, "0.05"),
          "that one repetition lasts at least")(
          "max-call", po::value<double>()->value_name("SECONDS")->default_value(10, "10"),
          "refuse a backend the cases where one call would take longer, by estimate")(
          "case-time", po::value<double>()->value_name("SECONDS")->default_value(0, "0"),
          "end the rounds of a case after so long, with at least 5; 0: never")(
          "bind", text()->value_name("on|off")->default_value("on"),
          "bind each thread to a processor, so that times do not depend on where the system puts "
          "them")("seed", po::value<std::uint64_t>()->value_name("N")->default_value(1),
                  "of weights and inputs")(
          "limits", text()->value_name("on|off")->default_value("on"),
          "measure what the machine can do at most, at the start and at the end: arithmetic, "
          "bandwidths, barriers; rows then tell how near they come");
  add_training_flags(line);
  line.group("Output").add_options()(
      "output", text()->value_name("FILE"),
      "the CSV file, written anew (default bptt-bench-TIME.csv); what it was measured on goes to "
      "FILE's name with .environment.json")(
      "dry-run", "print the cases with memory and time estimates; measure nothing")(
      "doctor",
      "examine the machine and this build: what is wrong for measuring, what it costs and "
      "what cures it")("json", text()->value_name("FILE"),
                       "with --doctor: facts, limits and findings as JSON; - is standard output")(
      "strict", "with --doctor: exit code 3 where there is a warning")(
      "gemm-peak",
      "print the rate of a large matrix product by OpenBLAS, for each dtype and number "
      "of threads as `f32 1 123`")("list-backends",
                                   "print the backends that are built in, and why others are not")(
      "list-presets", "print the presets");
  return line;
}

}  // namespace bptt::bench
