#include "impls/api/spec.hpp"

#include <vector>

#include "impls/api/scalar.hpp"

namespace bptt {
namespace {

/// One table per concept: the enumerators of E with their names.
template <class E>
struct Named {
  E value;
  std::string_view name;
};

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
constexpr Named<bool> switches[] = {{true, "on"}, {false, "off"}};
constexpr Named<Dtype> dtypes[] = {{Dtype::f32, "f32"}, {Dtype::f64, "f64"}};

template <class E, std::size_t N>
std::string_view name_in(const Named<E> (&table)[N], E value) {
  for (const auto& row : table) {
    if (row.value == value) return row.name;
  }
  return "?";
}

template <class E, std::size_t N>
std::string names_in(const Named<E> (&table)[N]) {
  std::string names;
  for (const auto& row : table) names += (names.empty() ? "" : ", ") + std::string(row.name);
  return names;
}

template <class E, std::size_t N>
const Named<E>* find_in(const Named<E> (&table)[N], std::string_view name) {
  for (const auto& row : table) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

template <class E, std::size_t N>
E parse_in(const Named<E> (&table)[N], std::string_view what, std::string_view name) {
  if (const auto* row = find_in(table, name)) return row->value;
  throw Error(ErrorKind::usage, std::string(what) + ": expected one of " + names_in(table) +
                                    "; got '" + std::string(name) + "'");
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> words;
  for (std::size_t begin = 0;;) {
    const std::size_t end = text.find(separator, begin);
    words.push_back(text.substr(begin, end - begin));
    if (end == std::string_view::npos) return words;
    begin = end + 1;
  }
}

std::string known_options(CellKind kind) {
  switch (kind) {
    case CellKind::rnn:
      return names_in(activations) + ", bias=on|off";
    case CellKind::lstm:
      return "bias=on|off";
    case CellKind::gru:
      return "reset=before_matmul|after_matmul, update=take|keep, bias=on|off";
  }
  return "";
}

/// Applies one option; false where the cell does not have it.
bool apply_option(Cell& cell, const std::string& what, std::string_view option) {
  const std::size_t equals = option.find('=');
  const std::string_view key = option.substr(0, equals);
  const std::string_view value =
      equals == std::string_view::npos ? std::string_view() : option.substr(equals + 1);
  if (equals == std::string_view::npos) {
    if (cell.kind != CellKind::rnn) return false;
    const auto* row = find_in(activations, key);
    if (row == nullptr) return false;
    cell.activation = row->value;
    return true;
  }
  const std::string where = what + ", option '" + std::string(key) + "'";
  if (key == "bias") {
    cell.bias = parse_in(switches, where, value);
  } else if (key == "reset" && cell.kind == CellKind::gru) {
    cell.reset = parse_in(resets, where, value);
  } else if (key == "update" && cell.kind == CellKind::gru) {
    cell.update = parse_in(updates, where, value);
  } else {
    return false;
  }
  return true;
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
  return cell;
}

std::string to_string(const Cell& cell) {
  const Cell plain;
  std::string text(name_in(kinds, cell.kind));
  if (cell.activation != plain.activation) {
    text += ":" + std::string(name_in(activations, cell.activation));
  }
  if (cell.reset != plain.reset) text += ":reset=" + std::string(name_in(resets, cell.reset));
  if (cell.update != plain.update) text += ":update=" + std::string(name_in(updates, cell.update));
  if (cell.bias != plain.bias) text += ":bias=" + std::string(name_in(switches, cell.bias));
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
