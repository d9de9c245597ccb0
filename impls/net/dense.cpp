#include "impls/net/dense.hpp"

#include <algorithm>

#include "impls/linalg/gemm.hpp"

namespace bptt::net {
namespace {

using linalg::gemm;
using linalg::Matrix;
using linalg::Op;

struct Sizes {
  Index rows, inputs, outputs;
};

template <class T, class U>
Sizes sizes_of(View<const T> a, View<const T> weight, const Extents& bias, View<U> q) {
  const auto last = [](const Extents& e) { return e.rank() == 0 ? Index{0} : e[e.rank() - 1]; };
  const Sizes s{last(a.extents()) == 0 ? 0 : a.size() / last(a.extents()), last(a.extents()),
                last(q.extents())};
  bool fits = a.extents().rank() >= 2 && a.extents().rank() == q.extents().rank() &&
              weight.extents() == Extents{s.outputs, s.inputs} && bias == Extents{s.outputs};
  for (int axis = 0; axis + 1 < a.extents().rank(); ++axis) {
    fits = fits && a.extents()[axis] == q.extents()[axis];
  }
  if (!fits) {
    throw Error(ErrorKind::usage,
                "dense layer: expected a [...,H], weight [O,H], bias [O], q [...,O]; "
                "got " +
                    to_string(a.extents()) + ", " + to_string(weight.extents()) + ", " +
                    to_string(bias) + ", " + to_string(q.extents()));
  }
  return s;
}

void check_gradient(const char* name, const Extents& expected, const Extents& came) {
  if (came == expected) return;
  throw Error(ErrorKind::usage, std::string("dense layer: ") + name + ": expected extents " +
                                    to_string(expected) + "; got " + to_string(came));
}

}  // namespace

template <Real T>
void dense_forward(View<const T> a, View<const T> weight, View<const T> bias, View<T> q) {
  const auto [rows, inputs, outputs] = sizes_of(a, weight, bias.extents(), q);
  for (Index row = 0; row < rows; ++row)
    std::copy_n(bias.data(), outputs, q.data() + row * outputs);
  gemm<T>(Op::none, Matrix<const T>(a.data(), rows, inputs), Op::transpose,
          Matrix<const T>(weight.data(), outputs, inputs), T(1),
          Matrix<T>(q.data(), rows, outputs));
}

template <Real T>
void dense_backward(View<const T> a, View<const T> weight, View<const T> dq, View<T> da,
                    View<T> dweight, View<T> dbias) {
  const auto [rows, inputs, outputs] = sizes_of(a, weight, dbias.extents(), dq);
  check_gradient("da", a.extents(), da.extents());
  check_gradient("dweight", weight.extents(), dweight.extents());
  const Matrix<const T> dq_rows(dq.data(), rows, outputs);
  gemm<T>(Op::none, dq_rows, Op::none, Matrix<const T>(weight.data(), outputs, inputs), T(0),
          Matrix<T>(da.data(), rows, inputs));
  gemm<T>(Op::transpose, dq_rows, Op::none, Matrix<const T>(a.data(), rows, inputs), T(0),
          Matrix<T>(dweight.data(), outputs, inputs));
  linalg::column_sums<T>(dq_rows, dbias.data(), false);
}

#define BPTT_INSTANTIATE(T)                                                                      \
  template void dense_forward<T>(View<const T>, View<const T>, View<const T>, View<T>);          \
  template void dense_backward<T>(View<const T>, View<const T>, View<const T>, View<T>, View<T>, \
                                  View<T>);
BPTT_INSTANTIATE(float)
BPTT_INSTANTIATE(double)
#undef BPTT_INSTANTIATE

}  // namespace bptt::net
