// What `bptt-verify --flow` was asked to do: its flags, read and checked.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "impls/api/backend.hpp"

namespace bptt::verify::flow {

struct Settings {
  std::vector<const Backend*> backends;
  Dtype dtype = Dtype::f64;
  std::vector<Cell> cells;
  Index T = 50, H = 16;
  std::uint64_t seed = 1;
  std::string output;  ///< path of the CSV file; empty: none
};

/// Nothing where --help or --version answered. Throws Error(usage), Error(unavailable).
std::optional<Settings> parse_settings(int argc, const char* const* argv);

}  // namespace bptt::verify::flow
