#include "impls/net/dense.hpp"

#include <algorithm>

#include "impls/net/products.hpp"

namespace bptt::net {
namespace {

struct Sizes {
  Index rows, inputs, outputs;
};

template <class T, class U>
Sizes sizes_of(View<const T> a, View<const T> weight, View<U> q) {
  const auto last = [](const Extents& e) { return e.rank() == 0 ? Index{0} : e[e.rank() - 1]; };
  const Sizes s{last(a.extents()) == 0 ? 0 : a.size() / last(a.extents()), last(a.extents()),
                last(q.extents())};
  bool fits = a.extents().rank() >= 2 && a.extents().rank() == q.extents().rank() &&
              weight.extents() == Extents{s.outputs, s.inputs};
  for (int axis = 0; axis + 1 < a.extents().rank(); ++axis) {
    fits = fits && a.extents()[axis] == q.extents()[axis];
  }
  if (!fits) {
    throw Error(ErrorKind::usage, "dense layer: expected a [...,H], weight [O,H], q [...,O]; got " +
                                      to_string(a.extents()) + ", " + to_string(weight.extents()) +
                                      ", " + to_string(q.extents()));
  }
  return s;
}

template <class T>
void check_optional(const char* name, const Extents& expected, const View<T>& view) {
  if (!view || view.extents() == expected) return;
  throw Error(ErrorKind::usage, std::string("dense layer: ") + name + ": expected extents " +
                                    to_string(expected) + "; got " + to_string(view.extents()));
}

}  // namespace

template <Scalar T>
void dense_forward(View<const T> a, View<const T> weight, View<const T> bias, View<T> q) {
  const auto [rows, inputs, outputs] = sizes_of(a, weight, q);
  check_optional("bias", {outputs}, bias);
  for (Index row = 0; bias && row < rows; ++row)
    std::copy_n(bias.data(), outputs, q.data() + row * outputs);
  multiply<T>(Op::none, {a.data(), rows, inputs}, Op::transpose, {weight.data(), outputs, inputs},
              bias ? T(1) : T(0), {q.data(), rows, outputs});
}

template <Scalar T>
void dense_backward(View<const T> a, View<const T> weight, View<const T> dq, View<T> da,
                    View<T> dweight, View<T> dbias) {
  const auto [rows, inputs, outputs] = sizes_of(a, weight, dq);
  check_optional("da", a.extents(), da);
  check_optional("dweight", weight.extents(), dweight);
  check_optional("dbias", {outputs}, dbias);
  const Matrix<const T> dq_rows(dq.data(), rows, outputs);
  if (da) {
    multiply<T>(Op::none, dq_rows, Op::none, {weight.data(), outputs, inputs}, T(0),
                {da.data(), rows, inputs});
  }
  if (dweight) {
    multiply<T>(Op::transpose, dq_rows, Op::none, {a.data(), rows, inputs}, T(0),
                {dweight.data(), outputs, inputs});
  }
  if (dbias) sum_rows<T>(dq_rows, dbias.data());
}

#define BPTT_INSTANTIATE(T)                                                                      \
  template void dense_forward<T>(View<const T>, View<const T>, View<const T>, View<T>);          \
  template void dense_backward<T>(View<const T>, View<const T>, View<const T>, View<T>, View<T>, \
                                  View<T>);
BPTT_INSTANTIATE(float)
BPTT_INSTANTIATE(double)
BPTT_INSTANTIATE(long double)
BPTT_INSTANTIATE(std::complex<double>)
#undef BPTT_INSTANTIATE

}  // namespace bptt::net
