#include "impls/api/spec.hpp"

#include <optional>
#include <vector>

#include "impls/api/exec.hpp"
#include "impls/api/names.hpp"
#include "impls/api/scalar.hpp"

namespace bptt {
namespace {

constexpr Named<CellKind> kinds[] = {
    {CellKind::rnn, "rnn"}, {CellKind::lstm, "lstm"}, {CellKind::gru, "gru"}};
constexpr Named<Activation> activations[] = {{Activation::tanh, "tanh"},
                                             {Activation::relu, "relu"},
                                             {Activation::sigmoid, "sigmoid"},
                                             {Activation::leaky_relu, "leaky_relu"},
                                             {Activation::identity, "identity"}};
constexpr Named<GruReset> resets[] = {{GruReset::before_matmul, "before_matmul"},
                                      {GruReset::after_matmul, "after_matmul"}};
constexpr Named<GruUpdate> updates[] = {{GruUpdate::take, "take"}, {GruUpdate::keep, "keep"}};
constexpr Named<GateInput> gate_inputs[] = {{GateInput::hidden, "hidden"},
                                            {GateInput::cell, "cell"}};
/// What an lstm's output and candidate may be.
constexpr Named<Activation> squashings[] = {{Activation::tanh, "tanh"},
                                            {Activation::identity, "identity"}};
constexpr Named<Recompute> recomputes[] = {
    {Recompute::none, "none"}, {Recompute::gates, "gates"}, {Recompute::checkpoint, "checkpoint"}};
constexpr Named<bool> switches[] = {{true, "on"}, {false, "off"}};
constexpr Named<Dtype> dtypes[] = {{Dtype::f32, "f32"}, {Dtype::f64, "f64"}};

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> words;
  for (std::size_t begin = 0;;) {
    const std::size_t end = text.find(separator, begin);
    words.push_back(text.substr(begin, end - begin));
    if (end == std::string_view::npos) return words;
    begin = end + 1;
  }
}

/// One option of a cell's text: "key=value", or a bare word where it has no value.
struct Option {
  std::optional<CellKind> kind;  ///< none: every kind has it
  std::string_view key;
  /// Understands the value ("" for a bare word); `where` is for the message.
  void (*apply)(Cell&, const std::string& where, std::string_view value);
  /// ":key=value"; "" where the option is at its default.
  std::string (*print)(std::string_view key, const Cell&);
  std::string (*values)();  ///< "" for a bare word
};

/// An option with the values of a table.
template <auto member, const auto& table>
constexpr Option choice(std::optional<CellKind> kind, std::string_view key) {
  return {kind, key,
          [](Cell& cell, const std::string& where, std::string_view value) {
            cell.*member = parse_in(table, where, value);
          },
          [](std::string_view name, const Cell& cell) {
            if (cell.*member == Cell().*member) return std::string();
            return ":" + std::string(name) + "=" + std::string(name_in(table, cell.*member));
          },
          [] { return names_in(table); }};
}

/// A bare word that switches on what the plain cell does not have.
template <bool Cell::*member>
constexpr Option word(CellKind kind, std::string_view key) {
  return {kind, key, [](Cell& cell, const std::string&, std::string_view) { cell.*member = true; },
          [](std::string_view name, const Cell& cell) {
            return cell.*member ? ":" + std::string(name) : std::string();
          },
          [] { return std::string(); }};
}

constexpr Option options[] = {
    choice<&Cell::reset, resets>(CellKind::gru, "reset"),
    choice<&Cell::update, updates>(CellKind::gru, "update"),
    choice<&Cell::output, squashings>(CellKind::lstm, "output"),
    choice<&Cell::candidate, squashings>(CellKind::lstm, "candidate"),
    choice<&Cell::gate_input, gate_inputs>(CellKind::lstm, "gate_input"),
    word<&Cell::peephole>(CellKind::lstm, "peephole"),
    word<&Cell::coupled>(CellKind::lstm, "coupled"),
    choice<&Cell::input_gate, switches>(CellKind::lstm, "input_gate"),
    choice<&Cell::forget_gate, switches>(CellKind::lstm, "forget_gate"),
    choice<&Cell::output_gate, switches>(CellKind::lstm, "output_gate"),
    choice<&Cell::bias, switches>(std::nullopt, "bias"),
};

bool takes(CellKind kind, const Option& option) {
  return !option.kind || option.kind == kind;
}

std::string replace(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
  return text;
}

std::string known_options(CellKind kind) {
  std::string known = kind == CellKind::rnn ? names_in(activations) : "";
  for (const Option& option : options) {
    if (!takes(kind, option)) continue;
    const std::string values = option.values();
    known += (known.empty() ? "" : ", ") + std::string(option.key) +
             (values.empty() ? "" : "=" + replace(values, ", ", "|"));
  }
  return known;
}

/// Applies one option; false where the cell does not have it.
bool apply_option(Cell& cell, const std::string& what, std::string_view text) {
  const std::size_t equals = text.find('=');
  const bool has_value = equals != std::string_view::npos;
  const std::string_view key = text.substr(0, equals);
  const std::string_view value = has_value ? text.substr(equals + 1) : std::string_view();
  if (cell.kind == CellKind::rnn && !has_value) {
    const auto* row = find_in(activations, key);
    if (row != nullptr) cell.activation = row->value;
    return row != nullptr;
  }
  for (const Option& option : options) {
    if (option.key != key || !takes(cell.kind, option)) continue;
    if (has_value != !option.values().empty()) return false;
    option.apply(cell, what + ", option '" + std::string(key) + "'", value);
    return true;
  }
  return false;
}

/// Options that contradict each other.
void check_options(const Cell& cell) {
  if (cell.coupled && !(cell.input_gate && cell.forget_gate)) {
    throw Error(ErrorKind::usage, "cell '" + to_string(cell) +
                                      "': expected both input and forget gate where they are "
                                      "coupled (i = 1 - f); got one of them off");
  }
}

}  // namespace

std::string_view name_of(Dtype dtype) {
  return name_in(dtypes, dtype);
}
Dtype parse_dtype(std::string_view name) {
  return parse_in(dtypes, "dtype", name);
}
std::size_t bytes_of(Dtype dtype) {
  return dtype == Dtype::f32 ? sizeof(float) : sizeof(double);
}

std::string_view name_of(Recompute recompute) {
  return name_in(recomputes, recompute);
}
Recompute parse_recompute(std::string_view name) {
  return parse_in(recomputes, "recompute", name);
}

bool Cell::is_plain_lstm() const {
  Cell plain;
  plain.bias = bias;
  return *this == plain;
}

Index Cell::gates() const {
  switch (kind) {
    case CellKind::rnn:
      return 1;
    case CellKind::lstm:
      return 4;
    case CellKind::gru:
      return 3;
  }
  return 0;
}

bool Cell::uses_gate(Index g) const {
  if (kind != CellKind::lstm) return true;
  const bool used[] = {input_gate && !coupled, forget_gate, true, output_gate};
  return used[g];
}

std::string_view Cell::gate_name(Index g) const {
  static constexpr std::string_view lstm[] = {"i", "f", "g", "o"};
  static constexpr std::string_view gru[] = {"r", "z", "n"};
  switch (kind) {
    case CellKind::rnn:
      return "h";
    case CellKind::lstm:
      return lstm[g];
    case CellKind::gru:
      return gru[g];
  }
  return "?";
}

Cell parse_cell(std::string_view text) {
  const auto words = split(text, ':');
  const std::string what = "cell '" + std::string(text) + "'";
  Cell cell;
  cell.kind = parse_in(kinds, what, words.front());
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (!apply_option(cell, what, words[i])) {
      throw Error(ErrorKind::usage, what + ": option '" + std::string(words[i]) +
                                        "' is not known; " + std::string(words.front()) +
                                        " takes: " + known_options(cell.kind));
    }
  }
  check_options(cell);
  return cell;
}

std::string to_string(const Cell& cell) {
  std::string text(name_in(kinds, cell.kind));
  if (cell.activation != Cell().activation) {
    text += ":" + std::string(name_in(activations, cell.activation));
  }
  for (const Option& option : options) text += option.print(option.key, cell);
  return text;
}

std::string to_string(const Shape& s) {
  return "T=" + std::to_string(s.T) + " B=" + std::to_string(s.B) + " I=" + std::to_string(s.I) +
         " H=" + std::to_string(s.H);
}

std::string to_string(const Spec& spec) {
  return to_string(spec.cell) + " " + to_string(spec.shape) + (spec.lengths ? " lengths" : "");
}

void Spec::validate() const {
  const auto check = [](const char* name, Index extent) {
    if (extent < 1) {
      throw Error(ErrorKind::usage, std::string(name) + ": expected an extent of at least 1; got " +
                                        std::to_string(extent));
    }
  };
  check_options(cell);
  check("T (sequence length)", shape.T);
  check("B (batch)", shape.B);
  check("I (input size)", shape.I);
  check("H (hidden size)", shape.H);
  // The widest element is a long double of 16 bytes; what fits with it fits with all.
  constexpr Index widest = 16;
  checked_product({cell.gates(), shape.H, shape.I, widest}, "weight_ih [G*H,I]");
  checked_product({cell.gates(), shape.H, shape.H, widest}, "weight_hh [G*H,H]");
  checked_product({shape.T, shape.B, shape.I, widest}, "x [T,B,I]");
  checked_product({shape.T, shape.B, cell.gates(), shape.H, widest}, "gates [T,B,G*H]");
}

double forward_flops(const Spec& spec, Index live_steps) {
  const auto& s = spec.shape;
  return 2.0 * static_cast<double>(live_steps) * static_cast<double>(spec.cell.gates() * s.H) *
         static_cast<double>(s.I + s.H);
}

double backward_flops(const Spec& spec, Index live_steps) {
  return 2.0 * forward_flops(spec, live_steps);
}

}  // namespace bptt
