#include "impls/schedule/cell_steps.hpp"

namespace bptt::schedule {

template <Real T>
std::unique_ptr<CellSteps<T>> make_cell_steps(const Cell& cell) {
  switch (cell.kind) {
    case CellKind::rnn:
      return make_rnn_steps<T>(cell);
    case CellKind::lstm:
      return make_lstm_steps<T>(cell);
    case CellKind::gru:
      return make_gru_steps<T>(cell);
  }
  return nullptr;
}

template std::unique_ptr<CellSteps<float>> make_cell_steps<float>(const Cell&);
template std::unique_ptr<CellSteps<double>> make_cell_steps<double>(const Cell&);

}  // namespace bptt::schedule
