// The cases: every cell with its options, in the shapes and variants at which backends go wrong.
// One table; each case runs as gradient check (where it is small), as equality check of every
// backend and as determinism check.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "impls/api/tensor.hpp"

namespace bptt::verify {

/// Which of the optional tensors are given, and whether sequences have lengths of their own.
enum class Variant {
  plain,    ///< everything given, no lengths
  lengths,  ///< everything given, lengths with a full one, a 1 and (where B allows) a 0, unsorted
  bare,     ///< no h0, c0, dhT, dcT; hT, cT, dx, dh0, dc0, dW_hh, db_hh not wanted
  last,     ///< no dy: the loss sees the final state only; dW_ih, db_ih not wanted
};
std::string_view name_of(Variant);

struct Case {
  std::string name;  ///< "lstm/plain/T7-B3-I5-H4"
  Spec spec;
  Variant variant = Variant::plain;
  bool small = false;  ///< every element goes through the oracles
  bool quick = false;  ///< part of --quick

  std::vector<Index> lengths() const;  ///< [B], empty without lengths

  /// Clears the views of a problem that this variant does not give, and sets its lengths.
  template <Scalar T>
  void apply(Problem<T>& p) const {
    if (spec.lengths) {
      p.lengths() = lengths();
      p.in.lengths = p.lengths();
    }
    if (variant == Variant::bare) {
      p.in.h0 = p.in.c0 = p.out.hT = p.out.cT = p.dout.hT = p.dout.cT = {};
      p.grads.x = p.grads.h0 = p.grads.c0 = p.grads.params.weight_hh = p.grads.params.bias_hh = {};
    }
    if (variant == Variant::last) {
      p.dout.y = p.grads.params.weight_ih = p.grads.params.bias_ih = {};
    }
  }
};

/// In the order of every list and table.
const std::vector<Case>& all_cases();

/// What inputs are drawn from: the run's seed and the case's name, so that a case alone gets the
/// same inputs as among others.
std::uint64_t seed_of(const Case&, std::uint64_t seed);

/// `*` stands for any run of characters, `?` for any one.
bool matches_glob(std::string_view pattern, std::string_view text);

}  // namespace bptt::verify
