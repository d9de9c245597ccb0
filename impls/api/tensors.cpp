#include "impls/api/tensors.hpp"

namespace bptt {

std::string to_string(const Extents& extents) {
  std::string text = "[";
  for (int axis = 0; axis < extents.rank(); ++axis) {
    text += (axis == 0 ? "" : ",") + std::to_string(extents[axis]);
  }
  return text + "]";
}

void check_extents(const TensorInfo& info, bool present, const Extents& came, Presence presence) {
  const bool exists = info.extents.rank() > 0;
  if (!present) {
    if (exists && presence == Presence::required) {
      throw Error(ErrorKind::usage, info.name() + ": expected a tensor of extents " +
                                        to_string(info.extents) + "; none was given");
    }
    return;
  }
  if (!exists) {
    throw Error(
        ErrorKind::usage,
        info.name() + ": this cell has no such tensor; got one of extents " + to_string(came));
  }
  if (!(came == info.extents)) {
    throw Error(ErrorKind::usage, info.name() + ": expected extents " + to_string(info.extents) +
                                      "; got " + to_string(came));
  }
}

}  // namespace bptt
