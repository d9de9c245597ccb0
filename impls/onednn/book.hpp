// Descriptors of a group's primitives, and all the memory that goes with them, booked: nothing is
// allocated yet.
#pragma once

#include "impls/onednn/primitives.hpp"
#include "impls/onednn/weight.hpp"
#include "impls/schedule/workspace.hpp"

namespace bptt::onednn {

struct Book {
  /// The group is the top of its stack: the gradient of its y comes from the caller, which may have
  /// none.
  enum class Place { top, below };

  /// Throws dnnl::error where oneDNN has no primitive for the case.
  Book(const Group&, const CellMap&, Place);

  Descriptors descriptors;
  WeightLayouts layer_layouts, iter_layouts;
  schedule::WorkspaceLayout layout;
  Weight::Bookings layer, iter;
  schedule::Booking<float> bias, bias_gradient;
  /// Backward reads the y that forward wrote, which our caller may since have overwritten.
  schedule::Booking<float> y;
  /// oneDNN wants every tensor. One that the caller does not give is zero; a result that it does
  /// not want is written here and not read. Pages that are never used cost nothing.
  schedule::Booking<float> absent_dy, dx, zeros, hT, cT, unwanted_dh0, unwanted_dc0;
  schedule::Booking<float> peephole;  ///< where there are several, which must be in one tensor
  schedule::Booking<float> peephole_gradient;
  schedule::Booking<char> workspace, scratchpad;
};

}  // namespace bptt::onednn
