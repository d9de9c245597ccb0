// Lengths that somebody counted: published tables, and files.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "impls/api/index.hpp"

namespace bptt::bench {

/// A corpus's lengths, as they were published.
struct PublishedLengths {
  std::string_view name;
  std::string_view source;       ///< for docs and messages
  std::span<const Index> count;  ///< of the lengths 1, 2, ...
};
std::span<const PublishedLengths> published_lengths();

/// Every length, in ascending order.
std::vector<Index> ascending(const PublishedLengths&);

/// A text file's: one whole number on a line, '#' begins a comment, empty lines count nothing. In
/// ascending order, one at least. Throws Error(data) that names the file and the line.
std::vector<Index> read_lengths(const std::string& path);

/// The longest that a file may hold.
inline constexpr Index longest_length = 1'000'000'000;

}  // namespace bptt::bench
