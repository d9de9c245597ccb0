// The equations of each cell that are pointwise in the hidden units: what is left of a time step
// when the matrix products are taken away. Every fast backend shares them; `naive` has its own.
//
// A step has `rows` sequences of H units, all arrays dense and row-major. Formulas, forward and
// backward, with their sources: docs/equations.md. The best instruction set is chosen once, when
// kernels() is first called.
#pragma once

#include "impls/api/scalar.hpp"
#include "impls/api/spec.hpp"

namespace bptt::cell {

template <Real T>
struct RnnForward {
  Index size;  ///< rows*H
  const T* p;  ///< [rows,H], pre-activations
  T* h;        ///< [rows,H]; may be p
};

template <Real T>
struct RnnBackward {
  Index size;
  const T* dh;  ///< [rows,H]
  const T* h;   ///< [rows,H]
  T* dp;        ///< [rows,H]; may be h
};

template <Real T>
struct LstmForward {
  Index rows, H;
  T* gates;                     ///< [rows,4H] i,f,g,o: pre-activations in, activations out
  const T* c_prev;              ///< [rows,H]
  T* c;                         ///< [rows,H]
  T* psi_c;                     ///< [rows,H] psi(c_t): tanh(c_t) of the plain cell
  T* h;                         ///< [rows,H]
  const T* peephole = nullptr;  ///< [3,H] of i, f, o; where the cell has peepholes
};

template <Real T>
struct LstmBackward {
  Index rows, H;
  const T* dh;      ///< [rows,H]
  const T* c_prev;  ///< [rows,H]
  const T* psi_c;   ///< [rows,H]
  T* gates;         ///< [rows,4H]: activations in, gradient of the pre-activations out
  T* dc;            ///< [rows,H]: of c_t in, of c_{t-1} out, but for what W_hh carries there
  const T* peephole = nullptr;  ///< [3,H]
  T* d_peephole = nullptr;      ///< [3,H], added to
};

/// A step of a GRU has two halves, with a product between them for reset before_matmul.
template <Real T>
struct GruForward {
  Index rows, H;
  T* gates;         ///< [rows,3H] r,z,n: pre-activations in, activations out
  const T* h_prev;  ///< [rows,H]
  /// [rows,H]. before_matmul: r h_{t-1}, set by the first half. after_matmul: W_hn h_{t-1} in,
  /// with b_hn added out.
  T* product;
  const T* bias_hn;  ///< [H], after_matmul only; nullptr without bias
  T* h;              ///< [rows,H], set by the second half
};

template <Real T>
struct GruBackward {
  Index rows, H;
  const T* h_prev;  ///< [rows,H]
  T* gates;         ///< [rows,3H]: activations in, gradient of the pre-activations out
  /// [rows,H], as forward left it in. after_matmul: gradient of W_hn h_{t-1} + b_hn out.
  T* product;
  T* dh;  ///< [rows,H]: of h_t in; out: the part for h_{t-1} that goes past the products
  const T* d_product;  ///< [rows,H], before_matmul's second half: gradient of r h_{t-1}
};

template <Real T>
struct Kernels {
  void (*rnn_forward)(Activation, const RnnForward<T>&);
  void (*rnn_backward)(Activation, const RnnBackward<T>&);
  void (*lstm_forward)(const Cell&, const LstmForward<T>&);
  void (*lstm_backward)(const Cell&, const LstmBackward<T>&);
  /// r, z and, for before_matmul, r h_{t-1}.
  void (*gru_forward_gates)(GruReset, const GruForward<T>&);
  /// n and h_t.
  void (*gru_forward_candidate)(GruReset, GruUpdate, const GruForward<T>&);
  /// Gradients of n and z; for after_matmul of r as well.
  void (*gru_backward_candidate)(GruReset, GruUpdate, const GruBackward<T>&);
  /// before_matmul: gradient of r from d_product, and r d_product added to dh.
  void (*gru_backward_reset)(const GruBackward<T>&);
};

/// Those of the best instruction set this CPU has.
template <Real T>
const Kernels<T>& kernels();

/// Its name, as Highway has it: "AVX3_ZEN4", "AVX2", "NEON".
const char* instruction_set();

}  // namespace bptt::cell
