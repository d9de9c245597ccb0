// Compiled once per instruction set by foreach_target.h: the tables of kernels, and the choice
// among them.
#include "impls/fused/kernels.hpp"

#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include "impls/api/error.hpp"

// Left out: instruction sets that add nothing this code uses (SSSE3 over SSE2, AVX3_DL over AVX3),
// and those whose vectors have no size when compiling, so that no array of them can be kept in
// registers (SVE).
#define HWY_DISABLED_TARGETS \
  (HWY_SSSE3 | HWY_AVX3_DL | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "impls/fused/kernels.cpp"
// foreach_target.h must come before highway.h.
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "impls/fused/pointwise-inl.hpp"
#include "impls/fused/product-inl.hpp"
#include "impls/fused/transpose-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace bptt::fused::HWY_NAMESPACE {

/// The sums of a tile, one element of its longer side and all of the shorter one must fit in the
/// registers.
constexpr int registers = HWY_TARGET <= HWY_AVX3 || HWY_ARCH_ARM ? 32 : 16;
constexpr int tile_rows(int vectors) {
  int rows = 1;
  while (rows < max_tile_rows &&
         (rows + 1) * vectors + 1 + std::min(rows + 1, vectors) <= registers) {
    ++rows;
  }
  return rows;
}
/// Tall tiles read B less often, which is the larger operand; wide ones read A less often.
constexpr int tile_panels = registers == 32 ? 4 : 2;

template <class T, int vectors, int... rows>
constexpr auto products_of(std::integer_sequence<int, rows...>) {
  std::array<ProductKernel<T>, max_tile_rows + 1> all{};
  ((all[rows + 1] = product<rows + 1, vectors, T>), ...);
  return all;
}
template <class T, int vectors, int... rows>
constexpr auto outers_of(std::integer_sequence<int, rows...>) {
  std::array<OuterKernel<T>, max_tile_rows + 1> all{};
  ((all[rows + 1] = outer<rows + 1, vectors, T>), ...);
  return all;
}
template <class T, int vectors>
constexpr auto products() {
  return products_of<T, vectors>(std::make_integer_sequence<int, tile_rows(vectors)>());
}
constexpr int outer_rows = tile_rows(OuterTile<float>::max_vectors);
template <class T, int vectors>
constexpr auto outers() {
  return outers_of<T, vectors>(std::make_integer_sequence<int, outer_rows>());
}

template <class T>
const Kernels<T>* table() {
  static const Kernels<T> kernels = {
      lanes<T>(),
      tile_panels,
      {0, tile_rows(1), tile_rows(2), tile_rows(3), tile_rows(4)},
      {{{}, products<T, 1>(), products<T, 2>(), products<T, 3>(), products<T, 4>()}},
      outer_rows,
      {{{}, outers<T, 1>(), outers<T, 2>(), outers<T, 3>()}},
      pointwise<T>,
      transpose<T>,
      hwy::TargetName(HWY_TARGET)};
  return &kernels;
}

const Kernels<float>* table_f32() {
  return table<float>();
}
const Kernels<double>* table_f64() {
  return table<double>();
}

}  // namespace bptt::fused::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bptt::fused {

HWY_EXPORT(table_f32);
HWY_EXPORT(table_f64);

namespace {

/// As BPTT_INSTRUCTION_SET has it: no better one than that is chosen. Of Highway's targets, the
/// better ones are the lower bits.
void limit_instruction_set() {
  const char* const wanted = std::getenv("BPTT_INSTRUCTION_SET");
  if (wanted == nullptr || *wanted == '\0') return;
  std::string known;
  for (std::int64_t targets = hwy::SupportedTargets() & HWY_TARGETS; targets != 0;
       targets &= targets - 1) {
    const std::int64_t target = targets & -targets;
    if (std::string_view(hwy::TargetName(target)) == wanted) {
      hwy::DisableTargets(target - 1);
      return;
    }
    known += (known.empty() ? "" : ", ") + std::string(hwy::TargetName(target));
  }
  throw Error(ErrorKind::unavailable, "BPTT_INSTRUCTION_SET: expected one of " + known + "; got '" +
                                          std::string(wanted) + "'");
}

void limit_once() {
  static const bool done = (limit_instruction_set(), true);
  static_cast<void>(done);
}

}  // namespace

template <>
const Kernels<float>& kernels<float>() {
  limit_once();
  return *HWY_DYNAMIC_DISPATCH(table_f32)();
}

template <>
const Kernels<double>& kernels<double>() {
  limit_once();
  return *HWY_DYNAMIC_DISPATCH(table_f64)();
}

}  // namespace bptt::fused
#endif
