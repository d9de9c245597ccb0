// The backend `blas`: the schedule over the whole batch, OpenBLAS inside each product with as many
// threads as asked for. Pointwise work runs on the caller's thread.
//
// Bitwise equal from run to run as far as OpenBLAS is; how it splits a product depends on the
// number of threads, and so do the last bits.
#include "impls/api/backend.hpp"
#include "impls/cell/pointwise.hpp"
#include "impls/linalg/blas_kernels.hpp"
#include "impls/linalg/blas_threads.hpp"
#include "impls/linalg/gemm.hpp"
#include "impls/schedule/sequence_block.hpp"

namespace bptt::blas {
namespace {

using schedule::SequenceBlock;
using schedule::Workspace;
using schedule::WorkspaceLayout;

template <Real T>
typename SequenceBlock<T>::Range whole_batch(const Spec& spec) {
  return {0, spec.shape.B};
}

template <Real T>
class BlasPlan final : public Plan<T> {
 public:
  BlasPlan(const Spec& spec, const Exec& exec) : BlasPlan(spec, exec, WorkspaceLayout()) {}

  std::size_t workspace_bytes() const override { return workspace_.bytes(); }

 private:
  BlasPlan(const Spec& spec, const Exec& exec, WorkspaceLayout layout)
      : Plan<T>(spec, exec),
        bookings_(SequenceBlock<T>::book(layout, spec, exec.recompute, whole_batch<T>(spec))),
        workspace_(layout),
        block_(workspace_, bookings_, spec, exec.recompute, whole_batch<T>(spec)) {
    if (exec.bind_threads) linalg::bind_blas_threads();
  }

  void do_forward(const Params<const T>& w, const Inputs<const T>& in,
                  const Outputs<T>& out) override {
    const linalg::BlasThreads threads(this->exec().threads);
    block_.forward(w, in, out);
  }
  void do_backward(const Params<const T>& w, const Inputs<const T>& in,
                   const OutputGrads<const T>& dout, const Grads<T>& grads) override {
    const linalg::BlasThreads threads(this->exec().threads);
    block_.backward(w, in, dout, grads);
    block_.weight_gradients(in, 0, this->spec().cell.gates() * this->spec().shape.H, false,
                            grads.params);
  }

  typename SequenceBlock<T>::Bookings bookings_;
  Workspace workspace_;
  SequenceBlock<T> block_;
};

class BlasBackend final : public Backend {
 public:
  BlasBackend() : Backend("blas") {}
  std::string version() const override {
    const auto kernels = linalg::blas_kernels();
    return kernels.library + " " + kernels.live + ", pointwise " + cell::instruction_set();
  }
  /// Asked for it, it takes one thread only.
  bool same_for_all_threads(const Exec& exec) const override { return exec.same_for_all_threads; }

 private:
  std::optional<std::string> do_refusal(const Spec& spec, Dtype, const Exec& exec) const override {
    if (exec.same_for_all_threads && exec.threads > 1) {
      return "OpenBLAS's results depend on its number of threads";
    }
    if (auto reason = linalg::refuse_blas_threads(exec.threads)) return reason;
    return schedule::blas_refusal(spec);
  }
  std::size_t do_workspace_bytes(const Spec& spec, Dtype dtype, const Exec& exec) const override {
    return dispatch(dtype, [&]<class T>(std::type_identity<T>) {
      WorkspaceLayout layout;
      SequenceBlock<T>::book(layout, spec, exec.recompute, whole_batch<T>(spec));
      return layout.bytes();
    });
  }
  std::unique_ptr<Plan<float>> do_plan(std::type_identity<float>, const Spec& spec,
                                       const Exec& exec) const override {
    return std::make_unique<BlasPlan<float>>(spec, exec);
  }
  std::unique_ptr<Plan<double>> do_plan(std::type_identity<double>, const Spec& spec,
                                        const Exec& exec) const override {
    return std::make_unique<BlasPlan<double>>(spec, exec);
  }
};

}  // namespace

std::unique_ptr<Backend> make_backend() {
  return std::make_unique<BlasBackend>();
}

}  // namespace bptt::blas
