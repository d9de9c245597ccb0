// A primitive of oneDNN and its arguments.
#pragma once

#include <vector>

#include "impls/onednn/cell_map.hpp"
#include "impls/onednn/version.hpp"

namespace bptt::onednn {

class Call {
 public:
  /// `arguments`: numbers, DNNL_ARG_...
  Call(const dnnl::primitive_desc& description, const std::vector<int>& arguments);
  void set(int argument, const void* data) {
    arguments_.at(argument).set_data_handle(const_cast<void*>(data));
  }
  void run(dnnl::stream& stream) {
    primitive_.execute(stream, arguments_);
    stream.wait();
  }

 private:
  dnnl::primitive primitive_;
  Arguments arguments_;
};

/// Which arguments the primitives of a cell have.
std::vector<int> forward_arguments(const CellMap&);
std::vector<int> backward_arguments(const CellMap&);

}  // namespace bptt::onednn
