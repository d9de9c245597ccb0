#include "verify/fuzz/trial.hpp"

#include <algorithm>
#include <iterator>

#include "impls/net/random.hpp"
#include "verify/fuzz/subject.hpp"

namespace bptt::verify::fuzz {
namespace {

using net::Random;

bool chance(Random& random, double probability) {
  return random.uniform() < probability;
}

template <class List>
const auto& one_of(Random& random, const List& list) {
  return list[static_cast<std::size_t>(random.below(static_cast<Index>(std::size(list))))];
}

/// Where kernels have edges: vector registers hold 4, 8 or 16 numbers, panels 16 units or more.
Index draw_extent(Random& random, Index most) {
  static constexpr Index primes[] = {2,  3,  5,  7,  11, 13, 17, 19, 23,
                                     29, 31, 37, 41, 43, 47, 53, 61};
  static constexpr Index panels[] = {16, 32, 48, 64, 80, 96, 112, 128, 144};
  Index extent = 1;
  switch (random.below(7)) {
    case 0:
      break;
    case 1:
      extent = one_of(random, primes);
      break;
    case 2:
      extent = (Index{1} << random.below(8)) + random.below(3) - 1;
      break;
    case 3:
      extent = 8 * (1 + random.below(8)) + random.below(3) - 1;
      break;
    case 4:
      extent = one_of(random, panels) + (chance(random, 0.5) ? 0 : random.below(3) - 1);
      break;
    case 5:
      extent = 1 + random.below(12);
      break;
    default:
      extent = 1 + random.below(most);
  }
  // What is too large becomes small and of any kind, not the bound itself again and again.
  if (extent > most) extent = 1 + random.below(most);
  return std::max<Index>(extent, 1);
}

Cell draw_cell(Random& random, const Restrictions& only) {
  if (!only.cells.empty()) return parse_cell(one_of(random, only.cells));
  static constexpr Activation activations[] = {Activation::tanh, Activation::relu,
                                               Activation::sigmoid, Activation::leaky_relu,
                                               Activation::identity};
  static constexpr CellKind kinds[] = {CellKind::rnn, CellKind::lstm, CellKind::lstm,
                                       CellKind::gru};
  Cell cell;
  cell.kind = one_of(random, kinds);
  cell.bias = chance(random, 0.75);
  if (cell.kind == CellKind::rnn) cell.activation = one_of(random, activations);
  if (cell.kind == CellKind::gru) {
    cell.reset = chance(random, 0.5) ? GruReset::before_matmul : GruReset::after_matmul;
    cell.update = chance(random, 0.5) ? GruUpdate::take : GruUpdate::keep;
  }
  if (cell.kind == CellKind::lstm && chance(random, 0.6)) {
    constexpr double rare = 0.2;
    if (chance(random, rare)) cell.output = Activation::identity;
    if (chance(random, rare)) cell.candidate = Activation::identity;
    if (chance(random, rare)) cell.gate_input = GateInput::cell;
    cell.peephole = chance(random, 0.3);
    cell.coupled = chance(random, rare);
    if (!cell.coupled) {
      cell.input_gate = !chance(random, rare);
      cell.forget_gate = !chance(random, rare);
    }
    cell.output_gate = !chance(random, rare);
  }
  return cell;
}

/// How large the extents of a trial may be.
struct Size {
  double probability;
  Index T, B, I, H;
  double most_work;  ///< multiply-adds of a forward pass
};
constexpr Size sizes[] = {
    {0.62, 9, 7, 19, 33, 2e5},   {0.20, 14, 17, 50, 50, 8e5}, {0.06, 5, 9, 150, 150, 2e6},
    {0.05, 200, 5, 17, 33, 3e6}, {0.05, 9, 100, 33, 49, 3e6}, {0.02, 60, 40, 80, 150, 1.2e7},
};

const Size& draw_size(Random& random) {
  double left = random.uniform();
  for (const Size& size : sizes) {
    left -= size.probability;
    if (left < 0) return size;
  }
  return sizes[0];
}

std::vector<Index> draw_lengths(Random& random, const Shape& shape) {
  std::vector<Index> lengths;
  const Index kind = random.below(8);
  const Index equal = random.below(shape.T + 1);
  for (Index b = 0; b < shape.B; ++b) {
    if (kind == 0) {
      lengths.push_back(0);
    } else if (kind == 1) {
      lengths.push_back(equal);
    } else if (kind == 2) {
      lengths.push_back(shape.T);
    } else if (kind == 3) {  // many zeros
      lengths.push_back(chance(random, 0.5) ? 0 : 1 + random.below(shape.T));
    } else {
      lengths.push_back(random.below(shape.T + 1));
    }
  }
  return lengths;
}

std::vector<std::string> draw_without(Random& random, const Cell& cell) {
  std::vector<std::string> without;
  if (chance(random, 0.55)) return without;
  const double share = chance(random, 0.2) ? 0.7 : 0.2;
  for (const std::string& name : optional_tensors()) {
    if (has_tensor(cell, name) && chance(random, share)) without.push_back(name);
  }
  // Without any upstream gradient every gradient is zero: worth a look, but not often.
  const auto is_upstream = [](const std::string& name) {
    return name == "dy" || name == "dhT" || name == "dcT";
  };
  const auto upstream = std::count_if(without.begin(), without.end(), is_upstream);
  if (upstream == (cell.has_cell_state() ? 3 : 2) && !chance(random, 0.2)) {
    std::erase(without, "dy");
  }
  return without;
}

InputValues draw_values(Random& random, const Cell& cell) {
  if (cell.has_kink() || chance(random, 0.5)) return InputValues::fixture;
  return one_of(random, all_input_values());
}

net::HeadSpec draw_head(Random& random) {
  static constexpr net::Loss losses[] = {net::Loss::half_squared_error,
                                         net::Loss::sigmoid_cross_entropy,
                                         net::Loss::softmax_cross_entropy};
  net::HeadSpec head;
  head.loss = one_of(random, losses);
  head.O =
      head.loss == net::Loss::softmax_cross_entropy ? 2 + random.below(8) : 1 + random.below(9);
  head.steps = chance(random, 0.5) ? net::Steps::all : net::Steps::last;
  return head;
}

/// Preactivations of a stack keep away from a kink only where there are few of them.
constexpr Index most_kinks = 2000;

void bound_work(Description& d, double most) {
  Shape& shape = d.network.stack.shape;
  // The largest first, so that the shape stays of its kind.
  while (work_of(d) > most) {
    Index& largest =
        std::max({std::ref(shape.T), std::ref(shape.B), std::ref(shape.I), std::ref(shape.H)},
                 [](Index a, Index b) { return a < b; });
    largest = std::max<Index>(largest * 2 / 3, 1);
  }
  const auto kinks = [&] { return shape.T * shape.B * shape.H * d.network.stack.states(); };
  while (!d.is_layer() && d.network.stack.cell.has_kink() && kinks() > most_kinks) {
    Index& larger = shape.T > shape.H ? shape.T : (shape.B > shape.H ? shape.B : shape.H);
    larger = std::max<Index>(larger / 2, 1);
  }
}

template <class T>
bool contains(const std::vector<T>& list, T value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

/// The value, where the run is restricted to others one of those.
template <class T>
T restricted(const std::vector<T>& only, T value, std::uint64_t k) {
  if (only.empty() || contains(only, value)) return value;
  return only[static_cast<std::size_t>(k % only.size())];
}

}  // namespace

std::vector<int> Trial::thread_counts() const {
  if (threads == 1) return {1};
  return {1, threads};
}

Trial draw_trial(std::uint64_t seed, std::uint64_t k, const Restrictions& only) {
  Random random(seed, k);
  Trial trial;
  trial.seed = seed;
  Description& d = trial.what;
  StackSpec& stack = d.network.stack;
  stack.cell = draw_cell(random, only);
  const bool network = chance(random, 0.12);
  const Size& size = draw_size(random);
  stack.shape = {draw_extent(random, size.T), draw_extent(random, size.B),
                 draw_extent(random, size.I), draw_extent(random, size.H)};
  // More inputs than weights are packed for at a time (fused), and fewer units than threads.
  const bool wide = chance(random, 0.01);
  if (wide) {
    stack.shape = {1 + random.below(2), 1 + random.below(2), 8193 + random.below(300),
                   1 + random.below(12)};
  }
  if (network) {
    stack.layers = 1 + random.below(3);
    stack.bidirectional = chance(random, 0.5);
    if (chance(random, 0.4)) d.network.head = draw_head(random);
  }
  bound_work(d, wide ? 1e7 : size.most_work);
  stack.lengths = chance(random, 0.4);
  if (stack.lengths) d.lengths = draw_lengths(random, stack.shape);
  d.values = draw_values(random, stack.cell);
  if (d.is_layer()) d.without = draw_without(random, stack.cell);

  static constexpr int threads[] = {1, 1, 2, 2, 3, 4, 5, 8};
  static constexpr Recompute recompute[] = {Recompute::none, Recompute::none, Recompute::gates,
                                            Recompute::checkpoint};
  trial.dtype = restricted(only.dtypes, chance(random, 0.5) ? Dtype::f32 : Dtype::f64, k);
  trial.threads = restricted(only.threads, one_of(random, threads), k);
  trial.recompute = restricted(only.recompute, one_of(random, recompute), k);
  return trial;
}

}  // namespace bptt::verify::fuzz
