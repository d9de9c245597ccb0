// The files and texts that a char-lm run begins with and leaves behind, besides its rows.
#pragma once

#include <iosfwd>
#include <memory>
#include <optional>
#include <vector>

#include "bench/char_lm/corpus.hpp"
#include "bench/char_lm/trainer.hpp"
#include "bench/settings.hpp"
#include "impls/io/atomic_file.hpp"

namespace bptt::bench {

class CharLmFiles {
 public:
  /// Opens what --load-weights, --save-weights and --dump-logits name, and checks it against every
  /// case, so that what can fail for a reason of the user's fails before anything is trained.
  /// Throws Error(data) for a weights file that does not fit, Error(unavailable) for a file that
  /// cannot be written, Error(usage) for a --prime of bytes that the text does not have.
  CharLmFiles(const Settings&, const Corpus&);

  /// Begins a training with the weights loaded, where there are any.
  void begin(Trainer&) const;
  bool loaded() const { return loaded_.has_value(); }

  /// Whether a trained model is asked for at all.
  bool wanted() const { return weights_ || logits_ || options_.sample > 0; }
  /// ", FILE stays as it was" for files that would have been replaced; "" where there are none.
  std::string kept() const;
  /// Writes the files and prints the sample, of the backend that is named. Throws
  /// Error(unavailable) where a file cannot be written.
  void leave(Trainer&, std::string_view backend, std::ostream& out);

 private:
  const TrainingOptions& options_;
  const Corpus& corpus_;
  std::uint64_t seed_;
  std::vector<Index> prime_;
  std::optional<io::Safetensors> loaded_;
  std::unique_ptr<io::AtomicFile> weights_, logits_;
};

}  // namespace bptt::bench
