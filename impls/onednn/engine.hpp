// oneDNN's processor, one for the whole program.
#pragma once

#include <oneapi/dnnl/dnnl.hpp>

namespace bptt::onednn {

inline const dnnl::engine& engine() {
  static const dnnl::engine processor(dnnl::engine::kind::cpu, 0);
  return processor;
}

}  // namespace bptt::onednn
