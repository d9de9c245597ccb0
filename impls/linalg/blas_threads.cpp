#include "impls/linalg/blas_threads.hpp"

#include <cstdlib>
#include <mutex>
#include <string>

#include <cblas.h>

#include "impls/threads/affinity.hpp"

namespace bptt::linalg {

namespace {

/// The open scopes of the process.
std::mutex mutex;
BlasThreads* top = nullptr;  ///< opened last
int before_all = 1;          ///< what to go back to

void set_count(int threads) {
  if (openblas_get_num_threads() != threads) openblas_set_num_threads(threads);
}

}  // namespace

BlasThreads::BlasThreads(int threads) : threads_(threads) {
  const std::lock_guard lock(mutex);
  if (top == nullptr) before_all = openblas_get_num_threads();
  below_ = top;
  top = this;
  set_count(threads);
}

BlasThreads::~BlasThreads() {
  const std::lock_guard lock(mutex);
  BlasThreads** link = &top;
  while (*link != this) link = &(*link)->below_;
  *link = below_;
  set_count(top == nullptr ? before_all : top->threads_);
}

int max_blas_threads() {
  // "... MAX_THREADS=64": there is no call for it.
  const std::string config = openblas_get_config();
  constexpr std::string_view key = "MAX_THREADS=";
  const auto at = config.find(key);
  return at == std::string::npos ? 1 : std::atoi(config.c_str() + at + key.size());
}

std::optional<std::string> refuse_blas_threads(int threads) {
  const int most = max_blas_threads();
  if (threads <= most) return std::nullopt;
  return "this OpenBLAS was built for at most " + std::to_string(most) + " threads; " +
         std::to_string(threads) + " were asked for";
}

void bind_blas_threads() {
  // OpenBLAS has no call for it, but it starts its pool when it is loaded, one thread after
  // another.
  int k = 0;
  for (const int id : threads::threads_before_main()) threads::bind_thread(id, ++k);
}

}  // namespace bptt::linalg
