// The settings files that are built in, so that the program finds them wherever it is.
#pragma once

#include <span>
#include <string_view>

namespace bptt::bench {

struct Preset {
  std::string_view name;
  std::string_view text;  ///< `flag = value` lines

  /// The first comment line of the text.
  std::string_view summary() const;
};

/// The files of bench/presets/, by name.
std::span<const Preset> presets();
/// Null where there is none of that name.
const Preset* find_preset(std::string_view name);

}  // namespace bptt::bench
