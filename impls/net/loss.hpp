// Losses at the end of a network, with their gradients.
//
// q are what the last dense layer gives, one row a step and a sequence; the loss compares the rows
// that count with a target and sums. Equations and sources: docs/networks.md.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "impls/api/scalar.hpp"
#include "impls/api/view.hpp"

namespace bptt::net {

enum class Loss {
  half_squared_error,     ///< sum_o 1/2 (q_o - y_o)^2
  sigmoid_cross_entropy,  ///< sum_o -y_o log s(q_o) - (1-y_o) log(1-s(q_o)), y_o in [0,1]
  softmax_cross_entropy,  ///< log sum_o exp(q_o) - q_y, y the right class
};

/// Which steps count: every live one, or each sequence's own last (a sequence of length 0 has
/// none).
enum class Steps { all, last };

/// What the sum over the steps that count is divided by.
enum class Reduction {
  sum,              ///< 1
  mean_over_steps,  ///< how many count, of all sequences together
  mean_over_batch,  ///< B
};

std::string_view name_of(Loss);
std::string_view name_of(Steps);
std::string_view name_of(Reduction);
/// Each throws Error(usage) that lists what would have been understood.
Loss parse_loss(std::string_view);
Steps parse_steps(std::string_view);
Reduction parse_reduction(std::string_view);

/// The rows t*B+b that count, ascending. `lengths` [B], empty where every step is live.
std::vector<Index> counted_rows(Index T, Index B, std::span<const Index> lengths, Steps);

/// What the sum is multiplied by. 1 where no row counts.
double scale_of(Reduction, Index counted, Index B);

/// What q is compared with: one of the two.
template <class T>
struct Target {
  View<const T> values{};            ///< [T,B,O] (or [B,O]); all losses but softmax
  std::span<const Index> classes{};  ///< [T*B], each in [0,O); softmax
};

/// Of N rows that count: `q` [N,O], row r compared with row rows[r] of the target (of B sequences,
/// for messages). Writes `dq` [N,O], the gradient of scale*loss, and returns scale*loss. Large |q|
/// neither overflow nor lose the loss. Throws Error(usage) where extents do not fit, Error(data)
/// for a class outside [0,O), or a sigmoid's target outside [0,1]. Allocates nothing.
template <Scalar T>
T loss_of_rows(Loss, View<const T> q, std::span<const Index> rows, Index B, const Target<T>&,
               double scale, View<T> dq);

/// Softmax cross-entropy over [T,B,O] in place, summed over the live steps. `targets` [T*B],
/// time-major, each in [0,O) where its step is live; `lengths` [B], empty where every step is live.
/// Writes `dlogits` [T,B,O], the gradient of scale*loss, zero at padding. Returns loss, unscaled,
/// in nats. Errors as above.
template <Real T>
double softmax_cross_entropy(View<const T> logits, std::span<const Index> targets,
                             std::span<const Index> lengths, double scale, View<T> dlogits);

}  // namespace bptt::net
