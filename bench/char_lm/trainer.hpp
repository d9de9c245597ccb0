// One backend learning a text: recurrent layers, dense head, softmax cross-entropy, an optimizer.
#pragma once

#include <memory>
#include <vector>

#include "bench/char_lm/corpus.hpp"
#include "bench/char_lm/options.hpp"
#include "bench/grid.hpp"
#include "impls/io/safetensors.hpp"
#include "impls/io/safetensors_writer.hpp"

namespace bptt::bench {

/// The options' own, or as far as a case's T: back to a window's begin, and on by a whole one.
net::Truncation truncation_of(const Case&, const TrainingOptions&);

/// The input x is one-hot, the loss is the mean over an update's k1*B characters, its gradients are
/// clipped by their global norm. Truncated BPTT (impls/net/truncated.hpp) over the streams of the
/// text: T = k2. x is data, so its gradient is not asked for.
class Trainer {
 public:
  /// Initial parameters depend on the seed, the options and the case's layers only, and are the
  /// same numbers in every precision. Throws as Backend::plan and Windows do. The corpus must
  /// outlive it.
  static std::unique_ptr<Trainer> make(const Backend&, const Case&, const Corpus&,
                                       const TrainingOptions&, std::uint64_t seed);
  virtual ~Trainer() = default;

  /// Reads the next window. Not part of a training step's time.
  virtual void load() = 0;
  /// Forward, head, loss, backward, update. Returns the loss per character before the update, in
  /// nats.
  virtual double step() = 0;
  virtual std::size_t workspace_bytes() const = 0;
  /// As StackPlan::implementation.
  virtual std::string implementation() const = 0;
  /// Whether every parameter is.
  virtual bool is_finite() const = 0;

  /// Begins with parameters from a file. Throws Error(data).
  virtual void load_weights(const io::Safetensors&) = 0;
  /// A file of the parameters as they are.
  virtual io::SafetensorsWriter weights() const = 0;
  /// What the model as it is says of the text's first window, from a zero state: "characters" I64
  /// [k1,B], each an index into the alphabet, and "logits" [k1,B,O]. The next load() begins there
  /// anew.
  virtual io::SafetensorsWriter logits() = 0;
  /// `count` characters that the model makes up after it has read `prime` (at least one character),
  /// by a generator seeded with `seed`. Logits are divided by `temperature`; 0 takes the likeliest.
  virtual std::vector<Index> sample(std::span<const Index> prime, Index count, double temperature,
                                    std::uint64_t seed) = 0;
};

/// Of one step, counted as everywhere: GEMMs only, of the layers, of what carries the state over,
/// and of the head.
double trainer_flops(const Case&, const TrainingOptions&);

/// All that a trainer on that backend allocates. Only for cases that it does not refuse.
std::size_t trainer_bytes(const Backend&, const Case&, const TrainingOptions&);

}  // namespace bptt::bench
