// Inputs that differ from call to call, as those of a training do: a backend that gives back what
// it computed for another call is then wrong.
#pragma once

#include <span>
#include <vector>

#include "impls/net/random.hpp"
#include "impls/net/stack_problem.hpp"

namespace bptt::bench {

/// Changes the sign of a recurrent and of an input weight of one layer, of an element of x and of
/// one of dy, at random places: some nanoseconds, whatever the extents. Each weight has its part in
/// every row of the batch and in every later step. The distribution stays the same, however often
/// that is done, being symmetric.
template <Real T>
class NewInputs {
 public:
  NewInputs(const StackSpec& spec, net::StackProblem<T>& problem, std::uint64_t seed)
      : problem_(problem), shape_(spec.shape), random_(seed, 0x6368616e6765u) {}

  void operator()() {
    const auto& params = problem_.params();
    const auto& of_unit =
        params[static_cast<std::size_t>(random_.below(static_cast<Index>(params.size())))];
    flip(of_unit.weight_ih, random_.below(of_unit.weight_ih.size()));
    flip(of_unit.weight_hh, random_.below(of_unit.weight_hh.size()));
    const Index b = random_.below(shape_.B);
    const auto& lengths = problem_.in.lengths;
    const Index steps = lengths.empty() ? shape_.T : lengths[static_cast<std::size_t>(b)];
    if (steps == 0) return;  // a sequence that has none
    const Index row = random_.below(steps) * shape_.B + b;
    for (const View<T>& view : {problem_.in.x, problem_.dout.y}) {
      const Index n = view.extents()[2];
      flip(view, row * n + random_.below(n));
    }
  }

 private:
  static void flip(const View<T>& view, Index at) { view[at] = -view[at]; }

  net::StackProblem<T>& problem_;
  Shape shape_;
  net::Random random_;
};

}  // namespace bptt::bench
