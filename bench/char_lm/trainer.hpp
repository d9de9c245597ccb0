// One backend learning a text: recurrent layer, dense head, softmax cross-entropy, SGD.
#pragma once

#include <memory>

#include "bench/char_lm/corpus.hpp"
#include "bench/grid.hpp"

namespace bptt::bench {

struct TrainerOptions {
  std::uint64_t seed = 0;
  double learning_rate = 0;
  double clip_norm = 0;
};

/// The input x is one-hot, the loss is the mean over the window's T*B characters, its gradients are
/// clipped by their global norm. Truncated BPTT: the state at a window's end is the next one's
/// initial state, and no gradient flows from one window into the one before. x is data, so its
/// gradient is not asked for.
class Trainer {
 public:
  /// Initial parameters depend on the seed and the case's cell and extents only, and are the same
  /// numbers in every precision. Throws as Backend::plan and Windows do.
  static std::unique_ptr<Trainer> make(const Backend&, const Case&, const Corpus&,
                                       const TrainerOptions&);
  virtual ~Trainer() = default;

  /// Reads the next window. Not part of a training step's time.
  virtual void load() = 0;
  /// Forward, head, loss, backward, update. Returns the loss per character before the update, in
  /// nats.
  virtual double step() = 0;
  virtual std::size_t workspace_bytes() const = 0;
};

/// Of one step, counted as everywhere: GEMMs only, of the layer and of the head.
double trainer_flops(const Case&);

/// What a trainer allocates beside the plan's workspace.
std::size_t trainer_bytes(const Case&);

}  // namespace bptt::bench
