// One step of the LSTM. All four gates read h_{t-1}, through one product; or, where the gates read
// the cell state, i, f and o are multiplied with c_{t-1} and only the candidate g with h_{t-1}.
#include "impls/cell/pointwise.hpp"
#include "impls/schedule/products.hpp"

namespace bptt::schedule {
namespace {

using linalg::gemm;
using linalg::Matrix;
using linalg::Op;

template <Real T>
class LstmSteps final : public CellSteps<T> {
 public:
  explicit LstmSteps(const Cell& cell) : CellSteps<T>(cell) {}

 private:
  /// Rows of W_hh that are multiplied alike.
  struct Block {
    Index begin, end;  ///< in units of H
    bool reads_cell_state;
  };
  static constexpr Block from_hidden[] = {{0, 4, false}};
  static constexpr Block from_cell[] = {{0, 2, true}, {2, 3, false}, {3, 4, true}};

  /// Calls visit(first row, rows, reads_cell_state) for each.
  template <class Visit>
  void for_each_block(Index H, Visit visit) const {
    const auto all = [&](const auto& blocks) {
      for (const Block& block : blocks) {
        visit(block.begin * H, (block.end - block.begin) * H, block.reads_cell_state);
      }
    };
    this->cell().gate_input == GateInput::cell ? all(from_cell) : all(from_hidden);
  }

  void forward(const Params<const T>& w, const Tape<T>& step, Index rows, T* h,
               T* c) const override {
    const Index H = step.H;
    const Matrix<T> gates(step.gates, rows, 4 * H);
    for_each_block(H, [&](Index begin, Index count, bool reads_cell_state) {
      const T* state = reads_cell_state ? step.c_prev : step.h_prev;
      gemm<T>(Op::none, Matrix<const T>(state, rows, H), Op::transpose,
              as_matrix(w.weight_hh).row_range(begin, count), T(1), gates.col_range(begin, count));
    });
    cell::kernels<T>().lstm_forward(this->cell(), {rows, H, step.gates, step.c_prev, c, step.psi_c,
                                                   h, w.weight_peephole.data()});
  }

  void backward(const Params<const T>& w, const Tape<T>& step, Index rows, T* dh, T* dc,
                T*) const override {
    const Index H = step.H;
    cell::kernels<T>().lstm_backward(this->cell(),
                                     {rows, H, dh, step.c_prev, step.psi_c, step.gates, dc,
                                      w.weight_peephole.data(), step.d_peephole});
    const Matrix<T> gates(step.gates, rows, 4 * H);
    for_each_block(H, [&](Index begin, Index count, bool reads_cell_state) {
      // dh has been used up and is written anew; dc already holds what went past the gates.
      gemm<T>(Op::none, gates.col_range(begin, count), Op::none,
              as_matrix(w.weight_hh).row_range(begin, count), reads_cell_state ? T(1) : T(0),
              Matrix<T>(reads_cell_state ? dc : dh, rows, H));
    });
  }

  void recurrent_gradient(const Tape<T>& tape, Index rows, Index begin, T beta, Matrix<T> dw, T* db,
                          Index db_rows) const override {
    const Index H = tape.H;
    const Matrix<T> gates(tape.gates, rows, 4 * H);
    for_each_block(H, [&](Index first, Index count, bool reads_cell_state) {
      const Matrix<T> v(reads_cell_state ? tape.c_prev : tape.h_prev, rows, H);
      schedule::recurrent_gradient<T>({{first, first + count, gates.col_range(first, count), v}},
                                      begin, db_rows, beta, dw, db);
    });
  }
};

}  // namespace

template <Real T>
std::unique_ptr<CellSteps<T>> make_lstm_steps(const Cell& cell) {
  return std::make_unique<LstmSteps<T>>(cell);
}

template std::unique_ptr<CellSteps<float>> make_lstm_steps<float>(const Cell&);
template std::unique_ptr<CellSteps<double>> make_lstm_steps<double>(const Cell&);

}  // namespace bptt::schedule
