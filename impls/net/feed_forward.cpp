#include "impls/net/feed_forward.hpp"

#include "impls/net/owning_model.hpp"

namespace bptt::net {
namespace {

/// A head over one step of B sequences, whose states are the inputs.
template <Scalar T>
class FeedForward final : public OwningModel<T> {
 public:
  explicit FeedForward(const FeedForwardSpec& spec)
      : spec_((spec.validate(), spec)), layers_(spec.head, 1, spec.B, spec.I, {}) {
    this->declare_parameters(
        spec.head.mlp(spec.I),
        [&](std::size_t layer) {
          return layer == spec.head.hidden.size() ? "output."
                                                  : "hidden" + std::to_string(layer) + ".";
        },
        dense_);
    this->declare(this->plain("x", Role::input), {spec.B, spec.I}, &x_, &dx_);
    this->declare_target(spec.head, this->plain("target", Role::target), {spec.B, spec.head.O},
                         dense_);
    this->declare_loss(dense_);
    this->allocate("feed-forward network " + to_string(spec));
    dense_.read_only_params = {dense_.params.begin(), dense_.params.end()};
  }

  Index classes() const override { return this->targets_.empty() ? 0 : spec_.head.O; }
  void forward() override {
    dense_.loss[0] =
        layers_.forward(dense_.read_only_params, one_step(x_), this->target_of(dense_));
  }
  T loss() const override { return dense_.loss[0]; }
  void backward() override {
    layers_.backward(dense_.read_only_params, one_step(x_), dense_.dparams, one_step(dx_));
  }
  std::size_t workspace_bytes() const override { return layers_.workspace_bytes(); }

 private:
  View<T> one_step(const View<T>& rows) const { return {rows.data(), {1, spec_.B, spec_.I}}; }

  FeedForwardSpec spec_;
  Head<T> layers_;
  HeadTensors<T> dense_;
  View<T> x_, dx_;  ///< [B,I]
};

}  // namespace

void FeedForwardSpec::validate() const {
  if (B < 1) {
    throw Error(ErrorKind::usage,
                "B (samples): expected an extent of at least 1; got " + std::to_string(B));
  }
  head.mlp(I).validate();
  head.validate();
}

std::string to_string(const FeedForwardSpec& spec) {
  return "B=" + std::to_string(spec.B) + " I=" + std::to_string(spec.I) + " " +
         to_string(spec.head);
}

template <Scalar T>
std::unique_ptr<Model<T>> make_feed_forward(const FeedForwardSpec& spec) {
  return std::make_unique<FeedForward<T>>(spec);
}

template std::unique_ptr<Model<float>> make_feed_forward<float>(const FeedForwardSpec&);
template std::unique_ptr<Model<double>> make_feed_forward<double>(const FeedForwardSpec&);
template std::unique_ptr<Model<long double>> make_feed_forward<long double>(const FeedForwardSpec&);
template std::unique_ptr<Model<std::complex<double>>> make_feed_forward<std::complex<double>>(
    const FeedForwardSpec&);

}  // namespace bptt::net
