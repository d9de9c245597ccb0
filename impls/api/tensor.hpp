// Owning counterparts of the views: one tensor, and all tensors that a spec needs for one
// forward and backward pass.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "impls/api/memory.hpp"
#include "impls/api/scalar.hpp"
#include "impls/api/tensors.hpp"

namespace bptt {

/// Dense, row-major, aligned to a cache line, zero at first.
template <class T>
class Tensor {
 public:
  Tensor() = default;
  explicit Tensor(const Extents& extents) : extents_(extents) {
    if (extents.rank() == 0) return;
    constexpr std::size_t line = 64;
    const auto bytes =
        (static_cast<std::size_t>(extents.size()) * sizeof(T) + line - 1) / line * line;
    data_.reset(static_cast<T*>(std::aligned_alloc(line, std::max(bytes, line))));
    if (!data_) throw std::bad_alloc();
    std::uninitialized_fill_n(data_.get(), extents.size(), T{});
  }
  View<T> view() { return data_ ? View<T>(data_.get(), extents_) : View<T>(); }
  View<const T> view() const {
    return data_ ? View<const T>(data_.get(), extents_) : View<const T>();
  }

 private:
  struct Free {
    void operator()(T* data) const { std::free(data); }
  };
  std::unique_ptr<T[], Free> data_;
  Extents extents_;
};

/// Every tensor of a spec. `params`, `in` and `dout` are for the caller to fill; a plan's forward
/// and backward fill `out` and `grads`.
template <Scalar T>
class Problem {
 public:
  /// Throws Error(unavailable) where the tensors do not fit in memory.
  explicit Problem(const Spec& spec) : spec_(spec) {
    spec.validate();
    require_memory(bytes(spec), "tensors of " + to_string(spec));
    const auto own = [this](const TensorInfo& info, View<T>& view) {
      storage_.emplace_back(info.extents);
      view = storage_.back().view();
    };
    for_each_mutable(own);
    if (spec.lengths) lengths_.assign(static_cast<std::size_t>(spec.shape.B), spec.shape.T);
    in.lengths = lengths_;
  }
  Problem(const Problem&) = delete;
  Problem& operator=(const Problem&) = delete;

  /// What the tensors of a spec take.
  static std::size_t bytes(const Spec& spec) {
    Index elements = 0;
    const auto count = [&](const TensorInfo& info, const View<T>&) {
      elements = checked_sum({elements, info.extents.size()}, "tensors");
    };
    for_each(spec, Params<T>{}, count);
    for_each(spec, Inputs<T>{}, count);
    for_each(spec, Outputs<T>{}, count);
    for_each(spec, OutputGrads<T>{}, count);
    for_each(spec, Grads<T>{}, count);
    return static_cast<std::size_t>(
        checked_product({elements, static_cast<Index>(sizeof(T))}, "tensors"));
  }

  const Spec& spec() const { return spec_; }
  std::vector<Index>& lengths() { return lengths_; }  ///< [B] where the spec has lengths
  const std::vector<Index>& lengths() const { return lengths_; }
  /// Time steps that are not padding.
  Index live_steps() const {
    Index live = 0;
    for (const Index length : lengths_) live += length;
    return spec_.lengths ? live : spec_.shape.T * spec_.shape.B;
  }

  Params<T> params;
  Inputs<T> in;
  Outputs<T> out;
  OutputGrads<T> dout;
  Grads<T> grads;

 private:
  template <class Own>
  void for_each_mutable(Own own) {
    const auto assign = [&](const TensorInfo& info, const View<T>& view) {
      own(info, const_cast<View<T>&>(view));
    };
    for_each(spec_, params, assign);
    for_each(spec_, in, assign);
    for_each(spec_, out, assign);
    for_each(spec_, dout, assign);
    // The visitor of Grads makes copies of its views on the way: its members go by name.
    for_each(spec_, grads.params, assign);
    Inputs<T> d;
    for_each(spec_, d, assign);
    grads.x = d.x;
    grads.h0 = d.h0;
    grads.c0 = d.c0;
  }

  Spec spec_;
  std::vector<Tensor<T>> storage_;
  std::vector<Index> lengths_;
};

}  // namespace bptt
