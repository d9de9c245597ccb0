// Compiled once per instruction set by foreach_target.h: loops over rows and units around the
// equations of equations-inl.hpp, and the table that picks the best at run time.
#include "impls/cell/pointwise.hpp"

// Left out: SVE, whose vectors have no size when compiling, so that no struct can hold them.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "impls/cell/pointwise.cpp"
// foreach_target.h must come before highway.h.
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "impls/cell/equations-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace bptt::cell::HWY_NAMESPACE {

/// Calls body(d, j) for j = 0..n in whole vectors, then one by one: a tail must not touch what lies
/// behind it.
template <class T, class Body>
HWY_INLINE void for_units(Index n, Body body) {
  const hn::ScalableTag<T> d;
  const hn::CappedTag<T, 1> d1;
  const auto lanes = static_cast<Index>(hn::Lanes(d));
  Index j = 0;
  for (; j + lanes <= n; j += lanes) body(d, j);
  for (; j < n; ++j) body(d1, j);
}

/// Calls body with the enumerator as a compile-time constant.
template <class Body>
HWY_INLINE void with_activation(Activation phi, Body body) {
  using enum Activation;
  switch (phi) {
    case tanh:
      return body(std::integral_constant<Activation, tanh>());
    case relu:
      return body(std::integral_constant<Activation, relu>());
    case sigmoid:
      return body(std::integral_constant<Activation, sigmoid>());
    case leaky_relu:
      return body(std::integral_constant<Activation, leaky_relu>());
    case identity:
      return body(std::integral_constant<Activation, identity>());
  }
}

template <class T>
void rnn_forward(Activation phi, const RnnForward<T>& s) {
  with_activation(phi, [&](auto kind) HWY_ATTR {
    for_units<T>(s.size, [&](auto d, Index j) HWY_ATTR {
      hn::StoreU(act::activate<decltype(kind)::value>(d, hn::LoadU(d, s.p + j)), d, s.h + j);
    });
  });
}

template <class T>
void rnn_backward(Activation phi, const RnnBackward<T>& s) {
  with_activation(phi, [&](auto kind) HWY_ATTR {
    for_units<T>(s.size, [&](auto d, Index j) HWY_ATTR {
      const auto slope = act::slope<decltype(kind)::value>(d, hn::LoadU(d, s.h + j));
      hn::StoreU(hn::Mul(slope, hn::LoadU(d, s.dh + j)), d, s.dp + j);
    });
  });
}

/// Row `row` of a step's gates.
template <class T>
struct LstmRow {
  LstmRow(T* gates, Index row, Index H)
      : i(gates + row * 4 * H), f(i + H), g(f + H), o(g + H), at(row * H) {}
  T *i, *f, *g, *o;
  Index at;  ///< of the arrays [rows,H]
};

template <class D, class Options, class T>
HWY_INLINE typename Lstm<D>::Peephole load_peephole(D d, const Options& with, const T* w, Index H,
                                                    Index j) {
  if (!with.peephole) return {hn::Zero(d), hn::Zero(d), hn::Zero(d)};
  return {hn::LoadU(d, w + j), hn::LoadU(d, w + H + j), hn::LoadU(d, w + 2 * H + j)};
}

template <class D, class T, class V = hn::Vec<D>>
HWY_INLINE void add_to(D d, V value, T* sum) {
  hn::StoreU(hn::Add(hn::LoadU(d, sum), value), d, sum);
}

template <class Options, class T>
void lstm_forward_with(const Options& with, const LstmForward<T>& s) {
  for (Index row = 0; row < s.rows; ++row) {
    const LstmRow<T> r(s.gates, row, s.H);
    for_units<T>(s.H, [&](auto d, Index j) HWY_ATTR {
      const auto step = Lstm<decltype(d)>::forward(
          d, with, hn::LoadU(d, r.i + j), hn::LoadU(d, r.f + j), hn::LoadU(d, r.g + j),
          hn::LoadU(d, r.o + j), hn::LoadU(d, s.c_prev + r.at + j),
          load_peephole(d, with, s.peephole, s.H, j));
      hn::StoreU(step.i, d, r.i + j);
      hn::StoreU(step.f, d, r.f + j);
      hn::StoreU(step.g, d, r.g + j);
      hn::StoreU(step.o, d, r.o + j);
      hn::StoreU(step.c, d, s.c + r.at + j);
      hn::StoreU(step.psi_c, d, s.psi_c + r.at + j);
      hn::StoreU(step.h, d, s.h + r.at + j);
    });
  }
}

template <class T>
void lstm_forward(const Cell& cell, const LstmForward<T>& s) {
  cell.is_plain_lstm() ? lstm_forward_with(PlainLstm(), s)
                       : lstm_forward_with(LstmOptions(cell), s);
}

template <class Options, class T>
void lstm_backward_with(const Options& with, const LstmBackward<T>& s) {
  for (Index row = 0; row < s.rows; ++row) {
    const LstmRow<T> r(s.gates, row, s.H);
    for_units<T>(s.H, [&](auto d, Index j) HWY_ATTR {
      const auto c_prev = hn::LoadU(d, s.c_prev + r.at + j);
      const auto grad = Lstm<decltype(d)>::backward(
          d, with, hn::LoadU(d, r.i + j), hn::LoadU(d, r.f + j), hn::LoadU(d, r.g + j),
          hn::LoadU(d, r.o + j), c_prev, hn::LoadU(d, s.psi_c + r.at + j),
          hn::LoadU(d, s.dh + r.at + j), hn::LoadU(d, s.dc + r.at + j),
          load_peephole(d, with, s.peephole, s.H, j));
      hn::StoreU(grad.p_i, d, r.i + j);
      hn::StoreU(grad.p_f, d, r.f + j);
      hn::StoreU(grad.p_g, d, r.g + j);
      hn::StoreU(grad.p_o, d, r.o + j);
      hn::StoreU(grad.c_prev, d, s.dc + r.at + j);
      if (with.peephole) {
        add_to(d, hn::Mul(grad.p_i, c_prev), s.d_peephole + j);
        add_to(d, hn::Mul(grad.p_f, c_prev), s.d_peephole + s.H + j);
        add_to(d, hn::Mul(grad.p_o, grad.c), s.d_peephole + 2 * s.H + j);
      }
    });
  }
}

template <class T>
void lstm_backward(const Cell& cell, const LstmBackward<T>& s) {
  cell.is_plain_lstm() ? lstm_backward_with(PlainLstm(), s)
                       : lstm_backward_with(LstmOptions(cell), s);
}

template <class T>
void gru_forward_gates(GruReset reset, const GruForward<T>& s) {
  for (Index row = 0; row < s.rows; ++row) {
    T* r = s.gates + row * 3 * s.H;
    T* z = r + s.H;
    const Index at = row * s.H;
    for_units<T>(s.H, [&](auto d, Index j) HWY_ATTR {
      const auto reset_gate = act::sigmoid(d, hn::LoadU(d, r + j));
      hn::StoreU(reset_gate, d, r + j);
      hn::StoreU(act::sigmoid(d, hn::LoadU(d, z + j)), d, z + j);
      if (reset == GruReset::before_matmul) {
        hn::StoreU(hn::Mul(reset_gate, hn::LoadU(d, s.h_prev + at + j)), d, s.product + at + j);
      }
    });
  }
}

template <GruUpdate update, class T>
void gru_forward_candidate_of(GruReset reset, const GruForward<T>& s) {
  for (Index row = 0; row < s.rows; ++row) {
    const T* r = s.gates + row * 3 * s.H;
    const T* z = r + s.H;
    T* n = s.gates + row * 3 * s.H + 2 * s.H;
    const Index at = row * s.H;
    for_units<T>(s.H, [&](auto d, Index j) HWY_ATTR {
      auto p = hn::LoadU(d, n + j);
      if (reset == GruReset::after_matmul) {
        auto product = hn::LoadU(d, s.product + at + j);
        if (s.bias_hn != nullptr) product = hn::Add(product, hn::LoadU(d, s.bias_hn + j));
        hn::StoreU(product, d, s.product + at + j);
        p = hn::MulAdd(hn::LoadU(d, r + j), product, p);
      }
      const auto candidate = act::tanh(d, p);
      hn::StoreU(candidate, d, n + j);
      hn::StoreU(Gru<decltype(d)>::template forward<update>(d, hn::LoadU(d, z + j), candidate,
                                                            hn::LoadU(d, s.h_prev + at + j)),
                 d, s.h + at + j);
    });
  }
}

template <class T>
void gru_forward_candidate(GruReset reset, GruUpdate update, const GruForward<T>& s) {
  update == GruUpdate::take ? gru_forward_candidate_of<GruUpdate::take>(reset, s)
                            : gru_forward_candidate_of<GruUpdate::keep>(reset, s);
}

template <GruUpdate update, class T>
void gru_backward_candidate_of(GruReset reset, const GruBackward<T>& s) {
  for (Index row = 0; row < s.rows; ++row) {
    T* r = s.gates + row * 3 * s.H;
    T *z = r + s.H, *n = z + s.H;
    const Index at = row * s.H;
    for_units<T>(s.H, [&](auto d, Index j) HWY_ATTR {
      const auto grad = Gru<decltype(d)>::template backward<update>(
          d, hn::LoadU(d, z + j), hn::LoadU(d, n + j), hn::LoadU(d, s.h_prev + at + j),
          hn::LoadU(d, s.dh + at + j));
      if (reset == GruReset::after_matmul) {
        const auto reset_gate = hn::LoadU(d, r + j);
        const auto product = hn::LoadU(d, s.product + at + j);
        hn::StoreU(through_sigmoid(d, reset_gate, hn::Mul(grad.p_n, product)), d, r + j);
        hn::StoreU(hn::Mul(grad.p_n, reset_gate), d, s.product + at + j);
      }
      hn::StoreU(grad.p_n, d, n + j);
      hn::StoreU(grad.p_z, d, z + j);
      hn::StoreU(grad.h_prev, d, s.dh + at + j);
    });
  }
}

template <class T>
void gru_backward_candidate(GruReset reset, GruUpdate update, const GruBackward<T>& s) {
  update == GruUpdate::take ? gru_backward_candidate_of<GruUpdate::take>(reset, s)
                            : gru_backward_candidate_of<GruUpdate::keep>(reset, s);
}

template <class T>
void gru_backward_reset(const GruBackward<T>& s) {
  for (Index row = 0; row < s.rows; ++row) {
    T* r = s.gates + row * 3 * s.H;
    const Index at = row * s.H;
    for_units<T>(s.H, [&](auto d, Index j) HWY_ATTR {
      const auto reset_gate = hn::LoadU(d, r + j);
      const auto d_product = hn::LoadU(d, s.d_product + at + j);
      const auto d_reset = hn::Mul(d_product, hn::LoadU(d, s.h_prev + at + j));
      hn::StoreU(through_sigmoid(d, reset_gate, d_reset), d, r + j);
      hn::StoreU(hn::MulAdd(d_product, reset_gate, hn::LoadU(d, s.dh + at + j)), d, s.dh + at + j);
    });
  }
}

template <class T>
const Kernels<T>* table() {
  static constexpr Kernels<T> kernels = {rnn_forward<T>,
                                         rnn_backward<T>,
                                         lstm_forward<T>,
                                         lstm_backward<T>,
                                         gru_forward_gates<T>,
                                         gru_forward_candidate<T>,
                                         gru_backward_candidate<T>,
                                         gru_backward_reset<T>};
  return &kernels;
}

const Kernels<float>* table_f32() {
  return table<float>();
}
const Kernels<double>* table_f64() {
  return table<double>();
}
const char* target_name() {
  return hwy::TargetName(HWY_TARGET);
}

}  // namespace bptt::cell::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bptt::cell {

HWY_EXPORT(table_f32);
HWY_EXPORT(table_f64);
HWY_EXPORT(target_name);

template <>
const Kernels<float>& kernels<float>() {
  static const Kernels<float>& best = *HWY_DYNAMIC_DISPATCH(table_f32)();
  return best;
}

template <>
const Kernels<double>& kernels<double>() {
  static const Kernels<double>& best = *HWY_DYNAMIC_DISPATCH(table_f64)();
  return best;
}

const char* instruction_set() {
  return HWY_DYNAMIC_DISPATCH(target_name)();
}

}  // namespace bptt::cell
#endif
