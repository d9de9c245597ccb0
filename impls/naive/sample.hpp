// One sequence of the batch, as the cells of this folder see it: its inputs, its tape and its
// gradients, by time step.
#pragma once

#include "impls/api/tensors.hpp"
#include "impls/naive/addends.hpp"

namespace bptt::naive {

/// What forward reads and leaves. States are numbered so that h(t) is the state *before* step t:
/// h(0) is h0, h(length) is hT.
template <class T>
struct Sample {
  Index b = 0;       ///< which sequence of the batch
  Index length = 0;  ///< its live steps
  Index H = 0, gate_rows = 0;
  View<const T> x;            ///< [T,B,I]
  T* gate_tape = nullptr;     ///< [steps,G*H], activated gates
  T* product_tape = nullptr;  ///< [steps,H], gru only: see gru.hpp
  T* h_tape = nullptr;        ///< [steps+1,H]
  T* c_tape = nullptr;        ///< [steps+1,H], lstm only
  /// The steps that the first rows of the tape belong to; not 0 where backward rebuilds it.
  Index first_gates = 0, first_state = 0;

  const T* input(Index t) const { return &x(t, b, 0); }
  T* gates(Index t) const { return gate_tape + (t - first_gates) * gate_rows; }
  T* product(Index t) const { return product_tape + (t - first_gates) * H; }
  T* h(Index t) const { return h_tape + (t - first_state) * H; }
  T* c(Index t) const { return c_tape + (t - first_state) * H; }
};

/// What backward carries from step to step, and its scratch.
template <class T>
struct Gradient {
  T* dh = nullptr;       ///< [H], with respect to h(t+1) when step t is entered, to h(t) when left
  T* dc = nullptr;       ///< [H], the same of c; lstm only
  T* dh_prev = nullptr;  ///< [H], scratch
  T* scratch = nullptr;  ///< [H], scratch
  T* dx = nullptr;       ///< [I] of this step, zero at first; nullptr: not wanted
  /// Where to write down what is added to the parameters' gradients; nullptr: add it at once.
  Addends<T>* later = nullptr;
};

}  // namespace bptt::naive
