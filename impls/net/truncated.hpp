// Truncated backpropagation through time: a long sequence learned piece by piece, with the state
// carried over.
//
// BPTT(k2; k1) of Williams and Peng (1990): after every k1 steps the losses of those k1 steps are
// backpropagated through the last k2 steps. The state k2 steps ago is taken as given, so gradients
// are exact up to there and zero beyond.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "impls/api/tensor.hpp"
#include "impls/net/stack.hpp"

namespace bptt::net {

struct Truncation {
  Index k1 = 1;  ///< steps from one update to the next
  Index k2 = 1;  ///< steps that gradients flow back, at least k1
  bool operator==(const Truncation&) const = default;

  /// Throws Error(usage).
  void validate() const;
};
/// Parses "K1" (K2 is the same) or "K1,K2". Throws Error(usage) that begins with `what`.
Truncation parse_truncation(const char* what, std::string_view text);
/// "K1,K2"
std::string to_string(const Truncation&);

/// What one update reads of the sequence: the window [begin, begin+k2), of which the losses of k1
/// steps from `loss_begin` (counted from `begin`) count. The first windows begin at 0 and reach
/// ahead; what lies ahead of a loss has no influence on it.
struct Stretch {
  Index begin = 0, loss_begin = 0;
  Index advance = 0;  ///< from this window's begin to the next one's, 0..k1
  bool operator==(const Stretch&) const = default;
};
Stretch stretch_of(const Truncation&, Index update);

/// A stack that learns so. For each update: fill x(), forward, write dy() from y(), backward,
/// advance; then whatever the parameters are to become. After construction nothing is allocated.
template <Scalar T>
class TruncatedStack {
 public:
  /// `spec` with T = k2, without lengths, in one direction: a reverse direction has no state to
  /// carry. Throws Error(usage) for another one, and as Stack does.
  TruncatedStack(const StackSpec& spec, const Truncation&, const PlanMaker<T>&);

  /// A new sequence: the state is zero.
  void restart();
  /// Of the update at hand.
  const Stretch& stretch() const { return stretch_; }
  View<T> x() { return x_.view(); }  ///< [k2,B,I], steps stretch().begin onwards
  /// The state before x()'s first step, [L,B,H].
  View<T> h0() { return h0_.view(); }
  View<T> c0() { return c0_.view(); }

  void forward(std::span<const Params<const T>>);
  View<const T> y() const;  ///< [k1,B,H] of the steps whose losses count
  View<T> dy();             ///< the same of the gradient, for the caller to overwrite
  /// Gradients of the parameters, L; overwritten.
  void backward(std::span<const Params<const T>>, std::span<const Params<T>> grads);
  /// Goes on to the next update: carries the state forward with the parameters given.
  void advance(std::span<const Params<const T>>);

  /// All that it holds: its stacks' workspace and its own buffers.
  std::size_t workspace_bytes() const;
  /// Of the stack that learns.
  std::string implementation() const { return stack_.implementation(); }
  /// What it holds beside its stacks: x, y, dy, states.
  static std::size_t buffer_bytes(const StackSpec&, const Truncation&);
  /// What carries the state over: a stack of k1 steps, run forward only. None where k1 = k2: there
  /// the state at the window's end is the one to carry.
  static std::optional<StackSpec> carrier_spec(const StackSpec&, const Truncation&);

 private:
  Inputs<const T> inputs() const;
  Index row_of_losses() const { return stretch_.loss_begin * spec_.shape.B * spec_.shape.H; }

  StackSpec spec_;
  Truncation truncation_;
  Stack<T> stack_;
  std::unique_ptr<Stack<T>> carrier_;
  std::vector<Index> lengths_;  ///< [B] of the carrier's, where it does not always run all k1 steps
  Tensor<T> x_, y_, dy_, carried_y_;
  Tensor<T> h0_, c0_, hT_, cT_;
  Index update_ = 0;
  Stretch stretch_;
};

}  // namespace bptt::net
