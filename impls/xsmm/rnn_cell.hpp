// libxsmm's lstm as an object: a handle, the tensors bound to it, and execution by a team of
// threads. Tensors are in the layouts "NC" (activations as ours) and "CK packed" (weights in
// blocks).
#pragma once

#include <memory>
#include <vector>

#include <libxsmm.h>

#include "impls/api/spec.hpp"
#include "impls/threads/openmp.hpp"
#include "impls/xsmm/blocks.hpp"

namespace bptt::xsmm {

class RnnCell {
 public:
  /// Throws Error(unavailable) with libxsmm's reason.
  RnnCell(const Shape&, const Blocks&, int threads);

  std::size_t scratch_bytes() const;
  std::size_t state_bytes() const;
  /// Memory of those sizes, at multiples of 64 bytes.
  void bind_memory(void* scratch, void* state);

  /// Binds a tensor; binding it once more gives it another address.
  void bind(libxsmm_dnn_tensor_type, const void* data);

  /// By a team of as many threads as the cell was made for.
  void run(libxsmm_dnn_compute_kind, const threads::OpenMpThreads&);

 private:
  struct Release {
    void operator()(libxsmm_dnn_rnncell* handle) const { libxsmm_dnn_destroy_rnncell(handle); }
    void operator()(libxsmm_dnn_tensor* tensor) const { libxsmm_dnn_destroy_tensor(tensor); }
  };
  struct Bound {
    libxsmm_dnn_tensor_type type;
    std::unique_ptr<libxsmm_dnn_tensor, Release> tensor;
  };
  std::unique_ptr<libxsmm_dnn_rnncell, Release> handle_;
  std::vector<Bound> bound_;
};

}  // namespace bptt::xsmm
