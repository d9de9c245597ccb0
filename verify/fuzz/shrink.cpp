#include "verify/fuzz/shrink.hpp"

#include <algorithm>

namespace bptt::verify::fuzz {
namespace {

/// Collects changed copies of a trial that are valid and different.
class Steps {
 public:
  explicit Steps(const Trial& from) : from_(from) {}

  template <class Change>
  void add(Change change) {
    Trial to = from_;
    change(to);
    fit(to.what);
    const bool same = to.what == from_.what && to.threads == from_.threads &&
                      to.recompute == from_.recompute && to.seed == from_.seed;
    if (same) return;
    try {
      to.what.validate();
    } catch (const Error&) {
      return;
    }
    steps_.push_back(std::move(to));
  }

  std::vector<Trial> take() { return std::move(steps_); }

 private:
  /// Lengths and absent tensors as the changed spec has them.
  static void fit(Description& d) {
    const StackSpec& stack = d.network.stack;
    d.lengths.resize(static_cast<std::size_t>(stack.lengths ? stack.shape.B : 0), stack.shape.T);
    for (Index& length : d.lengths) length = std::min(length, stack.shape.T);
    std::erase_if(d.without,
                  [&](const std::string& name) { return !has_tensor(stack.cell, name); });
  }

  const Trial& from_;
  std::vector<Trial> steps_;
};

void drop_structure(Steps& steps) {
  steps.add([](Trial& t) { t.what.network.head.reset(); });
  steps.add([](Trial& t) { t.what.network.stack.layers = 1; });
  steps.add([](Trial& t) {
    Index& layers = t.what.network.stack.layers;
    layers = std::max<Index>(layers - 1, 1);
  });
  steps.add([](Trial& t) { t.what.network.stack.bidirectional = false; });
  steps.add([](Trial& t) { t.threads = 1; });
  steps.add([](Trial& t) { t.threads = std::min(t.threads, 2); });
  steps.add([](Trial& t) { t.recompute = Recompute::none; });
  steps.add([](Trial& t) { t.what.network.stack.lengths = false; });
  steps.add([](Trial& t) { t.what.without.clear(); });
}

/// To 1, to a half, to one less.
void shrink_extents(Steps& steps) {
  for (Index Shape::*extent : {&Shape::T, &Shape::B, &Shape::I, &Shape::H}) {
    steps.add([extent](Trial& t) { t.what.network.stack.shape.*extent = 1; });
    steps.add([extent](Trial& t) {
      Index& value = t.what.network.stack.shape.*extent;
      value = (value + 1) / 2;
    });
    // An edge of a panel moves by whole panels.
    for (const Index less : {16, 8, 1}) {
      steps.add([extent, less](Trial& t) {
        Index& value = t.what.network.stack.shape.*extent;
        if (value > less) value -= less;
      });
    }
  }
}

void drop_options(Steps& steps) {
  steps.add([](Trial& t) {
    Cell plain;
    plain.kind = t.what.network.stack.cell.kind;
    t.what.network.stack.cell = plain;
  });
  const auto default_of = [&](auto member) {
    steps.add([member](Trial& t) { t.what.network.stack.cell.*member = Cell().*member; });
  };
  default_of(&Cell::activation);
  default_of(&Cell::reset);
  default_of(&Cell::update);
  default_of(&Cell::output);
  default_of(&Cell::candidate);
  default_of(&Cell::gate_input);
  default_of(&Cell::peephole);
  default_of(&Cell::coupled);
  default_of(&Cell::input_gate);
  default_of(&Cell::forget_gate);
  default_of(&Cell::output_gate);
  default_of(&Cell::bias);
}

void simplify_details(Steps& steps, const Trial& from) {
  for (const std::string& name : from.what.without) {
    steps.add([&name](Trial& t) { std::erase(t.what.without, name); });
  }
  steps.add([](Trial& t) {
    for (Index& length : t.what.lengths) length = t.what.network.stack.shape.T;
  });
  for (std::size_t b = 0; b < from.what.lengths.size(); ++b) {
    steps.add([b](Trial& t) { t.what.lengths[b] = t.what.network.stack.shape.T; });
  }
  steps.add([](Trial& t) { t.what.values = InputValues::fixture; });
  if (from.what.values != InputValues::fixture) {
    steps.add([](Trial& t) { t.what.values = InputValues::coarse; });
  }
  steps.add([](Trial& t) { t.seed = 1; });
}

}  // namespace

std::vector<Trial> simpler(const Trial& trial) {
  Steps steps(trial);
  drop_structure(steps);
  shrink_extents(steps);
  drop_options(steps);
  simplify_details(steps, trial);
  return steps.take();
}

Trial shrink(const Trial& failing, const std::function<bool(const Trial&)>& fails, int most_runs) {
  Trial smallest = failing;
  for (int runs = 0; runs < most_runs;) {
    bool found = false;
    for (const Trial& candidate : simpler(smallest)) {
      if (runs++ == most_runs) break;
      if (!fails(candidate)) continue;
      smallest = candidate;
      found = true;
      break;
    }
    if (!found) break;
  }
  return smallest;
}

}  // namespace bptt::verify::fuzz
