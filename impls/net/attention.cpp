#include "impls/net/attention.hpp"

#include <algorithm>

#include "impls/net/layer_activation.hpp"
#include "impls/net/products.hpp"
#include "impls/net/sequences.hpp"

namespace bptt::net {
namespace {

/// The first `rows` steps of sequence b of a tensor over time [T,B,W], as a matrix of W columns or
/// of the first `cols`.
template <class T>
Matrix<T> sequence(const View<T>& view, Index b, Index rows, Index cols) {
  const Extents& e = view.extents();
  return {view.data() + b * e[2], rows, cols, e[1] * e[2]};
}

/// The live steps of one sequence on both sides.
struct Live {
  Index query, source;
};
Live live_of(const AttentionLengths& lengths, Index b, Index U, Index T) {
  return {live_steps(lengths.query, b, U), live_steps(lengths.source, b, T)};
}

void check(const Extents& states, const Extents& source, const Extents& weights,
           const Extents& context) {
  const Index U = states[0], B = states[1], H = states[2];
  if (states.rank() == 3 && source == Extents{source[0], B, H} &&
      weights == Extents{U, B, source[0]} && context == states) {
    return;
  }
  throw Error(ErrorKind::usage,
              "attention: expected states [U,B,H], source [T,B,H], weights [U,B,T], context "
              "[U,B,H]; got " +
                  to_string(states) + ", " + to_string(source) + ", " + to_string(weights) + ", " +
                  to_string(context));
}

}  // namespace

template <Scalar T>
void attention_forward(View<const T> states, View<const T> source, const AttentionLengths& lengths,
                       View<T> weights, View<T> context) {
  check(states.extents(), source.extents(), weights.extents(), context.extents());
  const Index U = states.extents()[0], B = states.extents()[1], H = states.extents()[2];
  std::fill(weights.begin(), weights.end(), T(0));
  std::fill(context.begin(), context.end(), T(0));
  for (Index b = 0; b < B; ++b) {
    const auto [m, n] = live_of(lengths, b, U, source.extents()[0]);
    if (m == 0 || n == 0) continue;
    const auto alpha = sequence(weights, b, m, n);
    multiply<T>(Op::none, sequence(states, b, m, H), Op::transpose, sequence(source, b, n, H), T(0),
                alpha);
    activate_rows(LayerActivation::softmax, alpha);
    multiply<T>(Op::none, alpha, Op::none, sequence(source, b, n, H), T(0),
                sequence(context, b, m, H));
  }
}

template <Scalar T>
void attention_backward(View<const T> states, View<const T> source, const AttentionLengths& lengths,
                        View<const T> weights, View<const T> dcontext, View<T> scratch,
                        View<T> dstates, View<T> dsource) {
  check(states.extents(), source.extents(), weights.extents(), dcontext.extents());
  check(dstates.extents(), dsource.extents(), weights.extents(), dcontext.extents());
  const Index U = states.extents()[0], B = states.extents()[1], H = states.extents()[2];
  for (Index b = 0; b < B; ++b) {
    const auto [m, n] = live_of(lengths, b, U, source.extents()[0]);
    if (m == 0 || n == 0) continue;
    const auto s = sequence(states, b, m, H), h = sequence(source, b, n, H);
    const auto alpha = sequence(weights, b, m, n), dc = sequence(dcontext, b, m, H);
    const auto ds = sequence(dstates, b, m, H), dh = sequence(dsource, b, n, H);
    // dalpha, and then de in its place.
    const Matrix<T> de(scratch.data(), m, n);
    multiply<T>(Op::none, dc, Op::transpose, h, T(0), de);
    differentiate_rows<T>(LayerActivation::softmax, alpha, de);
    multiply<T>(Op::none, de, Op::none, h, T(1), ds);
    multiply<T>(Op::transpose, de, Op::none, s, T(1), dh);
    multiply<T>(Op::transpose, alpha, Op::none, dc, T(1), dh);
  }
}

#define BPTT_INSTANTIATE(T)                                                                  \
  template void attention_forward<T>(View<const T>, View<const T>, const AttentionLengths&,  \
                                     View<T>, View<T>);                                      \
  template void attention_backward<T>(View<const T>, View<const T>, const AttentionLengths&, \
                                      View<const T>, View<const T>, View<T>, View<T>, View<T>);
BPTT_INSTANTIATE(float)
BPTT_INSTANTIATE(double)
BPTT_INSTANTIATE(long double)
BPTT_INSTANTIATE(std::complex<double>)
#undef BPTT_INSTANTIATE

}  // namespace bptt::net
