// The backends that are built in, in the order of impls/CMakeLists.txt, and those that were left
// out. The build writes the table from its bptt_backend() lines; a backend is named nowhere else.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "impls/api/backend.hpp"

namespace bptt {

/// Built in. Each lives as long as the program.
const std::vector<const Backend*>& backends();

/// Without the peers (Backend::is_peer).
inline std::vector<const Backend*> own_backends() {
  std::vector<const Backend*> own = backends();
  std::erase_if(own, [](const Backend* backend) { return backend->is_peer(); });
  return own;
}

/// Throws Error(unavailable) naming the backends there are; for one that was left out, the reason.
const Backend& find_backend(std::string_view name);

struct LeftOutBackend {
  std::string_view name;
  std::string_view reason;  ///< what was missing when the build was configured, and its cure
};
std::span<const LeftOutBackend> left_out_backends();

}  // namespace bptt
