// What one sample adds to the gradients of the parameters, written down to be added later: in
// another order (variation.hpp) than that of backward, which goes from the last step to the first.
#pragma once

#include <cstddef>
#include <vector>

#include "impls/api/view.hpp"

namespace bptt::naive {

template <class T>
class Addends {
 public:
  /// to[row,k] += d v[k]. `to` and v must last until they are added.
  void outer(const View<T>& to, Index row, const T& d, const T* v) {
    list_.push_back({&to, row, 0, d, v});
  }
  /// to[row,column] += d, or of a vector to[row] += d.
  void single(const View<T>& to, Index row, Index column, const T& d) {
    list_.push_back({&to, row, column, d, nullptr});
  }
  /// More than this many would take memory for little: a sum of half a sample in reversed order,
  /// and then of the other half, is as good a variation.
  bool is_full() const { return list_.size() >= std::size_t{1} << 20; }

  /// Adds all of them, the latest first, and forgets them.
  void add_from_the_latest() {
    for (auto a = list_.rbegin(); a != list_.rend(); ++a) {
      const View<T>& to = *a->to;
      if (a->v == nullptr) {
        (to.extents().rank() == 1 ? to[a->row] : to(a->row, a->column)) += a->d;
      } else {
        for (Index k = 0; k < to.extents()[1]; ++k) to(a->row, k) += a->d * a->v[k];
      }
    }
    list_.clear();
  }

 private:
  struct Addend {
    const View<T>* to;
    Index row, column;
    T d;
    const T* v;
  };
  std::vector<Addend> list_;
};

}  // namespace bptt::naive
