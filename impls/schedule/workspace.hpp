// Memory booked when planning and granted when running: one block, every array in it aligned to a
// cache line. Booking alone allocates nothing, so the size is known before memory is touched.
#pragma once

#include <cstdlib>
#include <memory>
#include <new>

#include "impls/api/index.hpp"

namespace bptt::schedule {

template <class T>
struct Booking {
  Index offset = -1;  ///< in bytes; -1: nothing was booked
};

class WorkspaceLayout {
 public:
  /// Room for `count` elements; throws Error(usage) where the size does not fit in 64 bits.
  template <class T>
  Booking<T> book(Index count) {
    constexpr Index line = 64;
    const Booking<T> booking{bytes_};
    const Index bytes = checked_product({count, static_cast<Index>(sizeof(T))}, "workspace");
    bytes_ = checked_sum({bytes_, checked_sum({bytes, line - 1}, "workspace") / line * line},
                         "workspace");
    return booking;
  }
  std::size_t bytes() const { return static_cast<std::size_t>(bytes_); }

 private:
  Index bytes_ = 0;
};

class Workspace {
 public:
  /// Left uninitialised: pages are touched first by the thread that uses them.
  explicit Workspace(const WorkspaceLayout& layout)
      : bytes_(layout.bytes()),
        memory_(static_cast<char*>(std::aligned_alloc(64, bytes_ == 0 ? 64 : bytes_))) {
    if (!memory_) throw std::bad_alloc();
  }
  /// nullptr for what was not booked.
  template <class T>
  T* at(Booking<T> booking) const {
    return booking.offset < 0 ? nullptr : reinterpret_cast<T*>(memory_.get() + booking.offset);
  }
  std::size_t bytes() const { return bytes_; }

 private:
  struct Free {
    void operator()(char* memory) const { std::free(memory); }
  };
  std::size_t bytes_;
  std::unique_ptr<char, Free> memory_;
};

}  // namespace bptt::schedule
