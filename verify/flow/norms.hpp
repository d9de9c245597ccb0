// Singular values and spectral radius of a small dense matrix, by methods that are short enough to
// be seen right: what the theory of vanishing and exploding gradients is stated in.
#pragma once

#include <vector>

#include "impls/api/view.hpp"

namespace bptt::verify::flow {

/// The largest singular value, that is the operator norm for Euclidean lengths; relative error of a
/// few ulps. One-sided Jacobi (Hestenes 1958). NaN where an element is not finite.
double largest_singular_value(const View<const double>& matrix);

/// The largest modulus of an eigenvalue of a square matrix, by Gelfand's formula: the limit of
/// |A^n|^(1/n), n = 2^48, by repeated squaring. NaN where an element is not finite.
double spectral_radius(const View<const double>& matrix);

}  // namespace bptt::verify::flow
