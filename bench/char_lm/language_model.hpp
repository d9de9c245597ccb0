// The language model itself: a stack of recurrent layers over one-hot characters, and a dense head
// that gives each next character's logit.
#pragma once

#include <string>
#include <vector>

#include "bench/char_lm/corpus.hpp"
#include "bench/char_lm/options.hpp"
#include "impls/io/safetensors.hpp"
#include "impls/io/safetensors_writer.hpp"
#include "impls/net/model.hpp"
#include "impls/net/stack_params.hpp"

namespace bptt::bench {

/// Parameters and their gradients; no buffers over time. As many outputs O as inputs I, the
/// alphabet. Names are PyTorch's for the layers, "head.weight" [O,H] and "head.bias" [O] for the
/// head.
template <Real T>
class LanguageModel {
 public:
  /// Zero at first. `spec`'s T and B do not matter.
  explicit LanguageModel(const StackSpec& spec);

  /// Depends on the seed and the options only; the same numbers in every precision.
  void initialise(std::uint64_t seed, const TrainingOptions&);

  const std::vector<net::ModelTensor<T>>& tensors() const { return tensors_; }
  const std::vector<View<T>>& values() const { return values_; }
  const std::vector<View<T>>& gradients() const { return gradients_; }

  const std::vector<Params<const T>>& layers() const { return layers_to_read_; }
  const std::vector<Params<T>>& layer_gradients() const { return dlayers_.views(); }
  View<const T> weight() const { return weight_.view(); }
  View<const T> bias() const { return bias_.view(); }
  View<T> weight_gradient() { return dweight_.view(); }
  View<T> bias_gradient() { return dbias_.view(); }

  static Index parameters(const StackSpec& spec) {
    const Index head = checked_product({spec.shape.I, spec.output_width() + 1}, "head");
    return checked_sum({net::StackParams<T>::elements(spec), head}, "parameters");
  }

  /// The whole file: parameters, and as metadata "bptt" what they are parameters of.
  io::SafetensorsWriter to_file(const Corpus&) const;
  /// Throws Error(data) where the file is not of a model like this one over this text's alphabet.
  /// Without metadata, as PyTorch writes it, names and extents decide.
  void from_file(const io::Safetensors&, const Corpus&);

 private:
  StackSpec spec_;
  net::StackParams<T> layers_, dlayers_;
  Tensor<T> weight_, dweight_;  ///< [O,H]
  Tensor<T> bias_, dbias_;      ///< [O]
  std::vector<Params<const T>> layers_to_read_;
  std::vector<net::ModelTensor<T>> tensors_;
  std::vector<View<T>> values_, gradients_;
};

/// Checks a weights file against a model before anything is trained. Throws as from_file does.
void check_weights(const io::Safetensors&, const StackSpec&, const Corpus&);

}  // namespace bptt::bench
