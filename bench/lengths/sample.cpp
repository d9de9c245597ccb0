#include "bench/lengths/sample.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fstream>
#include <sstream>
#include <system_error>

#include "impls/io/printable.hpp"

namespace bptt::bench {
namespace {

/// Words of a sentence in the Universal Dependencies English Web Treebank, release 2.16, sets dev
/// and test: 4078 sentences of 50241 words, counted from en_ewt-ud-dev.conllu and
/// en_ewt-ud-test.conllu (lines with a whole number as ID); its stats.xml has the same sums.
constexpr Index ewt[] = {
    251, 274, 287, 193, 203, 224, 217, 233, 181, 162, 160, 140, 148, 123, 117, 102, 90,
    79,  89,  71,  59,  63,  56,  56,  49,  44,  32,  34,  34,  32,  30,  27,  20,  25,
    20,  17,  12,  8,   8,   10,  7,   10,  12,  6,   6,   10,  5,   3,   6,   5,   1,
    4,   2,   4,   2,   1,   3,   0,   0,   0,   0,   1,   1,   2,   2,   0,   0,   0,
    0,   1,   0,   0,   0,   0,   2,   1,   0,   0,   0,   0,   1,
};

constexpr PublishedLengths published[] = {
    {"ewt", "sentences of the UD English Web Treebank 2.16, dev and test", ewt},
};

/// The line without its comment and the space around what is left.
std::string_view content_of(std::string_view line) {
  line = line.substr(0, line.find('#'));
  constexpr std::string_view space = " \t\r";
  const auto begin = line.find_first_not_of(space);
  if (begin == std::string_view::npos) return "";
  return line.substr(begin, line.find_last_not_of(space) + 1 - begin);
}

Index parse_length(const std::string& place, std::string_view word) {
  Index length = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), length);
  const bool whole = error == std::errc() && end == word.data() + word.size();
  if (whole && length >= 1 && length <= longest_length) return length;
  throw io::file_error(place, "expected a length, a whole number in 1.." +
                                  std::to_string(longest_length) + "; got '" +
                                  io::printable(word, io::longest_name) + "'");
}

std::string text_of(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  // Opening a directory succeeds, reading it does not.
  if (!file.is_open() || errno != 0) {
    throw io::file_error(
        path, "cannot read the lengths (--lengths): " + std::generic_category().message(errno));
  }
  return text.str();
}

}  // namespace

std::span<const PublishedLengths> published_lengths() {
  return published;
}

std::vector<Index> ascending(const PublishedLengths& table) {
  std::vector<Index> lengths;
  for (std::size_t i = 0; i < table.count.size(); ++i) {
    lengths.insert(lengths.end(), static_cast<std::size_t>(table.count[i]),
                   static_cast<Index>(i) + 1);
  }
  return lengths;
}

std::vector<Index> read_lengths(const std::string& path) {
  std::istringstream text(text_of(path));
  std::vector<Index> lengths;
  std::size_t number = 0;
  for (std::string line; std::getline(text, line);) {
    ++number;
    const std::string_view word = content_of(line);
    if (!word.empty()) lengths.push_back(parse_length(path + ':' + std::to_string(number), word));
  }
  if (lengths.empty()) {
    throw io::file_error(path, "expected lengths, one on a line; got none in " +
                                   std::to_string(number) + (number == 1 ? " line" : " lines"));
  }
  std::sort(lengths.begin(), lengths.end());
  return lengths;
}

}  // namespace bptt::bench
