#include "verify/kinks.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "impls/naive/naive.hpp"
#include "verify/random_values.hpp"

namespace bptt::verify {
namespace {

/// p_t = W_hh h_{t-1} + b_ih + b_hh of one row, without what comes from x.
template <class T>
double from_state(const Params<const T>& params, Index unit, const double* h) {
  const Index H = params.weight_hh.extents()[1];
  double sum = params.bias_ih ? double(params.bias_ih[unit]) + params.bias_hh[unit] : 0;
  for (Index k = 0; k < H; ++k) sum += double(params.weight_hh(unit, k)) * h[k];
  return sum;
}

/// One sequence of an rnn layer in double, for the repair.
template <class T>
class KinkRepair {
 public:
  KinkRepair(const Problem<T>& p, net::Random random)
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
    for (Index j = 0; j < H_; ++j) from_state_[at(j)] = from_state<T>(p_.params, j, h_.data());
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
  net::Random random_;
  Index H_, I_;
  std::vector<double> from_state_, h_;
};

}  // namespace

double kink_margin(const Spec& spec) {
  return std::min(0.05, 0.2 / static_cast<double>(spec.shape.H));
}

template <Real T>
double repair_kinks(const Problem<T>& p, net::Random random, std::span<const Index> rows) {
  std::vector<Index> all;
  if (rows.empty()) {
    all.resize(static_cast<std::size_t>(p.spec().shape.B));
    std::iota(all.begin(), all.end(), 0);
    rows = all;
  }
  KinkRepair<T> repair(p, random);
  double margin = std::numeric_limits<double>::infinity();
  for (const Index b : rows) margin = std::min(margin, repair.run(b));
  return margin;
}

/// Of a plain recurrent layer.
class KinkWatch::WatchedPlan final : public Plan<double> {
 public:
  WatchedPlan(const Spec& spec, KinkWatch& watch)
      : Plan<double>(spec, Exec{}), watch_(watch), plan_(naive::make_plan<double>(spec)) {}
  std::size_t workspace_bytes() const override { return plan_->workspace_bytes(); }

 private:
  void do_forward(const Params<const double>& params, const Inputs<const double>& in,
                  const Outputs<double>& out) override {
    plan_->forward(params, in, out);
    const auto [T_, B, I, H] = spec().shape;
    const std::vector<double> zero(static_cast<std::size_t>(H));
    for (Index t = 0; t < T_; ++t) {
      Index seen = 0, active = 0;
      for (Index b = 0; b < B; ++b) {
        if (spec().lengths && t >= in.lengths[static_cast<std::size_t>(b)]) continue;
        const double* h = t > 0 ? &out.y(t - 1, b, 0) : in.h0 ? &in.h0(b, 0) : zero.data();
        for (Index j = 0; j < H; ++j) {
          double sum = from_state(params, j, h);
          for (Index k = 0; k < I; ++k) sum += params.weight_ih(j, k) * in.x(t, b, k);
          watch_.nearest_ = std::min(watch_.nearest_, std::abs(sum));
          ++seen;
          active += sum > 0;
        }
      }
      watch_.count_ += seen;
      if (seen == 0) continue;
      watch_.least_active_ =
          std::min(watch_.least_active_, static_cast<double>(active) / static_cast<double>(seen));
    }
  }
  void do_backward(const Params<const double>& params, const Inputs<const double>& in,
                   const OutputGrads<const double>& dout, const Grads<double>& grads) override {
    plan_->backward(params, in, dout, grads);
  }

  KinkWatch& watch_;
  std::unique_ptr<Plan<double>> plan_;
};

net::PlanMaker<double> KinkWatch::plans() {
  return [this](const Spec& spec) { return std::make_unique<WatchedPlan>(spec, *this); };
}

template double repair_kinks(const Problem<float>&, net::Random, std::span<const Index>);
template double repair_kinks(const Problem<double>&, net::Random, std::span<const Index>);

}  // namespace bptt::verify
