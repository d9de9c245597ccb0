#include "bench/grid.hpp"

#include "bench/system.hpp"
#include "impls/api/memory.hpp"
#include "impls/api/tensor.hpp"

namespace bptt::bench {

std::string to_string(const Case& c) {
  return to_string(c.spec.cell) + " " + std::string(name_of(c.dtype)) + " " +
         to_string(c.spec.shape) + ", " + std::to_string(c.exec.threads) +
         (c.exec.threads == 1 ? " thread" : " threads");
}

std::vector<Case> expand(const Settings& settings) {
  std::vector<Case> cases;
  for (const Cell& cell : settings.cells) {
    for (const Dtype dtype : settings.dtypes) {
      for (const ShapeChoice& shape : settings.shapes) {
        if (shape.kind && *shape.kind != cell.kind) continue;
        for (const int threads : settings.threads) {
          Case c;
          c.spec = {cell, {shape.T, shape.B, shape.I.value_or(shape.H), shape.H}};
          c.dtype = dtype;
          c.exec.threads = threads;
          c.exec.bind_threads = settings.bind_threads;
          cases.push_back(c);
        }
      }
    }
  }
  return cases;
}

std::size_t tensor_bytes(const Case& c) {
  return dispatch(c.dtype,
                  [&]<class T>(std::type_identity<T>) { return Problem<T>::bytes(c.spec); });
}

std::optional<std::string> refusal(const Backend& backend, const Case& c) {
  try {
    c.spec.validate();
    const int processors = usable_processors();
    if (c.exec.threads > processors) {
      return std::to_string(c.exec.threads) + " threads on " + std::to_string(processors) +
             (processors == 1 ? " processor" : " processors");
    }
    if (auto reason = backend.refusal(c.spec, c.dtype, c.exec)) return reason;
    const std::size_t tensors = tensor_bytes(c);
    const std::size_t workspace = backend.workspace_bytes(c.spec, c.dtype, c.exec);
    const std::size_t free = available_memory();
    if (tensors > free || workspace > free - tensors) {
      return "needs " + bytes_text(tensors) + " of tensors and " + bytes_text(workspace) +
             " of workspace; " + bytes_text(free) + " are free";
    }
    return std::nullopt;
  } catch (const Error& error) {
    // An extent beyond what 64 bits can count: in a sweep, one more case that cannot run here.
    return error.what();
  }
}

}  // namespace bptt::bench
