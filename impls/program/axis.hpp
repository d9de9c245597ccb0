// An axis of a sweep as it is written on a command line: lists and ranges of whole numbers.
#pragma once

#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "impls/api/index.hpp"

namespace bptt::program {

struct AxisLimits {
  Index least = 1;
  Index most = std::numeric_limits<Index>::max();
  std::size_t count = 1000;  ///< values, duplicates not counted
};

/// "16,64"        the values 16 and 64
/// "16:1024:x2"   16, 32, 64, ..., as long as they do not exceed 1024
/// "1:8:+1"       1, 2, ..., 8
/// "1,4:16:x2"    ranges and values mixed
/// Values come in the order written, each once. Throws Error(usage), "WHAT: expected ...; got ...",
/// for what is neither, for a value outside the limits, a range that runs backwards or does not
/// advance, and for too many values.
std::vector<Index> parse_axis(std::string_view what, std::string_view text, const AxisLimits& = {});

/// The words between commas, spaces around them removed. An empty word is Error(usage) naming
/// `what`.
std::vector<std::string> parse_words(std::string_view what, std::string_view text);

}  // namespace bptt::program
