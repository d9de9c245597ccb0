// The parts of a model's tensors along which its gradient is checked, and a direction of random
// signs in each.
//
// Random signs make the check sharp: the error e of a gradient, taken along d, has the root mean
// square |e|_2 over the draws, and its signal |grad|_2 over the part, whatever the elements are
// (E<e,d>^2 = sum e_i^2, since E d_i d_j = 0). A bug confined to a part is seen in that part's own
// signal, not under that of the tensor.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "impls/net/model.hpp"
#include "verify/layout.hpp"

namespace bptt::verify {

/// The directions that one finite difference serves. Sequences of a batch do not know of each
/// other: moving something of each of them at once gives the derivative of each one's own loss, so
/// that a part of x or of a state is as many directions as it has sequences.
struct Part {
  std::size_t tensor = 0;  ///< among the model's
  std::string name;        ///< "gate f", "the last 16 columns", "a time step"
  std::vector<Index> elements;
  std::vector<float> signs;       ///< of the elements, +-1
  bool by_row = false;            ///< one direction for each batch row, else one for all
  std::vector<Index> group;       ///< of the elements: their batch row; all 0 where not by_row
  std::vector<Place> directions;  ///< of each group
};

/// Of x: all steps of a sequence; one step of each sequence, another one in each, so that all steps
/// and all sequences are among them. Of h0, c0: each state of each sequence. Of parameters, which
/// in a stack belong to one layer and direction each: the whole tensor, each gate, single units
/// (a random one and the last), the last tile of units, the first and the last tile of
/// columns.
std::vector<Part> direction_parts(const net::Model<double>&, const Cell&, std::uint64_t seed);

}  // namespace bptt::verify
