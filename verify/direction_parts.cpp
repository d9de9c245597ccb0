#include "verify/direction_parts.hpp"

#include <algorithm>
#include <set>

#include "impls/net/random.hpp"

namespace bptt::verify {
namespace {

using Tensor = net::ModelTensor<double>;

/// As wide as the widest tile that a backend may cut units or columns into.
constexpr Index tile = 16;

/// Where an element is, without words: place_of() would make some for millions.
struct Spot {
  Index block;        ///< time step, state or gate
  Index row, column;  ///< row: of the batch; of a parameter the unit
};

class Collect {
 public:
  Collect(const net::Model<double>& model, const Cell& cell, std::uint64_t seed)
      : model_(model), cell_(cell), random_(seed, 0x70617274u) {}

  std::vector<Part> run() {
    const bool reversed =
        std::any_of(model_.tensors().begin(), model_.tensors().end(),
                    [](const Tensor& tensor) { return tensor.name.ends_with("_reverse"); });
    for (tensor_ = 0; tensor_ < model_.tensors().size(); ++tensor_) {
      const Tensor& tensor = model_.tensors()[tensor_];
      if (!tensor.gradient) continue;
      layout_ = layout_of(tensor, true, cell_, reversed ? 2 : 1);
      if (tensor.role == net::Role::parameter) {
        add_parameter(tensor);
      } else if (tensor.outer == net::OuterAxis::time) {
        add_input(tensor);
      } else {
        add_states(tensor);
      }
    }
    return std::move(parts_);
  }

 private:
  Spot spot_of(Index element) const {
    const Extents& extents = layout_.extents;
    const Index within = element % layout_.block_size();
    if (extents.rank() == 1) return {layout_.block_of(element), within, 0};
    const Index columns = extents[extents.rank() - 1];
    return {layout_.block_of(element), within / columns, within % columns};
  }

  /// The elements that `wanted(spot)` is true of, as one direction or one for each batch row;
  /// nothing where there is none. `direction` holds what is common to the places of all.
  template <class Wanted>
  void add(const std::string& name, bool by_row, Wanted wanted, Place direction = {}) {
    const Extents& extents = layout_.extents;
    const Index groups = by_row ? extents[extents.rank() - 2] : 1;
    direction.tensor = layout_.name;
    Part part{tensor_, name, {}, {}, by_row, {}, {}};
    part.directions.assign(static_cast<std::size_t>(groups), direction);
    for (Index e = 0; e < extents.size(); ++e) {
      const Spot spot = spot_of(e);
      if (!wanted(spot) || must_be_zero(layout_, e)) continue;
      const Index group = by_row ? spot.row : 0;
      part.elements.push_back(e);
      part.signs.push_back(random_.below(2) == 0 ? 1.0F : -1.0F);
      part.group.push_back(group);
      Place& place = part.directions[static_cast<std::size_t>(group)];
      if (place.index >= 0) continue;
      place.index = e;
      if (by_row) place.batch = spot.row;
      if (name == one_step) place.time = spot.block;
    }
    if (!part.elements.empty()) parts_.push_back(std::move(part));
  }

  void add_input(const Tensor& tensor) {
    const Index steps = tensor.blocks, rows = tensor.value.extents()[1];
    add("all steps", true, [](const Spot&) { return true; });
    // In as many rounds as it takes, every step of the longest sequences has its turn.
    for (Index first = 0; first < steps; first += rows) {
      add(one_step, true, [&](const Spot& spot) {
        const Index length =
            tensor.lengths ? (*tensor.lengths)[static_cast<std::size_t>(spot.row)] : steps;
        return length > 0 && spot.block == (spot.row + first) % length;
      });
    }
  }

  void add_states(const Tensor& tensor) {
    for (Index block = 0; block < tensor.blocks; ++block) {
      Place place;
      if (!layout_.block_names.empty()) {
        place.state = layout_.block_names[static_cast<std::size_t>(block)];
      }
      add(
          "the state", true, [&](const Spot& spot) { return spot.block == block; }, place);
    }
  }

  void add_parameter(const Tensor& tensor) {
    add("the whole tensor", false, [](const Spot&) { return true; });
    const auto gates = static_cast<Index>(tensor.gate_names.size());
    for (Index gate = 0; gate < gates && gates > 1; ++gate) {
      Place place;
      place.gate = tensor.gate_names[static_cast<std::size_t>(gate)];
      add(
          "the gate", false, [&](const Spot& spot) { return spot.block == gate; }, place);
    }
    // A peephole weight's unit is its column.
    const Extents& extents = tensor.value.extents();
    const bool peephole = tensor.name.starts_with("weight_peephole");
    const Index units = peephole ? extents[1] : extents[0] / tensor.blocks;
    const auto unit_of = [peephole](const Spot& spot) { return peephole ? spot.column : spot.row; };
    for (const Index unit : std::set<Index>{random_.below(units), units - 1}) {
      Place place;
      (peephole ? place.column : place.row) = unit;
      add(
          "the unit", false, [&](const Spot& spot) { return unit_of(spot) == unit; }, place);
    }
    if (const Index last = last_tile(units); last > 0) {
      add("the units from " + std::to_string(last) + " on", false,
          [&](const Spot& spot) { return unit_of(spot) >= last; });
    }
    const Index columns = extents.rank() == 2 && !peephole ? extents[1] : 0;
    if (const Index last = last_tile(columns); last > 0) {
      add("the columns below " + std::to_string(tile), false,
          [](const Spot& spot) { return spot.column < tile; });
      add("the columns from " + std::to_string(last) + " on", false,
          [&](const Spot& spot) { return spot.column >= last; });
    }
  }

  static Index last_tile(Index extent) { return extent > 0 ? (extent - 1) / tile * tile : 0; }

  static constexpr const char* one_step = "one step";

  const net::Model<double>& model_;
  const Cell& cell_;
  net::Random random_;
  std::size_t tensor_ = 0;
  Layout layout_;
  std::vector<Part> parts_;
};

}  // namespace

std::vector<Part> direction_parts(const net::Model<double>& model, const Cell& cell,
                                  std::uint64_t seed) {
  return Collect(model, cell, seed).run();
}

}  // namespace bptt::verify
