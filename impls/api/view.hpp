// A non-owning view of a dense, row-major tensor of rank 1 to 3. A default-constructed view is
// absent: an optional tensor that was not given.
#pragma once

#include <array>
#include <initializer_list>
#include <string>
#include <type_traits>

#include "impls/api/index.hpp"

namespace bptt {

/// Extents of a tensor, outermost first.
class Extents {
 public:
  static constexpr int max_rank = 3;

  Extents() = default;
  Extents(std::initializer_list<Index> extents) {
    for (const Index extent : extents) values_[rank_++] = extent;
  }
  int rank() const { return rank_; }
  Index operator[](int axis) const { return values_[axis]; }
  /// Number of elements; 0 for rank 0.
  Index size() const {
    Index size = rank_ == 0 ? 0 : 1;
    for (int axis = 0; axis < rank_; ++axis) size *= values_[axis];
    return size;
  }
  bool operator==(const Extents&) const = default;

 private:
  std::array<Index, max_rank> values_{};
  int rank_ = 0;
};

/// "[7,3,5]"
std::string to_string(const Extents&);

template <class T>
class View {
 public:
  View() = default;
  View(T* data, const Extents& extents) : data_(data), extents_(extents) {}

  /// A view of mutable elements is also one of constant elements.
  operator View<const T>() const requires(!std::is_const_v<T>) {
    return View<const T>(data_, extents_);
  }

  explicit operator bool() const { return data_ != nullptr; }
  T* data() const { return data_; }
  const Extents& extents() const { return extents_; }
  Index size() const { return extents_.size(); }
  T* begin() const { return data_; }
  T* end() const { return data_ + size(); }

  T& operator[](Index i) const { return data_[i]; }
  T& operator()(Index i, Index j) const { return data_[i * extents_[1] + j]; }
  T& operator()(Index i, Index j, Index k) const {
    return data_[(i * extents_[1] + j) * extents_[2] + k];
  }

 private:
  T* data_ = nullptr;
  Extents extents_;
};

}  // namespace bptt
