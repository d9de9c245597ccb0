// A text as a character-level language model reads it: bytes, and windows of them.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "impls/net/truncated.hpp"

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
  Index alphabet_size() const { return static_cast<Index>(alphabet_.size()); }
  /// The byte of each character.
  std::span<const Index> alphabet() const { return alphabet_; }
  /// The characters of a text of the user's. Throws Error(usage), beginning with `what`, for a byte
  /// that the corpus does not have.
  std::vector<Index> characters_of(const char* what, const std::string& text) const;
  /// The inverse.
  std::string text_of(std::span<const Index> characters) const;
  /// What a model that knows how often each byte occurs, and nothing else, pays for a character, in
  /// nats.
  double unigram_entropy() const;

 private:
  std::string name_;
  std::vector<Index> characters_;
  std::vector<Index> alphabet_;
};

/// The text cut into B streams of equal length, side by side, that are read k1 characters an update
/// (net::stretch_of has which). The targets are the characters after those read. What does not fill
/// a stream or an update is left out. After the last update the first comes again.
class Windows {
 public:
  /// Throws Error(data) where the text is too short for one window of k2 characters.
  Windows(const Corpus&, const net::Truncation&, Index B);

  /// Updates until the text comes again.
  Index count() const { return count_; }
  /// Writes characters begin ... begin+n-1 of every stream, time-major: [n*B].
  void read(Index begin, std::span<Index> characters) const;

 private:
  std::span<const Index> text_;
  Index B_, stream_, count_;
};

}  // namespace bptt::bench
