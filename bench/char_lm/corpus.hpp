// A text as a character-level language model reads it: bytes, and windows of them.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "impls/api/index.hpp"

namespace bptt::bench {

/// The alphabet is the byte values that occur in the text, in increasing order; a character is its
/// index in there.
class Corpus {
 public:
  /// Throws Error(data) where the file cannot be read.
  static Corpus read(const std::string& path);
  /// `name` stands for the text in messages. Throws Error(data) for fewer than two different bytes.
  Corpus(const std::string& text, std::string name);

  const std::string& name() const { return name_; }
  std::span<const Index> characters() const { return characters_; }
  Index alphabet_size() const { return alphabet_size_; }
  /// What a model that knows how often each byte occurs, and nothing else, pays for a character, in
  /// nats.
  double unigram_entropy() const;

 private:
  std::string name_;
  std::vector<Index> characters_;
  Index alphabet_size_ = 0;
};

/// The text cut into B streams of equal length, side by side, each read T characters at a time:
/// window w holds characters w*T ... w*T+T-1 of every stream, and the targets are the characters
/// after them. So the state after window w is the one before window w+1. What does not fill a
/// stream or a window is left out. After the last window the first comes again.
class Windows {
 public:
  /// Throws Error(data) where the text is too short for one window.
  Windows(const Corpus&, Index T, Index B);

  Index count() const { return count_; }
  /// Whether step `step` reads the first window: the state before it is zero.
  bool starts_anew(Index step) const { return step % count_ == 0; }
  /// Writes step `step`'s window, time-major: [T*B] characters and their targets.
  void read(Index step, std::span<Index> characters, std::span<Index> targets) const;

 private:
  std::span<const Index> text_;
  Index T_, B_, stream_, count_;
};

}  // namespace bptt::bench
