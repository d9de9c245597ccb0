// What every backend promises at the interface, whichever are built in: checks at the boundary,
// optional tensors, memory refused before it is touched, no allocation when running. Whether the
// numbers are right is bptt-verify's business.
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <new>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "impls/api/registry.hpp"
#include "impls/api/tensor.hpp"

// Every way to the heap is counted while `counting` is set: new, and the malloc below it that C
// libraries call. glibc's own entry points do the work.
extern "C" void* __libc_malloc(std::size_t);
extern "C" void* __libc_calloc(std::size_t, std::size_t);
extern "C" void* __libc_realloc(void*, std::size_t);
extern "C" void* __libc_memalign(std::size_t, std::size_t);

namespace {
std::atomic<bool> counting{false};
std::atomic<long> allocations{0};
void count() {
  if (counting.load(std::memory_order_relaxed)) allocations.fetch_add(1);
}
}  // namespace

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
extern "C" {
void* malloc(std::size_t size) {
  return count(), __libc_malloc(size);
}
void* calloc(std::size_t n, std::size_t size) {
  return count(), __libc_calloc(n, size);
}
void* realloc(void* old, std::size_t size) {
  return count(), __libc_realloc(old, size);
}
void* aligned_alloc(std::size_t a, std::size_t size) {
  return count(), __libc_memalign(a, size);
}
}
constexpr bool can_count = true;
#else
constexpr bool can_count = false;  // the sanitizers own malloc
#endif

namespace bptt {
namespace {

using testing::HasSubstr;

constexpr const char* cells[] = {"rnn", "lstm", "lstm:gate_input=cell:peephole", "gru",
                                 "gru:reset=after_matmul:update=keep"};
constexpr Recompute recomputes[] = {Recompute::none, Recompute::gates, Recompute::checkpoint};

/// Small numbers, all different.
template <class T>
void fill(Problem<T>& problem) {
  double value = 0.1;
  const auto put = [&](const TensorInfo&, const View<T>& view) {
    for (T& element : view) {
      value = std::fmod(value * 1.618 + 0.357, 1.0);
      element = static_cast<T>(value - 0.5);
    }
  };
  for_each(problem.spec(), problem.params, put);
  for_each(problem.spec(), problem.in, put);
  for_each(problem.spec(), problem.dout, put);
}

struct Case {
  const Backend* backend;
  std::string cell;
  friend void PrintTo(const Case& c, std::ostream* out) {
    *out << c.backend->name() << " " << c.cell;
  }
};

class EveryBackend : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    if (const auto reason = backend().refusal(spec(), Dtype::f32, {})) GTEST_SKIP() << *reason;
  }
  const Backend& backend() const { return *GetParam().backend; }
  Spec spec(Shape shape = {6, 5, 3, 7}, bool lengths = false) const {
    return {parse_cell(GetParam().cell), shape, lengths};
  }
  template <class Body>
  std::string message_of(Body body, ErrorKind kind) {
    try {
      body();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), kind);
      return error.what();
    }
    ADD_FAILURE() << "no error";
    return "";
  }
};

TEST_P(EveryBackend, NamesTheTensorThatDoesNotFit) {
  auto plan = backend().plan<float>(spec(), {});
  Problem<float> problem(spec()), other(spec({6, 5, 3, 8}));
  const auto forward = [&](const Params<float>& w, const Inputs<float>& in,
                           const Outputs<float>& out) {
    return message_of([&] { plan->forward(w, in, out); }, ErrorKind::usage);
  };
  Params<float> w = problem.params;
  w.weight_hh = other.params.weight_hh;
  EXPECT_THAT(forward(w, problem.in, problem.out), HasSubstr("weight_hh_l0: expected extents ["));
  w = problem.params;
  w.bias_ih = {};
  EXPECT_THAT(forward(w, problem.in, problem.out), HasSubstr("bias_ih_l0: expected a tensor"));
  Inputs<float> in = problem.in;
  in.x = {};
  EXPECT_THAT(forward(problem.params, in, problem.out),
              HasSubstr("x: expected a tensor of extents [6,5,3]"));
  Outputs<float> out = problem.out;
  out.y = {};
  EXPECT_THAT(forward(problem.params, problem.in, out), HasSubstr("y: expected"));
  const std::vector<Index> lengths(5, 6);
  in = problem.in;
  in.lengths = lengths;
  EXPECT_THAT(forward(problem.params, in, problem.out), HasSubstr("lengths: expected none"));
  if (!spec().cell.has_cell_state()) {
    in = problem.in;
    in.c0 = problem.in.h0;
    EXPECT_THAT(forward(problem.params, in, problem.out),
                HasSubstr("c0: this cell has no such tensor"));
  }
}

TEST_P(EveryBackend, RefusesLengthsOutOfRange) {
  const Spec with_lengths = spec({6, 5, 3, 7}, true);
  if (const auto reason = backend().refusal(with_lengths, Dtype::f32, {})) GTEST_SKIP() << *reason;
  auto plan = backend().plan<float>(with_lengths, {});
  Problem<float> problem(with_lengths);
  problem.lengths()[2] = 7;
  EXPECT_THAT(
      message_of([&] { plan->forward(problem.params, problem.in, problem.out); }, ErrorKind::usage),
      HasSubstr("lengths: expected 5 values in 0..6; got 7"));
  problem.lengths()[2] = -1;
  EXPECT_THAT(
      message_of([&] { plan->forward(problem.params, problem.in, problem.out); }, ErrorKind::usage),
      HasSubstr("got -1"));
}

TEST_P(EveryBackend, BackwardNeedsItsOwnForward) {
  auto plan = backend().plan<float>(spec(), {});
  Problem<float> p(spec());
  fill(p);
  const auto backward = [&] { plan->backward(p.params, p.in, p.dout, p.grads); };
  EXPECT_THAT(message_of(backward, ErrorKind::usage),
              HasSubstr("one forward before each backward"));
  plan->forward(p.params, p.in, p.out);
  EXPECT_NO_THROW(backward());
  EXPECT_THAT(message_of(backward, ErrorKind::usage), HasSubstr("the tape is empty"));
}

template <class T>
void check_absent_tensors(const Backend& backend, const Spec& spec) {
  auto plan = backend.plan<T>(spec, {});
  Problem<T> zeros(spec), absent(spec);
  fill(zeros);
  fill(absent);
  for (auto view : {zeros.in.h0, zeros.in.c0, zeros.dout.hT, zeros.dout.cT}) {
    for (T& element : view) element = 0;
  }
  plan->forward(zeros.params, zeros.in, zeros.out);
  plan->backward(zeros.params, zeros.in, zeros.dout, zeros.grads);

  absent.in.h0 = absent.in.c0 = absent.dout.hT = absent.dout.cT = {};
  absent.out.hT = absent.out.cT = {};
  absent.grads.x = absent.grads.h0 = absent.grads.c0 = {};
  absent.grads.params.weight_ih = absent.grads.params.bias_hh = {};
  plan->forward(absent.params, absent.in, absent.out);
  plan->backward(absent.params, absent.in, absent.dout, absent.grads);

  const auto same = [](View<T> a, View<T> b) {
    ASSERT_EQ(a.size(), b.size());
    for (Index i = 0; i < a.size(); ++i) EXPECT_EQ(a[i], b[i]) << i;
  };
  same(absent.out.y, zeros.out.y);
  same(absent.grads.params.weight_hh, zeros.grads.params.weight_hh);
  same(absent.grads.params.bias_ih, zeros.grads.params.bias_ih);
}

TEST_P(EveryBackend, AbsentInputsAreZeroAndAbsentGradientsAreNotWanted) {
  for (const Dtype dtype : all_dtypes) {
    if (backend().refusal(spec(), dtype, {})) continue;
    dispatch(dtype,
             [&]<class T>(std::type_identity<T>) { check_absent_tensors<T>(backend(), spec()); });
  }
}

TEST_P(EveryBackend, RefusesWhatDoesNotFitInMemoryBeforeAllocating) {
  const Index much = Index{1} << 22;
  const auto message = message_of(
      [&] {
        backend().plan<float>(spec({much, 1 << 9, 8, 8}), {});
      },
      ErrorKind::unavailable);
  EXPECT_THAT(message, testing::AnyOf(HasSubstr("GiB are free"), HasSubstr("TiB are free"),
                                      HasSubstr("refuses")));
  EXPECT_THROW((void)Problem<double>(spec({much, 1 << 9, 64, 64})), Error);
}

TEST_P(EveryBackend, SaysBeforehandWhatAPlanTakes) {
  for (const bool lengths : {false, true}) {
    const Spec s = spec({9, 33, 5, 6}, lengths);
    if (backend().refusal(s, Dtype::f64, {})) continue;
    for (const Recompute recompute : recomputes) {
      const Exec exec{.recompute = recompute};
      if (backend().refusal(s, Dtype::f64, exec)) continue;
      EXPECT_EQ(backend().plan<double>(s, exec)->workspace_bytes(),
                backend().workspace_bytes(s, Dtype::f64, exec));
    }
  }
}

/// Largest difference of two problems' results, over the largest value.
double distance(const Problem<double>& a, const Problem<double>& b) {
  std::vector<View<double>> of_a;
  double worst = 0, largest = 0;
  const auto collect = [&](const TensorInfo&, const View<double>& view) { of_a.push_back(view); };
  for_each(a.spec(), a.out, collect);
  for_each(a.spec(), a.grads, collect);
  std::size_t next = 0;
  const auto compare = [&](const TensorInfo&, const View<double>& view) {
    const View<double> other = of_a[next++];
    for (Index i = 0; i < view.size(); ++i) {
      worst = std::max(worst, std::abs(view[i] - other[i]));
      largest = std::max(largest, std::abs(view[i]));
    }
  };
  for_each(b.spec(), b.out, compare);
  for_each(b.spec(), b.grads, compare);
  return worst / largest;
}

TEST_P(EveryBackend, RecomputingChangesRoundingOnly) {
  for (const bool lengths : {false, true}) {
    // More rows than a chunk of a hoisted product holds, and a last checkpoint that is cut short.
    const Spec s = spec({50, 13, 5, 6}, lengths);
    const auto run = [&](Recompute recompute, Problem<double>& p) {
      fill(p);
      if (lengths) p.lengths() = {7, 50, 1, 0, 13, 49, 8, 36, 35, 21, 2, 50, 44};
      p.in.lengths = p.lengths();
      auto plan = backend().plan<double>(s, {.recompute = recompute});
      for (int repetition = 0; repetition < 2; ++repetition) {
        plan->forward(p.params, p.in, p.out);
        plan->backward(p.params, p.in, p.dout, p.grads);
      }
    };
    if (backend().refusal(s, Dtype::f64, {})) continue;
    Problem<double> plain(s), again(s);
    run(Recompute::none, plain);
    for (const Recompute recompute : {Recompute::gates, Recompute::checkpoint}) {
      if (backend().refusal(s, Dtype::f64, {.recompute = recompute})) continue;
      run(recompute, again);
      EXPECT_LT(distance(plain, again), 1e-13) << name_of(recompute);
    }
  }
}

TEST_P(EveryBackend, RecomputingSavesMemory) {
  const Spec s = spec({4000, 33, 5, 64});
  const auto bytes = [&](Recompute recompute) {
    return static_cast<double>(backend().workspace_bytes(s, Dtype::f32, {.recompute = recompute}));
  };
  if (backend().refusal(s, Dtype::f32, {.recompute = Recompute::gates})) GTEST_SKIP();
  // What is kept of a step, against gates and states: h of an rnn, that is half; less of the
  // others.
  EXPECT_LT(bytes(Recompute::gates), 0.65 * bytes(Recompute::none));
  EXPECT_LT(bytes(Recompute::checkpoint), 0.5 * bytes(Recompute::gates));
}

TEST_P(EveryBackend, WorkspaceIsInProportionToTheCase) {
  // Two steps of wide inputs and one unit: nothing but packed inputs can be large.
  const Spec wide = spec({2, 2, 200'000, 1}, true);
  if (backend().refusal(wide, Dtype::f32, {})) GTEST_SKIP();
  EXPECT_LT(backend().workspace_bytes(wide, Dtype::f32, {}), std::size_t{16} << 20);
}

TEST_P(EveryBackend, RunningAllocatesNothing) {
  if (!can_count) GTEST_SKIP() << "the sanitizer owns malloc";
  if (backend().is_peer()) GTEST_SKIP() << "what a library does inside is not ours to promise";
  for (const auto& [threads, recompute] :
       {std::pair(1, Recompute::none), std::pair(2, Recompute::none),
        std::pair(2, Recompute::gates), std::pair(1, Recompute::checkpoint)}) {
    for (const bool lengths : {false, true}) {
      const Exec exec{.threads = threads, .recompute = recompute};
      const Spec s = spec({9, 33, 5, 6}, lengths);
      if (backend().refusal(s, Dtype::f32, exec)) continue;
      auto plan = backend().plan<float>(s, exec);
      Problem<float> p(s);
      fill(p);
      if (lengths)
        p.lengths() = {9, 1, 4, 0, 9, 3, 7, 2, 5, 9, 9, 1, 4, 0, 9, 3, 7,
                       2, 5, 9, 9, 1, 4, 0, 9, 3, 7, 2, 5, 9, 8, 6, 1};
      p.in.lengths = p.lengths();
      allocations = 0;
      counting = true;
      for (int repetition = 0; repetition < 3; ++repetition) {
        plan->forward(p.params, p.in, p.out);
        plan->backward(p.params, p.in, p.dout, p.grads);
      }
      counting = false;
      EXPECT_EQ(allocations, 0) << threads << " threads, " << to_string(s);
    }
  }
}

std::vector<Case> every_case() {
  std::vector<Case> all;
  for (const Backend* backend : backends()) {
    for (const char* cell : cells) all.push_back({backend, cell});
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(Backends, EveryBackend, testing::ValuesIn(every_case()),
                         [](const auto& param) {
                           std::string name =
                               std::string(param.param.backend->name()) + "_" + param.param.cell;
                           for (char& c : name)
                             c = std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
                           return name;
                         });

TEST(Allocations, AreCounted) {
  if (!can_count) GTEST_SKIP() << "the sanitizer owns malloc";
  allocations = 0;
  counting = true;
  void* memory = ::operator new(100);  // unlike a new-expression, never optimised away
  counting = false;
  ::operator delete(memory);
  EXPECT_EQ(allocations, 1);
}

TEST(Registry, NamesWhatThereIs) {
  ASSERT_FALSE(backends().empty());
  EXPECT_EQ(backends().front()->name(), "naive");
  EXPECT_EQ(&find_backend("naive"), backends().front());
  try {
    find_backend("naïve");
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("expected one of naive"));
  }
}

// The judge shares nothing with those it judges: docs/architecture.md, "the sharing rule".
TEST(SharingRule, NaiveIncludesOnlyTheInterface) {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(BPTT_SOURCE_DIR "/impls/naive")) {
    std::ifstream file(entry.path());
    for (std::string line; std::getline(file, line);) {
      if (line.find("#include \"") == std::string::npos) continue;
      EXPECT_TRUE(line.find("\"impls/api/") != std::string::npos ||
                  line.find("\"impls/naive/") != std::string::npos)
          << entry.path() << ": " << line;
    }
    ++files;
  }
  EXPECT_GE(files, 6);
}

}  // namespace
}  // namespace bptt
