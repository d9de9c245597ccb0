// Networks on every backend there is: equal to naive within rounding, directions at the same time
// to those in turn, and running allocates nothing.
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <new>
#include <span>
#include <string>
#include <vector>

#include <cblas.h>
#include <gtest/gtest.h>

#include "impls/api/registry.hpp"
#include "impls/linalg/blas_threads.hpp"
#include "impls/net/architectures.hpp"
#include "impls/net/model_check.hpp"

// The suite's own ways to the heap are counted while `counting` is set: new, and the aligned_alloc
// of Tensor. (Not malloc: for some small extents OpenBLAS's AVX-512 kernels call it themselves.)
extern "C" void* __libc_memalign(std::size_t, std::size_t);

namespace {
std::atomic<bool> counting{false};
std::atomic<long> allocations{0};
void count() {
  if (counting.load(std::memory_order_relaxed)) allocations.fetch_add(1);
}
}  // namespace

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
// Not inlined: g++ 12 would warn of free() on what came from new.
[[gnu::noinline]] void* operator new(std::size_t size) {
  count();
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
extern "C" void* aligned_alloc(std::size_t alignment, std::size_t size) {
  return count(), __libc_memalign(alignment, size);
}
constexpr bool can_count = true;
#else
constexpr bool can_count = false;  // the sanitizers own the heap
#endif

namespace bptt::net {
namespace {

constexpr Shape shape{7, 5, 3, 9};
const std::vector<Index> lengths = {3, 7, 0, 1, 5};

struct Case {
  std::string name;
  std::string cell;
  /// Makes the model in T.
  template <Real T>
  std::unique_ptr<Model<T>> make(const PlanMaker<T>& plans) const {
    if (architecture != nullptr) {
      ArchitectureSettings settings{parse_cell(cell), shape};
      if (architecture->takes_lengths) {
        settings.lengths = lengths;
        settings.target_lengths = {11, 2, 5, 0, 8};
      }
      return architecture->make<T>(settings, plans);
    }
    return make_network<T>(network, network.stack.lengths ? lengths : std::vector<Index>(), plans);
  }

  const Architecture* architecture = nullptr;
  NetworkSpec network{};
};

std::vector<Case> every_case() {
  std::vector<Case> all;
  for (const Architecture& architecture : architectures()) {
    const std::string cell = architecture.cells == CellUse::any ? "gru" : "rnn";
    all.push_back({architecture.name, cell, &architecture});
  }
  for (const std::string cell : {"rnn", "lstm", "gru", "gru:reset=after_matmul:update=keep"}) {
    for (const Index layers : {1, 3}) {
      for (const bool bidirectional : {false, true}) {
        for (const bool with_lengths : {false, true}) {
          const StackSpec stack{parse_cell(cell), shape, layers, bidirectional, with_lengths};
          all.push_back({to_string(stack), cell, nullptr, {stack}});
        }
      }
    }
  }
  return all;
}

class OnBackend : public testing::TestWithParam<const Backend*> {};

/// The model in T on the backend against naive in double.
template <Real T>
void expect_equal(const Case& c, const Backend& backend) {
  SCOPED_TRACE(c.name + " " + std::string(name_of(dtype_of<T>)));
  const double roundings = 500 * static_cast<double>(std::numeric_limits<T>::epsilon());
  const auto reference = c.make<double>(naive_plans<double>());
  const auto model = c.make<T>(PlanMaker<T>(backend, {}));
  fill_model(*reference);
  fill_model(*model);
  reference->forward();
  reference->backward();
  model->forward();
  model->backward();
  EXPECT_NEAR(model->loss(), reference->loss(), roundings * (1 + std::abs(reference->loss())));
  for (std::size_t i = 0; i < model->tensors().size(); ++i) {
    const auto& tensor = model->tensors()[i];
    const auto& expected = reference->tensors()[i];
    const bool is_result = tensor.role == Role::output;
    const auto values = is_result ? tensor.value : tensor.gradient;
    const auto right = is_result ? expected.value : expected.gradient;
    double largest = 0;
    for (const double value : right) largest = std::max(largest, std::abs(value));
    for (Index e = 0; e < values.size(); ++e) {
      EXPECT_NEAR(values[e], right[e], roundings * largest) << tensor.name << "[" << e << "]";
    }
  }
}

/// The backend refuses the cell, the lengths that the model has, or one of its layers.
bool refused(const Case& c, const Backend& backend, Dtype dtype) {
  const bool with_lengths =
      c.architecture != nullptr ? c.architecture->takes_lengths : c.network.stack.lengths;
  if (backend.refusal({parse_cell(c.cell), shape, with_lengths}, dtype, {})) return true;
  if (!backend.is_peer()) return false;
  try {  // its faults may depend on the extents of a layer
    dispatch(dtype, [&]<class T>(std::type_identity<T>) { c.make<T>({backend, {}}); });
  } catch (const Error& error) {
    return error.kind() == ErrorKind::unavailable;
  }
  return false;
}

TEST_P(OnBackend, EveryNetworkIsThatOfNaiveWithinRounding) {
  for (const Case& c : every_case()) {
    for (const Dtype dtype : all_dtypes) {
      if (refused(c, *GetParam(), dtype)) continue;
      dispatch(dtype, [&]<class T>(std::type_identity<T>) { expect_equal<T>(c, *GetParam()); });
    }
  }
}

TEST_P(OnBackend, RunningAllocatesNothing) {
  if (!can_count) GTEST_SKIP() << "the sanitizer owns malloc";
  if (GetParam()->is_peer()) GTEST_SKIP() << "what a library does inside is not ours to promise";
  for (const Case& c : every_case()) {
    for (const int threads : {1, 2, 4}) {
      const Exec exec{.threads = threads};
      if (GetParam()->refusal({parse_cell(c.cell), shape}, Dtype::f64, exec)) continue;
      const auto model = c.make<double>(PlanMaker<double>(*GetParam(), exec));
      fill_model(*model);
      allocations = 0;
      counting = true;
      for (int repetition = 0; repetition < 3; ++repetition) {
        model->forward();
        model->backward();
      }
      counting = false;
      EXPECT_EQ(allocations, 0) << c.name << ", " << threads << " threads";
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Networks, OnBackend, testing::ValuesIn(backends()),
                         [](const auto& param) { return std::string(param.param->name()); });

/// Everything that a model gives, in one row.
template <Real T>
std::vector<T> results_of(Model<T>& model) {
  model.forward();
  model.backward();
  std::vector<T> all;
  for (const ModelTensor<T>& tensor : model.tensors()) {
    const View<T> view = tensor.role == Role::output ? tensor.value : tensor.gradient;
    all.insert(all.end(), view.begin(), view.end());
  }
  return all;
}

/// Directions that run at the same time give what they give one after the other, whichever ends
/// first, and leave OpenBLAS's number of threads alone.
template <Real T>
void expect_as_in_turn(const Backend& backend, const NetworkSpec& network,
                       std::span<const Index> live, const Exec& exec) {
  SCOPED_TRACE(std::string(backend.name()) + " " + to_string(network.stack) + ", " +
               std::to_string(exec.threads) + " threads");
  const Spec layer = network.stack.layer_spec(0);
  if (backend.refusal(layer, dtype_of<T>, exec)) return;
  Exec half = exec;
  half.threads /= 2;
  const PlanMaker<T> in_turn([&](const Spec& spec) { return backend.plan<T>(spec, half); });
  const auto expected = make_network<T>(network, live, in_turn);
  const auto model = make_network<T>(network, live, {backend, exec});
  EXPECT_EQ(model->workspace_bytes(), expected->workspace_bytes());
  fill_model(*expected);
  fill_model(*model);
  const auto right = results_of(*expected);
  const linalg::BlasThreads scope(2);
  for (int repetition = 0; repetition < 4; ++repetition) {
    EXPECT_EQ(results_of(*model), right);
    EXPECT_EQ(openblas_get_num_threads(), 2);
  }
}

TEST(SideBySide, DirectionsAreThoseInTurn) {
  // Few rows: fused's threads meet in each step. Many units: OpenBLAS would use two threads.
  const Shape shapes[] = {{7, 5, 3, 9}, {12, 1, 20, 130}, {12, 2, 33, 64}, {6, 40, 90, 110}};
  int tried = 0;
  for (const Backend* backend : backends()) {
    EXPECT_FALSE(backend->runs_side_by_side({.threads = 1}));
    EXPECT_FALSE(backend->runs_side_by_side({.threads = 3}));
    if (!backend->runs_side_by_side({.threads = 2})) continue;
    ++tried;
    for (const std::string cell : {"rnn", "lstm", "gru", "gru:reset=after_matmul:update=keep"}) {
      for (const Shape& s : shapes) {
        for (const Index layers : {1, 3}) {
          for (const int threads : {2, 4}) {
            const NetworkSpec network{{parse_cell(cell), s, layers, true, false}};
            Exec exec{.threads = threads};
            expect_as_in_turn<float>(*backend, network, {}, exec);
            exec.recompute = Recompute::checkpoint;
            expect_as_in_turn<double>(*backend, network, {}, exec);
          }
        }
      }
      const NetworkSpec with_lengths{{parse_cell(cell), shape, 2, true, true}};
      expect_as_in_turn<float>(*backend, with_lengths, lengths, {.threads = 4});
      expect_as_in_turn<double>(*backend, with_lengths, lengths, {.threads = 2});
    }
  }
  if (tried == 0) GTEST_SKIP() << "no backend that calls two plans at a time is built in";
}

TEST(Allocations, AreCounted) {
  if (!can_count) GTEST_SKIP() << "the sanitizer owns malloc";
  allocations = 0;
  counting = true;
  void* memory = ::operator new(100);  // unlike a new-expression, never optimised away
  counting = false;
  ::operator delete(memory);
  EXPECT_EQ(allocations, 1);
  counting = true;
  const Tensor<double> tensor({3});
  counting = false;
  EXPECT_EQ(allocations, 2);
}

}  // namespace
}  // namespace bptt::net
