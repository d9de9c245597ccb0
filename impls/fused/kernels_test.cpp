// Every register tile of every instruction set that this CPU has, against plain loops; and that the
// instruction set asked for is the one that runs.
#include "impls/fused/kernels.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "impls/fused/every_target.hpp"

namespace bptt::fused {
namespace {

/// Aligned as panels are.
template <class T>
class Numbers {
 public:
  Numbers(Index size, double seed) : values_(static_cast<std::size_t>(size) + 16) {
    for (T& value : values_) {
      seed = std::fmod(seed * 1.618 + 0.357, 1.0);
      value = static_cast<T>(seed - 0.5);
    }
    const auto address = reinterpret_cast<std::uintptr_t>(values_.data());
    first_ = (64 - address % 64) % 64 / sizeof(T);
  }
  T* data() { return values_.data() + first_; }
  T& operator[](Index i) { return data()[i]; }

 private:
  std::vector<T> values_;
  std::size_t first_;
};

template <class T>
class KernelsOf : public testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(KernelsOf, Types);

constexpr auto at(Index i) {
  return static_cast<std::size_t>(i);
}

TYPED_TEST(KernelsOf, ProductsAgreeWithPlainLoops) {
  using T = TypeParam;
  for_each_target<T>([](const Kernels<T>& kernels) {
    const Index L = kernels.lanes;
    for (Index vectors = 1; vectors <= max_tile_vectors; ++vectors) {
      for (Index rows = 1; rows <= kernels.product_rows[at(vectors)]; ++rows) {
        for (const auto& [init, stream] : {std::pair(0, false), {1, false}, {0, true}, {1, true}}) {
          // Two runs of 5 and two of 3, with gaps; vectors of C in another order than in memory.
          ProductTile<T> t;
          t.stream = stream;
          t.walk = {2, 5, 9, 2, 3, 4};
          const std::vector<Index> walked = {0,  1,  2,  3,  4,  9,  10, 11,
                                             12, 13, 18, 19, 20, 22, 23, 24};
          ASSERT_EQ(t.walk.count(), static_cast<Index>(walked.size()));
          Numbers<T> a(rows * 31, 0.1), b(t.walk.count() * vectors * L, 0.2);
          Numbers<T> c(rows * 8 * L, 0.3), from(rows * 8 * L, 0.4), before = c;
          t.b = b.data();
          t.init[0] = nullptr;
          for (Index r = 0; r < rows; ++r) {
            t.a[at(r)] = a.data() + r * 31;
            t.c[at(r)] = c.data() + r * 8 * L;
            if (init == 1) t.init[at(r)] = from.data() + r * 8 * L;
          }
          for (Index v = 0; v < vectors; ++v) {
            t.c_vector[at(v)] = (2 * (vectors - 1 - v) + 1) * L;
            t.init_vector[at(v)] = v * L;
          }
          kernels.product[at(vectors)][at(rows)](t);
          for (Index r = 0; r < rows; ++r) {
            for (Index column = 0; column < 8 * L; ++column) {
              const Index slot = column / L, v = vectors - 1 - slot / 2, lane = column % L;
              if (slot % 2 == 0 || v < 0) {
                EXPECT_EQ(c[r * 8 * L + column], before[r * 8 * L + column]) << "outside the tile";
                continue;
              }
              double sum = init == 1 ? from[r * 8 * L + v * L + lane] : T(0);
              for (std::size_t k = 0; k < walked.size(); ++k) {
                sum += double(a[r * 31 + walked[k]]) *
                       double(b[(static_cast<Index>(k) * vectors + v) * L + lane]);
              }
              EXPECT_NEAR(c[r * 8 * L + column], sum, 16 * std::numeric_limits<T>::epsilon())
                  << vectors << " vectors, row " << r << " of " << rows << ", vector " << v;
            }
          }
        }
      }
    }
  });
}

TYPED_TEST(KernelsOf, OuterProductsAgreeWithPlainLoops) {
  using T = TypeParam;
  for_each_target<T>([](const Kernels<T>& kernels) {
    const Index L = kernels.lanes, k = 13;
    for (Index vectors = 1; vectors <= OuterTile<T>::max_vectors; ++vectors) {
      for (Index rows = 1; rows <= kernels.outer_rows; ++rows) {
        for (const Index cut : {Index{0}, L / 2}) {
          for (const bool accumulate : {false, true}) {
            const Index stride = vectors * L + 3, a_stride = 4 * max_tile_rows;
            Numbers<T> a(k * a_stride, 0.1), b(vectors * (k + 2) * L, 0.2);
            Numbers<T> c(rows * stride, 0.3), before = c;
            OuterTile<T> t;
            t.k = k;
            t.a = a.data() + 1;
            t.a_stride = a_stride;
            for (Index v = 0; v < vectors; ++v) t.b[at(v)] = b.data() + v * (k + 2) * L;
            t.c = c.data();
            t.c_stride = stride;
            t.columns = vectors * L - cut;
            t.accumulate = accumulate;
            kernels.outer[at(vectors)][at(rows)](t);
            for (Index r = 0; r < rows; ++r) {
              for (Index column = 0; column < stride; ++column) {
                const T old = before[r * stride + column];
                if (column >= t.columns) {
                  EXPECT_EQ(c[r * stride + column], old) << "beyond the last column";
                  continue;
                }
                double sum = accumulate ? old : T(0);
                for (Index i = 0; i < k; ++i) {
                  sum += double(a[1 + i * a_stride + r]) *
                         double(b[column / L * (k + 2) * L + i * L + column % L]);
                }
                EXPECT_NEAR(c[r * stride + column], sum, 16 * std::numeric_limits<T>::epsilon())
                    << vectors << " vectors, row " << r << " of " << rows << ", column " << column;
              }
            }
          }
        }
      }
    }
  });
}

TYPED_TEST(KernelsOf, TransposesWhatThereIs) {
  using T = TypeParam;
  for_each_target<T>([](const Kernels<T>& kernels) {
    const Index L = kernels.lanes;
    for (Index units = 1; units <= L; ++units) {
      for (const Index k : {1, 3, 4, 9}) {
        const Index stride = k + 1, to_stride = 2 * L;
        Numbers<T> from(units * stride, 0.1), to(k * to_stride, 0.2), before = to;
        kernels.transpose(from.data(), stride, units, k, to.data(), to_stride);
        for (Index i = 0; i < k * to_stride; ++i) {
          const Index row = i / to_stride, lane = i % to_stride;
          const T expected = lane >= L       ? before[i]
                             : lane >= units ? T(0)
                                             : from[lane * stride + row];
          EXPECT_EQ(to[i], expected) << units << " units, k " << row << " of " << k;
        }
      }
    }
  });
}

}  // namespace
}  // namespace bptt::fused
