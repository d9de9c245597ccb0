#include "impls/net/loss.hpp"

#include <algorithm>
#include <string>

#include "impls/api/names.hpp"
#include "impls/net/scalar_math.hpp"

namespace bptt::net {
namespace {

constexpr Named<Loss> losses[] = {{Loss::half_squared_error, "half_squared_error"},
                                  {Loss::sigmoid_cross_entropy, "sigmoid_cross_entropy"},
                                  {Loss::softmax_cross_entropy, "softmax_cross_entropy"}};
constexpr Named<Steps> all_steps[] = {{Steps::all, "all"}, {Steps::last, "last"}};
constexpr Named<Reduction> reductions[] = {{Reduction::sum, "sum"},
                                           {Reduction::mean_over_steps, "mean_over_steps"},
                                           {Reduction::mean_over_batch, "mean_over_batch"}};

/// "target[2,1]" of row t*B+b
std::string target_name(Index row, Index B) {
  return "target[" + std::to_string(row / B) + "," + std::to_string(row % B) + "]";
}

template <Scalar T>
Accumulator<T> half_squared_error_row(const T* q, const T* y, Index n, T scale, T* dq) {
  Accumulator<T> loss(0);
  for (Index o = 0; o < n; ++o) {
    const Accumulator<T> error = Accumulator<T>(q[o]) - Accumulator<T>(y[o]);
    dq[o] = scale * static_cast<T>(error);
    loss += error * error;
  }
  return loss * 0.5;
}

/// -y log s(q) - (1-y) log(1-s(q)) = softplus(q) - y q, without the cancellation of two large
/// terms: softplus(-|q|) + max(q,0) - y q.
template <Scalar T>
Accumulator<T> sigmoid_row(const T* q, const T* y, Index n, T scale, T* dq) {
  Accumulator<T> loss(0);
  for (Index o = 0; o < n; ++o) {
    const bool positive = real_part(q[o]) > 0;
    dq[o] = scale * (sigmoid(q[o]) - y[o]);
    loss += Accumulator<T>(softplus(positive ? -q[o] : q[o]));
    loss += Accumulator<T>(q[o]) * Accumulator<T>(positive ? T(1) - y[o] : -y[o]);
  }
  return loss;
}

template <Scalar T>
Accumulator<T> softmax_row(const T* q, Index target, Index n, T scale, T* dq) {
  const T of_target = q[target];
  const auto [sum, largest] = shifted_exponentials(q, n, dq);
  const T factor = scale / static_cast<T>(sum);
  for (Index o = 0; o < n; ++o) dq[o] *= factor;
  dq[target] -= scale;
  return std::log(sum) + (Accumulator<T>(largest) - Accumulator<T>(of_target));
}

Index checked_class(std::span<const Index> classes, Index row, Index B, Index O) {
  const Index target = classes[static_cast<std::size_t>(row)];
  if (target < 0 || target >= O) {
    throw Error(ErrorKind::data, target_name(row, B) + ": expected 0.." + std::to_string(O - 1) +
                                     "; got " + std::to_string(target));
  }
  return target;
}

template <Scalar T>
const T* checked_probabilities(const T* y, Index row, Index B, Index O) {
  for (Index o = 0; o < O; ++o) {
    const auto value = real_part(y[o]);
    if (!(value >= 0 && value <= 1)) {
      throw Error(ErrorKind::data, target_name(row, B) + ", output " + std::to_string(o) +
                                       ": expected a probability in [0,1]; got " +
                                       std::to_string(value));
    }
  }
  return y;
}

template <Scalar T>
void check_rows(Loss loss, const View<const T>& q, std::span<const Index> rows, Index B,
                const Target<T>& target, const View<T>& dq) {
  const Index n = static_cast<Index>(rows.size()), O = q.extents()[1];
  const Index needed = rows.empty() ? 0 : rows.back() + 1;
  const bool classes = loss == Loss::softmax_cross_entropy;
  const bool enough = classes
                          ? static_cast<Index>(target.classes.size()) >= needed
                          : target.values.size() >= needed * O &&
                                target.values.extents()[target.values.extents().rank() - 1] == O;
  if (q.extents() == Extents{n, O} && dq.extents() == q.extents() && O >= 1 && B >= 1 &&
      (enough || n == 0)) {
    return;
  }
  throw Error(ErrorKind::usage,
              std::string(name_of(loss)) + ": expected q and dq [N,O] for N=" + std::to_string(n) +
                  (classes ? " rows and classes [T*B]" : " rows and a target [T,B,O]") + "; got " +
                  to_string(q.extents()) + ", " + to_string(dq.extents()) + ", " +
                  (classes ? std::to_string(target.classes.size()) + " classes"
                           : to_string(target.values.extents())));
}

}  // namespace

std::string_view name_of(Loss loss) {
  return name_in(losses, loss);
}
std::string_view name_of(Steps steps) {
  return name_in(all_steps, steps);
}
std::string_view name_of(Reduction reduction) {
  return name_in(reductions, reduction);
}
Loss parse_loss(std::string_view name) {
  return parse_in(losses, "loss", name);
}
Steps parse_steps(std::string_view name) {
  return parse_in(all_steps, "steps", name);
}
Reduction parse_reduction(std::string_view name) {
  return parse_in(reductions, "reduction", name);
}

std::vector<Index> counted_rows(Index T, Index B, std::span<const Index> lengths, Steps steps) {
  std::vector<Index> rows;
  for (Index t = 0; t < T; ++t) {
    for (Index b = 0; b < B; ++b) {
      const Index length = lengths.empty() ? T : lengths[static_cast<std::size_t>(b)];
      if (steps == Steps::all ? t < length : t + 1 == length) rows.push_back(t * B + b);
    }
  }
  return rows;
}

double scale_of(Reduction reduction, Index counted, Index B) {
  if (counted == 0 || reduction == Reduction::sum) return 1;
  return 1 / static_cast<double>(reduction == Reduction::mean_over_steps ? counted : B);
}

template <Scalar T>
T loss_of_rows(Loss loss, View<const T> q, std::span<const Index> rows, Index B,
               const Target<T>& target, double scale, View<T> dq) {
  check_rows(loss, q, rows, B, target, dq);
  const Index O = q.extents()[1];
  const T factor(static_cast<T>(scale));
  Accumulator<T> sum(0);
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const T* logits = q.data() + static_cast<Index>(r) * O;
    T* gradient = dq.data() + static_cast<Index>(r) * O;
    const Index row = rows[r];
    switch (loss) {
      case Loss::half_squared_error:
        sum += half_squared_error_row(logits, target.values.data() + row * O, O, factor, gradient);
        break;
      case Loss::sigmoid_cross_entropy:
        sum += sigmoid_row(logits, checked_probabilities(target.values.data() + row * O, row, B, O),
                           O, factor, gradient);
        break;
      case Loss::softmax_cross_entropy:
        sum += softmax_row(logits, checked_class(target.classes, row, B, O), O, factor, gradient);
        break;
    }
  }
  return static_cast<T>(sum * static_cast<Accumulator<T>>(scale));
}

template <Real T>
double softmax_cross_entropy(View<const T> logits, std::span<const Index> targets,
                             std::span<const Index> lengths, double scale, View<T> dlogits) {
  const Extents& extents = logits.extents();
  const Index steps = extents[0], batch = extents[1], outputs = extents[2];
  if (extents.rank() != 3 || outputs < 1 || !(dlogits.extents() == extents) ||
      static_cast<Index>(targets.size()) != steps * batch ||
      (!lengths.empty() && static_cast<Index>(lengths.size()) != batch)) {
    throw Error(ErrorKind::usage,
                "softmax_cross_entropy: expected logits and dlogits [T,B,O], T*B "
                "targets and B lengths or none; got " +
                    to_string(extents) + ", " + to_string(dlogits.extents()) + ", " +
                    std::to_string(targets.size()) + " targets, " + std::to_string(lengths.size()) +
                    " lengths");
  }
  // Wider than the terms, so that the order of a long sum does not show in f64 either.
  long double loss = 0;
  for (Index row = 0; row < steps * batch; ++row) {
    T* gradient = dlogits.data() + row * outputs;
    if (!lengths.empty() && row / batch >= lengths[static_cast<std::size_t>(row % batch)]) {
      std::fill_n(gradient, outputs, T{});
      continue;
    }
    loss +=
        softmax_row<T>(logits.data() + row * outputs, checked_class(targets, row, batch, outputs),
                       outputs, static_cast<T>(scale), gradient);
  }
  return static_cast<double>(loss);
}

template double softmax_cross_entropy<float>(View<const float>, std::span<const Index>,
                                             std::span<const Index>, double, View<float>);
template double softmax_cross_entropy<double>(View<const double>, std::span<const Index>,
                                              std::span<const Index>, double, View<double>);

#define BPTT_INSTANTIATE(T)                                                                        \
  template T loss_of_rows<T>(Loss, View<const T>, std::span<const Index>, Index, const Target<T>&, \
                             double, View<T>);
BPTT_INSTANTIATE(float)
BPTT_INSTANTIATE(double)
BPTT_INSTANTIATE(long double)
BPTT_INSTANTIATE(std::complex<double>)
#undef BPTT_INSTANTIATE

}  // namespace bptt::net
