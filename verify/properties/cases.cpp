// The table of checks and the list of cases: which check on which cell, in which shape.
#include "verify/cases.hpp"

#include <algorithm>

#include "verify/properties/checks.hpp"
#include "verify/random_values.hpp"

namespace bptt::verify {
namespace {

constexpr PropertyInfo checks[] = {
    {"rerun", CheckKind::determinism, "the same bits each time that a plan runs on the same data"},
    {"other-lengths", CheckKind::determinism,
     "the same bits after other data and lengths on a plan"},
    {"neighbour-plan", CheckKind::determinism, "the same bits beside another plan's calls"},
    {"second-forward", CheckKind::determinism, "the same bits after a forward without a backward"},
    {"fresh-plan", CheckKind::determinism, "the same bits on a new plan"},
    {"alignment", CheckKind::determinism, "the same bits wherever tensors lie in memory"},
    {"thread-counts", CheckKind::determinism,
     "the same bits for every thread count, where promised"},
    {"batch-permutation", CheckKind::property,
     "another order of the batch: the same in that order"},
    {"batch-split", CheckKind::property, "parts of a batch: the same rows, and gradients add"},
    {"padding-values", CheckKind::property, "the same bits whatever the padding holds"},
    {"linearity", CheckKind::property, "gradients are linear in the upstream gradients"},
    {"scaling", CheckKind::property, "upstream gradients times 2^k: gradients times 2^k, bitwise"},
    {"zero-upstream", CheckKind::property, "upstream gradients of zero: gradients of exactly zero"},
    {"concatenation", CheckKind::property, "two stretches of time handed over: the whole"},
    {"time-reversal", CheckKind::property, "a bidirectional stack is its own mirror image"},
    {"empty-extents", CheckKind::property, "an extent below 1 is refused by its name"},
    {"extents", CheckKind::property, "right at every extent, whatever is blocked by which width"},
    {"saturation", CheckKind::values, "right where sigmoid and tanh are flat"},
    {"denormals", CheckKind::values, "denormals are numbers, not zeros"},
    {"extreme-weights", CheckKind::values, "right with tiny and with huge parameters"},
    {"overflow", CheckKind::values, "Inf exactly where the number is too large"},
    {"signed-zeros", CheckKind::values, "-0 is 0"},
    {"planted-nan", CheckKind::values, "a NaN shows in exactly the results that depend on it"},
    {"planted-inf", CheckKind::values, "an Inf changes exactly the results that depend on it"},
};

using Cells = std::vector<std::string_view>;

const Cells kinds = {"rnn", "lstm", "gru", "gru:reset=after_matmul:update=keep"};
const Cells wide_choice = {"rnn",
                           "rnn:relu",
                           "lstm",
                           "lstm:peephole:coupled",
                           "lstm:output=identity:gate_input=cell:peephole",
                           "gru",
                           "gru:reset=after_matmul:update=keep"};
const Cells squashing = {"rnn",
                         "rnn:sigmoid",
                         "lstm",
                         "lstm:output=identity",
                         "lstm:peephole",
                         "lstm:coupled",
                         "lstm:gate_input=cell",
                         "gru",
                         "gru:update=keep",
                         "gru:reset=after_matmul",
                         "gru:reset=after_matmul:update=keep"};
const Cells without_bias = {"rnn:bias=off",
                            "rnn:relu:bias=off",
                            "rnn:leaky_relu:bias=off",
                            "rnn:identity:bias=off",
                            "lstm:bias=off",
                            "lstm:peephole:bias=off",
                            "gru:bias=off",
                            "gru:reset=after_matmul:update=keep:bias=off"};
const Cells every_equation = {"rnn",
                              "rnn:relu",
                              "rnn:sigmoid",
                              "rnn:leaky_relu",
                              "rnn:identity",
                              "lstm",
                              "lstm:output=identity",
                              "lstm:candidate=identity",
                              "lstm:gate_input=cell",
                              "lstm:peephole",
                              "lstm:coupled",
                              "lstm:input_gate=off",
                              "lstm:forget_gate=off",
                              "lstm:output_gate=off",
                              "lstm:peephole:output_gate=off",
                              "lstm:output=identity:gate_input=cell:peephole",
                              "lstm:gate_input=cell:coupled",
                              "gru",
                              "gru:update=keep",
                              "gru:reset=after_matmul",
                              "gru:reset=after_matmul:update=keep",
                              "lstm:bias=off",
                              "gru:bias=off"};

class Cases {
 public:
  /// `prepare` is a generic function of (type_identity<T>, PropertySetup).
  template <class Prepare>
  PropertyCase& add(std::string_view check, const Cell& cell, const std::string& variant,
                    Prepare prepare) {
    PropertyCase c;
    const auto* info = std::find_if(std::begin(checks), std::end(checks),
                                    [&](const PropertyInfo& row) { return row.name == check; });
    c.kind = info == std::end(checks) ? CheckKind::determinism : info->kind;
    c.check = check;
    c.cell = to_string(cell);
    c.name = std::string(check) + "/" + c.cell + (variant.empty() ? "" : "/" + variant);
    const auto own = [name = c.name](PropertySetup setup) {
      setup.seed = hash_of(name) ^ (setup.seed * 0x9e3779b97f4a7c15u);
      return setup;
    };
    c.prepare_f32 = [own, prepare](const PropertySetup& setup) {
      return prepare(std::type_identity<float>(), own(setup));
    };
    c.prepare_f64 = [own, prepare](const PropertySetup& setup) {
      return prepare(std::type_identity<double>(), own(setup));
    };
    return cases_.emplace_back(std::move(c));
  }

  std::vector<PropertyCase> take() { return std::move(cases_); }

 private:
  std::vector<PropertyCase> cases_;
};

Spec layer(std::string_view cell, const Shape& shape, bool lengths = false) {
  return {parse_cell(cell), shape, lengths};
}

struct Form {
  Index layers;
  bool bidirectional, lengths;
};
constexpr Form plain = {1, false, false}, ragged = {1, false, true};

Fixture fixture_of(std::string_view cell, const Shape& shape, const Form& form) {
  return {{parse_cell(cell), shape, form.layers, form.bidirectional, form.lengths}};
}

/// The part of a fixture's name behind the cell.
std::string variant_of(const Fixture& fixture) {
  const std::string text = to_string(fixture);
  const std::size_t slash = text.find('/');
  return (slash == std::string::npos ? "" : text.substr(slash + 1) + "/") +
         shape_text(fixture.stack.shape);
}
std::string variant_of(const Spec& spec) {
  return (spec.lengths ? "lengths/" : "") + shape_text(spec.shape);
}

#define BPTT_PREPARE(CALL) \
  [=]<Real T>(std::type_identity<T>, const PropertySetup& setup) { return CALL; }

void add_determinism(Cases& cases) {
  // Work for several threads, with an odd number of panels of units; fewer rows than threads; so
  // few rows and so many units that threads share the units of each step.
  for (const std::string_view cell : wide_choice) {
    const bool rnn = cell.starts_with("rnn"), gru = cell.starts_with("gru");
    const Index shared_units = rnn ? 176 : gru ? 136 : 96;
    for (const Spec& spec : {layer(cell, {6, 37, 19, 48}), layer(cell, {9, 2, 7, 33}, true),
                             layer(cell, {7, 7, 40, shared_units}, true)}) {
      auto& c = cases.add("determinism", spec.cell, variant_of(spec),
                          BPTT_PREPARE(prepare_determinism<T>(spec, setup)));
      c.own_threads = true;
      c.recompute = true;
      c.quick = spec.shape.H == 33 && std::find(kinds.begin(), kinds.end(), cell) != kinds.end();
    }
  }
}

void add_relations(Cases& cases) {
  const auto add = [&](std::string_view check, std::string_view cell, const Shape& shape,
                       const Form& form, bool quick, auto prepare) {
    const Fixture fixture = fixture_of(cell, shape, form);
    cases
        .add(check, fixture.stack.cell, variant_of(fixture),
             [=]<Real T>(std::type_identity<T> type, const PropertySetup& setup) {
               return prepare(type, fixture, setup);
             })
        .quick = quick;
  };
#define BPTT_RELATION(FUNCTION)                                                           \
  []<Real T>(std::type_identity<T>, const Fixture& fixture, const PropertySetup& setup) { \
    return FUNCTION<T>(fixture, setup);                                                   \
  }
  for (const std::string_view cell : wide_choice) {
    const bool quick = std::find(kinds.begin(), kinds.end(), cell) != kinds.end();
    for (const Form& form : {plain, ragged}) {
      add("batch-permutation", cell, {11, 13, 3, 10}, form, quick && form.lengths,
          BPTT_RELATION(prepare_batch_permutation));
      add("linearity", cell, {9, 5, 7, 11}, form, quick && !form.lengths,
          BPTT_RELATION(prepare_linearity));
      add("scaling", cell, {9, 5, 7, 12}, form, quick && !form.lengths,
          BPTT_RELATION(prepare_scaling));
      add("zero-upstream", cell, {8, 6, 7, 11}, form, quick && form.lengths,
          BPTT_RELATION(prepare_zero_upstream));
      add("concatenation", cell, {45, 4, 3, 6}, form, quick && !form.lengths,
          BPTT_RELATION(prepare_concatenation));
    }
    add("batch-split", cell, {3, 131, 4, 7}, plain, quick, BPTT_RELATION(prepare_batch_split));
    add("batch-split", cell, {5, 29, 4, 7}, ragged, false, BPTT_RELATION(prepare_batch_split));
    add("padding-values", cell, {10, 7, 5, 18}, ragged, quick,
        BPTT_RELATION(prepare_padding_values));
  }
  for (const std::string_view cell : kinds) {
    for (const bool lengths : {false, true}) {
      const Form mirror{2, true, lengths};
      add("time-reversal", cell, {7, 4, 3, 6}, mirror, lengths,
          BPTT_RELATION(prepare_time_reversal));
    }
    const Form deep{2, false, true}, mirror{2, true, true};
    add("batch-permutation", cell, {6, 9, 3, 5}, mirror, false,
        BPTT_RELATION(prepare_batch_permutation));
    add("concatenation", cell, {21, 5, 3, 4}, deep, false, BPTT_RELATION(prepare_concatenation));
    add("padding-values", cell, {6, 7, 3, 5}, mirror, false, BPTT_RELATION(prepare_padding_values));
  }
#undef BPTT_RELATION
}

/// Extents one below, at and one above what registers, panels of units and blocks of a matrix
/// product are wide, with odd numbers of panels among them (48 and 80 are 3 and 5 panels of 16).
constexpr Index edges[] = {2,  3,  7,  8,  15, 16, 17, 31, 32, 33,  47,  48,
                           49, 63, 64, 65, 79, 80, 81, 95, 96, 112, 127, 129};

void add_extents(Cases& cases) {
  struct Sweep {
    const char* name;
    Index Shape::*extent;
    Shape rest;
    Index most;
    bool quick;
  };
  const Sweep sweeps[] = {{"hidden", &Shape::H, {2, 3, 5, 1}, 129, true},
                          {"batch", &Shape::B, {2, 1, 3, 6}, 129, false},
                          {"input", &Shape::I, {2, 3, 1, 6}, 129, false},
                          {"steps", &Shape::T, {1, 3, 4, 5}, 97, false}};
  const auto add = [&](std::string_view cell, const std::string& name,
                       const std::vector<Shape>& shapes, bool lengths, bool quick) {
    const Fixture fixture = fixture_of(cell, shapes.front(), {1, false, lengths});
    auto& c = cases.add("extents", fixture.stack.cell, name,
                        BPTT_PREPARE(prepare_extents<T>(fixture, shapes, setup)));
    c.own_threads = true;
    c.quick = quick;
  };
  for (const std::string_view cell : kinds) {
    for (const Sweep& sweep : sweeps) {
      std::vector<Shape> shapes;
      for (const Index edge : edges) {
        if (edge > sweep.most) continue;
        Shape shape = sweep.rest;
        shape.*sweep.extent = edge;
        shapes.push_back(shape);
      }
      add(cell, sweep.name, shapes, false, false);
    }
    std::vector<Shape> ones;
    for (int bits = 0; bits < 16; ++bits) {
      const auto extent = [&](int bit, Index other) { return (bits >> bit & 1) != 0 ? other : 1; };
      ones.push_back({extent(0, 5), extent(1, 3), extent(2, 7), extent(3, 11)});
    }
    add(cell, "ones", ones, false, true);
    add(cell, "ones-lengths", ones, true, false);
    add(cell, "panels", {{2, 1, 3, 48}, {2, 2, 3, 80}, {2, 3, 3, 15}, {2, 3, 3, 49}}, false, true);
  }
}

void add_boundaries(Cases& cases) {
  for (const std::string_view text : kinds) {
    const Cell cell = parse_cell(text);
    cases.add("empty-extents", cell, "", BPTT_PREPARE(prepare_empty_extents<T>(cell, setup)))
        .quick = true;
  }
}

void add_values(Cases& cases) {
  const auto is_kind = [](std::string_view cell) {
    return std::find(kinds.begin(), kinds.end(), cell) != kinds.end();
  };
  for (const std::string_view cell : squashing) {
    const Spec spec = layer(cell, {6, 4, 5, 20});
    cases
        .add("saturation", spec.cell, variant_of(spec),
             BPTT_PREPARE(prepare_saturation<T>(spec, setup)))
        .quick = is_kind(cell);
  }
  for (const std::string_view cell : every_equation) {
    const Spec spec = layer(cell, {5, 4, 6, 19});
    cases
        .add("extreme-weights", spec.cell, variant_of(spec),
             BPTT_PREPARE(prepare_extreme_weights<T>(spec, setup)))
        .quick = is_kind(cell);
  }
  for (const std::string_view cell : without_bias) {
    const Spec small = layer(cell, {4, 3, 5, 18});
    cases
        .add("denormals", small.cell, variant_of(small),
             BPTT_PREPARE(prepare_denormals<T>(small, setup)))
        .quick = true;
    cases
        .add("signed-zeros", small.cell, variant_of(small),
             BPTT_PREPARE(prepare_signed_zeros<T>(small, setup)))
        .quick = true;
  }
  for (const std::string_view cell : {"rnn:identity", "rnn:relu", "rnn:leaky_relu"}) {
    const Spec spec = layer(cell, {8, 3, 4, 17});
    cases
        .add("overflow", spec.cell, variant_of(spec),
             BPTT_PREPARE(prepare_overflow<T>(spec, setup)))
        .quick = true;
  }
  for (const std::string_view cell : every_equation) {
    for (const Spec& spec : {layer(cell, {4, 3, 5, 19}), layer(cell, {4, 7, 3, 9}, true),
                             layer(cell, {1, 2, 3, 18})}) {
      for (const Planted planted : {Planted::nan, Planted::infinity}) {
        cases
            .add(planted == Planted::nan ? "planted-nan" : "planted-inf", spec.cell,
                 variant_of(spec), BPTT_PREPARE(prepare_planted<T>(spec, planted, setup)))
            .quick = is_kind(cell);
      }
    }
  }
}
#undef BPTT_PREPARE

std::vector<PropertyCase> make_cases() {
  Cases cases;
  add_determinism(cases);
  add_relations(cases);
  add_boundaries(cases);
  add_extents(cases);
  add_values(cases);
  return cases.take();
}

}  // namespace

std::span<const PropertyInfo> property_checks() {
  return checks;
}

const std::vector<PropertyCase>& property_cases() {
  static const std::vector<PropertyCase> cases = make_cases();
  return cases;
}

}  // namespace bptt::verify
