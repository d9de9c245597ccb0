#include "impls/net/encoder_decoder.hpp"

#include <algorithm>
#include <optional>

#include "impls/net/attention.hpp"
#include "impls/net/owning_model.hpp"
#include "impls/net/products.hpp"

namespace bptt::net {
namespace {

Index head_width(const EncoderDecoderSpec& spec) {
  return (spec.attention ? 2 : 1) * spec.decoder.shape.H;
}

template <Scalar T>
class EncoderDecoder final : public OwningModel<T> {
 public:
  EncoderDecoder(const EncoderDecoderSpec& spec, std::span<const Index> encoder_lengths,
                 std::span<const Index> decoder_lengths, const PlanMaker<T>& make_plan)
      : spec_((spec.validate(), spec)),
        encoder_lengths_(encoder_lengths.begin(), encoder_lengths.end()),
        decoder_lengths_(decoder_lengths.begin(), decoder_lengths.end()),
        encoder_(spec.encoder, make_plan),
        decoder_(spec.decoder, make_plan) {
    check_lengths(spec_.encoder, encoder_lengths, "lengths of the encoder");
    check_lengths(spec_.decoder, decoder_lengths, "lengths of the decoder");
    head_.emplace(spec_.head, spec_.decoder.shape.T, spec_.decoder.shape.B, head_width(spec_),
                  decoder_lengths_);
    declare_tensors();
    this->allocate("encoder-decoder " + to_string(spec_));
    source_.read_only_params = read_only(source_.params);
    target_.read_only_params = read_only(target_.params);
    dense_.read_only_params = {dense_.params.begin(), dense_.params.end()};
    // The decoder goes on where the encoder ends.
    target_.in.h0 = source_.out.hT, target_.in.c0 = source_.out.cT;
    target_.din.h0 = source_.dout.hT, target_.din.c0 = source_.dout.cT;
  }

  Index classes() const override { return this->targets_.empty() ? 0 : spec_.head.O; }

  void forward() override {
    encoder_.forward(source_.read_only_params, source_.in, source_.out);
    decoder_.forward(target_.read_only_params, target_.in, target_.out);
    if (spec_.attention) {
      attention_forward<T>(target_.out.y, source_.out.y, attention_lengths(), weights_, context_);
      join();
    }
    dense_.loss[0] = head_->forward(dense_.read_only_params, head_input(), this->target_of(dense_));
  }

  T loss() const override { return dense_.loss[0]; }

  void backward() override {
    const View<T> dinput = spec_.attention ? djoined_ : target_.dout.y;
    head_->backward(dense_.read_only_params, head_input(), dense_.dparams, dinput);
    if (spec_.attention) {
      split();
      std::fill(source_.dout.y.begin(), source_.dout.y.end(), T(0));
      attention_backward<T>(target_.out.y, source_.out.y, attention_lengths(), weights_, dcontext_,
                            scratch_, target_.dout.y, source_.dout.y);
    }
    decoder_.backward(target_.read_only_params, target_.in, target_.dout, target_.grads());
    encoder_.backward(source_.read_only_params, source_.in, source_.dout, source_.grads());
  }

  std::size_t workspace_bytes() const override {
    return encoder_.workspace_bytes() + decoder_.workspace_bytes() + head_->workspace_bytes() +
           this->buffer_bytes();
  }

 private:
  void declare_tensors() {
    const auto& [steps, B, I, H] = spec_.decoder.shape;
    const Extents states = state_extents(spec_.encoder), cells = cell_state_extents(spec_.encoder);
    this->declare_parameters(spec_.encoder, "encoder.", source_);
    this->declare_parameters(spec_.decoder, "decoder.", target_);
    this->declare_parameters(
        spec_.head.mlp(head_width(spec_)),
        [&](std::size_t layer) { return head_prefix(spec_.head, layer); }, dense_);
    this->declare_inputs(spec_.encoder, "encoder.", encoder_lengths_, source_);
    this->declare(this->over_time("decoder.x", Role::input, steps, decoder_lengths_), {steps, B, I},
                  &target_.in.x, &target_.din.x);
    target_.in.lengths = decoder_lengths_;
    this->declare_target(spec_.head,
                         this->over_time("target", Role::target, steps, decoder_lengths_),
                         {steps, B, spec_.head.O}, dense_);
    this->declare_outputs(spec_.encoder, "encoder.", encoder_lengths_, source_);
    this->declare_outputs(spec_.decoder, "decoder.", decoder_lengths_, target_);
    this->declare_buffer({steps, B, H}, &target_.dout.y);
    this->declare_buffer(states, &source_.dout.hT);
    if (cells.rank() > 0) this->declare_buffer(cells, &source_.dout.cT);
    if (spec_.attention) declare_attention(steps, B, H);
    this->declare_loss(dense_);
  }

  void declare_attention(Index steps, Index B, Index H) {
    const Index source_steps = spec_.encoder.shape.T;
    this->declare(this->over_time("attention", Role::output, steps, decoder_lengths_),
                  {steps, B, source_steps}, &weights_);
    this->declare(this->over_time("context", Role::output, steps, decoder_lengths_), {steps, B, H},
                  &context_);
    this->declare_buffer({source_steps, B, H}, &source_.dout.y);
    this->declare_buffer({steps, B, H}, &dcontext_);
    this->declare_buffer({steps, B, 2 * H}, &joined_);
    this->declare_buffer({steps, B, 2 * H}, &djoined_);
    this->declare_buffer({steps, source_steps}, &scratch_);
  }

  AttentionLengths attention_lengths() const { return {decoder_lengths_, encoder_lengths_}; }
  View<const T> head_input() const { return spec_.attention ? joined_ : target_.out.y; }

  /// Context and state side by side.
  void join() {
    const Index H = spec_.decoder.shape.H, rows = context_.size() / H;
    for (Index row = 0; row < rows; ++row) {
      T* to = joined_.data() + row * 2 * H;
      std::copy_n(target_.out.y.data() + row * H, H, std::copy_n(context_.data() + row * H, H, to));
    }
  }
  void split() {
    const Index H = spec_.decoder.shape.H, rows = context_.size() / H;
    for (Index row = 0; row < rows; ++row) {
      const T* from = djoined_.data() + row * 2 * H;
      std::copy_n(from, H, dcontext_.data() + row * H);
      std::copy_n(from + H, H, target_.dout.y.data() + row * H);
    }
  }

  EncoderDecoderSpec spec_;
  std::vector<Index> encoder_lengths_, decoder_lengths_;
  Stack<T> encoder_, decoder_;
  std::optional<Head<T>> head_;
  StackTensors<T> source_, target_;  ///< of the encoder, of the decoder
  HeadTensors<T> dense_;
  View<T> weights_, context_, dcontext_;  ///< [U,B,T], [U,B,H]
  View<T> joined_, djoined_;              ///< [U,B,2H]
  View<T> scratch_;                       ///< [U,T]
};

}  // namespace

void EncoderDecoderSpec::validate() const {
  encoder.validate();
  decoder.validate();
  head.validate();
  const auto expect = [&](const char* what, bool holds, const std::string& came) {
    if (holds) return;
    throw Error(ErrorKind::usage,
                std::string("encoder-decoder: expected ") + what + "; got " + came);
  };
  const std::string both = to_string(encoder) + " and " + to_string(decoder);
  expect("encoder and decoder of one direction", !encoder.bidirectional && !decoder.bidirectional,
         both);
  expect("a decoder with the encoder's kind of cell, layers, B and H",
         encoder.cell.kind == decoder.cell.kind && encoder.layers == decoder.layers &&
             encoder.shape.B == decoder.shape.B && encoder.shape.H == decoder.shape.H,
         both);
  const Index B = encoder.shape.B;
  const Index widest = std::max({checked_product({B, 2, encoder.shape.H}, "states [B,2H]"),
                                 checked_product({B, encoder.shape.T}, "attention [B,T]")});
  expect("B*2H and B*T that fit in 31 bits", widest <= largest_extent, both);
}

std::string to_string(const EncoderDecoderSpec& spec) {
  return "encoder " + to_string(spec.encoder) + " decoder " + to_string(spec.decoder) +
         (spec.attention ? " attention" : "") + " head " + to_string(spec.head);
}

template <Scalar T>
std::unique_ptr<Model<T>> make_encoder_decoder(const EncoderDecoderSpec& spec,
                                               std::span<const Index> encoder_lengths,
                                               std::span<const Index> decoder_lengths,
                                               const PlanMaker<T>& make_plan) {
  return std::make_unique<EncoderDecoder<T>>(spec, encoder_lengths, decoder_lengths, make_plan);
}

#define BPTT_INSTANTIATE(T)                                                      \
  template std::unique_ptr<Model<T>> make_encoder_decoder<T>(                    \
      const EncoderDecoderSpec&, std::span<const Index>, std::span<const Index>, \
      const PlanMaker<T>&);
BPTT_INSTANTIATE(float)
BPTT_INSTANTIATE(double)
BPTT_INSTANTIATE(long double)
BPTT_INSTANTIATE(std::complex<double>)
#undef BPTT_INSTANTIATE

}  // namespace bptt::net
