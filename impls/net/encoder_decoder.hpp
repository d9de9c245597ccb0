// An encoder and a decoder with as many steps of their own (T_y != T_x), as a Model: the decoder
// starts from the encoder's final states (Sutskever, Vinyals and Le 2014; Cho et al. 2014), and may
// attend to the encoder's live states (Luong, Pham and Manning 2015).
#pragma once

#include <span>

#include "impls/api/stack_spec.hpp"
#include "impls/net/head.hpp"
#include "impls/net/model.hpp"

namespace bptt::net {

struct EncoderDecoderSpec {
  StackSpec encoder;  ///< one direction
  StackSpec decoder;  ///< with the encoder's kind of cell, layers, B and H
  bool attention = false;
  /// Over the decoder's states [U,B,H]; with attention over context and state, [U,B,2H].
  HeadSpec head;
  bool operator==(const EncoderDecoderSpec&) const = default;

  /// Throws Error(usage).
  void validate() const;
};
std::string to_string(const EncoderDecoderSpec&);

/// Its tensors, in this order (T steps of the encoder, U of the decoder):
///
///   parameters  encoder.weight_ih_l0, ..., decoder.weight_ih_l0, ..., head.weight, head.bias
///   inputs      encoder.x [T,B,I], encoder.h0, encoder.c0 [L,B,H], decoder.x [U,B,I']
///   target      target [U,B,O]; of a softmax cross-entropy: targets()
///   outputs     encoder.y, encoder.hT, encoder.cT, decoder.y, decoder.hT, decoder.cT;
///               attention [U,B,T] and context [U,B,H] with attention; loss [1]
///
/// Lengths [B] where the respective spec has lengths, else empty.
template <Scalar T>
std::unique_ptr<Model<T>> make_encoder_decoder(const EncoderDecoderSpec&,
                                               std::span<const Index> encoder_lengths,
                                               std::span<const Index> decoder_lengths,
                                               const PlanMaker<T>&);

}  // namespace bptt::net
