// Central finite differences along one line, Richardson-extrapolated to a step of zero, and the
// step to start from. The mathematics only: what a loss is, callers know.
#pragma once

#include <span>

namespace bptt::verify {

struct Estimate {
  double value = 0;
  double error = 0;  ///< its own estimate of it
};

/// Neville's table in h^2 over the central differences (L(+h) - L(-h)) / 2h at the steps h, h/2,
/// h/4, ... (Ridders 1982). `value` is the last entry, `error` the larger of its differences from
/// the two entries that it is made of; what rounding makes of the differences is not in it.
Estimate extrapolate(std::span<const long double> differences);

/// The length along the line over which L bends: rho = sqrt(|L'| / |L'''/6|), measured from the
/// central differences at h and h/2. At most `longest`, also where no bend shows over `noise`, the
/// error of a difference at h.
long double bending_length(long double at_h, long double at_half, long double h, long double noise,
                           long double longest);

/// The step h to start a table of m central differences from. The last entry of the table is off by
/// about
///
///   |L'| (h/rho)^2m 2^(-m(m-1))  +  r 2^(m-1) / h,
///
/// truncation of a function that bends over the length rho, and the rounding error r of
/// (L(+h) - L(-h))/2 divided by the smallest step; the sum is least at
///
///   h^(2m+1) = r rho^2m 2^(m^2-1) / (2m |L'|).
///
/// With m = 1 that is the classical (3 r / |L'''|)^(1/3) (Gill, Murray, Saunders and Wright 1983).
/// Never more than rho.
long double best_step(long double slope, long double rho, long double rounding, int m);

}  // namespace bptt::verify
