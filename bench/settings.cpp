#include "bench/settings.hpp"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <sstream>

#include "bench/presets.hpp"
#include "bench/system.hpp"
#include "impls/api/registry.hpp"
#include "impls/program/axis.hpp"

namespace bptt::bench {
namespace po = boost::program_options;
namespace {

constexpr const char* axis_flags[] = {"seq-len", "batch", "hidden", "input"};

const std::string& text_of(const po::variables_map& settings, const char* flag) {
  return settings[flag].as<std::string>();
}

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

template <class Parse>
auto list_of(const po::variables_map& settings, const char* flag, Parse parse) {
  std::vector<decltype(parse(std::string()))> values;
  for (const auto& word : program::parse_words(std::string("--") + flag, text_of(settings, flag))) {
    const auto value = parse(word);
    if (std::find(values.begin(), values.end(), value) == values.end()) values.push_back(value);
  }
  return values;
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

double positive(const po::variables_map& settings, const char* flag) {
  const double value = settings[flag].as<double>();
  if (!std::isfinite(value) || value <= 0) {
    std::ostringstream came;
    came << value;
    throw Error(ErrorKind::usage,
                std::string("--") + flag + ": expected a number above 0; got " + came.str());
  }
  return value;
}

int count(const po::variables_map& settings, const char* flag, int most) {
  const auto value = settings[flag].as<long long>();
  if (value < 1 || value > most) {
    throw Error(ErrorKind::usage, std::string("--") + flag + ": expected 1.." +
                                      std::to_string(most) + "; got " + std::to_string(value));
  }
  return static_cast<int>(value);
}

bool is_on(const po::variables_map& settings, const char* flag) {
  const std::string& text = text_of(settings, flag);
  if (text != "on" && text != "off") {
    throw Error(ErrorKind::usage,
                std::string("--") + flag + ": expected on or off; got '" + text + "'");
  }
  return text == "on";
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

}  // namespace

ShapeChoice parse_shape(std::string_view text) {
  const auto fail = [&] {
    throw Error(
        ErrorKind::usage,
        "--shape: expected TxBxH or TxBxHxI, such as 25x64x512, or with a kind of cell, such "
        "as gru@25x64x512; got '" +
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

double default_learning_rate(CellKind kind) {
  return kind == CellKind::rnn ? 0.3 : 2;
}

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
      "  bptt-bench --workload char-lm --text book.txt\n"
      "\n"
      "Settings come from flags, then from BPTT_* variables (BPTT_SEQ_LEN=50), then from "
      "--config,\n"
      "then from --preset.\n"
      "\n"
      "Exit codes: 0 good, 1 a check failed, 3 a training was too chaotic to be checked, 4 nothing "
      "was\n"
      "measured, 64 bad usage, 65 bad input, 69 not available, 130 interrupted (what was measured "
      "is in the file).");
  auto text = [] { return po::value<std::string>(); };
  line.group("What to measure")
      .add_options()("preset", text()->value_name("NAME|FILE"),
                     "settings that belong together; see --list-presets")(
          "workload", text()->value_name("NAME")->default_value("layer"),
          "layer: one recurrent layer; char-lm: train a character-level language model")(
          "backend", text()->value_name("LIST")->default_value("all"), "backends, or all")(
          "cell", text()->value_name("LIST")->default_value("lstm"), "cells with their options")(
          "dtype", text()->value_name("LIST")->default_value("f32"), "f32, f64")(
          "seq-len", text()->value_name("LIST"), "time steps T (default 50; char-lm 64)")(
          "batch", text()->value_name("LIST"), "sequences B (default 32; char-lm 16)")(
          "hidden", text()->value_name("LIST"), "hidden units H (default 128)")(
          "input", text()->value_name("LIST"), "inputs I (default: as many as hidden units)")(
          "shape", po::value<std::vector<std::string>>()->value_name("LIST"),
          "sizes as TxBxH, TxBxHxI or, for one kind of cell, gru@TxBxH; may be repeated; an extent "
          "given "
          "by its own flag as well replaces that of every size")(
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
          "bind", text()->value_name("on|off")->default_value("on"),
          "bind each thread to a processor, so that times do not depend on where the system puts "
          "them")("seed", po::value<std::uint64_t>()->value_name("N")->default_value(1),
                  "of weights and inputs");
  line.group("Character-level language model")
      .add_options()("text",
                     text()->value_name("FILE")->default_value("/usr/share/common-licenses/GPL-3"),
                     "the text to learn")(
          "steps", po::value<long long>()->value_name("N")->default_value(100), "training steps")(
          "learning-rate", po::value<double>()->value_name("R"),
          "of plain SGD (default 2; rnn 0.3)")(
          "clip-norm", po::value<double>()->value_name("R")->default_value(1, "1"),
          "largest global norm of the gradients");
  line.group("Output").add_options()(
      "output", text()->value_name("FILE"),
      "the CSV file, written anew (default bptt-bench-TIME.csv); what it was measured on goes to "
      "FILE's name with .environment.json")(
      "dry-run", "print the cases with memory and time estimates; measure nothing")(
      "list-backends", "print the backends that are built in, and why others are not")(
      "list-presets", "print the presets");
  return line;
}

Settings settings_of(const program::CommandLine& line, po::variables_map settings) {
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
  s.shapes = shapes_of(
      settings, char_lm ? ShapeChoice{64, 16, 128, {}, {}} : ShapeChoice{50, 32, 128, {}, {}});
  if (char_lm && s.phases != std::vector{Phase::train_step}) {
    throw Error(ErrorKind::usage,
                "--phase: char-lm has whole training steps only; expected train_step");
  }
  if (char_lm && std::any_of(s.shapes.begin(), s.shapes.end(),
                             [](auto& shape) { return shape.I.has_value(); })) {
    throw Error(ErrorKind::usage,
                "--input: char-lm has one input for each byte value in the text; leave it out");
  }
  s.repetitions = count(settings, "repetitions", 1000000);
  s.min_seconds = positive(settings, "min-time");
  s.max_call_seconds = positive(settings, "max-call");
  s.bind_threads = is_on(settings, "bind");
  s.seed = settings["seed"].as<std::uint64_t>();
  s.text = text_of(settings, "text");
  s.steps = count(settings, "steps", 10000000);
  if (settings.count("learning-rate") != 0) s.learning_rate = positive(settings, "learning-rate");
  s.clip_norm = positive(settings, "clip-norm");
  s.output = settings.count("output") != 0 ? text_of(settings, "output") : default_output();
  s.dry_run = settings.count("dry-run") != 0;
  return s;
}

}  // namespace bptt::bench
