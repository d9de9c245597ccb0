#include "bench/char_lm/corpus.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <fstream>
#include <sstream>
#include <system_error>

namespace bptt::bench {

Corpus Corpus::read(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  // Opening a directory succeeds, reading it does not.
  if (!file.is_open() || errno != 0) {
    throw Error(ErrorKind::data, path + ": cannot read the text (--text): " +
                                     std::generic_category().message(errno));
  }
  return {text.str(), path};
}

Corpus::Corpus(const std::string& text, std::string name) : name_(std::move(name)) {
  std::array<Index, 256> index_of{};
  for (const char c : text) index_of[static_cast<unsigned char>(c)] = 1;
  for (std::size_t byte = 0; byte < index_of.size(); ++byte) {
    if (index_of[byte] == 0) continue;
    index_of[byte] = alphabet_size();
    alphabet_.push_back(static_cast<Index>(byte));
  }
  if (alphabet_size() < 2) {
    throw Error(ErrorKind::data, name_ + ": expected a text of at least two different bytes; got " +
                                     std::to_string(alphabet_size()));
  }
  characters_.reserve(text.size());
  for (const char c : text) characters_.push_back(index_of[static_cast<unsigned char>(c)]);
}

std::vector<Index> Corpus::characters_of(const char* what, const std::string& text) const {
  std::vector<Index> characters;
  for (const char c : text) {
    const auto byte = static_cast<Index>(static_cast<unsigned char>(c));
    const auto found = std::lower_bound(alphabet_.begin(), alphabet_.end(), byte);
    if (found == alphabet_.end() || *found != byte) {
      throw Error(ErrorKind::usage, std::string(what) + ": expected bytes that occur in " + name_ +
                                        "; got byte " + std::to_string(byte));
    }
    characters.push_back(found - alphabet_.begin());
  }
  return characters;
}

std::string Corpus::text_of(std::span<const Index> characters) const {
  std::string text;
  for (const Index character : characters) {
    text += static_cast<char>(alphabet_[static_cast<std::size_t>(character)]);
  }
  return text;
}

double Corpus::unigram_entropy() const {
  std::vector<double> counts(alphabet_.size(), 0.0);
  for (const Index character : characters_) ++counts[static_cast<std::size_t>(character)];
  double entropy = 0;
  for (const double count : counts) {
    const double share = count / static_cast<double>(characters_.size());
    entropy -= share * std::log(share);
  }
  return entropy;
}

Windows::Windows(const Corpus& corpus, const net::Truncation& truncation, Index B)
    : text_(corpus.characters()), B_(B) {
  // The last character of the text is nobody's input, only a target.
  stream_ = (static_cast<Index>(text_.size()) - 1) / B;
  count_ = stream_ / truncation.k1;
  if (stream_ < truncation.k2) {
    throw Error(ErrorKind::data, corpus.name() + ": expected at least T*B+1 = " +
                                     std::to_string(checked_sum(
                                         {checked_product({truncation.k2, B}, "T*B"), 1}, "T*B")) +
                                     " characters; got " + std::to_string(text_.size()));
  }
}

void Windows::read(Index begin, std::span<Index> characters) const {
  const Index n = static_cast<Index>(characters.size()) / B_;
  for (Index t = 0; t < n; ++t) {
    for (Index b = 0; b < B_; ++b) {
      characters[static_cast<std::size_t>(t * B_ + b)] =
          text_[static_cast<std::size_t>(b * stream_ + begin + t)];
    }
  }
}

}  // namespace bptt::bench
