#include "verify/kink_sides.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "verify/tensor_list.hpp"
#include "verify/tolerance.hpp"

namespace bptt::verify {
namespace {

/// What the plans of one model leave behind, in the order in which they were made.
template <Scalar S>
struct Traces {
  struct Layer {
    Shape shape;
    std::vector<S> preactivation;                      ///< [T,B,H]; NaN in padding
    std::vector<std::pair<std::size_t, bool>> forced;  ///< which of them, and to which side
  };
  std::vector<Layer> layers;
};

/// A recurrence of relu or leaky_relu units, one scalar at a time, whose derivative at chosen units
/// is that of a chosen side.
template <Scalar S>
class SidedPlan final : public Plan<S> {
 public:
  SidedPlan(const Spec& spec, Traces<S>& traces)
      : Plan<S>(spec, Exec{}), traces_(traces), layer_(traces.layers.size()) {
    traces.layers.push_back({spec.shape, {}, {}});
  }
  std::size_t workspace_bytes() const override { return 0; }

 private:
  S slope_below() const {
    return this->spec().cell.activation == Activation::relu ? S(0) : S(leaky_relu_slope);
  }
  Index length(const Inputs<const S>& in, Index b) const {
    return this->spec().lengths ? in.lengths[static_cast<std::size_t>(b)] : this->spec().shape.T;
  }

  void do_forward(const Params<const S>& params, const Inputs<const S>& in,
                  const Outputs<S>& out) override {
    const auto [T_, B, I, H] = this->spec().shape;
    auto& p = traces_.layers[layer_].preactivation;
    p.assign(static_cast<std::size_t>(T_ * B * H), S(std::numeric_limits<double>::quiet_NaN()));
    std::vector<S> h(static_cast<std::size_t>(H)), next(h.size());
    for (Index b = 0; b < B; ++b) {
      for (Index j = 0; j < H; ++j) h[static_cast<std::size_t>(j)] = in.h0 ? in.h0(b, j) : S(0);
      for (Index t = 0; t < T_; ++t) {
        const bool live = t < length(in, b);
        for (Index j = 0; j < H; ++j) {
          if (!live) {
            out.y(t, b, j) = S(0);
            continue;
          }
          S sum = params.bias_ih ? params.bias_ih[j] + params.bias_hh[j] : S(0);
          for (Index k = 0; k < I; ++k) sum += params.weight_ih(j, k) * in.x(t, b, k);
          for (Index k = 0; k < H; ++k) {
            sum += params.weight_hh(j, k) * h[static_cast<std::size_t>(k)];
          }
          p[static_cast<std::size_t>((t * B + b) * H + j)] = sum;
          next[static_cast<std::size_t>(j)] = sum > S(0) ? sum : slope_below() * sum;
          out.y(t, b, j) = next[static_cast<std::size_t>(j)];
        }
        if (live) h = next;
      }
      for (Index j = 0; out.hT && j < H; ++j) out.hT(b, j) = h[static_cast<std::size_t>(j)];
    }
  }

  void do_backward(const Params<const S>& params, const Inputs<const S>& in,
                   const OutputGrads<const S>& dout, const Grads<S>& grads) override {
    const auto [T_, B, I, H] = this->spec().shape;
    const auto& layer = traces_.layers[layer_];
    std::vector<S> slope(layer.preactivation.size());
    for (std::size_t i = 0; i < slope.size(); ++i) {
      slope[i] = layer.preactivation[i] > S(0) ? S(1) : slope_below();
    }
    for (const auto& [i, above] : layer.forced) slope[i] = above ? S(1) : slope_below();
    // What is not wanted has nowhere to go.
    Problem<S> sums(this->spec());
    const Grads<S>& g = sums.grads;
    std::vector<S> dh(static_cast<std::size_t>(H)), dp(dh.size());
    for (Index turn = 0; turn < B; ++turn) {
      const Index b = naive::Variation::sample_at(turn, B);
      for (Index j = 0; j < H; ++j)
        dh[static_cast<std::size_t>(j)] = dout.hT ? dout.hT(b, j) : S(0);
      for (Index t = length(in, b) - 1; t >= 0; --t) {
        for (Index j = 0; j < H; ++j) {
          const auto u = static_cast<std::size_t>(j);
          const S upstream = dout.y ? dout.y(t, b, j) : S(0);
          dp[u] = (dh[u] + upstream) * slope[static_cast<std::size_t>((t * B + b) * H + j)];
        }
        std::fill(dh.begin(), dh.end(), S(0));
        for (Index j = 0; j < H; ++j) {
          const S d = dp[static_cast<std::size_t>(j)];
          for (Index k = 0; k < I; ++k) {
            g.params.weight_ih(j, k) += d * in.x(t, b, k);
            g.x(t, b, k) += d * params.weight_ih(j, k);
          }
          for (Index k = 0; k < H; ++k) {
            const S before = t > 0 ? state(layer, t - 1, b, k) : in.h0 ? in.h0(b, k) : S(0);
            g.params.weight_hh(j, k) += d * before;
            dh[static_cast<std::size_t>(k)] += d * params.weight_hh(j, k);
          }
          if (!g.params.bias_ih) continue;
          g.params.bias_ih[j] += d;
          g.params.bias_hh[j] += d;
        }
      }
      for (Index j = 0; j < H; ++j) g.h0(b, j) = dh[static_cast<std::size_t>(j)];
    }
    const auto from = gradient_tensors(sums);
    std::vector<NamedView<S>> to;
    append(this->spec(), grads, to);
    for (std::size_t i = 0; i < to.size(); ++i) {
      if (to[i].view) std::copy(from[i].view.begin(), from[i].view.end(), to[i].view.begin());
    }
  }

  S state(const typename Traces<S>::Layer& layer, Index t, Index b, Index k) const {
    const Shape& s = layer.shape;
    const S p = layer.preactivation[static_cast<std::size_t>((t * s.B + b) * s.H + k)];
    return p > S(0) ? p : slope_below() * p;
  }

  Traces<S>& traces_;
  std::size_t layer_;
};

/// A model on sided plans.
template <Scalar S>
class SidedModel {
 public:
  explicit SidedModel(const Subject& subject)
      : model_(subject.make<S>([this](const Spec& spec) -> std::unique_ptr<Plan<S>> {
          return std::make_unique<SidedPlan<S>>(spec, traces_);
        })) {}
  net::Model<S>& model() { return *model_; }
  std::vector<typename Traces<S>::Layer>& layers() { return traces_.layers; }

  /// Leaves the preactivations in the layers.
  void forward(const Given& given) {
    set_given(given, *model_);
    model_->forward();
  }

 private:
  Traces<S> traces_;
  std::unique_ptr<net::Model<S>> model_;
};

std::size_t index_of(const KinkUnit& unit, const Shape& shape) {
  return static_cast<std::size_t>((unit.time * shape.B + unit.batch) * shape.H + unit.unit);
}

}  // namespace

template <Real T>
typename KinkSides<T>::At KinkSides<T>::at(const Sides& sides) const {
  SidedModel<T> in_T(subject_);
  SidedModel<Wider<T>> in_W(subject_);
  for (std::size_t i = 0; i < units_.size(); ++i) {
    const std::size_t layer = units_[i].layer;
    const std::size_t index = index_of(units_[i], in_T.layers()[layer].shape);
    in_T.layers()[layer].forced.emplace_back(index, sides[i]);
    in_W.layers()[layer].forced.emplace_back(index, sides[i]);
  }
  At at;
  ErrorUnits<T> units(result_layouts(in_W.model(), subject_.cell()));
  for (std::size_t k = 0; k < narrow_.size(); ++k) {
    auto values = run(in_W.model(), wide_[k]);
    const auto variation = variation_of(static_cast<int>(k), 0);  // these have no tanh
    units.add(run(in_T.model(), narrow_[k]), values);
    if (k == 0) at.values = std::move(values);
  }
  at.unit = std::move(units).of(at.values);
  return at;
}

template <Real T>
std::shared_ptr<const KinkSides<T>> find_kinks(const Subject& subject, std::vector<Given> narrow,
                                               std::vector<Given> wide) {
  using W = Wider<T>;
  SidedModel<T> in_T(subject);
  SidedModel<W> in_W(subject);
  std::vector<std::vector<double>> squares(in_W.layers().size());
  std::vector<std::vector<W>> own(in_W.layers().size());
  for (std::size_t k = narrow.size(); k-- > 0;) {  // the case itself last: its values stay
    in_T.forward(narrow[k]);
    in_W.forward(wide[k]);
    for (std::size_t l = 0; l < squares.size(); ++l) {
      own[l] = in_W.layers()[l].preactivation;
      squares[l].resize(own[l].size());
      for (std::size_t i = 0; i < own[l].size(); ++i) {
        const auto error = static_cast<double>(in_T.layers()[l].preactivation[i] - own[l][i]);
        if (error == error) squares[l][i] += error * error;
      }
    }
  }
  const auto runs = static_cast<double>(narrow.size());
  std::vector<KinkUnit> units;
  Sides taken;
  for (std::size_t l = 0; l < own.size(); ++l) {
    const Shape& shape = in_W.layers()[l].shape;
    const auto step = static_cast<std::size_t>(shape.B * shape.H);
    for (std::size_t begin = 0; begin < own[l].size(); begin += step) {
      double error = 0, signal = 0, live = 0;
      for (std::size_t i = begin; i < begin + step; ++i) {
        const auto p = static_cast<double>(own[l][i]);
        if (p != p) continue;  // padding
        error += squares[l][i] / runs;
        signal += p * p;
        ++live;
      }
      if (live == 0) continue;
      constexpr double u = static_cast<double>(std::numeric_limits<T>::epsilon()) / 2;
      for (std::size_t i = begin; i < begin + step; ++i) {
        const auto p = static_cast<double>(own[l][i]);
        const double measured = std::sqrt((squares[l][i] + error / live) / (runs + 1));
        const double unit = std::max(measured, u * std::sqrt(signal / live));
        if (!(std::abs(p) <= error_limit * unit)) continue;
        const auto at = static_cast<Index>(i);
        units.push_back({l, at / (shape.B * shape.H), at / shape.H % shape.B, at % shape.H});
        taken.push_back(own[l][i] > W(0));
      }
    }
  }
  if (units.empty()) return nullptr;
  return std::make_shared<const KinkSides<T>>(subject, std::move(narrow), std::move(wide),
                                              std::move(units), std::move(taken));
}

template <Real T>
SidesFit fit_sides(const KinkSides<T>& kinks,
                   const std::function<double(const typename KinkSides<T>::At&)>& misfit) {
  const std::size_t n = kinks.units().size();
  SidesFit best;
  best.misfit = std::numeric_limits<double>::infinity();
  const auto attempt = [&](const Sides& sides) {
    const double of_these = misfit(kinks.at(sides));
    if (of_these < best.misfit) {
      best.misfit = of_these;
      best.sides = sides;
    }
    return best.misfit == 0;
  };
  if (attempt(kinks.taken()) || attempt(Sides(n, true)) || attempt(Sides(n, false))) return best;
  if (n <= most_units_in_full) {
    for (std::size_t choice = 0; choice < std::size_t{1} << n; ++choice) {
      Sides sides(n);
      for (std::size_t i = 0; i < n; ++i) sides[i] = (choice >> i & 1) != 0;
      if (attempt(sides)) return best;
    }
    return best;
  }
  best.exhaustive = false;
  if (n > most_units_one_by_one) return best;
  constexpr int sweeps = 3;
  for (int sweep = 0; sweep < sweeps; ++sweep) {
    const double before = best.misfit;
    for (std::size_t i = 0; i < n; ++i) {
      Sides sides = best.sides;
      sides[i] = !sides[i];
      if (attempt(sides)) {
        best.exhaustive = true;
        return best;
      }
    }
    if (best.misfit == before) break;
  }
  return best;
}

#define BPTT_INSTANTIATE(T)                                                                    \
  template class KinkSides<T>;                                                                 \
  template SidesFit fit_sides(const KinkSides<T>&,                                             \
                              const std::function<double(const typename KinkSides<T>::At&)>&); \
  template std::shared_ptr<const KinkSides<T>> find_kinks(const Subject&, std::vector<Given>,  \
                                                          std::vector<Given>)
BPTT_INSTANTIATE(float);
BPTT_INSTANTIATE(double);
#undef BPTT_INSTANTIATE

}  // namespace bptt::verify
