#include "impls/xsmm/rnn_cell.hpp"

#include <atomic>

#include "impls/api/error.hpp"

namespace bptt::xsmm {
namespace {

/// Warnings of libxsmm, of blocks it finds too small, are no errors.
void require(libxsmm_dnn_err_t status) {
  if (status == LIBXSMM_DNN_SUCCESS || status == LIBXSMM_DNN_WARN_RNN_SUBOPTIMAL_N_BLOCKING ||
      status == LIBXSMM_DNN_WARN_RNN_SUBOPTIMAL_C_BLOCKING ||
      status == LIBXSMM_DNN_WARN_RNN_SUBOPTIMAL_K_BLOCKING) {
    return;
  }
  throw Error(ErrorKind::unavailable, std::string("libxsmm: ") + libxsmm_dnn_get_error(status));
}

libxsmm_dnn_rnncell_desc describe(const Shape& shape, const Blocks& blocks, int threads) {
  libxsmm_dnn_rnncell_desc description{};
  description.threads = threads;
  description.K = static_cast<libxsmm_blasint>(shape.H);
  description.N = static_cast<libxsmm_blasint>(shape.B);
  description.C = static_cast<libxsmm_blasint>(shape.I);
  description.max_T = static_cast<libxsmm_blasint>(shape.T);
  description.bk = static_cast<libxsmm_blasint>(blocks.k);
  description.bn = static_cast<libxsmm_blasint>(blocks.n);
  description.bc = static_cast<libxsmm_blasint>(blocks.c);
  description.cell_type = LIBXSMM_DNN_RNNCELL_LSTM;
  description.datatype_in = description.datatype_out = LIBXSMM_DNN_DATATYPE_F32;
  description.buffer_format = LIBXSMM_DNN_TENSOR_FORMAT_NC;
  description.filter_format = LIBXSMM_DNN_TENSOR_FORMAT_CKPACKED;
  return description;
}

}  // namespace

RnnCell::RnnCell(const Shape& shape, const Blocks& blocks, int threads) {
  libxsmm_dnn_err_t status = LIBXSMM_DNN_SUCCESS;
  handle_.reset(libxsmm_dnn_create_rnncell(describe(shape, blocks, threads), &status));
  require(status);
  // libxsmm adds a constant of its own to the forget gate's bias, as TensorFlow does.
  require(libxsmm_dnn_rnncell_allocate_forget_bias(handle_.get(), 0));
}

std::size_t RnnCell::scratch_bytes() const {
  libxsmm_dnn_err_t status = LIBXSMM_DNN_SUCCESS;
  const auto bytes =
      libxsmm_dnn_rnncell_get_scratch_size(handle_.get(), LIBXSMM_DNN_COMPUTE_KIND_ALL, &status);
  require(status);
  return bytes;
}

std::size_t RnnCell::state_bytes() const {
  libxsmm_dnn_err_t status = LIBXSMM_DNN_SUCCESS;
  const auto bytes = libxsmm_dnn_rnncell_get_internalstate_size(
      handle_.get(), LIBXSMM_DNN_COMPUTE_KIND_ALL, &status);
  require(status);
  return bytes;
}

void RnnCell::bind_memory(void* scratch, void* state) {
  constexpr auto all = LIBXSMM_DNN_COMPUTE_KIND_ALL;
  require(libxsmm_dnn_rnncell_bind_scratch(handle_.get(), all, scratch));
  require(libxsmm_dnn_rnncell_bind_internalstate(handle_.get(), all, state));
}

void RnnCell::bind(libxsmm_dnn_tensor_type type, const void* data) {
  for (const Bound& bound : bound_) {
    if (bound.type == type) {
      require(libxsmm_dnn_set_tensor_data_ptr(bound.tensor.get(), data));
      return;
    }
  }
  libxsmm_dnn_err_t status = LIBXSMM_DNN_SUCCESS;
  auto* layout = libxsmm_dnn_rnncell_create_tensor_datalayout(handle_.get(), type, &status);
  require(status);
  bound_.push_back({type, {}});
  bound_.back().tensor.reset(libxsmm_dnn_link_tensor(layout, data, &status));
  libxsmm_dnn_destroy_tensor_datalayout(layout);
  require(status);
  require(libxsmm_dnn_rnncell_bind_tensor(handle_.get(), bound_.back().tensor.get(), type));
}

void RnnCell::run(libxsmm_dnn_compute_kind kind, const threads::OpenMpThreads& team) {
  std::atomic<libxsmm_dnn_err_t> worst{LIBXSMM_DNN_SUCCESS};
  team.run([&](int k) {
    const auto status = libxsmm_dnn_rnncell_execute_st(handle_.get(), kind, 0, k);
    if (status != LIBXSMM_DNN_SUCCESS) worst = status;
  });
  require(worst);
}

}  // namespace bptt::xsmm
