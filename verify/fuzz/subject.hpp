// What a description stands for: a case like those of the table, with inputs as it asks for.
#pragma once

#include "verify/cases.hpp"
#include "verify/fuzz/description.hpp"

namespace bptt::verify::fuzz {

/// Named by its text, which with the run's seed its inputs are drawn from. Throws Error(usage) for
/// a description that is not valid.
Case case_of(const Description&);

/// Multiply-adds of one forward pass, all layers and directions, pointwise work weighed in.
double work_of(const Description&);

}  // namespace bptt::verify::fuzz
