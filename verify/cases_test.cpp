// The case table and the inputs drawn for it.
#include "verify/cases.hpp"

#include <cmath>
#include <map>
#include <set>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "verify/inputs.hpp"
#include "verify/kinks.hpp"
#include "verify/localise.hpp"

namespace bptt::verify {
namespace {

TEST(Cases, HaveNamesOfTheirOwn) {
  std::set<std::string> names;
  for (const Case& c : all_cases()) EXPECT_TRUE(names.insert(c.name).second) << c.name;
}

std::vector<std::string> parts_of(const std::string& name) {
  std::vector<std::string> parts;
  std::istringstream stream(name);
  for (std::string part; std::getline(stream, part, '/');) parts.push_back(part);
  return parts;
}

/// What every cell variant goes through, and the oracles on each of it.
TEST(Cases, CoverEveryCellAloneWithLengthsInBothDirectionsAndDeep) {
  std::map<std::string, std::set<std::string>> small, all;
  for (const Case& c : all_cases()) {
    const auto parts = parts_of(c.name);
    if (parts[0] != c.cell) continue;  // an architecture
    all[c.cell].insert(parts[1]);
    if (c.small) small[c.cell].insert(parts[1]);
  }
  int variants = 0;
  for (const auto& [cell, kinds] : small) {
    if (!parse_cell(cell).bias) continue;
    ++variants;
    for (const char* kind : {"plain", "lengths", "bidirectional", "2-layers"}) {
      EXPECT_TRUE(kinds.count(kind)) << cell << ' ' << kind;
    }
  }
  EXPECT_EQ(variants, 24);  // 5 of rnn, 15 of lstm, 4 of gru
  for (const auto& [cell, kinds] : small) {
    for (const char* kind : {"bidirectional", "2-layers"}) {
      EXPECT_TRUE(kinds.count(kind)) << cell << ' ' << kind;  // with and without bias
    }
  }
  EXPECT_EQ(small.size(), 2u * 24);
  for (const char* cell : {"rnn", "lstm", "gru"}) {
    EXPECT_TRUE(small[cell].count("3-layers-bidirectional-lengths"));
    EXPECT_TRUE(small[std::string(cell) + ":bias=off"].count("2-layers-lengths"));
    EXPECT_TRUE(all[cell].count("bare"));
    EXPECT_TRUE(all[cell].count("last"));
  }
}

TEST(Cases, SwitchEveryOptionOfTheLstmOnItsOwn) {
  for (const char* option : {"output=identity", "candidate=identity", "gate_input=cell", "peephole",
                             "coupled", "input_gate=off", "forget_gate=off", "output_gate=off"}) {
    EXPECT_NO_THROW(find_case("lstm:" + std::string(option) + "/lengths/T7-B3-I5-H4")) << option;
  }
}

TEST(Cases, CoverEveryArchitectureInEveryKindOfCell) {
  for (const auto& architecture : net::architectures()) {
    std::set<std::string> cells;
    for (const Case& c : all_cases()) {
      if (parts_of(c.name)[0] == architecture.name && c.small) cells.insert(c.cell);
    }
    const std::size_t kinds = architecture.cells == net::CellUse::any ? 4 : 1;
    EXPECT_EQ(cells.size(), kinds) << architecture.name;
  }
}

TEST(Cases, LengthsHoldAFullOneAOneAndAZeroUnsorted) {
  for (const Index B : {3, 4, 7}) {
    const auto lengths = unsorted_lengths({9, B, 1, 1});
    ASSERT_EQ(lengths.size(), static_cast<std::size_t>(B));
    EXPECT_THAT(lengths, testing::Contains(9));
    EXPECT_THAT(lengths, testing::Contains(1));
    EXPECT_LT(lengths[0], 9);
    EXPECT_EQ(B > 3, std::count(lengths.begin(), lengths.end(), 0) > 0);
  }
}

TEST(Glob, StarsAndQuestionMarks) {
  EXPECT_TRUE(matches_glob("lstm/*", "lstm/plain/T1"));
  EXPECT_TRUE(matches_glob("*", ""));
  EXPECT_TRUE(matches_glob("*plain*T?", "lstm/plain/T1"));
  EXPECT_TRUE(matches_glob("a*b*c", "a-b-b-c"));
  EXPECT_FALSE(matches_glob("a*b", "a-b-c"));
  EXPECT_FALSE(matches_glob("lstm", "lstm/plain"));
  EXPECT_FALSE(matches_glob("?", ""));
  EXPECT_FALSE(matches_glob("", "x"));
}

TEST(Inputs, OfACaseDoNotDependOnOtherCasesAndFollowTheSeed) {
  for (const char* name : {"lstm/plain/T7-B3-I5-H4", "encoder-decoder/gru/lengths/T5-B4-I2-H3"}) {
    const Case& c = find_case(name);
    const auto first = [&](std::uint64_t seed) {
      return c.subject->draw(seed_of(c, seed), Dtype::f64).values[0][0];
    };
    EXPECT_EQ(first(1), first(1));
    EXPECT_NE(first(1), first(2));
  }
}

bool has_kink(const Case& c) {
  const Activation phi = c.subject->cell().activation;
  return phi == Activation::relu || phi == Activation::leaky_relu;
}

TEST(Inputs, OfFloatAreThoseOfDoubleRounded) {
  for (const Case& c : all_cases()) {
    if (!c.quick || has_kink(c)) continue;
    const Given narrow = c.subject->draw(seed_of(c, 1), Dtype::f32);
    const Given wide = c.subject->draw(seed_of(c, 1), Dtype::f64);
    EXPECT_EQ(narrow.targets, wide.targets);
    for (std::size_t i = 0; i < wide.values.size(); ++i) {
      for (std::size_t e = 0; e < wide.values[i].size(); ++e) {
        if (std::isnan(wide.values[i][e])) continue;
        ASSERT_EQ(narrow.values[i][e], static_cast<double>(static_cast<float>(wide.values[i][e])));
      }
    }
  }
}

TEST(Inputs, UpstreamGradientsAndStatesAreNonzeroAndPaddingIsNaN) {
  int padded = 0;
  for (const Case& c : all_cases()) {
    if (!c.quick) continue;
    const Given given = c.subject->draw(seed_of(c, 3), Dtype::f64);
    const auto model = c.subject->make<double>(naive_plans<double>());
    const auto tensors = given_tensors(*model);
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      const std::string& name = tensors[i].name;
      const bool steered =
          tensors[i].role == net::Role::upstream || name.ends_with("h0") || name.ends_with("c0");
      const Layout layout = layout_of(tensors[i], false, c.subject->cell(), 1);
      for (Index e = 0; e < tensors[i].value.size(); ++e) {
        const double value = given.values[i][static_cast<std::size_t>(e)];
        if (is_padding(layout, e)) {
          ASSERT_TRUE(std::isnan(value)) << c.name << ' ' << name;
          ++padded;
        } else {
          ASSERT_TRUE(std::isfinite(value)) << c.name << ' ' << name;
          if (steered) {
            ASSERT_GE(std::abs(value), 0.25) << c.name << ' ' << name;
          }
        }
      }
    }
  }
  EXPECT_GT(padded, 1000);
}

TEST(Inputs, TargetsAtPaddingAreNoClass) {
  const Case& c = find_case("encoder-decoder/gru/lengths/T5-B4-I2-H3");
  const Given given = c.subject->draw(seed_of(c, 1), Dtype::f64);
  const auto lengths = unsorted_lengths({7, 4, 1, 1});
  ASSERT_EQ(given.targets.size(), 28u);
  for (Index step = 0; step < 28; ++step) {
    const bool live = step / 4 < lengths[static_cast<std::size_t>(step % 4)];
    EXPECT_EQ(given.targets[static_cast<std::size_t>(step)] >= 0, live) << step;
  }
}

TEST(Inputs, OfALayerKeepTheirDistanceFromKinks) {
  for (const char* cell : {"rnn:relu", "rnn:leaky_relu"}) {
    for (const Shape& shape : {Shape{7, 3, 5, 4}, Shape{50, 3, 5, 17}, Shape{24, 81, 3, 80}}) {
      for (std::uint64_t seed = 1; seed <= 3; ++seed) {
        Spec spec;
        spec.cell = parse_cell(cell);
        spec.shape = shape;
        Problem<double> p(spec);
        EXPECT_GT(draw_inputs(seed, p), 0.1 * kink_margin(spec)) << to_string(spec);
      }
    }
  }
}

TEST(Inputs, OfANetworkKeepTheirDistanceFromKinksInDenseLayers) {
  for (const char* name : {"mlp-relu-softmax_cross_entropy/plain/T5-B4-I2-H3",
                           "mlp-leaky_relu-half_squared_error/plain/T5-B4-I2-H3"}) {
    const Case& c = find_case(name);
    const auto model = c.subject->make<double>(naive_plans<double>());
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
      set_given(c.subject->draw(seed_of(c, seed), Dtype::f64), *model);
      const net::KinkObserver observer;
      model->forward();
      EXPECT_GT(observer.count(), 0);
      EXPECT_GT(observer.nearest() * static_cast<double>(observer.count()), 0.05)
          << name << " seed " << seed;
    }
  }
}

TEST(Inputs, OfAStackKeepTheirDistanceFromKinksInEveryLayer) {
  for (const char* cell : {"rnn:relu", "rnn:leaky_relu"}) {
    const Case& c = find_case(std::string(cell) + "/2-layers/T5-B2-I4-H3");
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
      KinkWatch watch;
      const auto model = c.subject->make<double>(watch.plans());
      set_given(c.subject->draw(seed, Dtype::f64), *model);
      model->forward();
      EXPECT_EQ(watch.count(), 5 * 2 * 3 * 2);
      EXPECT_GT(watch.nearest(), 1e-3) << cell << " seed " << seed;
      EXPECT_GE(watch.least_active(), 1.0 / 3) << cell << " seed " << seed;
    }
  }
}

/// The gradient that reaches the initial state from the loss's last step alone, beside the one that
/// started there: what the fixtures are made for.
TEST(Inputs, KeepGradientsAliveOverFiftySteps) {
  int seen = 0;
  for (const Case& c : all_cases()) {
    if (!c.name.ends_with("/plain/T50-B3-I5-H17")) continue;
    const auto model = c.subject->make<double>(naive_plans<double>());
    const Given drawn = c.subject->draw(seed_of(c, 1), Dtype::f64);
    run(*model, light(*model, drawn, {0, -1, true}));
    double largest = 0;
    for (const auto& tensor : model->tensors()) {
      if (tensor.name != "h0" && tensor.name != "c0") continue;
      for (const double value : tensor.gradient) largest = std::max(largest, std::abs(value));
    }
    EXPECT_GT(largest, 1e-4) << c.name;
    EXPECT_LT(largest, 1e4) << c.name;
    ++seen;
  }
  EXPECT_EQ(seen, 24);
}

}  // namespace
}  // namespace bptt::verify
