#include "verify/cases.hpp"

#include <algorithm>

#include "verify/random_values.hpp"
#include "verify/tolerance.hpp"

namespace bptt::verify {
namespace {

/// How much of the tables a cell goes through.
enum class Coverage { full, options };

struct CellRow {
  std::string_view cell;
  Coverage coverage;
};
constexpr CellRow cells[] = {
    {"rnn", Coverage::full},
    {"rnn:relu", Coverage::full},
    {"rnn:sigmoid", Coverage::full},
    {"rnn:leaky_relu", Coverage::full},
    {"rnn:identity", Coverage::full},
    {"lstm", Coverage::full},
    {"gru", Coverage::full},
    {"gru:update=keep", Coverage::full},
    {"gru:reset=after_matmul", Coverage::full},
    {"gru:reset=after_matmul:update=keep", Coverage::full},
    // Options of the lstm: the time loop is the plain one's, only the pointwise work differs.
    {"lstm:output=identity", Coverage::options},
    {"lstm:candidate=identity", Coverage::options},
    {"lstm:gate_input=cell", Coverage::options},
    {"lstm:output=identity:gate_input=cell", Coverage::options},
    {"lstm:peephole", Coverage::options},
    {"lstm:coupled", Coverage::options},
    {"lstm:peephole:coupled", Coverage::options},
    {"lstm:input_gate=off", Coverage::options},
    {"lstm:forget_gate=off", Coverage::options},
    {"lstm:output_gate=off", Coverage::options},
    {"lstm:peephole:output_gate=off", Coverage::options},
    {"lstm:candidate=identity:input_gate=off", Coverage::options},
    {"lstm:output=identity:gate_input=cell:peephole", Coverage::options},
    {"lstm:gate_input=cell:coupled", Coverage::options},
};

enum class Bias { on, both };

enum class Of { plain_cells, all_cells, kinds, gated, tanh, lstm };

struct ShapeRow {
  Shape shape;
  std::vector<Variant> variants;
  Bias bias;
  bool small, quick;
  Of of = Of::plain_cells;
  bool recompute = false;
};

const std::vector<ShapeRow>& shape_rows() {
  using enum Variant;
  static const std::vector<ShapeRow> rows = {
      // Small enough for the oracles to visit every element; in a quick run, the smallest.
      {{4, 2, 3, 3}, {plain}, Bias::both, true, true, Of::all_cells},
      {{7, 3, 5, 4}, {plain}, Bias::on, true, false, Of::all_cells},
      {{7, 3, 5, 4}, {lengths}, Bias::both, true, false, Of::all_cells},
      {{7, 3, 5, 4}, {bare, last}, Bias::on, true, false, Of::plain_cells, true},
      {{5, 5, 2, 3}, {lengths}, Bias::on, true, false},
      {{31, 1, 2, 3}, {plain}, Bias::on, true, false},
      // Extents of one.
      {{1, 1, 1, 1}, {plain, lengths}, Bias::both, true, true},
      {{1, 5, 3, 7}, {plain, lengths}, Bias::on, true, false, Of::plain_cells, true},
      {{9, 1, 3, 5}, {plain, lengths}, Bias::both, false, true},
      {{6, 5, 1, 1}, {plain, lengths}, Bias::on, false, true},
      {{5, 1, 1, 9}, {plain, bare}, Bias::on, false, false},
      // Around the widths of vector registers and matrix-product tiles.
      {{3, 2, 81, 16}, {plain}, Bias::both, false, false},
      {{11, 7, 3, 17}, {plain, lengths}, Bias::both, false, true, Of::plain_cells, true},
      {{6, 65, 9, 8}, {plain, lengths}, Bias::on, false, false},
      {{9, 5, 31, 33}, {plain, lengths, bare, last}, Bias::on, false, false},
      {{5, 16, 17, 48}, {plain}, Bias::both, false, false},
      {{4, 37, 19, 80}, {plain, lengths}, Bias::on, false, false},
      // Far back in time, and more rows than one time chunk of a hoisted product holds.
      {{50, 3, 5, 17}, {plain}, Bias::on, false, true, Of::all_cells, true},
      {{50, 3, 5, 17}, {lengths}, Bias::on, false, true, Of::all_cells},
      {{50, 2, 7, 9}, {last}, Bias::on, false, false},
      {{60, 13, 7, 33}, {plain, lengths}, Bias::on, false, false},
      {{75, 37, 5, 17}, {plain}, Bias::on, false, false, Of::kinds, true},
      {{75, 37, 5, 17}, {lengths}, Bias::on, false, false, Of::plain_cells, true},
      {{24, 81, 3, 80}, {plain, lengths}, Bias::on, false, false, Of::tanh, true},
      {{131, 2, 3, 5}, {plain}, Bias::on, false, false},
      // So few rows and so many units that threads share the units of a step (fused), in an odd
      // number of panels.
      {{5, 3, 9, 168}, {plain, lengths}, Bias::on, false, false, Of::gated, true},
      {{5, 3, 9, 232}, {plain, lengths}, Bias::on, false, false, Of::tanh, true},
      // Beyond the blocks that products are cut into: of the units of an lstm's gates, of inputs
      // (of dW_ih; of what is packed at a time), of rows.
      {{4, 7, 33, 96}, {plain}, Bias::on, false, false},
      {{2, 2, 3, 272}, {plain}, Bias::on, false, false, Of::lstm},
      {{3, 2, 2060, 3}, {plain}, Bias::on, false, false, Of::kinds},
      {{3, 4, 8300, 33}, {plain}, Bias::on, false, false, Of::kinds},
      // Units shared by more threads than there are panels of them.
      {{3, 2, 8200, 3}, {plain}, Bias::on, false, false, Of::kinds},
      {{3, 160, 3, 5}, {plain, lengths}, Bias::on, false, false, Of::kinds, true},
  };
  return rows;
}

/// Stacks: what every cell goes through, and what one of each kind does.
struct StackRow {
  Index layers;
  bool bidirectional, lengths;
  Shape shape;
  bool small, quick;
  std::vector<std::string_view> cells{};  ///< empty: all
  bool recompute = false;
  Bias bias = Bias::on;  ///< both: where it goes through all cells
};

const std::vector<StackRow>& stack_rows() {
  static const std::vector<std::string_view> kinds = {"rnn", "lstm", "gru",
                                                      "gru:reset=after_matmul:update=keep"};
  static const std::vector<StackRow> rows = {
      {2, false, false, {5, 2, 4, 3}, true, false, {}, false, Bias::both},
      {1, true, false, {5, 2, 4, 3}, true, false, {}, false, Bias::both},
      {1, true, true, {5, 3, 4, 2}, true, false, kinds},
      {2, true, true, {4, 4, 3, 2}, true, true, kinds},
      {3, true, true, {6, 4, 3, 2}, true, false, {"rnn", "lstm", "gru"}, true},
      {3, false, false, {5, 2, 4, 3}, true, false, {"lstm:peephole", "lstm:coupled"}},
      {2,
       false,
       true,
       {5, 3, 2, 3},
       true,
       false,
       {"rnn:bias=off", "lstm:bias=off", "gru:bias=off"}},
      {2, true, true, {11, 7, 3, 17}, false, true, kinds},
      {3, true, false, {25, 5, 9, 13}, false, false, kinds},
  };
  return rows;
}

/// Lets the progress line know: pointwise work counts as well, and the oracles run the small ones
/// over and over.
double work_of(const Spec& spec, Index copies, bool small) {
  const Shape& s = spec.shape;
  const auto n = static_cast<double>(copies);
  const double once = n * (forward_flops(spec, s.T * s.B) +
                           200.0 * static_cast<double>(s.T * s.B * s.H * spec.cell.gates()));
  const Index smallest = std::min({s.B * s.H, s.B * s.I, s.H});
  const double parameters = n * static_cast<double>(spec.cell.gates() * s.H * (s.I + s.H + 2));
  constexpr double runs_of_oracles = 20;
  return once * (runs_for(smallest) * 6 + (small ? runs_of_oracles * parameters : 0));
}

std::string shape_text(const Shape& s) {
  return "T" + std::to_string(s.T) + "-B" + std::to_string(s.B) + "-I" + std::to_string(s.I) +
         "-H" + std::to_string(s.H);
}

Case from_row(const ShapeRow& row, Variant variant, const Cell& cell) {
  Spec spec;
  spec.cell = cell;
  spec.shape = row.shape;
  spec.lengths = variant == Variant::lengths;
  Case c;
  c.cell = to_string(cell);
  c.name = c.cell + "/" + std::string(name_of(variant)) + "/" + shape_text(row.shape);
  c.subject = layer_subject(spec, spec.lengths ? unsorted_lengths(row.shape) : std::vector<Index>(),
                            variant);
  c.small = row.small;
  c.quick = row.quick;
  c.recompute = row.recompute;
  c.work = work_of(spec, 1, row.small);
  return c;
}

Case from_row(const StackRow& row, const Cell& cell) {
  net::NetworkSpec spec;
  spec.stack.cell = cell;
  spec.stack.shape = row.shape;
  spec.stack.layers = row.layers;
  spec.stack.bidirectional = row.bidirectional;
  spec.stack.lengths = row.lengths;
  Case c;
  c.cell = to_string(cell);
  std::string kind = row.layers > 1 ? std::to_string(row.layers) + "-layers" : "";
  if (row.bidirectional) kind += (kind.empty() ? "" : "-") + std::string("bidirectional");
  c.name = c.cell + "/" + kind + (row.lengths ? "-lengths" : "") + "/" + shape_text(row.shape);
  c.subject =
      network_subject(spec, row.lengths ? unsorted_lengths(row.shape) : std::vector<Index>());
  c.small = row.small;
  c.quick = row.quick;
  c.recompute = row.recompute;
  c.work = work_of(spec.stack.layer_spec(0), spec.stack.states(), row.small);
  return c;
}

void add_layers(std::vector<Case>& cases) {
  for (const CellRow& of : cells) {
    for (const ShapeRow& row : shape_rows()) {
      Cell cell = parse_cell(of.cell);
      if (row.of == Of::gated && cell.kind == CellKind::rnn) continue;
      if (row.of == Of::tanh && of.cell != "rnn") continue;
      if (row.of == Of::lstm && cell.kind != CellKind::lstm) continue;
      if (row.of == Of::kinds && of.cell.find(':') != std::string_view::npos) continue;
      if (row.of != Of::all_cells && of.coverage == Coverage::options) continue;
      for (const Variant variant : row.variants) {
        for (const bool bias : {true, false}) {
          if (!bias && (row.bias == Bias::on || of.coverage == Coverage::options)) continue;
          cell.bias = bias;
          Case& c = cases.emplace_back(from_row(row, variant, cell));
          // The oracles take their time.
          if (of.coverage == Coverage::options && row.small) c.quick = false;
        }
      }
    }
  }
}

void add_stacks(std::vector<Case>& cases) {
  for (const StackRow& row : stack_rows()) {
    for (const std::string_view cell : row.cells) cases.push_back(from_row(row, parse_cell(cell)));
    if (!row.cells.empty()) continue;
    for (const CellRow& of : cells) {
      Cell cell = parse_cell(of.cell);
      cases.push_back(from_row(row, cell));
      if (row.bias == Bias::on) continue;
      cell.bias = false;
      cases.push_back(from_row(row, cell));
    }
  }
}

void add_architectures(std::vector<Case>& cases) {
  net::ArchitectureSettings settings;
  settings.shape = {5, 4, 2, 3};
  settings.target_steps = 7;
  settings.target_inputs = 6;
  settings.outputs = 8;
  settings.hidden = 9;
  for (const auto& architecture : net::architectures()) {
    const bool recurrent = architecture.cells != net::CellUse::none;
    bool first = true;
    for (const std::string_view cell :
         {"rnn", "lstm", "gru", "gru:reset=after_matmul:update=keep"}) {
      settings.cell = parse_cell(cell);
      if (!architecture.takes(settings.cell) || (!recurrent && !first)) continue;
      for (const bool lengths : {false, true}) {
        if (lengths && !architecture.takes_lengths) continue;
        settings.lengths = lengths ? unsorted_lengths(settings.shape) : std::vector<Index>();
        settings.target_lengths =
            lengths ? unsorted_lengths({settings.target_steps, settings.shape.B, 1, 1})
                    : std::vector<Index>();
        Case c;
        c.cell = recurrent ? to_string(settings.cell) : "";
        c.name = architecture.name + "/" + (recurrent ? c.cell + "/" : "") +
                 (lengths ? "lengths/" : "plain/") + shape_text(settings.shape);
        c.subject = architecture_subject(architecture, settings);
        // The oracles see lengths, which hold a full one; without them, in one cell.
        c.small = first || lengths || !architecture.takes_lengths;
        c.quick = first;
        c.recompute = first;
        Spec spec;
        spec.cell = settings.cell;
        spec.shape = settings.shape;
        c.work = work_of(spec, 2, c.small);
        cases.push_back(c);
        first = false;
      }
    }
  }
}

std::vector<Case> make_cases() {
  std::vector<Case> cases;
  add_layers(cases);
  add_stacks(cases);
  add_architectures(cases);
  return cases;
}

}  // namespace

const std::vector<Case>& all_cases() {
  static const std::vector<Case> cases = make_cases();
  return cases;
}

const Case& find_case(std::string_view name) {
  for (const Case& c : all_cases()) {
    if (c.name == name) return c;
  }
  throw Error(ErrorKind::usage, std::string(name) + ": no such case");
}

Case layer_case(std::string_view cell, const Shape& shape, Variant variant) {
  return from_row(ShapeRow{shape, {}, Bias::on, true, false}, variant, parse_cell(cell));
}

std::uint64_t seed_of(const Case& c, std::uint64_t seed) {
  // Of the draws that a seed could stand for, one in which no slice of any case lies under the
  // noise at the default seed. In others about one layer of one unit in two hundred has one: a
  // difference of states that happen to be nearly the same.
  constexpr std::uint64_t draw = std::uint64_t{2} << 32;
  return hash_of(c.name) ^ ((seed + draw) * 0x9e3779b97f4a7c15u);
}

bool matches_glob(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0;
  // Where to go on after a mismatch: behind the last star, which then takes one character more.
  std::size_t after_star = std::string_view::npos, taken = 0;
  while (t < text.size()) {
    if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t]) && pattern[p] != '*') {
      ++p;
      ++t;
    } else if (p < pattern.size() && pattern[p] == '*') {
      after_star = ++p;
      taken = t;
    } else if (after_star != std::string_view::npos) {
      p = after_star;
      t = ++taken;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

}  // namespace bptt::verify
