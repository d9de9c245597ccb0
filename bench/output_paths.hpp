// Keeps a run from writing over its own inputs, or one of its files over another.
#pragma once

#include <string>
#include <vector>

#include "bench/settings.hpp"

namespace bptt::bench {

/// A path that a run reads or writes, and the words that name it in messages.
struct UsedPath {
  std::string name, path;
  bool written = false;
};

/// All of a run's; paths that were not asked for are left out.
std::vector<UsedPath> used_paths(const Settings&);

/// Throws Error(usage) naming both where one that is written is another one too, by whatever name:
/// through links, relative or not. Only --load-weights and --save-weights may be the same file: it
/// is read whole before it is replaced. Devices can be shared.
void refuse_clashes(const std::vector<UsedPath>&);

}  // namespace bptt::bench
