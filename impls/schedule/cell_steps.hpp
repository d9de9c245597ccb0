// What differs between cells in the schedule: the products and pointwise work of one time step, and
// which arrays make up the gradients of the recurrent weights.
#pragma once

#include <memory>

#include "impls/api/scalar.hpp"
#include "impls/api/tensors.hpp"
#include "impls/linalg/matrix.hpp"

namespace bptt::schedule {

/// The tape of a block of sequences and of one step of it: packed rows (live_rows.hpp), row-major.
/// Absent arrays are nullptr.
template <Real T>
struct Tape {
  Index H = 0, G = 0;
  T* gates = nullptr;       ///< [rows,G*H] pre-activations, then activations, then their gradients
  T* h_prev = nullptr;      ///< [rows,H] h_{t-1}
  T* c_prev = nullptr;      ///< [rows,H] c_{t-1}, lstm
  T* psi_c = nullptr;       ///< [rows,H] psi(c_t), lstm
  T* product = nullptr;     ///< [rows,H] gru: see cell/pointwise.hpp
  T* d_peephole = nullptr;  ///< [3,H] of all rows: their gradient, added to

  /// From a row of the states and a row of all else on.
  Tape from(Index state_row, Index row) const {
    const auto advance = [](T* array, Index elements) {
      return array == nullptr ? nullptr : array + elements;
    };
    return {H,
            G,
            advance(gates, row * G * H),
            advance(h_prev, state_row * H),
            advance(c_prev, state_row * H),
            advance(psi_c, row * H),
            advance(product, row * H),
            d_peephole};
  }
};

template <Real T>
class CellSteps {
 public:
  virtual ~CellSteps() = default;

  /// Leading rows of bias_hh that are a plain summand of the pre-activation, so that they can be
  /// added before the time loop together with bias_ih.
  virtual Index hoisted_bias_rows(Index H) const { return cell_.gates() * H; }

  /// One step of `rows` live sequences, or the rows of several steps whose h_{t-1} and c_{t-1} are
  /// known already. `step.gates` holds the input's part of the pre-activations,
  /// biases included; writes h_t [rows,H] to `h` and c_t to `c`.
  virtual void forward(const Params<const T>&, const Tape<T>& step, Index rows, T* h,
                       T* c) const = 0;

  /// `dh` and `dc` [rows,H]: gradients of h_t and c_t in, of h_{t-1} and c_{t-1} out. Leaves the
  /// gradients of the pre-activations in `step.gates` (and of a product in `step.product`).
  /// `scratch`: [rows,H].
  virtual void backward(const Params<const T>&, const Tape<T>& step, Index rows, T* dh, T* dc,
                        T* scratch) const = 0;

  /// Rows begin..begin+dw.rows of weight_hh's gradient, over all `rows` of the tape: dw = beta dw +
  /// sum. db, the same rows of bias_hh's, may be nullptr.
  virtual void recurrent_gradient(const Tape<T>& tape, Index rows, Index begin, T beta,
                                  linalg::Matrix<T> dw, T* db, Index db_rows) const = 0;

 protected:
  explicit CellSteps(const Cell& cell) : cell_(cell) {}
  const Cell& cell() const { return cell_; }

 private:
  Cell cell_;
};

template <Real T>
std::unique_ptr<CellSteps<T>> make_cell_steps(const Cell&);

/// One kind each.
template <Real T>
std::unique_ptr<CellSteps<T>> make_rnn_steps(const Cell&);
template <Real T>
std::unique_ptr<CellSteps<T>> make_lstm_steps(const Cell&);
template <Real T>
std::unique_ptr<CellSteps<T>> make_gru_steps(const Cell&);

}  // namespace bptt::schedule
