// One weight of a layer on its way into the layouts oneDNN chose for it, and its gradient on the
// way back. All of it is timed as part of a call: weights change at every training step.
#pragma once

#include <vector>

#include <oneapi/dnnl/dnnl.hpp>

#include "impls/api/tensors.hpp"
#include "impls/onednn/cell_map.hpp"
#include "impls/schedule/workspace.hpp"

namespace bptt::onednn {

/// A weight [G*H,n] of ours and the layouts that the primitives want.
struct WeightLayouts {
  Index H, n;
  dnnl::memory::desc ours, forward, backward, gradient;
};

class Weight {
 public:
  struct Bookings {
    schedule::Booking<char> forward, backward;  ///< nothing where the weight is read as it lies
    schedule::Booking<char> gradient;
  };
  static Bookings book(schedule::WorkspaceLayout&, const CellMap&, const WeightLayouts&);

  Weight(const schedule::Workspace&, const Bookings&, const CellMap&, const WeightLayouts&);

  /// What the forward primitive reads. `ours` must stay until backward is through.
  void* forward(const float* ours, dnnl::stream&);
  /// What the backward primitive reads, after forward() with the same weights.
  void* backward(const float* ours, dnnl::stream&);
  /// What the backward primitive adds its gradient to: zero.
  void* zero_gradient();
  /// Brings the gradient to `ours`.
  void gradient_to(float* ours, dnnl::stream&);

 private:
  /// A reorder between two layouts, made once, with a factor.
  struct Reorder {
    Reorder(const dnnl::memory::desc& from, const dnnl::memory::desc& to, float factor);
    void run(const void* from, void* to, dnnl::stream&);
    dnnl::memory source, target;
    dnnl::reorder primitive;
  };
  /// Of the whole weight where gates are in oneDNN's order, else gate by gate.
  struct Reorders {
    enum class From { ours, theirs };
    Reorders(const CellMap&, const WeightLayouts&, From, const dnnl::memory::desc& theirs);
    void run(const void* from, void* to, dnnl::stream&);
    std::vector<Reorder> all;
  };

  char *forward_, *backward_, *gradient_;
  std::size_t gradient_bytes_;
  Reorders to_forward_, to_backward_, to_ours_;
};

/// The two biases, which oneDNN takes as one (zero where the cell has none). lbr_gru has a fourth
/// block: the b_hn that r multiplies, beside b_in.
void sum_biases(const CellMap&, Index H, const Params<const float>&, float* sum);
void split_bias_gradient(const CellMap&, Index H, const float* gradient, const Params<float>&);

}  // namespace bptt::onednn
