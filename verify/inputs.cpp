#include "verify/inputs.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "impls/net/random.hpp"

namespace bptt::verify {
namespace {

using net::Random;

/// One stream of random numbers per tensor: its values do not depend on the extents of others.
enum Stream : std::uint64_t {
  weight_ih,
  weight_hh,
  bias_ih,
  bias_hh,
  x,
  h0,
  c0,
  dy,
  dhT,
  dcT,
  redraw
};

/// How a cell's draw is scaled so that signal survives many steps.
struct Scales {
  double recurrent = 1;          ///< singular value of the recurrent blocks
  double input = 0.5;            ///< standard deviation of W_ih x
  bool centred = false;          ///< rows of W_hh sum to zero: states have a mean that is not zero
  Index remembering_block = -1;  ///< the gate whose bias keeps the state alive
  double remembering_bias = 0;
  double bias = 0;  ///< mean of the others
};

Scales scales_of(const Spec& spec) {
  const Cell& cell = spec.cell;
  Scales s;
  switch (cell.kind) {
    case CellKind::rnn:
      switch (cell.activation) {
        case Activation::tanh:
          s.recurrent = 1.25;
          break;
        case Activation::relu:
        case Activation::leaky_relu:
          // Some three quarters of the units are active: the norm shrinks by the root of that.
          s.recurrent = spec.shape.H == 1 ? 1 : 1.15;
          s.bias = 0.3;
          break;
        case Activation::sigmoid:
          s.recurrent = 4;  // its largest slope is 1/4
          s.centred = spec.shape.H > 2;
          break;
        case Activation::identity:
          s.recurrent = 1;
          break;
      }
      break;
    case CellKind::lstm:
      s.recurrent = 0.8;
      s.input = 0.7;
      s.remembering_block = 1;
      s.remembering_bias = 2.25;
      break;
    case CellKind::gru:
      s.recurrent = 0.9;
      s.input = 0.7;
      s.remembering_block = 1;
      s.remembering_bias = cell.update == GruUpdate::take ? -2.25 : 2.25;
      break;
  }
  return s;
}

/// Uniform with mean 0 and standard deviation 1: no outliers that would dominate a slice.
double spread(Random& random) {
  return random.uniform(-std::sqrt(3.0), std::sqrt(3.0));
}

/// Of either sign, away from zero.
double signed_value(Random& random) {
  const double magnitude = random.uniform(0.25, 1);
  return random.below(2) == 0 ? magnitude : -magnitude;
}

template <class T, class Draw>
void fill(const View<T>& view, Random random, Draw draw) {
  for (T& value : view) value = static_cast<T>(draw(random));
}

/// Rows of random numbers, each made orthogonal to those before it (Gram-Schmidt), of norm 1.
std::vector<double> orthogonal(Index n, Random& random) {
  std::vector<double> q(static_cast<std::size_t>(n * n));
  for (Index row = 0; row < n; ++row) {
    double* v = q.data() + row * n;
    double norm = 0;
    while (norm < 0.1) {  // nearly dependent: draw again
      for (Index k = 0; k < n; ++k) v[k] = spread(random) / std::sqrt(static_cast<double>(n));
      for (Index before = 0; before < row; ++before) {
        const double* u = q.data() + before * n;
        const double dot = std::inner_product(v, v + n, u, 0.0);
        for (Index k = 0; k < n; ++k) v[k] -= dot * u[k];
      }
      norm = std::sqrt(std::inner_product(v, v + n, v, 0.0));
    }
    for (Index k = 0; k < n; ++k) v[k] /= norm;
  }
  return q;
}

// Beyond this, n^3 takes too long, and independent entries have singular values below 2 anyway.
constexpr Index largest_orthogonal = 128;

template <class T>
void fill_recurrent(const View<T>& w, Index gates, const Scales& scales, Random random) {
  const Index H = w.extents()[1];
  for (Index g = 0; g < gates; ++g) {
    if (H > largest_orthogonal) {
      const double sigma = scales.recurrent / std::sqrt(static_cast<double>(H));
      for (Index j = 0; j < H; ++j) {
        for (Index k = 0; k < H; ++k) w(g * H + j, k) = static_cast<T>(sigma * spread(random));
      }
      continue;
    }
    std::vector<double> q = orthogonal(H, random);
    if (H == 1) q[0] = 1;  // -1 would kill the only unit of a relu layer
    for (Index j = 0; j < H; ++j) {
      double* row = q.data() + j * H;
      const double mean =
          scales.centred ? std::accumulate(row, row + H, 0.0) / static_cast<double>(H) : 0;
      for (Index k = 0; k < H; ++k) {
        w(g * H + j, k) = static_cast<T>(scales.recurrent * (row[k] - mean));
      }
    }
  }
}

template <class T>
void fill_bias(const View<T>& b, Index H, const Scales& scales, bool carries_mean, Random random) {
  for (Index row = 0; row < b.size(); ++row) {
    double value = 0.2 * spread(random);
    if (carries_mean) {
      value += row / H == scales.remembering_block ? scales.remembering_bias : scales.bias;
    }
    b[row] = static_cast<T>(value);
  }
}

template <class T>
void poison_padding(const Problem<T>& p) {
  constexpr T nan = std::numeric_limits<T>::quiet_NaN();
  const auto [T_, B, I, H] = p.spec().shape;
  if (!p.spec().lengths) return;
  for (Index b = 0; b < B; ++b) {
    for (Index t = p.lengths()[static_cast<std::size_t>(b)]; t < T_; ++t) {
      std::fill_n(&p.in.x(t, b, 0), I, nan);
      if (p.dout.y) std::fill_n(&p.dout.y(t, b, 0), H, nan);
    }
  }
}

/// One sequence of an rnn layer in double, for the repair.
template <class T>
class KinkRepair {
 public:
  KinkRepair(const Problem<T>& p, Random random)
      : p_(p),
        random_(random),
        H_(p.spec().shape.H),
        I_(p.spec().shape.I),
        from_state_(H_),
        h_(H_) {}

  double run(Index b) {
    const Index length =
        p_.spec().lengths ? p_.lengths()[static_cast<std::size_t>(b)] : p_.spec().shape.T;
    for (Index j = 0; j < H_; ++j) h_[at(j)] = p_.in.h0 ? double(p_.in.h0(b, j)) : 0;
    double margin = std::numeric_limits<double>::infinity();
    for (Index t = 0; t < length; ++t) margin = std::min(margin, step(t, b));
    return margin;
  }

 private:
  static std::size_t at(Index j) { return static_cast<std::size_t>(j); }

  static double nearest(const std::vector<double>& p) {
    double nearest = std::numeric_limits<double>::infinity();
    for (const double value : p) nearest = std::min(nearest, std::abs(value));
    return nearest;
  }

  /// How good an input is: the distance to the kink, less a penalty for too few active units.
  double judge(const std::vector<double>& p) const {
    const auto active = std::count_if(p.begin(), p.end(), [](double value) { return value > 0; });
    if (2 * active >= H_) return nearest(p);
    return -1 + static_cast<double>(active) / static_cast<double>(H_) + 1e-3 * nearest(p);
  }

  std::vector<double> preactivations(const std::vector<double>& x) const {
    std::vector<double> p = from_state_;
    for (Index j = 0; j < H_; ++j) {
      for (Index k = 0; k < I_; ++k) p[at(j)] += double(p_.params.weight_ih(j, k)) * x[at(k)];
    }
    return p;
  }

  double step(Index t, Index b) {
    for (Index j = 0; j < H_; ++j) {
      double sum = p_.params.bias_ih ? double(p_.params.bias_ih[j]) + p_.params.bias_hh[j] : 0;
      for (Index k = 0; k < H_; ++k) sum += double(p_.params.weight_hh(j, k)) * h_[at(k)];
      from_state_[at(j)] = sum;
    }
    std::vector<double> x(at(I_));
    for (Index k = 0; k < I_; ++k) x[at(k)] = p_.in.x(t, b, k);
    std::vector<double> best = preactivations(x);
    double reached = judge(best);
    const double wanted = kink_margin(p_.spec());
    constexpr int tries = 400;
    for (int i = 0; i < tries && reached < wanted; ++i) {
      // Wider and wider: where few inputs face many units, the usual range may hold no good one.
      for (double& value : x) value = static_cast<T>(spread(random_) * (1 + 4.0 * i / tries));
      const std::vector<double> p = preactivations(x);
      const double judged = judge(p);
      if (judged <= reached) continue;
      reached = judged;
      best = p;
      for (Index k = 0; k < I_; ++k) p_.in.x(t, b, k) = static_cast<T>(x[at(k)]);
    }
    const double slope =
        p_.spec().cell.activation == Activation::relu ? 0.0 : bptt::leaky_relu_slope;
    for (Index j = 0; j < H_; ++j) h_[at(j)] = best[at(j)] > 0 ? best[at(j)] : slope * best[at(j)];
    return nearest(best);
  }

  const Problem<T>& p_;
  Random random_;
  Index H_, I_;
  std::vector<double> from_state_, h_;
};

}  // namespace

double kink_margin(const Spec& spec) {
  return std::min(0.05, 0.2 / static_cast<double>(spec.shape.H));
}

template <Real T>
double draw_inputs(std::uint64_t seed, Problem<T>& p, std::span<const Index> rows) {
  const Spec& spec = p.spec();
  const auto [T_, B, I, H] = spec.shape;
  const Scales scales = scales_of(spec);
  const auto stream = [seed](Stream which) { return Random(seed, which); };

  const double input_sigma = scales.input / std::sqrt(static_cast<double>(I));
  fill(p.params.weight_ih, stream(weight_ih), [&](Random& r) { return input_sigma * spread(r); });
  fill_recurrent(p.params.weight_hh, spec.cell.gates(), scales, stream(weight_hh));
  fill_bias(p.params.bias_ih, H, scales, true, stream(bias_ih));
  fill_bias(p.params.bias_hh, H, scales, false, stream(bias_hh));
  fill(p.in.x, stream(x), spread);
  fill(p.in.h0, stream(h0), signed_value);
  const Activation phi = spec.cell.activation;
  const bool has_kink =
      spec.cell.kind == CellKind::rnn && (phi == Activation::relu || phi == Activation::leaky_relu);
  if (has_kink) {  // a state that relu could have left
    for (T& value : p.in.h0) value = std::abs(value);
  }
  fill(p.in.c0, stream(c0), signed_value);
  fill(p.dout.y, stream(dy), signed_value);
  fill(p.dout.hT, stream(dhT), signed_value);
  fill(p.dout.cT, stream(dcT), signed_value);

  double margin = std::numeric_limits<double>::infinity();
  if (has_kink) {
    KinkRepair<T> repair(p, stream(redraw));
    std::vector<Index> all;
    if (rows.empty()) {
      all.resize(static_cast<std::size_t>(B));
      std::iota(all.begin(), all.end(), 0);
      rows = all;
    }
    for (const Index b : rows) margin = std::min(margin, repair.run(b));
  }
  poison_padding(p);
  return margin;
}

template double draw_inputs<float>(std::uint64_t, Problem<float>&, std::span<const Index>);
template double draw_inputs<double>(std::uint64_t, Problem<double>&, std::span<const Index>);

}  // namespace bptt::verify
