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
  for (Index& index : index_of) {
    if (index != 0) index = alphabet_size_++;
  }
  if (alphabet_size_ < 2) {
    throw Error(ErrorKind::data, name_ + ": expected a text of at least two different bytes; got " +
                                     std::to_string(alphabet_size_));
  }
  characters_.reserve(text.size());
  for (const char c : text) characters_.push_back(index_of[static_cast<unsigned char>(c)]);
}

double Corpus::unigram_entropy() const {
  std::vector<double> counts(static_cast<std::size_t>(alphabet_size_), 0.0);
  for (const Index character : characters_) ++counts[static_cast<std::size_t>(character)];
  double entropy = 0;
  for (const double count : counts) {
    const double share = count / static_cast<double>(characters_.size());
    entropy -= share * std::log(share);
  }
  return entropy;
}

Windows::Windows(const Corpus& corpus, Index T, Index B)
    : text_(corpus.characters()), T_(T), B_(B) {
  // The last character of the text is nobody's input, only a target.
  stream_ = (static_cast<Index>(text_.size()) - 1) / B;
  count_ = stream_ / T;
  if (count_ < 1) {
    throw Error(ErrorKind::data,
                corpus.name() + ": expected at least T*B+1 = " +
                    std::to_string(checked_sum({checked_product({T, B}, "T*B"), 1}, "T*B")) +
                    " characters; got " + std::to_string(text_.size()));
  }
}

void Windows::read(Index step, std::span<Index> characters, std::span<Index> targets) const {
  const Index begin = step % count_ * T_;
  for (Index t = 0; t < T_; ++t) {
    for (Index b = 0; b < B_; ++b) {
      const auto at = static_cast<std::size_t>(b * stream_ + begin + t);
      const auto to = static_cast<std::size_t>(t * B_ + b);
      characters[to] = text_[at];
      targets[to] = text_[at + 1];
    }
  }
}

}  // namespace bptt::bench
