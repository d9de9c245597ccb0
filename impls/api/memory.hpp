// How much memory there is, so that what does not fit is refused in words before it is touched.
#pragma once

#include <cstddef>
#include <string>

namespace bptt {

/// Bytes this process can still use: what the system says is available, bounded by the limit of the
/// control group it runs in where that is mounted as /sys/fs/cgroup (version 2, as in a container).
/// The largest std::size_t where the system does not say.
std::size_t available_memory();

/// Throws Error(unavailable) naming `what`, the bytes it needs and the bytes there are, where these
/// are fewer. Of less than 1 MiB it does not ask.
void require_memory(std::size_t bytes, const std::string& what);

/// "512 B", "1.5 KiB", "20.0 GiB"
std::string bytes_text(std::size_t bytes);

}  // namespace bptt
