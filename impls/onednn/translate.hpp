// What oneDNN throws, as an error of this suite: at every entry of the backend.
#pragma once

#include <string>

#include <oneapi/dnnl/dnnl.hpp>

#include "impls/api/error.hpp"

namespace bptt::onednn {

template <class Body>
auto translate(Body body) {
  try {
    return body();
  } catch (const dnnl::error& error) {
    throw Error(ErrorKind::unavailable, std::string("oneDNN: ") + error.what());
  }
}

}  // namespace bptt::onednn
