#include "bench/settings.hpp"

#include <algorithm>
#include <ctime>
#include <sstream>

#include "bench/flag_values.hpp"
#include "bench/lengths/flag.hpp"
#include "bench/output_paths.hpp"
#include "bench/presets.hpp"
#include "bench/system.hpp"
#include "impls/api/registry.hpp"
#include "impls/program/axis.hpp"

namespace bptt::bench {
namespace po = boost::program_options;
namespace {

constexpr const char* axis_flags[] = {"seq-len", "batch", "hidden", "input"};

std::vector<const Backend*> backends_of(const std::string& text) {
  std::vector<const Backend*> chosen;
  for (const auto& name : program::parse_words("--backend", text)) {
    if (name == "all") {
      chosen.insert(chosen.end(), backends().begin(), backends().end());
    } else {
      chosen.push_back(&find_backend(name));
    }
  }
  std::vector<const Backend*> once;
  for (const Backend* backend : chosen) {
    if (std::find(once.begin(), once.end(), backend) == once.end()) once.push_back(backend);
  }
  return once;
}

/// "cores" stands for the number of processors.
std::vector<int> threads_of(std::string text) {
  constexpr std::string_view word = "cores";
  for (auto at = text.find(word); at != std::string::npos; at = text.find(word)) {
    text.replace(at, word.size(), std::to_string(usable_processors()));
  }
  const auto values = program::parse_axis("--threads", text, {.most = 4096});
  return {values.begin(), values.end()};
}

/// Every shape of --shape, or the one that the axes' defaults make, crossed with the axes given.
std::vector<ShapeChoice> shapes_of(const po::variables_map& settings, const ShapeChoice& defaults) {
  std::vector<ShapeChoice> shapes;
  if (settings.count("shape") == 0) {
    shapes.push_back(defaults);
  } else {
    for (const auto& text : settings["shape"].as<std::vector<std::string>>()) {
      for (const auto& word : program::parse_words("--shape", text)) {
        shapes.push_back(parse_shape(word));
      }
    }
  }
  const auto cross = [&](const char* flag, auto assign) {
    if (settings.count(flag) == 0) return;
    std::vector<ShapeChoice> crossed;
    const auto values = program::parse_axis(std::string("--") + flag, text_of(settings, flag));
    for (ShapeChoice shape : shapes) {
      for (const Index value : values) {
        assign(shape, value);
        if (std::find(crossed.begin(), crossed.end(), shape) == crossed.end())
          crossed.push_back(shape);
      }
    }
    shapes = crossed;
  };
  cross("seq-len", [](ShapeChoice& shape, Index value) { shape.T = value; });
  cross("batch", [](ShapeChoice& shape, Index value) { shape.B = value; });
  cross("hidden", [](ShapeChoice& shape, Index value) { shape.H = value; });
  cross("input", [](ShapeChoice& shape, Index value) { shape.I = value; });
  return shapes;
}

/// Every shape in every mode of --mode, where that is given; else in its own.
std::vector<ShapeChoice> in_modes(const po::variables_map& settings,
                                  const std::vector<ShapeChoice>& shapes) {
  if (settings.count("mode") == 0) return shapes;
  std::vector<ShapeChoice> crossed;
  for (const Mode mode : list_of(
           settings, "mode", [](const std::string& word) { return parse_mode("--mode", word); })) {
    for (ShapeChoice shape : shapes) {
      shape.mode = mode;
      if (std::find(crossed.begin(), crossed.end(), shape) == crossed.end())
        crossed.push_back(shape);
    }
  }
  return crossed;
}

/// Where only the recurrence is run, there is nothing else to be asked for.
void check_modes(const Settings& s) {
  for (const ShapeChoice& shape : s.shapes) {
    if (shape.mode != Mode::recurrent_only) continue;
    const std::string name(name_of(Mode::recurrent_only));
    if (shape.I) {
      refuse_flag("input", "no inputs with the mode " + name + ", which leaves their product out",
                  std::to_string(*shape.I));
    }
    if (s.layers != std::vector<Index>{1}) {
      refuse_flag("layers", "1 with the mode " + name + ": a layer above has inputs",
                  std::to_string(s.layers.back()));
    }
  }
}

/// Puts a preset beneath what is set. Extents that are set more urgently than the preset's replace
/// all of its: its axes do not cut into shapes that somebody has asked for.
void add_preset(const program::CommandLine& line, const std::string& name,
                po::variables_map& settings) {
  const po::variables_map before = settings;
  if (const Preset* preset = find_preset(name)) {
    std::istringstream text{std::string(preset->text)};
    line.add_stream(text, "preset " + name, settings);
  } else if (name.find_first_of("./") != std::string::npos) {
    line.add_file(name, settings);
  } else {
    std::string known;
    for (const Preset& other : presets()) known += std::string(other.name) + ", ";
    throw Error(ErrorKind::usage,
                "--preset: expected " + known + "or the path of a file; got '" + name + "'");
  }
  if (before.count("shape") == 0) return;
  for (const char* flag : axis_flags) {
    if (before.count(flag) == 0) settings.erase(flag);
  }
}

Settings::Workload workload_of(const std::string& name) {
  if (name == "layer") return Settings::Workload::layer;
  if (name == "char-lm") return Settings::Workload::char_lm;
  throw Error(ErrorKind::usage, "--workload: expected one of layer, char-lm; got '" + name + "'");
}

std::string default_output() {
  char name[64];
  const std::time_t now = std::time(nullptr);
  std::tm utc = {};
  gmtime_r(&now, &utc);
  std::strftime(name, sizeof name, "bptt-bench-%Y%m%dT%H%M%SZ.csv", &utc);
  return name;
}

/// What char-lm is told beside the grid, and what of the grid it cannot do.
void add_training(const po::variables_map& settings, Settings& s) {
  s.training = training_of(settings);
  if (s.phases != std::vector{Phase::train_step}) {
    throw Error(ErrorKind::usage,
                "--phase: char-lm has whole training steps only; expected train_step");
  }
  if (std::any_of(s.shapes.begin(), s.shapes.end(),
                  [](auto& shape) { return shape.I.has_value(); })) {
    throw Error(ErrorKind::usage,
                "--input: char-lm has one input for each byte value in the text; leave it out");
  }
  if (s.bidirectional != std::vector{false}) {
    throw Error(ErrorKind::usage,
                "--bidirectional: expected off; a char-lm that reads ahead has nothing to guess");
  }
  if (s.training.truncation) {
    for (ShapeChoice& shape : s.shapes) shape.T = s.training.truncation->k2;
  }
  const std::size_t cases = s.cells.size() * s.dtypes.size() * s.shapes.size() * s.threads.size() *
                            s.layers.size() * s.recompute.size();
  for (const char* flag : {"save-weights", "dump-logits"}) {
    if (settings.count(flag) == 0 || cases == 1) continue;
    refuse_flag(flag, "one case to train, so that it is clear whose file it is",
                std::to_string(cases) + " cases");
  }
}

bool has_forget_gate(const Cell& cell) {
  for (Index g = 0; g < cell.gates(); ++g) {
    if (cell.gate_name(g) == "f" && cell.uses_gate(g)) return true;
  }
  return false;
}

/// Flags that somebody gave just now although nothing here looks at them.
void refuse_idle_flags(const std::set<std::string>& given, const Settings& s) {
  const auto refuse = [&](const std::vector<std::string>& flags, const std::string& expected,
                          const std::string& came) {
    for (const std::string& flag : flags) {
      if (given.count(flag) != 0) refuse_flag(flag.c_str(), expected, came);
    }
  };
  refuse({"json", "strict"}, "--doctor beside it, which it is about", "no --doctor");
  if (s.workload == Settings::Workload::layer) {
    refuse(training_flags(), "--workload char-lm, which has it", "--workload layer");
    return;
  }
  refuse({"repetitions", "min-time", "case-time"}, "--workload layer: a training has --steps",
         "--workload char-lm");
  if (s.training.sample == 0) {
    refuse({"temperature", "prime"}, "--sample beside it, which it is about", "no --sample");
  }
  if (!s.training.load_weights.empty()) {
    refuse({"init", "forget-bias"}, "it without --load-weights, which brings the weights", "both");
  }
  if (s.training.steps == 0) {
    refuse({"optimizer", "learning-rate", "clip-norm", "compare-curves"},
           "at least one of --steps to apply it to", "--steps 0");
  }
  for (const Cell& cell : s.cells) {
    if (cell.bias && has_forget_gate(cell)) continue;
    refuse({"forget-bias"}, "cells with a forget gate and a bias", to_string(cell));
  }
}

}  // namespace

ShapeChoice parse_shape(std::string_view text) {
  const auto fail = [&] {
    throw Error(
        ErrorKind::usage,
        "--shape: expected TxBxH or TxBxHxI, such as 25x64x512, or with a kind of cell or a mode, "
        "such as gru@25x64x512 or 25x64x512/recurrent-only; got '" +
            std::string(text) + "'");
  };
  ShapeChoice shape;
  std::string_view rest = text;
  if (const auto at = text.find('@'); at != std::string_view::npos) {
    const Cell cell = parse_cell(text.substr(0, at));
    if (!(cell == Cell{.kind = cell.kind})) fail();
    shape.kind = cell.kind;
    rest = text.substr(at + 1);
  }
  if (const auto at = rest.find('/'); at != std::string_view::npos) {
    shape.mode = parse_mode("--shape", rest.substr(at + 1));
    rest = rest.substr(0, at);
  }
  std::vector<Index> extents;
  for (bool more = true; more;) {
    const std::size_t end = rest.find('x');
    const std::string_view word = rest.substr(0, end);
    if (word.empty() || word.find_first_not_of("0123456789") != std::string_view::npos) fail();
    extents.push_back(program::parse_axis("--shape", word).front());
    more = end != std::string_view::npos;
    if (more) rest = rest.substr(end + 1);
  }
  if (extents.size() != 3 && extents.size() != 4) fail();
  shape.T = extents[0];
  shape.B = extents[1];
  shape.H = extents[2];
  if (extents.size() == 4) shape.I = extents[3];
  return shape;
}

Settings settings_of(const program::CommandLine& line, po::variables_map settings,
                     const std::set<std::string>& given) {
  Settings s;
  if (settings.count("preset") != 0) {
    s.preset = text_of(settings, "preset");
    add_preset(line, s.preset, settings);
  }
  s.workload = workload_of(text_of(settings, "workload"));
  const bool char_lm = s.workload == Settings::Workload::char_lm;
  s.backends = backends_of(text_of(settings, "backend"));
  s.cells = list_of(settings, "cell", [](const std::string& word) { return parse_cell(word); });
  s.dtypes = list_of(settings, "dtype", [](const std::string& word) { return parse_dtype(word); });
  s.phases = list_of(settings, "phase", [](const std::string& word) { return parse_phase(word); });
  s.threads = threads_of(text_of(settings, "threads"));
  s.layers = program::parse_axis("--layers", text_of(settings, "layers"), {.most = 1000});
  s.bidirectional = list_of(settings, "bidirectional", [](const std::string& word) {
    return parse_switch("bidirectional", word);
  });
  s.lengths = spreads_of(settings);
  s.recompute =
      list_of(settings, "recompute", [](const std::string& word) { return parse_recompute(word); });
  s.shapes = in_modes(settings, shapes_of(settings, char_lm ? ShapeChoice{32, 16, 128, {}, {}}
                                                            : ShapeChoice{50, 32, 128, {}, {}}));
  check_modes(s);
  check_lengths(s);
  if (char_lm) add_training(settings, s);
  s.repetitions = count_of(settings, "repetitions", 1, 1000000);
  s.min_seconds = number_of(settings, "min-time");
  s.max_call_seconds = number_of(settings, "max-call");
  s.case_seconds = number_of(settings, "case-time", Least::zero);
  s.limits = is_on(settings, "limits");
  s.bind_threads = is_on(settings, "bind");
  s.seed = settings["seed"].as<std::uint64_t>();
  s.output = settings.count("output") != 0 ? text_of(settings, "output") : default_output();
  s.dry_run = settings.count("dry-run") != 0;
  s.gemm_peak = settings.count("gemm-peak") != 0;
  if (char_lm && settings.count("mode") != 0) {
    refuse_flag("mode", "--workload layer: characters are the input of a training",
                "--workload char-lm");
  }
  refuse_idle_flags(given, s);
  refuse_clashes(used_paths(s));
  return s;
}

}  // namespace bptt::bench
