// A group's forward and backward pass: its two primitives, and the memory that they need beside the
// caller's.
#pragma once

#include <span>
#include <string>

#include "impls/api/stack_tensors.hpp"
#include "impls/onednn/book.hpp"
#include "impls/onednn/call.hpp"

namespace bptt::onednn {

class GroupPlan {
 public:
  /// oneDNN divides the work when a primitive is made: the threads must be told by then. Throws
  /// dnnl::error, as running does.
  GroupPlan(const Group&, const CellMap&, Book::Place);

  /// Tensors are a stack's of these layers and directions (stack_tensors.hpp). Absent ones, y among
  /// them, are not wanted.
  void forward(GroupParams, const Inputs<const float>&, const Outputs<float>&);
  /// y as forward left it, for the group above, until the next forward.
  View<const float> y() const;

  void backward(GroupParams, const Inputs<const float>&, const OutputGrads<const float>&,
                const StackGrads<float>&);
  /// The gradient of x, for the group below, where backward was given no place for it.
  View<const float> dx() const;

  std::size_t workspace_bytes() const { return memory_.bytes(); }
  LayoutSeconds layout_seconds() const { return seconds_; }
  const std::string& implementation() const { return implementation_; }

 private:
  GroupPlan(const Group&, const CellMap&, const Book&);

  bool is_lstm() const { return map_.primitive == Primitive::lstm; }
  bool is_single() const { return group_.units() == 1; }
  /// What forward and backward both read of the caller's.
  void set_inputs(Call&, GroupParams, const Inputs<const float>&);
  const float* peephole(GroupParams);
  /// Where backward puts it: to the caller where that is one tensor.
  float* peephole_gradient(std::span<const Params<float>> grads) const;
  void zero_gradients(float* dpeephole);
  void bring_gradients(std::span<const Params<float>>);
  /// visit(unit, what a unit has in a tensor of all of them)
  template <class Visit>
  void for_each_unit(float* all, Index elements, const Visit& visit) const;

  Group group_;
  CellMap map_;
  schedule::Workspace memory_;
  Weight layer_, iter_;
  float *bias_, *bias_gradient_, *y_, *absent_dy_, *dx_, *zeros_, *hT_, *cT_, *unwanted_dh0_,
      *unwanted_dc0_, *peephole_, *peephole_gradient_;
  bool adds_;  ///< backward does, to the gradients of parameters
  std::string implementation_;
  dnnl::stream stream_;
  Call forward_, backward_;
  LayoutSeconds seconds_;
};

}  // namespace bptt::onednn
