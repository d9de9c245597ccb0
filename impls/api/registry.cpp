#include "impls/api/registry.hpp"

namespace bptt {

const Backend& find_backend(std::string_view name) {
  std::string known;
  for (const Backend* backend : backends()) {
    if (backend->name() == name) return *backend;
    known += (known.empty() ? "" : ", ") + std::string(backend->name());
  }
  for (const auto& left_out : left_out_backends()) {
    if (left_out.name == name) {
      throw Error(ErrorKind::unavailable,
                  "backend '" + std::string(name) +
                      "' was left out of this build: " + std::string(left_out.reason));
    }
  }
  throw Error(ErrorKind::usage,
              "backend: expected one of " + known + "; got '" + std::string(name) + "'");
}

}  // namespace bptt
