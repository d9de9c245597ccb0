// One step of the GRU in its four forms: gates r and z read h_{t-1}; the candidate n reads it
// through the reset gate.
#include "impls/cell/pointwise.hpp"
#include "impls/schedule/products.hpp"

namespace bptt::schedule {
namespace {

using linalg::gemm;
using linalg::Matrix;
using linalg::Op;

template <Real T>
class GruSteps final : public CellSteps<T> {
 public:
  explicit GruSteps(const Cell& cell) : CellSteps<T>(cell) {}

  /// after_matmul multiplies b_hn by r: it stays with the product.
  Index hoisted_bias_rows(Index H) const override { return after() ? 2 * H : 3 * H; }

 private:
  bool after() const { return this->cell().reset == GruReset::after_matmul; }

  void forward(const Params<const T>& w, const Tape<T>& step, Index rows, T* h, T*) const override {
    const Index H = step.H;
    const Matrix<T> gates(step.gates, rows, 3 * H), h_prev(step.h_prev, rows, H),
        product(step.product, rows, H);
    const auto w_rz = as_matrix(w.weight_hh).row_range(0, 2 * H);
    const auto w_n = as_matrix(w.weight_hh).row_range(2 * H, H);
    const T* bias_hn = after() && w.bias_hh ? w.bias_hh.data() + 2 * H : nullptr;
    const cell::GruForward<T> pointwise{rows, H, step.gates, step.h_prev, step.product, bias_hn, h};

    gemm<T>(Op::none, h_prev, Op::transpose, w_rz, T(1), gates.col_range(0, 2 * H));
    cell::kernels<T>().gru_forward_gates(this->cell().reset, pointwise);
    if (after()) {
      gemm<T>(Op::none, h_prev, Op::transpose, w_n, T(0), product);
    } else {
      gemm<T>(Op::none, product, Op::transpose, w_n, T(1), gates.col_range(2 * H, H));
    }
    cell::kernels<T>().gru_forward_candidate(this->cell().reset, this->cell().update, pointwise);
  }

  void backward(const Params<const T>& w, const Tape<T>& step, Index rows, T* dh, T*,
                T* scratch) const override {
    const Index H = step.H;
    const Matrix<T> gates(step.gates, rows, 3 * H), product(step.product, rows, H),
        dh_prev(dh, rows, H), d_product(scratch, rows, H);
    const auto w_rz = as_matrix(w.weight_hh).row_range(0, 2 * H);
    const auto w_n = as_matrix(w.weight_hh).row_range(2 * H, H);
    const cell::GruBackward<T> pointwise{rows,         H,  step.h_prev, step.gates,
                                         step.product, dh, scratch};

    cell::kernels<T>().gru_backward_candidate(this->cell().reset, this->cell().update, pointwise);
    if (after()) {
      gemm<T>(Op::none, product, Op::none, w_n, T(1), dh_prev);
    } else {
      gemm<T>(Op::none, gates.col_range(2 * H, H), Op::none, w_n, T(0), d_product);
      cell::kernels<T>().gru_backward_reset(pointwise);
    }
    gemm<T>(Op::none, gates.col_range(0, 2 * H), Op::none, w_rz, T(1), dh_prev);
  }

  void recurrent_gradient(const Tape<T>& tape, Index rows, Index begin, T beta, Matrix<T> dw, T* db,
                          Index db_rows) const override {
    const Index H = tape.H;
    const Matrix<T> gates(tape.gates, rows, 3 * H), h_prev(tape.h_prev, rows, H),
        product(tape.product, rows, H);
    // before_matmul: n's rows were multiplied with r h_{t-1}; after_matmul: with h_{t-1}, and the
    // gradient of that product stands in place of the product.
    const Matrix<T> n = gates.col_range(2 * H, H);
    schedule::recurrent_gradient<T>(
        {{0, 2 * H, gates.col_range(0, 2 * H), h_prev},
         {2 * H, 3 * H, after() ? product : n, after() ? h_prev : product}},
        begin, db_rows, beta, dw, db);
  }
};

}  // namespace

template <Real T>
std::unique_ptr<CellSteps<T>> make_gru_steps(const Cell& cell) {
  return std::make_unique<GruSteps<T>>(cell);
}

template std::unique_ptr<CellSteps<float>> make_gru_steps<float>(const Cell&);
template std::unique_ptr<CellSteps<double>> make_gru_steps<double>(const Cell&);

}  // namespace bptt::schedule
