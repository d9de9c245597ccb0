// Clipping and the optimizers' steps, by hand.
#include "impls/net/optimizer.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include <gmock/gmock.h>

namespace bptt::net {
namespace {

using ::testing::HasSubstr;

std::vector<View<double>> views(std::vector<double>& a, std::vector<double>& b) {
  return {View<double>(a.data(), {static_cast<Index>(a.size())}),
          View<double>(b.data(), {1, static_cast<Index>(b.size())})};
}

TEST(Clipping, IsByTheNormOfAllGradientsTogether) {
  std::vector<double> a = {2, 4}, b = {4};
  EXPECT_EQ(clip_by_global_norm<double>(views(a, b), 3), 6);
  EXPECT_EQ(a, (std::vector<double>{1, 2}));
  EXPECT_EQ(b, (std::vector<double>{2}));
}

TEST(Clipping, LeavesSmallAndBrokenGradientsAlone) {
  std::vector<double> a = {2, 4}, b = {4};
  clip_by_global_norm<double>(views(a, b), 6);
  EXPECT_EQ(a, (std::vector<double>{2, 4}));
  b[0] = std::numeric_limits<double>::infinity();
  clip_by_global_norm<double>(views(a, b), 1);
  EXPECT_EQ(a, (std::vector<double>{2, 4}));
}

TEST(Optimizer, PlainSgdStepsAgainstTheGradient) {
  std::vector<double> a = {1, 2}, b = {3}, da = {10, 20}, db = {-30};
  Optimizer<double> optimizer(parse_optimizer("sgd"), views(a, b));
  optimizer.step(views(da, db), 0.5);
  EXPECT_EQ(a, (std::vector<double>{-4, -8}));
  EXPECT_EQ(b, (std::vector<double>{18}));
  EXPECT_EQ(optimizer.bytes(), 0u);
}

TEST(Optimizer, MomentumGathersGradients) {
  std::vector<double> a = {1, 2}, b = {3}, da = {4, 8}, db = {-4};
  Optimizer<double> optimizer(parse_optimizer("sgd:momentum=0.5"), views(a, b));
  optimizer.step(views(da, db), 0.25);  // v = 4, 8, -4
  EXPECT_EQ(a, (std::vector<double>{0, 0}));
  EXPECT_EQ(b, (std::vector<double>{4}));
  da = {2, 0}, db = {0};
  optimizer.step(views(da, db), 0.25);  // v = 2+2, 4+0, -2
  EXPECT_EQ(a, (std::vector<double>{-1, -1}));
  EXPECT_EQ(b, (std::vector<double>{4.5}));
}

TEST(Optimizer, AdamsFirstStepsByHand) {
  std::vector<double> a = {1, 1}, b = {1}, da = {3, -0.5}, db = {0};
  Optimizer<double> optimizer(parse_optimizer("adam:beta1=0.5:beta2=0.75:epsilon=0.125"),
                              views(a, b));
  // Corrected, the first step's means are g and g^2: p -= rate g / (|g| + epsilon).
  optimizer.step(views(da, db), 0.1);
  EXPECT_NEAR(a[0], 1 - 0.1 * 3 / 3.125, 1e-15);
  EXPECT_NEAR(a[1], 1 + 0.1 * 0.5 / 0.625, 1e-15);
  EXPECT_EQ(b[0], 1);
  // The second step's: m = 0.5*1.5 + 0.5*1 = 1.25 over 0.75; v = 0.75*2.25 + 0.25*1 = 1.9375 over
  // 0.4375.
  const double before = a[0];
  da = {1, 0};
  optimizer.step(views(da, db), 0.1);
  EXPECT_NEAR(a[0], before - 0.1 * (1.25 / 0.75) / (std::sqrt(1.9375 / 0.4375) + 0.125), 1e-15);
}

TEST(Optimizer, AdamDoesNotSeeTheGradientsScale) {
  std::vector<double> a = {0, 0}, b = {0}, da = {1e-3, 7}, db = {-1e4};
  Optimizer<double> optimizer(parse_optimizer("adam"), views(a, b));
  for (int i = 0; i < 5; ++i) optimizer.step(views(da, db), 0.01);
  EXPECT_NEAR(a[0], -0.05, 1e-6);
  EXPECT_NEAR(a[1], -0.05, 1e-6);
  EXPECT_NEAR(b[0], 0.05, 1e-6);
  EXPECT_EQ(optimizer.bytes(), 6 * sizeof(double));
  EXPECT_EQ(Optimizer<double>::bytes(parse_optimizer("adam"), 3), optimizer.bytes());
}

TEST(Optimizer, InF32ItIsTheSameStepRounded) {
  for (const char* text : {"sgd", "sgd:momentum=0.9", "adam"}) {
    std::vector<double> a = {0.3, -0.2}, b = {0.1}, da = {0.01, -3}, db = {0.5};
    std::vector<float> a32(a.begin(), a.end()), da32(da.begin(), da.end());
    Optimizer<double> wide(parse_optimizer(text), views(a, b));
    const std::vector<View<float>> p32 = {View<float>(a32.data(), {2})};
    const std::vector<View<float>> g32 = {View<float>(da32.data(), {2})};
    Optimizer<float> narrow(parse_optimizer(text), p32);
    for (int i = 0; i < 10; ++i) {
      wide.step(views(da, db), 0.01);
      narrow.step(g32, 0.01);
    }
    for (std::size_t i = 0; i < 2; ++i) EXPECT_NEAR(a32[i], a[i], 1e-6 * (1 + std::abs(a[i])));
  }
}

TEST(Optimizer, RefusesGradientsThatDoNotPairUp) {
  std::vector<double> a = {1, 2}, b = {3}, c = {1, 2, 3};
  const auto two = views(a, b);
  Optimizer<double> optimizer({}, two);
  EXPECT_THROW(optimizer.step(views(b, a), 1), Error);
  EXPECT_THROW(optimizer.step(views(a, c), 1), Error);
  EXPECT_THROW(optimizer.step(std::span(two).first(1), 1), Error);
}

TEST(Optimizer, TextAndBack) {
  for (const char* text :
       {"sgd", "sgd:momentum=0.9", "adam", "adam:beta1=0.8:beta2=0.99:epsilon=1e-06"}) {
    EXPECT_EQ(to_string(parse_optimizer(text)), text);
  }
}

TEST(Optimizer, SaysWhatItDoesNotUnderstand) {
  const auto message = [](const char* text) -> std::string {
    try {
      parse_optimizer(text);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::usage);
      return error.what();
    }
    return "accepted";
  };
  EXPECT_THAT(message("adamw"), HasSubstr("optimizer: expected one of sgd, adam; got 'adamw'"));
  EXPECT_THAT(message("sgd:beta1=0.9"), HasSubstr("'beta1=0.9' is not known; sgd takes: momentum"));
  EXPECT_THAT(message("sgd:momentum"), HasSubstr("'momentum' is not known"));
  EXPECT_THAT(message("sgd:momentum=1"),
              HasSubstr("momentum: expected a number in [0,1); got '1'"));
  EXPECT_THAT(message("sgd:momentum=nan"), HasSubstr("got 'nan'"));
  EXPECT_THAT(message("adam:epsilon=0"), HasSubstr("epsilon: expected a number above 0; got '0'"));
  EXPECT_THAT(message("adam:beta2=0.9x"), HasSubstr("got '0.9x'"));
}

}  // namespace
}  // namespace bptt::net
