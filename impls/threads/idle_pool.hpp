// Things that several owners take turns with, the one that was used last first.
#pragma once

#include <cassert>
#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace bptt::threads {

/// Every owner adds one thing, and uses one at a time; so there always is an idle one.
template <class T>
class IdlePool {
 public:
  void add(std::unique_ptr<T> thing) {
    const std::lock_guard lock(mutex_);
    idle_.reserve(count_ + 1);  // for all: giving back allocates nothing
    ++count_;
    idle_.insert(idle_.begin(), std::move(thing));
  }
  /// The one that was used longest ago, or never, for an owner that goes.
  std::unique_ptr<T> remove() {
    const std::lock_guard lock(mutex_);
    assert(!idle_.empty());
    std::unique_ptr<T> thing = std::move(idle_.front());
    idle_.erase(idle_.begin());
    --count_;
    return thing;
  }

  /// The thing that was given back last, for as long as the lease lasts.
  class Lease {
   public:
    explicit Lease(IdlePool& pool) : pool_(pool), thing_(pool.take()) {}
    ~Lease() { pool_.give_back(std::move(thing_)); }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    T* operator->() const { return thing_.get(); }
    T& operator*() const { return *thing_; }

   private:
    IdlePool& pool_;
    std::unique_ptr<T> thing_;
  };

 private:
  std::unique_ptr<T> take() {
    const std::lock_guard lock(mutex_);
    assert(!idle_.empty());  // an owner that uses two
    std::unique_ptr<T> thing = std::move(idle_.back());
    idle_.pop_back();
    return thing;
  }
  void give_back(std::unique_ptr<T> thing) {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(thing));
  }

  std::mutex mutex_;
  std::size_t count_ = 0;
  std::vector<std::unique_ptr<T>> idle_;  ///< in the order in which they were used last
};

}  // namespace bptt::threads
