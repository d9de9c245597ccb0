// The suite's own answer: forward and backward of backend naive, on a document's network under the
// document's names.
#pragma once

#include <string>
#include <vector>

#include "verify/textbook/named.hpp"

namespace bptt::verify::textbook {

/// Which cell of the suite a document's cell is, and what the document calls its parts.
struct CellNames {
  std::string cell;  ///< as parse_cell has it
  /// Suffix of each gate in the suite's order: parameters are W<suffix> [H,H], U<suffix> [H,I] and,
  /// with bias, b<suffix> [H,1].
  std::vector<std::string> gates;
  std::string state = "a", memory = "c";  ///< at(state, t); memory: lstm only
};

struct NaiveRun {
  Named<double> forward;   ///< at(state, t) of every step
  Named<double> gradient;  ///< parameters, x(t), at(state, 0), at(memory, 0)
};

/// One sequence of `steps` steps. x(t) that are not given are zero. The loss is whatever has the
/// upstream gradients at(state, t); those that are absent are zero.
NaiveRun run_naive(const CellNames&, int steps, const Named<double>& given,
                   const Named<double>& upstream);

}  // namespace bptt::verify::textbook
