#include "verify/inputs.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <string_view>

#include "impls/net/layer_activation.hpp"
#include "impls/net/random.hpp"
#include "verify/kinks.hpp"
#include "verify/random_values.hpp"
#include "verify/tensor_list.hpp"

namespace bptt::verify {
namespace {

using net::Random;

/// How a cell's draw is scaled so that signal survives many steps and nothing grows out of bounds.
struct Scales {
  double recurrent = 1;          ///< singular value of the recurrent blocks
  double input = 0.5;            ///< standard deviation of W_ih x
  bool centred = false;          ///< rows of W_hh sum to zero: states have a mean that is not zero
  std::array<double, 4> bias{};  ///< mean of each gate block's
  std::array<double, 4> block = {1, 1, 1, 1};     ///< on all rows of a gate block
  std::array<double, 4> recurrent_block = block;  ///< on its recurrent rows alone
};

Scales rnn_scales(const Cell& cell, Index H) {
  Scales s;
  switch (cell.activation) {
    case Activation::tanh:
      s.recurrent = 1.25;
      break;
    case Activation::relu:
    case Activation::leaky_relu:
      // Some three quarters of the units are active: the norm shrinks by the root of that.
      s.recurrent = H == 1 ? 1 : 1.15;
      s.bias[0] = 0.3;
      break;
    case Activation::sigmoid:
      s.recurrent = 4.5;  // its largest slope is 1/4
      s.centred = H > 2;
      break;
    case Activation::identity:
      break;
  }
  return s;
}

Scales lstm_scales(const Cell& cell) {
  enum { i, f, g, o };
  Scales s;
  s.recurrent = 0.8;
  s.input = 0.7;
  s.bias[f] = 2.25;
  // What keeps c from growing where a gate that would is gone, or g is not squashed.
  if (!cell.input_gate) s.block[g] *= 0.5;
  if (!cell.forget_gate) s.block[g] *= 0.3;
  if (cell.candidate == Activation::identity) s.block[g] *= 0.5;
  // c is larger than h.
  if (cell.output == Activation::identity) s.recurrent *= 0.6;
  if (cell.gate_input == GateInput::cell) {
    s.recurrent_block[i] = s.recurrent_block[f] = s.recurrent_block[o] = 0.4;
  }
  return s;
}

Scales scales_of(const Cell& cell, Index H) {
  switch (cell.kind) {
    case CellKind::rnn:
      return rnn_scales(cell, H);
    case CellKind::lstm:
      return lstm_scales(cell);
    case CellKind::gru:
      break;
  }
  Scales s;
  s.recurrent = 0.9;
  s.input = 0.7;
  s.bias[1] = cell.update == GruUpdate::take ? -2.25 : 2.25;
  return s;
}

/// A tensor to be filled.
template <class T>
struct Target {
  std::string_view name;
  net::Role role;
  View<T> view;
};

template <class T, class Draw>
void fill(const View<T>& view, Random random, Draw draw) {
  for (T& value : view) value = static_cast<T>(draw(random));
}

template <class T>
void fill_input_weights(const View<T>& w, Index gates, const Scales& scales, Random random) {
  const Index I = w.extents()[1], rows = w.extents()[0] / gates;
  const double sigma = scales.input / std::sqrt(static_cast<double>(I));
  for (Index e = 0; e < w.size(); ++e) {
    const auto block = static_cast<std::size_t>(e / I / rows);
    w[e] = static_cast<T>(sigma * scales.block[block] * spread(random));
  }
}

template <class T>
void fill_recurrent(const View<T>& w, Index gates, const Scales& scales, Random random) {
  const Index H = w.extents()[1];
  for (Index g = 0; g < gates; ++g) {
    std::vector<double> q = recurrent_block(H, random);
    if (H == 1) q[0] = 1;  // -1 would kill the only unit of a relu layer
    const auto block = static_cast<std::size_t>(g);
    const double scale = scales.recurrent * scales.block[block] * scales.recurrent_block[block];
    for (Index j = 0; j < H; ++j) {
      double* row = q.data() + j * H;
      const double mean =
          scales.centred ? std::accumulate(row, row + H, 0.0) / static_cast<double>(H) : 0;
      for (Index k = 0; k < H; ++k) w(g * H + j, k) = static_cast<T>(scale * (row[k] - mean));
    }
  }
}

template <class T>
void fill_bias(const View<T>& b, Index gates, const Scales& scales, bool carries_mean,
               Random random) {
  const Index H = b.size() / gates;
  for (Index row = 0; row < b.size(); ++row) {
    const auto block = static_cast<std::size_t>(row / H);
    const double mean = carries_mean ? scales.bias[block] : 0;
    b[row] = static_cast<T>(mean + 0.2 * scales.block[block] * spread(random));
  }
}

/// The parameters of a cell by the start of their names; others are those of dense layers.
template <class T>
void fill_parameter(const Target<T>& target, const Cell& cell, Random random) {
  const View<T>& view = target.view;
  const std::size_t dot = target.name.rfind('.');
  const std::string_view name = target.name.substr(dot == std::string_view::npos ? 0 : dot + 1);
  const Index gates = cell.gates();
  const Index last = view.extents()[view.extents().rank() - 1];
  const Index H = name.starts_with("weight_hh") ? last : 2;
  const Scales scales = scales_of(cell, H);
  if (name.starts_with("weight_ih")) {
    fill_input_weights(view, gates, scales, random);
  } else if (name.starts_with("weight_hh")) {
    fill_recurrent(view, gates, scales, random);
  } else if (name.starts_with("bias_")) {
    fill_bias(view, gates, scales, name.starts_with("bias_ih"), random);
  } else if (name.starts_with("weight_peephole")) {
    fill(view, random, [](Random& r) { return 0.3 * signed_value(r); });
  } else {
    const double sigma =
        view.extents().rank() == 1 ? 0.2 : 1 / std::sqrt(static_cast<double>(last));
    fill(view, random, [sigma](Random& r) { return sigma * spread(r); });
  }
}

template <class T>
void fill_target(const Target<T>& target, const Cell& cell, std::uint64_t seed) {
  const Random random(seed, hash_of(target.name));
  const bool state = target.name.ends_with("h0") || target.name.ends_with("c0");
  switch (target.role) {
    case net::Role::parameter:
      return fill_parameter(target, cell, random);
    case net::Role::input:
      if (!state) return fill(target.view, random, spread);
      fill(target.view, random, signed_value);
      if (cell.has_kink()) {  // a state that relu could have left
        for (T& value : target.view) value = std::abs(value);
      }
      return;
    case net::Role::upstream:
      return fill(target.view, random, signed_value);
    case net::Role::target:  // within what a sigmoid can give
      return fill(target.view, random, [](Random& r) { return r.uniform(0.05, 0.95); });
    case net::Role::output:
      return;
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

/// Integer targets; at padding none that exists.
std::vector<Index> draw_targets(const net::Model<double>& model, std::uint64_t seed) {
  std::vector<Index> targets(model.targets().size());
  Random random(seed, hash_of("targets"));
  for (Index& target : targets) target = random.below(model.classes());
  for (const auto& tensor : model.tensors()) {
    // The last recurrence is the one that the targets are compared with.
    if (tensor.role != net::Role::output || tensor.outer != net::OuterAxis::time ||
        !tensor.name.ends_with("y") || !tensor.lengths) {
      continue;
    }
    const Index B = tensor.value.extents()[1];
    if (tensor.blocks * B != static_cast<Index>(targets.size())) continue;
    for (Index step = 0; step < static_cast<Index>(targets.size()); ++step) {
      const Index length = (*tensor.lengths)[static_cast<std::size_t>(step % B)];
      if (step / B >= length) targets[static_cast<std::size_t>(step)] = -1;
    }
  }
  return targets;
}

}  // namespace

template <Real T>
double draw_inputs(std::uint64_t seed, Problem<T>& p, std::span<const Index> rows) {
  const Spec& spec = p.spec();
  const auto fill_all = [&](const auto& tensors, auto role_of) {
    for_each(spec, tensors, [&](const TensorInfo& info, const View<T>& view) {
      if (view) fill_target(Target<T>{info.base_name, role_of, view}, spec.cell, seed);
    });
  };
  fill_all(p.params, net::Role::parameter);
  fill_all(p.in, net::Role::input);
  fill_all(p.dout, net::Role::upstream);
  double margin = std::numeric_limits<double>::infinity();
  if (spec.cell.has_kink()) margin = repair_kinks(p, Random(seed, hash_of("redraw")), rows);
  poison_padding(p);
  return margin;
}

template <Real T>
Given draw_model(const Subject& subject, std::uint64_t seed, int tries) {
  const bool kinks = subject.cell().has_kink();
  KinkWatch watch;                 // recurrent layers
  net::KinkObserver dense_layers;  // and what stands on them
  const auto model =
      subject.make<double>(kinks ? watch.plans() : net::PlanMaker<double>(naive_plans<double>()));
  const auto draw = [&](std::uint64_t own_seed) {
    Given given;
    for (const auto& tensor : given_tensors(*model)) {
      fill_target(Target<double>{tensor.name, tensor.role, tensor.value}, subject.cell(), own_seed);
      auto& values = given.values.emplace_back(tensor.value.begin(), tensor.value.end());
      const Layout layout = layout_of(tensor, false, subject.cell(), 1);
      for (Index e = 0; e < layout.extents.size(); ++e) {
        double& value = values[static_cast<std::size_t>(e)];
        value = is_padding(layout, e) ? std::numeric_limits<double>::quiet_NaN()
                                      : static_cast<double>(static_cast<T>(value));
      }
    }
    given.targets = draw_targets(*model, own_seed);
    return given;
  };
  Given given = draw(seed);
  // One draw in a few is good: the chance that none of 64 is, is next to nothing.
  double best = -1;
  for (int i = 0; i < tries && best < 1; ++i) {
    Given candidate = draw(seed + static_cast<std::uint64_t>(i));
    watch.reset();
    dense_layers.reset();
    set_given(candidate, *model);
    model->forward();
    const Index count = watch.count() + dense_layers.count();
    if (count == 0) break;
    const double nearest = std::min(watch.nearest(), dense_layers.nearest());
    const double distance = nearest * static_cast<double>(count) / 0.2;
    const double good = std::min(1.0, distance) * std::min(1.0, 3 * watch.least_active());
    if (good <= best) continue;
    best = good;
    given = std::move(candidate);
  }
  return given;
}

template double draw_inputs<float>(std::uint64_t, Problem<float>&, std::span<const Index>);
template double draw_inputs<double>(std::uint64_t, Problem<double>&, std::span<const Index>);
template Given draw_model<float>(const Subject&, std::uint64_t, int);
template Given draw_model<double>(const Subject&, std::uint64_t, int);

}  // namespace bptt::verify
