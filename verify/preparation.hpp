// What is computed before backends run: by as many threads as there are processors.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <functional>
#include <future>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace bptt::verify {

/// Makes `count` things in order, some at a time. Backends run in between, never beside it: threads
/// that wait for one another in a loop, as those of some backends do, are slowed down a hundredfold
/// where others take their processors.
template <class Made>
class Preparation {
 public:
  /// `make(i)` is called by several threads at a time, once for each i.
  Preparation(std::size_t count, std::function<Made(std::size_t)> make)
      : make_(std::move(make)), made_(count) {}

  /// Number 0, 1, ... `count` - 1, and no further. Rethrows what `make` threw.
  Made next() {
    if (taken_ == ready_) prepare_some();
    Made made = std::move(*made_[taken_]);
    made_[taken_++].reset();
    return made;
  }

 private:
  void prepare_some() {
    const std::size_t processors = std::max(1u, std::thread::hardware_concurrency());
    const std::size_t end =
        std::min(made_.size(), ready_ + std::max<std::size_t>(32, 2 * processors));
    std::atomic<std::size_t> next{ready_};
    const auto work = [&] {
      try {
        for (std::size_t i; (i = next++) < end;) made_[i].emplace(make_(i));
      } catch (...) {
        next = end;  // the others need not go on
        throw;
      }
    };
    std::vector<std::future<void>> workers;
    for (std::size_t k = 0; k < std::min(processors, end - ready_); ++k) {
      workers.push_back(std::async(std::launch::async, work));
    }
    for (auto& worker : workers) worker.get();
    ready_ = end;
  }

  std::function<Made(std::size_t)> make_;
  std::vector<std::optional<Made>> made_;
  std::size_t ready_ = 0, taken_ = 0;
};

}  // namespace bptt::verify
