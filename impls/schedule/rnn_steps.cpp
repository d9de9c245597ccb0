// One step of the plain recurrent cell: a product, then phi.
#include <algorithm>

#include "impls/cell/pointwise.hpp"
#include "impls/schedule/products.hpp"

namespace bptt::schedule {
namespace {

using linalg::gemm;
using linalg::Matrix;
using linalg::Op;

template <Real T>
class RnnSteps final : public CellSteps<T> {
 public:
  explicit RnnSteps(const Cell& cell) : CellSteps<T>(cell) {}

 private:
  void forward(const Params<const T>& w, const Tape<T>& step, Index rows, T* h, T*) const override {
    gemm<T>(Op::none, Matrix<T>(step.h_prev, rows, step.H), Op::transpose, as_matrix(w.weight_hh),
            T(1), Matrix<T>(step.gates, rows, step.H));
    cell::kernels<T>().rnn_forward(this->cell().activation,
                                   {rows * step.H, step.gates, step.gates});
    std::copy_n(step.gates, rows * step.H, h);
  }

  void backward(const Params<const T>& w, const Tape<T>& step, Index rows, T* dh, T*,
                T*) const override {
    cell::kernels<T>().rnn_backward(this->cell().activation,
                                    {rows * step.H, dh, step.gates, step.gates});
    gemm<T>(Op::none, Matrix<T>(step.gates, rows, step.H), Op::none, as_matrix(w.weight_hh), T(0),
            Matrix<T>(dh, rows, step.H));
  }

  void recurrent_gradient(const Tape<T>& tape, Index rows, Index begin, T beta, Matrix<T> dw, T* db,
                          Index db_rows) const override {
    const Index H = tape.H;
    schedule::recurrent_gradient<T>(
        {{0, H, Matrix<T>(tape.gates, rows, H), Matrix<T>(tape.h_prev, rows, H)}}, begin, db_rows,
        beta, dw, db);
  }
};

}  // namespace

template <Real T>
std::unique_ptr<CellSteps<T>> make_rnn_steps(const Cell& cell) {
  return std::make_unique<RnnSteps<T>>(cell);
}

template std::unique_ptr<CellSteps<float>> make_rnn_steps<float>(const Cell&);
template std::unique_ptr<CellSteps<double>> make_rnn_steps<double>(const Cell&);

}  // namespace bptt::schedule
