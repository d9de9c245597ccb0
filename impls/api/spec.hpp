// What is to be computed: a cell with its options, and the extents. Validated, parsed and printed
// here and nowhere else. The equations that the options select stand in docs/equations.md.
#pragma once

#include <string>
#include <string_view>

#include "impls/api/index.hpp"

namespace bptt {

enum class CellKind { rnn, lstm, gru };

/// phi of the plain recurrent cell. The slope of leaky_relu on the negative side is 0.01.
enum class Activation { tanh, relu, sigmoid, leaky_relu, identity };
inline constexpr double leaky_relu_slope = 0.01;

/// Where the reset gate r acts: on h_{t-1} before the product with W_hn (Cho et al. 2014), or on
/// the product (PyTorch, cuDNN, oneDNN's "LBR" GRU).
enum class GruReset { before_matmul, after_matmul };

/// What the update gate z weighs: the candidate, h_t = (1-z) h_{t-1} + z n, or the old state,
/// h_t = z h_{t-1} + (1-z) n (PyTorch).
enum class GruUpdate { take, keep };

/// A recurrent cell with its options. Options of other kinds keep their defaults.
struct Cell {
  CellKind kind = CellKind::lstm;
  Activation activation = Activation::tanh;  ///< rnn only
  GruReset reset = GruReset::before_matmul;  ///< gru only
  GruUpdate update = GruUpdate::take;        ///< gru only
  bool bias = true;                          ///< bias_ih and bias_hh are there

  /// Number of gate blocks G: parameters have G*H rows. Order: lstm i,f,g,o; gru r,z,n.
  Index gates() const;
  /// Name of gate block g, for messages: "i", "f", ...; "h" for the one block of an rnn.
  std::string_view gate_name(Index g) const;
  bool has_cell_state() const { return kind == CellKind::lstm; }
  bool operator==(const Cell&) const = default;
};

/// Parses `kind[:option]...`: "lstm", "rnn:relu", "gru:reset=after_matmul:update=keep",
/// "lstm:bias=off". Throws Error(usage) that names the word, and what would have been understood.
Cell parse_cell(std::string_view text);
/// The inverse of parse_cell; options at their default are left out.
std::string to_string(const Cell&);

/// Extents: T time steps, B sequences, I inputs, H hidden units. All at least 1.
struct Shape {
  Index T = 1, B = 1, I = 1, H = 1;
  bool operator==(const Shape&) const = default;
};
std::string to_string(const Shape&);

struct Spec {
  Cell cell;
  Shape shape;
  bool lengths = false;  ///< each sequence has a length of its own, given when running
  bool operator==(const Spec&) const = default;

  /// Throws Error(usage) that names the extent, its range and what came; also where the size of any
  /// tensor would not fit in 64 bits.
  void validate() const;
};
std::string to_string(const Spec&);

/// Floating-point operations as the suite counts them wherever it reports them: a multiply-add is
/// two, pointwise work is none, backward is twice forward. `live_steps` is T*B, or the sum of the
/// lengths.
double forward_flops(const Spec&, Index live_steps);
double backward_flops(const Spec&, Index live_steps);

}  // namespace bptt
