// The parameters' gradients of a block: products over all rows of a segment, and where there are
// several segments their sum.
#include <algorithm>

#include "impls/linalg/gemm.hpp"
#include "impls/schedule/sequence_block.hpp"

namespace bptt::schedule {
namespace {

using linalg::gemm;
using linalg::Matrix;
using linalg::Op;

template <Real T>
void copy_or_add(const T* from, Index count, bool accumulate, T* to) {
  for (Index k = 0; k < count; ++k) to[k] = accumulate ? to[k] + from[k] : from[k];
}

}  // namespace

template <Real T>
void SequenceBlock<T>::segment_weight_gradients(const Inputs<const T>& in, Index begin, Index count,
                                                bool accumulate, const Params<T>& dw) const {
  const Index I = spec_.shape.I, from = segments_.begin(segment_), to = segments_.end(segment_);
  const Index rows = live_.offset(to) - live_.offset(from);
  const T beta = accumulate ? T(1) : T(0);
  const Matrix<T> d = gate_rows(from, to).col_range(begin, count);
  const auto range = [&](const View<T>& view, Index cols) {
    return view ? Matrix<T>(view.data() + begin * cols, count, cols) : Matrix<T>();
  };
  const auto at = [&](const View<T>& view) { return view ? view.data() + begin : nullptr; };
  if (dw.weight_ih) {
    gemm<T>(Op::transpose, d, Op::none, Matrix<const T>(packed_x(in, from), rows, I), beta,
            range(dw.weight_ih, I));
  }
  if (dw.bias_ih) linalg::column_sums<T>(d, at(dw.bias_ih), accumulate);
  steps_->recurrent_gradient(tape_at(from), rows, begin, beta, range(dw.weight_hh, tape_.H),
                             at(dw.bias_hh), count);
}

template <Real T>
void SequenceBlock<T>::sum_weight_gradients(const Inputs<const T>& in, bool accumulate,
                                            const Params<T>& wanted) {
  const Index rows = tape_.G * tape_.H;
  const auto own = [](const View<T>& view, T* data) {
    return view ? View<T>(data, view.extents()) : View<T>();
  };
  segment_weight_gradients(
      in, 0, rows, accumulate,
      {own(wanted.weight_ih, d_weight_ih_), own(wanted.weight_hh, d_weight_hh_),
       own(wanted.bias_ih, d_bias_), own(wanted.bias_hh, d_bias_ + rows)});
}

template <Real T>
void SequenceBlock<T>::weight_gradients(const Inputs<const T>& in, Index begin, Index count,
                                        bool accumulate, const Params<T>& dw) const {
  if (recomputes()) {
    const auto add = [&](const View<T>& view, const T* sums, Index cols) {
      if (!view) return;
      copy_or_add(sums + begin * cols, count * cols, accumulate, view.data() + begin * cols);
    };
    add(dw.weight_ih, d_weight_ih_, spec_.shape.I);
    add(dw.weight_hh, d_weight_hh_, tape_.H);
    add(dw.bias_ih, d_bias_, 1);
    if (dw.bias_hh) add(dw.bias_hh, d_bias_ + tape_.G * tape_.H, 1);
  } else {
    segment_weight_gradients(in, begin, count, accumulate, dw);
  }
  if (begin == 0 && dw.weight_peephole) {
    copy_or_add(tape_.d_peephole, dw.weight_peephole.size(), accumulate, dw.weight_peephole.data());
  }
}

template class SequenceBlock<float>;
template class SequenceBlock<double>;

}  // namespace bptt::schedule
