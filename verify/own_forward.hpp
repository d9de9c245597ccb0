// How a loss changes when a part of a tensor moves, by the forward pass of the backend judged: the
// difference quotients that gradients along directions are held against. Which step is good, and
// how far to trust a quotient, verify/direction_slopes.hpp knows.
#pragma once

#include <array>
#include <cstddef>
#include <iterator>
#include <limits>
#include <string>
#include <vector>

#include "impls/net/model.hpp"
#include "verify/direction_parts.hpp"
#include "verify/localise.hpp"
#include "verify/tolerance.hpp"

namespace bptt::verify {

/// What is lit of the upstream gradients, and in which words a finding says so.
struct DirectionLoss {
  Upstream lit;
  const char* name;
};
inline constexpr DirectionLoss direction_losses[] = {
    {{0, std::numeric_limits<Index>::max(), true}, "all upstream gradients"},
    {{0, -1, true}, "dhT and dcT alone"}};
inline constexpr std::size_t loss_count = std::size(direction_losses);

/// One number for each batch row, under each loss.
using PerRow = std::array<std::vector<long double>, loss_count>;

/// Naive's rounding error in f32 times this is that in f64: to first order errors scale with u.
inline constexpr double f64_of_f32 =
    std::numeric_limits<double>::epsilon() / std::numeric_limits<float>::epsilon();

/// A backend's forward, along lines.
class OwnForward {
 public:
  /// The model must outlive this. `reference` gives the upstream gradients and, in its units, the
  /// rounding error of each output.
  OwnForward(net::Model<double>& model, const Reference<float>& reference);

  const Given& lit(std::size_t loss) const { return lit_[loss]; }
  /// Of (L(+h) - L(-h)) / 2, of each row: root mean square, from what naive measured of each
  /// output's rounding error. The signs of upstream gradients are random, so errors do not add up.
  const PerRow& rounding() const { return rounding_; }

  /// (L(+h) - L(-h)) / 2h of each row. The difference is taken of each output by itself, where it
  /// is exact or nearly so, and summed then. Leaves the part as it was.
  PerRow difference(const Part&, double h);

 private:
  /// <upstream, output>.
  struct Term {
    View<double> output;
    std::array<std::vector<double>, loss_count> weight;  ///< 0 in padding
    std::vector<double> above;
    Index columns, rows;
    std::size_t row(std::size_t e) const {
      return static_cast<std::size_t>(static_cast<Index>(e) / columns % rows);
    }
  };

  void add_term(const std::string& output, std::size_t given, const Reference<float>&);
  /// Runs forward with the part moved, and moves it back.
  void move(const Part&, double h);

  net::Model<double>& model_;
  std::array<Given, loss_count> lit_;
  PerRow rounding_;
  std::vector<Term> terms_;
  Index rows_ = 0;
};

}  // namespace bptt::verify
