// One weight of each layer and direction of a group on their way into the layouts oneDNN chose for
// them, and their gradients on the way back. All of it is timed as part of a call: weights change
// at every training step.
#pragma once

#include <span>
#include <vector>

#include <oneapi/dnnl/dnnl.hpp>

#include "impls/api/plan.hpp"
#include "impls/onednn/primitives.hpp"
#include "impls/schedule/workspace.hpp"

namespace bptt::onednn {

/// Which weight: the member of Params, and of its gradients.
struct WeightRole {
  View<const float> Params<const float>::*value;
  View<float> Params<float>::*gradient;
};

/// A weight of each layer and direction, [G*H,n] of ours, and the layouts that the primitives want
/// for all of them together.
struct WeightLayouts {
  Group group;
  Index n;
  dnnl::memory::desc ours;  ///< of one layer and direction
  dnnl::memory::desc forward, backward, gradient;
};

using GroupParams = std::span<const Params<const float>>;  ///< of each layer and direction

class Weight {
 public:
  struct Bookings {
    schedule::Booking<char> forward, backward;  ///< nothing where the weight is read as it lies
    schedule::Booking<char> gradient;
  };
  static Bookings book(schedule::WorkspaceLayout&, const CellMap&, const WeightLayouts&);

  Weight(const schedule::Workspace&, const Bookings&, const CellMap&, const WeightLayouts&,
         WeightRole);

  /// What the forward primitive reads. The parameters must stay until backward is through.
  void* forward(GroupParams, dnnl::stream&, LayoutSeconds&);
  /// What the backward primitive reads, after forward() with the same weights.
  void* backward(GroupParams, dnnl::stream&, LayoutSeconds&);
  /// Where the backward primitive puts its gradient.
  void* gradient() const { return gradient_; }
  void zero_gradient();
  /// Brings the gradient to those that are wanted; none are where there are no Params.
  void gradient_to(std::span<const Params<float>>, dnnl::stream&);

 private:
  /// A reorder between two layouts, made once, with a factor, of one layer and direction.
  struct Reorder {
    Reorder(Index unit, const dnnl::memory::desc& from, const dnnl::memory::desc& to, float factor);
    void run(const void* from, void* to, dnnl::stream&);
    Index unit;
    Arguments arguments;
    dnnl::reorder primitive;
  };
  /// Of the whole weight where gates are in oneDNN's order, else gate by gate.
  struct Reorders {
    enum class From { ours, theirs };
    Reorders(const CellMap&, const WeightLayouts&, From, const dnnl::memory::desc& theirs);
    std::vector<Reorder> all;
    /// The caller's weights would lie so, were they in one tensor as they are in oneDNN's examples:
    /// what they take is for this interface alone.
    bool only_gathers;
  };
  void* bring(Reorders&, GroupParams, char* to, dnnl::stream&, LayoutSeconds&);

  WeightRole role_;
  char *forward_, *backward_, *gradient_;
  std::size_t gradient_bytes_;
  Reorders to_forward_, to_backward_, to_ours_;
};

}  // namespace bptt::onednn
