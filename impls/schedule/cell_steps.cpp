#include "impls/schedule/cell_steps.hpp"

#include <algorithm>

#include "impls/cell/pointwise.hpp"
#include "impls/linalg/gemm.hpp"

namespace bptt::schedule {
namespace {

using linalg::gemm;
using linalg::Matrix;
using linalg::Op;

template <Real T>
Matrix<T> matrix(const View<T>& v) {
  return {v.data(), v.extents()[0], v.extents()[1]};
}

template <Real T>
Matrix<const T> matrix(const View<const T>& v) {
  return {v.data(), v.extents()[0], v.extents()[1]};
}

/// dw = beta dw + d^T v, db likewise with the column sums of d.
template <Real T>
void add_gradient(Matrix<T> d, Matrix<T> v, T beta, Matrix<T> dw, T* db) {
  if (dw.data != nullptr) gemm<T>(Op::transpose, d, Op::none, v, beta, dw);
  if (db != nullptr) linalg::column_sums<T>(d, db, beta != T(0));
}

/// Cells whose every gate reads h_{t-1} alike, through one product: rnn and lstm.
template <Real T>
class PlainSteps : public CellSteps<T> {
 protected:
  using CellSteps<T>::CellSteps;

  static void add_recurrent_product(const Params<const T>& w, const Tape<T>& step, Index rows) {
    gemm<T>(Op::none, Matrix<T>(step.h_prev, rows, step.H), Op::transpose, matrix(w.weight_hh),
            T(1), Matrix<T>(step.gates, rows, step.G * step.H));
  }
  static void gradient_of_h_prev(const Params<const T>& w, const Tape<T>& step, Index rows, T* dh) {
    gemm<T>(Op::none, Matrix<T>(step.gates, rows, step.G * step.H), Op::none, matrix(w.weight_hh),
            T(0), Matrix<T>(dh, rows, step.H));
  }

 private:
  void recurrent_gradient(const Tape<T>& tape, Index rows, Index begin, T beta, Matrix<T> dw, T* db,
                          Index db_rows) const override {
    const Matrix<T> d = Matrix<T>(tape.gates, rows, tape.G * tape.H).col_range(begin, db_rows);
    add_gradient(d, Matrix<T>(tape.h_prev, rows, tape.H), beta, dw, db);
  }
};

template <Real T>
class RnnSteps final : public PlainSteps<T> {
 public:
  explicit RnnSteps(const Cell& cell) : PlainSteps<T>(cell) {}

 private:
  void forward(const Params<const T>& w, const Tape<T>& step, Index rows, T* h, T*) const override {
    this->add_recurrent_product(w, step, rows);
    cell::kernels<T>().rnn_forward(this->cell().activation,
                                   {rows * step.H, step.gates, step.gates});
    std::copy_n(step.gates, rows * step.H, h);
  }
  void backward(const Params<const T>& w, const Tape<T>& step, Index rows, T* dh, T*,
                T*) const override {
    cell::kernels<T>().rnn_backward(this->cell().activation,
                                    {rows * step.H, dh, step.gates, step.gates});
    this->gradient_of_h_prev(w, step, rows, dh);
  }
};

template <Real T>
class LstmSteps final : public PlainSteps<T> {
 public:
  explicit LstmSteps(const Cell& cell) : PlainSteps<T>(cell) {}

 private:
  void forward(const Params<const T>& w, const Tape<T>& step, Index rows, T* h,
               T* c) const override {
    this->add_recurrent_product(w, step, rows);
    cell::kernels<T>().lstm_forward({rows, step.H, step.gates, step.c_prev, c, step.tanh_c, h});
  }
  void backward(const Params<const T>& w, const Tape<T>& step, Index rows, T* dh, T* dc,
                T*) const override {
    cell::kernels<T>().lstm_backward({rows, step.H, dh, step.c_prev, step.tanh_c, step.gates, dc});
    this->gradient_of_h_prev(w, step, rows, dh);
  }
};

/// Gates r and z read h_{t-1}; the candidate n reads it through the reset gate.
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
    const auto w_rz = matrix(w.weight_hh).row_range(0, 2 * H);
    const auto w_n = matrix(w.weight_hh).row_range(2 * H, H);
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
    const auto w_rz = matrix(w.weight_hh).row_range(0, 2 * H);
    const auto w_n = matrix(w.weight_hh).row_range(2 * H, H);
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
    const Index H = tape.H, end = begin + db_rows;
    const Matrix<T> gates(tape.gates, rows, 3 * H), h_prev(tape.h_prev, rows, H),
        product(tape.product, rows, H);
    // The part of the range that lies in r and z, then the part in n.
    const Index split = std::clamp<Index>(2 * H, begin, end);
    const auto part = [&](Matrix<T> d, Matrix<T> v, Index first, Index count) {
      if (count == 0) return;
      const Index at = first - begin;
      add_gradient(d, v, beta, dw.data == nullptr ? dw : dw.row_range(at, count),
                   db == nullptr ? nullptr : db + at);
    };
    part(gates.col_range(begin, split - begin), h_prev, begin, split - begin);
    const Index in_n = split - 2 * H;
    if (after()) {
      part(product.col_range(in_n, end - split), h_prev, split, end - split);
    } else {
      part(gates.col_range(split, end - split), product, split, end - split);
    }
  }
};

}  // namespace

template <Real T>
std::unique_ptr<CellSteps<T>> make_cell_steps(const Cell& cell) {
  switch (cell.kind) {
    case CellKind::rnn:
      return std::make_unique<RnnSteps<T>>(cell);
    case CellKind::lstm:
      return std::make_unique<LstmSteps<T>>(cell);
    case CellKind::gru:
      return std::make_unique<GruSteps<T>>(cell);
  }
  return nullptr;
}

template std::unique_ptr<CellSteps<float>> make_cell_steps<float>(const Cell&);
template std::unique_ptr<CellSteps<double>> make_cell_steps<double>(const Cell&);

}  // namespace bptt::schedule
