#include "verify/flow/measure.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "impls/api/tensor.hpp"
#include "verify/flow/norms.hpp"

namespace bptt::verify::flow {
namespace {

/// One stream of random numbers each: weights do not depend on the number of steps.
enum Stream : std::uint64_t { weights, x, h0, c0 };

template <Real T>
double norm_of(const View<T>& matrix) {
  const std::vector<double> wide(matrix.begin(), matrix.end());
  return largest_singular_value({wide.data(), matrix.extents()});
}

/// The largest over the gates' blocks of W_hh.
template <Real T, class Measure>
double over_blocks(const Spec& spec, const View<T>& weight_hh, Measure measure) {
  const Index H = spec.shape.H;
  const std::vector<double> wide(weight_hh.begin(), weight_hh.end());
  double most = 0;
  for (Index gate = 0; gate < spec.cell.gates(); ++gate) {
    most = std::max(most, measure(View<const double>(wide.data() + gate * H * H, {H, H})));
  }
  return most;
}

template <Real T>
class Measurement {
 public:
  Measurement(const Backend& backend, const Network& network)
      : backend_(backend), network_(network), whole_(spec_of(network, network.T)) {
    net::Random random(network.seed, weights);
    fill(network.initialisation, whole_.spec(), whole_.params, random);
    draw(whole_.in.x, net::Random(network.seed, x), -1);
    draw(whole_.in.h0, net::Random(network.seed, h0), 0);
    draw(whole_.in.c0, net::Random(network.seed, c0), 0);
    backend.plan<T>(whole_.spec(), Exec{})->forward(whole_.params, whole_.in, whole_.out);
  }

  std::vector<Row> rows() {
    Row row;
    row.backend = backend_.name();
    row.dtype = name_of(dtype_of<T>);
    row.cell = to_string(network_.cell);
    row.initialisation = network_.initialisation.name;
    row.T = network_.T;
    row.H = network_.H;
    row.seed = network_.seed;
    row.sigma_max = over_blocks(whole_.spec(), whole_.params.weight_hh, largest_singular_value);
    row.spectral_radius = over_blocks(whole_.spec(), whole_.params.weight_hh, spectral_radius);
    std::vector<Row> rows;
    for (const Index lag : lags_of(network_.T)) {
      row.lag = lag;
      measure_lag(row);
      if (const auto gamma = largest_slope(network_.cell)) {
        row.bound = std::pow(*gamma * row.sigma_max, static_cast<double>(lag));
        row.verdict = verdict_of(row.norm, *row.bound, lag, network_.H, dtype_of<T>);
      }
      rows.push_back(row);
    }
    return rows;
  }

 private:
  static void draw(const View<T>& view, net::Random random, double low) {
    for (T& value : view) value = static_cast<T>(random.uniform(low, 1));
  }

  /// Every sequence of the batch alike: x from step `first` on.
  void give_inputs(Problem<T>& p, Index first) const {
    const auto [steps, B, I, H] = p.spec().shape;
    for (Index t = 0; t < steps; ++t) {
      for (Index b = 0; b < B; ++b) std::copy_n(&whole_.in.x(first + t, 0, 0), I, &p.in.x(t, b, 0));
    }
  }

  /// h and c after the first `steps` steps, into every sequence's initial state.
  void start_at(Index steps, Problem<T>& p) const {
    const Index B = p.spec().shape.B, H = network_.H;
    const bool has_c = p.spec().cell.has_cell_state();
    const T* h = steps == 0 ? whole_.in.h0.data() : &whole_.out.y(steps - 1, 0, 0);
    std::vector<T> c(static_cast<std::size_t>(H));
    if (has_c && steps == 0) std::copy_n(whole_.in.c0.data(), H, c.data());
    if (has_c && steps > 0) {
      Problem<T> before(spec_of(network_, steps));
      give_inputs(before, 0);
      std::copy_n(whole_.in.h0.data(), H, before.in.h0.data());
      std::copy_n(whole_.in.c0.data(), H, before.in.c0.data());
      backend_.plan<T>(before.spec(), Exec{})->forward(whole_.params, before.in, before.out);
      std::copy_n(before.out.cT.data(), H, c.data());
    }
    for (Index b = 0; b < B; ++b) {
      std::copy_n(h, H, &p.in.h0(b, 0));
      if (has_c) std::copy_n(c.data(), H, &p.in.c0(b, 0));
    }
  }

  void measure_lag(Row& row) const {
    Spec spec = spec_of(network_, row.lag);
    spec.shape.B = network_.H;
    Problem<T> p(spec);
    give_inputs(p, network_.T - row.lag);
    start_at(network_.T - row.lag, p);
    for (Index j = 0; j < network_.H; ++j) p.dout.hT(j, j) = 1;
    Grads<T> wanted;
    wanted.h0 = p.grads.h0;
    wanted.c0 = p.grads.c0;
    OutputGrads<T> upstream;
    upstream.hT = p.dout.hT;
    const auto plan = backend_.plan<T>(spec, Exec{});
    plan->forward(whole_.params, p.in, p.out);
    plan->backward(whole_.params, p.in, upstream, wanted);
    row.norm = norm_of(p.grads.h0);
    if (p.grads.c0) row.cell_norm = norm_of(p.grads.c0);
  }

  const Backend& backend_;
  const Network& network_;
  Problem<T> whole_;
};

}  // namespace

std::vector<Index> lags_of(Index T) {
  const Index count = std::min(T, most_lags);
  std::vector<Index> lags;
  for (Index i = 0; i < count; ++i) {
    // From 1 to T, both included.
    lags.push_back(count == 1 ? T : 1 + i * (T - 1) / (count - 1));
  }
  return lags;
}

std::optional<double> largest_slope(const Cell& cell) {
  if (cell.kind != CellKind::rnn) return std::nullopt;
  return cell.activation == Activation::sigmoid ? 0.25 : 1.0;
}

Spec spec_of(const Network& network, Index steps) {
  Spec spec;
  spec.cell = network.cell;
  spec.shape = {steps, 1, network.H, network.H};
  return spec;
}

Verdict verdict_of(double norm, double bound, Index lag, Index H, Dtype dtype) {
  return dispatch(dtype, [&]<class T>(std::type_identity<T>) {
    using Limits = std::numeric_limits<T>;
    if (!std::isfinite(norm)) {
      return bound > static_cast<double>(Limits::max()) ? Verdict::out_of_range : Verdict::violated;
    }
    // A backward step is a product of H terms; rounding it moves a vector by H half-ulps of the
    // product with |W_hh|, whose norm is sqrt(H) times that of W_hh at most.
    const double h = static_cast<double>(H);
    const double slack =
        static_cast<double>(lag) * (h + 4) * std::sqrt(h) * static_cast<double>(Limits::epsilon());
    // Below the smallest normal number rounding is absolute.
    const bool holds = norm <= bound * (1 + slack) + h * static_cast<double>(Limits::min());
    return holds ? Verdict::holds : Verdict::violated;
  });
}

std::vector<Row> measure(const Backend& backend, Dtype dtype, const Network& network) {
  return dispatch(dtype, [&]<class T>(std::type_identity<T>) {
    return Measurement<T>(backend, network).rows();
  });
}

}  // namespace bptt::verify::flow
