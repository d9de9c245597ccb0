// At which shapes gradients are checked along directions.
#include "verify/directions.hpp"

namespace bptt::verify {
namespace {

struct Row {
  const char* cell;
  Index layers;
  bool bidirectional, lengths;
  Shape shape;
  bool quick;
};
// Batches that are cut into chunks, extents with and without a remainder of every tile.
constexpr Row rows[] = {
    {"lstm", 1, false, false, {6, 33, 17, 48}, true},
    {"lstm", 1, false, false, {6, 64, 33, 128}, false},
    {"gru", 1, false, true, {6, 64, 33, 193}, false},
    {"gru:reset=after_matmul:update=keep", 1, false, false, {5, 64, 128, 128}, false},
    {"rnn", 1, false, false, {4, 64, 33, 512}, false},
    {"lstm", 2, true, true, {5, 32, 24, 40}, false},
};

Case case_of(const Row& row) {
  net::NetworkSpec spec;
  spec.stack.cell = parse_cell(row.cell);
  spec.stack.shape = row.shape;
  spec.stack.layers = row.layers;
  spec.stack.bidirectional = row.bidirectional;
  spec.stack.lengths = row.lengths;
  const Shape& s = row.shape;
  Case c;
  c.cell = to_string(spec.stack.cell);
  c.name = c.cell + "/directions" +
           (row.layers > 1 ? "-" + std::to_string(row.layers) + "-layers" : "") +
           (row.bidirectional ? "-bidirectional" : "") + (row.lengths ? "-lengths" : "") + "/T" +
           std::to_string(s.T) + "-B" + std::to_string(s.B) + "-I" + std::to_string(s.I) + "-H" +
           std::to_string(s.H);
  const auto lengths = row.lengths ? unsorted_lengths(s) : std::vector<Index>();
  if (row.layers == 1 && !row.bidirectional) {
    Spec layer;
    layer.cell = spec.stack.cell;
    layer.shape = s;
    layer.lengths = row.lengths;
    c.subject = layer_subject(layer, lengths, row.lengths ? Variant::lengths : Variant::plain);
  } else {
    c.subject = network_subject(spec, lengths);
  }
  c.quick = row.quick;
  // As many forward passes as there are directions, or nearly so.
  constexpr double passes = 300;
  c.work = passes * static_cast<double>(spec.stack.states()) *
           static_cast<double>(forward_flops(spec.stack.layer_spec(0), s.T * s.B));
  return c;
}

}  // namespace

const std::vector<Case>& direction_cases() {
  static const std::vector<Case> cases = [] {
    std::vector<Case> list;
    for (const Row& row : rows) list.push_back(case_of(row));
    return list;
  }();
  return cases;
}

}  // namespace bptt::verify
