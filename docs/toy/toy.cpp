// An example backend for docs/adding-a-backend.md: the plain RNN without lengths, on one thread.
// Copy this folder to impls/toy and add the line bptt_backend(toy) to impls/CMakeLists.txt.
#include <algorithm>
#include <cmath>
#include <vector>

#include "impls/api/backend.hpp"

namespace bptt::toy {
namespace {

template <Real T>
class ToyPlan final : public Plan<T> {
 public:
  explicit ToyPlan(const Spec& spec) : Plan<T>(spec, Exec{}), h_(elements(spec)) {}

  static std::size_t elements(const Spec& spec) {
    const auto& s = spec.shape;
    return static_cast<std::size_t>(checked_product({s.T + 3, s.B, s.H}, "tape of toy"));
  }
  std::size_t workspace_bytes() const override { return h_.size() * sizeof(T); }

 private:
  T* h(Index t) { return h_.data() + t * this->spec().shape.B * this->spec().shape.H; }

  void do_forward(const Params<const T>& w, const Inputs<const T>& in,
                  const Outputs<T>& out) override {
    const auto& [steps, B, I, H] = this->spec().shape;
    in.h0 ? std::copy(in.h0.begin(), in.h0.end(), h(0)) : std::fill_n(h(0), B * H, T(0));
    for (Index t = 0; t < steps; ++t) {
      for (Index b = 0; b < B; ++b) {
        for (Index j = 0; j < H; ++j) {
          T p = w.bias_ih ? w.bias_ih[j] + w.bias_hh[j] : T(0);
          for (Index k = 0; k < I; ++k) p += in.x(t, b, k) * w.weight_ih(j, k);
          for (Index k = 0; k < H; ++k) p += h(t)[b * H + k] * w.weight_hh(j, k);
          h(t + 1)[b * H + j] = out.y(t, b, j) = std::tanh(p);
        }
      }
    }
    if (out.hT) std::copy_n(h(steps), B * H, out.hT.data());
  }

  void do_backward(const Params<const T>& w, const Inputs<const T>& in,
                   const OutputGrads<const T>& dout, const Grads<T>& grads) override {
    const auto& [steps, B, I, H] = this->spec().shape;
    for_each(this->spec(), grads, [](const TensorInfo&, const View<T>& view) {
      std::fill(view.begin(), view.end(), T(0));
    });
    T *dh = h(steps + 1), *dh_prev = h(steps + 2);
    dout.hT ? std::copy(dout.hT.begin(), dout.hT.end(), dh) : std::fill_n(dh, B * H, T(0));
    for (Index t = steps - 1; t >= 0; --t) {
      std::fill_n(dh_prev, B * H, T(0));
      for (Index b = 0; b < B; ++b) {
        for (Index j = 0; j < H; ++j) {
          const T y = h(t + 1)[b * H + j];
          const T dp = (dh[b * H + j] + (dout.y ? dout.y(t, b, j) : T(0))) * (1 - y * y);
          if (grads.params.bias_ih) grads.params.bias_ih[j] += dp;
          if (grads.params.bias_hh) grads.params.bias_hh[j] += dp;
          for (Index k = 0; k < I; ++k) {
            if (grads.x) grads.x(t, b, k) += dp * w.weight_ih(j, k);
            if (grads.params.weight_ih) grads.params.weight_ih(j, k) += dp * in.x(t, b, k);
          }
          for (Index k = 0; k < H; ++k) {
            dh_prev[b * H + k] += dp * w.weight_hh(j, k);
            if (grads.params.weight_hh) grads.params.weight_hh(j, k) += dp * h(t)[b * H + k];
          }
        }
      }
      std::swap(dh, dh_prev);
    }
    if (grads.h0) std::copy_n(dh, B * H, grads.h0.data());
  }

  std::vector<T> h_;  // h_{-1} .. h_{T-1}, then what backward carries
};

class ToyBackend final : public Backend {
 public:
  ToyBackend() : Backend("toy") {}
  std::string version() const override { return "example"; }
  bool same_for_all_threads(const Exec&) const override { return true; }

 private:
  std::optional<std::string> do_refusal(const Spec& spec, Dtype, const Exec& exec) const override {
    if (spec.cell.kind != CellKind::rnn || spec.cell.activation != Activation::tanh) {
      return "it knows the tanh RNN only";
    }
    if (spec.lengths) return "it has no sequence lengths";
    if (exec.threads > 1) return "it runs on one thread";
    return std::nullopt;
  }
  std::size_t do_workspace_bytes(const Spec& spec, Dtype dtype, const Exec&) const override {
    return ToyPlan<float>::elements(spec) * bytes_of(dtype);
  }
  std::unique_ptr<Plan<float>> do_plan(std::type_identity<float>, const Spec& spec,
                                       const Exec&) const override {
    return std::make_unique<ToyPlan<float>>(spec);
  }
  std::unique_ptr<Plan<double>> do_plan(std::type_identity<double>, const Spec& spec,
                                        const Exec&) const override {
    return std::make_unique<ToyPlan<double>>(spec);
  }
};

}  // namespace

std::unique_ptr<Backend> make_backend() {
  return std::make_unique<ToyBackend>();
}

}  // namespace bptt::toy
