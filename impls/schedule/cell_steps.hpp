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
  T* gates = nullptr;    ///< [rows,G*H] pre-activations, then activations, then their gradients
  T* h_prev = nullptr;   ///< [rows,H] h_{t-1}
  T* c_prev = nullptr;   ///< [rows,H] c_{t-1}, lstm
  T* tanh_c = nullptr;   ///< [rows,H] lstm
  T* product = nullptr;  ///< [rows,H] gru: see cell/pointwise.hpp

  Tape from(Index row) const {
    const auto advance = [row](T* array, Index width) {
      return array == nullptr ? nullptr : array + row * width;
    };
    return {H,
            G,
            advance(gates, G * H),
            advance(h_prev, H),
            advance(c_prev, H),
            advance(tanh_c, H),
            advance(product, H)};
  }
};

template <Real T>
class CellSteps {
 public:
  virtual ~CellSteps() = default;

  /// Leading rows of bias_hh that are a plain summand of the pre-activation, so that they can be
  /// added before the time loop together with bias_ih.
  virtual Index hoisted_bias_rows(Index H) const { return cell_.gates() * H; }

  /// One step of `rows` live sequences. `step.gates` holds the input's part of the pre-activations,
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

}  // namespace bptt::schedule
