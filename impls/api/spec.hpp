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

/// What the gates i, f and o of an LSTM read through their rows of W_hh: h_{t-1}, or c_{t-1}. The
/// candidate g reads h_{t-1} in either case.
enum class GateInput { hidden, cell };

/// A recurrent cell with its options. Options of other kinds keep their defaults.
///
/// The lstm's options, which may be combined (Greff et al. 2017, "LSTM: A Search Space Odyssey",
/// has most of them). The rows of a gate that an option takes away stay in the parameters, so that
/// shapes do not depend on options; they are without effect, and their gradient is zero.
struct Cell {
  CellKind kind = CellKind::lstm;
  Activation activation = Activation::tanh;  ///< rnn only
  GruReset reset = GruReset::before_matmul;  ///< gru only
  GruUpdate update = GruUpdate::take;        ///< gru only
  Activation output = Activation::tanh;      ///< lstm: psi in h_t = o psi(c_t), tanh or identity
  Activation candidate = Activation::tanh;   ///< lstm: of g, tanh or identity
  GateInput gate_input = GateInput::hidden;  ///< lstm
  bool peephole = false;                     ///< lstm: i and f see c_{t-1}, o sees c_t
  bool coupled = false;                      ///< lstm: i = 1 - f
  bool input_gate = true;                    ///< lstm: off is i = 1
  bool forget_gate = true;                   ///< lstm: off is f = 1
  bool output_gate = true;                   ///< lstm: off is o = 1
  bool bias = true;                          ///< bias_ih and bias_hh are there

  /// Number of gate blocks G: parameters have G*H rows. Order: lstm i,f,g,o; gru r,z,n.
  Index gates() const;
  /// False for a gate block that an option has taken away: its rows have no effect, and a gradient
  /// of exactly zero.
  bool uses_gate(Index g) const;
  /// Name of gate block g, for messages: "i", "f", ...; "h" for the one block of an rnn.
  std::string_view gate_name(Index g) const;
  bool has_cell_state() const { return kind == CellKind::lstm; }
  /// The activation's slope jumps at zero: a derivative there is a matter of choice, and one taken
  /// by differences is wrong near it.
  bool has_kink() const {
    return kind == CellKind::rnn &&
           (activation == Activation::relu || activation == Activation::leaky_relu);
  }
  /// No option of the lstm is set: the cell that every library has.
  bool is_plain_lstm() const;
  bool operator==(const Cell&) const = default;
};

/// Parses `kind[:option]...`: "lstm", "rnn:relu", "gru:reset=after_matmul:update=keep",
/// "lstm:peephole:output=identity", "lstm:bias=off". Throws Error(usage) that names the word, and
/// what would have been understood.
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

  /// Throws Error(usage) that names the extent, its range and what came; also where options exclude
  /// each other, or the size of any tensor would not fit in 64 bits.
  void validate() const;
};
std::string to_string(const Spec&);

/// Floating-point operations as the suite counts them wherever it reports them: a multiply-add is
/// two, pointwise work is none, backward is twice forward. `live_steps` is T*B, or the sum of the
/// lengths.
double forward_flops(const Spec&, Index live_steps);
double backward_flops(const Spec&, Index live_steps);

}  // namespace bptt
