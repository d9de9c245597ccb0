// The pointwise equations on one vector of units: written once, compiled per instruction set (hence
// the toggle instead of `#pragma once`). Use inside HWY_NAMESPACE only.
#if defined(BPTT_CELL_EQUATIONS_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef BPTT_CELL_EQUATIONS_INL
#undef BPTT_CELL_EQUATIONS_INL
#else
#define BPTT_CELL_EQUATIONS_INL
#endif

#include <hwy/highway.h>

#include "impls/linalg/activations-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace bptt::cell::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
namespace act = bptt::linalg::HWY_NAMESPACE;

/// x (1-x) dx: through a sigmoid whose value is x.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V through_sigmoid(D d, V x, V dx) {
  return hn::Mul(hn::Mul(x, hn::Sub(hn::Set(d, hn::TFromD<D>(1)), x)), dx);
}

/// (1-x^2) dx: through a tanh whose value is x.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V through_tanh(D d, V x, V dx) {
  return hn::Mul(hn::NegMulAdd(x, x, hn::Set(d, hn::TFromD<D>(1))), dx);
}

/// The options of an lstm's pointwise part, known when compiling for the plain cell: it pays
/// nothing for them.
struct PlainLstm {
  static constexpr bool tanh_output = true, tanh_candidate = true, peephole = false,
                        coupled = false, input_gate = true, forget_gate = true, output_gate = true;
};
struct LstmOptions {
  explicit LstmOptions(const Cell& cell)
      : tanh_output(cell.output == Activation::tanh),
        tanh_candidate(cell.candidate == Activation::tanh),
        peephole(cell.peephole),
        coupled(cell.coupled),
        input_gate(cell.input_gate),
        forget_gate(cell.forget_gate),
        output_gate(cell.output_gate) {}
  bool tanh_output, tanh_candidate, peephole, coupled, input_gate, forget_gate, output_gate;
};

// Results are made in one go: the default constructor of a struct of vectors is compiled for no
// instruction set in particular, so with NEON it cannot call theirs.

template <class D>
struct Lstm {
  using V = hn::Vec<D>;

  /// Peephole weights of i, f and o; without effect where there are none.
  struct Peephole {
    V i, f, o;
  };

  struct Step {
    V i, f, g, o, c, psi_c, h;
  };

  /// c_t = f c_{t-1} + i g, h_t = o psi(c_t)
  template <class Options>
  static HWY_INLINE Step forward(D d, const Options& with, V p_i, V p_f, V p_g, V p_o, V c_prev,
                                 const Peephole& w) {
    const V one = hn::Set(d, hn::TFromD<D>(1));
    if (with.peephole) {
      p_i = hn::MulAdd(w.i, c_prev, p_i);
      p_f = hn::MulAdd(w.f, c_prev, p_f);
    }
    const V f = with.forget_gate ? act::sigmoid(d, p_f) : one;
    const V i = with.coupled ? hn::Sub(one, f) : with.input_gate ? act::sigmoid(d, p_i) : one;
    const V g = with.tanh_candidate ? act::tanh(d, p_g) : p_g;
    const V c = hn::MulAdd(f, c_prev, hn::Mul(i, g));
    if (with.peephole) p_o = hn::MulAdd(w.o, c, p_o);
    const V o = with.output_gate ? act::sigmoid(d, p_o) : one;
    const V psi_c = with.tanh_output ? act::tanh(d, c) : c;
    return {i, f, g, o, c, psi_c, hn::Mul(o, psi_c)};
  }

  struct Gradient {
    V p_i, p_f, p_g, p_o, c_prev;
    V c;  ///< c_t again, for the peephole of o
  };
  /// dc is the gradient that reaches c_t from step t+1; what comes through h_t is added here.
  template <class Options>
  static HWY_INLINE Gradient backward(D d, const Options& with, V i, V f, V g, V o, V c_prev,
                                      V psi_c, V dh, V dc, const Peephole& w) {
    const V zero = hn::Zero(d);
    const V p_o = with.output_gate ? through_sigmoid(d, o, hn::Mul(dh, psi_c)) : zero;
    const V through_h = hn::Mul(dh, o);
    dc = hn::Add(dc, with.tanh_output ? through_tanh(d, psi_c, through_h) : through_h);
    if (with.peephole) dc = hn::MulAdd(w.o, p_o, dc);
    const V di = hn::Mul(dc, g);
    V df = hn::Mul(dc, c_prev);
    if (with.coupled) df = hn::Sub(df, di);
    const V p_i = with.input_gate && !with.coupled ? through_sigmoid(d, i, di) : zero;
    const V p_f = with.forget_gate ? through_sigmoid(d, f, df) : zero;
    const V dg = hn::Mul(dc, i);
    const V p_g = with.tanh_candidate ? through_tanh(d, g, dg) : dg;
    V dc_prev = hn::Mul(dc, f), c = zero;
    if (with.peephole) {
      dc_prev = hn::MulAdd(w.i, p_i, hn::MulAdd(w.f, p_f, dc_prev));
      c = hn::MulAdd(f, c_prev, hn::Mul(i, g));
    }
    return {p_i, p_f, p_g, p_o, dc_prev, c};
  }
};

template <class D>
struct Gru {
  using V = hn::Vec<D>;

  /// h_t from the candidate n; z weighs n (take) or the old state (keep). Written as in the
  /// formula: the shorter h + z (n-h) would give inf-inf where the plain one does not.
  template <GruUpdate update>
  static HWY_INLINE V forward(D d, V z, V n, V h_prev) {
    const V other = hn::Sub(hn::Set(d, hn::TFromD<D>(1)), z);
    if constexpr (update == GruUpdate::take) {
      return hn::MulAdd(other, h_prev, hn::Mul(z, n));
    } else {
      return hn::MulAdd(z, h_prev, hn::Mul(other, n));
    }
  }

  struct Gradient {
    V p_n, p_z, h_prev;
  };
  template <GruUpdate update>
  static HWY_INLINE Gradient backward(D d, V z, V n, V h_prev, V dh) {
    const V other = hn::Sub(hn::Set(d, hn::TFromD<D>(1)), z);
    if constexpr (update == GruUpdate::take) {
      return {through_tanh(d, n, hn::Mul(dh, z)),
              through_sigmoid(d, z, hn::Mul(dh, hn::Sub(n, h_prev))), hn::Mul(dh, other)};
    } else {
      return {through_tanh(d, n, hn::Mul(dh, other)),
              through_sigmoid(d, z, hn::Mul(dh, hn::Sub(h_prev, n))), hn::Mul(dh, z)};
    }
  }
};

}  // namespace bptt::cell::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
