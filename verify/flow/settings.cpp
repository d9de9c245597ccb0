#include "verify/flow/settings.hpp"

#include "impls/api/registry.hpp"
#include "impls/program/axis.hpp"
#include "impls/program/command_line.hpp"
#include "verify/flow/measure.hpp"

namespace bptt::verify::flow {
namespace {

namespace po = boost::program_options;

constexpr const char* summary =
    "Shows vanishing and exploding gradients: the norm of dh_T/dh_k over T-k, measured through a\n"
    "backend's backward pass, for several initial weights, beside the bound\n"
    "(gamma sigma_max(W_hh))^(T-k) where there is one (rnn). See docs/gradient-flow.md.";

constexpr const char* epilogue =
    "Examples:\n"
    "  bptt-verify --flow --output flow.csv && bptt-report --flow flow.csv --html flow.html\n"
    "  bptt-verify --flow --cell rnn:relu --seq-len 100 --hidden 32 --backend blas\n"
    "\n"
    "Exit codes: 0 every bound holds that numbers of this precision can show, or there is none "
    "(lstm,\n"
    "gru) and every norm is finite; 1 not so; 4 nothing was measured, or every bound is out of "
    "range;\n"
    "64 wrong usage; 69 not available here.";

constexpr const char* default_cells = "rnn,rnn:relu,rnn:sigmoid,lstm,gru";
constexpr Index largest_hidden = 512;

/// A single whole number of a flag.
Index parse_extent(const char* flag, const std::string& text, Index most) {
  const std::vector<Index> values = program::parse_axis(flag, text, {.most = most, .count = 1});
  return values.front();
}

}  // namespace

std::optional<Settings> parse_settings(int argc, const char* const* argv) {
  program::CommandLine line("bptt-verify", "bptt-verify --flow [flags]", summary, epilogue);
  const auto text = [](const char* value, const char* name) {
    return po::value<std::string>()->default_value(value)->value_name(name);
  };
  line.group("What is measured")
      .add_options()("flow", po::bool_switch(), "this measurement, instead of the checks")(
          "cell", text(default_cells, "LIST"), "cells with their options")(
          "seq-len", text("50", "T"), "time steps")(
          "hidden", text("16", "H"), "hidden units, and inputs")("backend", text("naive", "LIST"),
                                                                 "backends to measure through")(
          "dtype", text("f64", "TYPE"), "f32 or f64")(
          "seed", po::value<std::uint64_t>()->default_value(1)->value_name("N"),
          "what weights and inputs are drawn from");
  line.group("What comes out")
      .add_options()("output", text("", "FILE"), "write every norm as CSV, for bptt-report --flow");
  const auto given = line.parse(argc, argv);
  if (!given) return std::nullopt;
  const auto value = [&](const char* flag) { return (*given)[flag].as<std::string>(); };

  Settings settings;
  for (const auto& name : program::parse_words("--backend", value("backend"))) {
    settings.backends.push_back(&find_backend(name));
  }
  for (const auto& word : program::parse_words("--cell", value("cell"))) {
    settings.cells.push_back(parse_cell(word));
  }
  settings.dtype = parse_dtype(value("dtype"));
  settings.T = parse_extent("--seq-len", value("seq-len"), longest);
  settings.H = parse_extent("--hidden", value("hidden"), largest_hidden);
  settings.seed = (*given)["seed"].as<std::uint64_t>();
  settings.output = value("output");
  return settings;
}

}  // namespace bptt::verify::flow
