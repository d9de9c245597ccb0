#include "verify/properties/fixture.hpp"

#include "verify/subjects.hpp"

namespace bptt::verify {

std::shared_ptr<const Subject> Fixture::subject(const PropertySetup& setup, const Shape& shape,
                                                const std::vector<Index>& lengths) const {
  net::NetworkSpec network;
  network.stack = stack;
  network.stack.shape = shape;
  if (stack.is_single()) return setup(layer_subject(network.stack.layer_spec(0), lengths));
  return setup(network_subject(network, lengths));
}

std::string to_string(const Fixture& fixture) {
  const StackSpec& stack = fixture.stack;
  std::string form = stack.layers > 1 ? "-" + std::to_string(stack.layers) + "-layers" : "";
  if (stack.bidirectional) form += "-bidirectional";
  if (stack.lengths) form += "-lengths";
  return to_string(stack.cell) + (form.empty() ? "" : "/" + form.substr(1));
}

std::string shape_text(const Shape& s) {
  return "T" + std::to_string(s.T) + "-B" + std::to_string(s.B) + "-I" + std::to_string(s.I) +
         "-H" + std::to_string(s.H);
}

std::vector<Index> tied_lengths(const Shape& shape) {
  const Index T = shape.T;
  const Index some[] = {(T + 1) / 2, T, 1, (T + 1) / 2, T - 1, T, 1};
  std::vector<Index> lengths;
  for (Index b = 0; b < shape.B; ++b) {
    lengths.push_back(std::max<Index>(1, some[b % static_cast<Index>(std::size(some))]));
  }
  return lengths;
}

}  // namespace bptt::verify
