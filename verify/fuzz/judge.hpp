// The verdict on one case of the fuzzer: backends against naive in the next higher precision, in
// the units and with the limit of verify/tolerance.hpp.
#pragma once

#include <variant>
#include <vector>

#include "verify/equality.hpp"
#include "verify/fuzz/trial.hpp"

namespace bptt::verify::fuzz {

/// How well the unit is measured. A first look measures naive's error over few runs; its unit may
/// be too small by luck, so what looks suspicious to it is judged again with many.
enum class Effort { first_look, verdict };

/// A case with its reference. Naive alone takes part in making it: any thread may.
struct Prepared {
  Case what;
  std::uint64_t seed = 1;
  std::variant<Reference<float>, Reference<double>> reference;
};
Prepared prepare(const Description&, Dtype, std::uint64_t seed, Effort);

/// One result per thread count, of kind CheckKind::fuzz.
std::vector<Result> judge(const Backend&, const Prepared&, const std::vector<int>& threads,
                          Recompute, bool localise);

/// A first look that asks for a second: something failed, or came nearer to the limit than half.
bool is_suspicious(const std::vector<Result>&);

/// The first failing result, or nullptr.
const Result* first_failure(const std::vector<Result>&);

}  // namespace bptt::verify::fuzz
