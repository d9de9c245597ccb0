#include "bench/lengths/spread.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <numeric>
#include <optional>
#include <utility>

#include "bench/lengths/sample.hpp"
#include "impls/api/error.hpp"
#include "impls/io/printable.hpp"
#include "impls/net/random.hpp"

namespace bptt::bench {
namespace {

constexpr const char* flag = "--lengths";
constexpr const char* none = "full";
constexpr const char* even = "uniform";

/// Of Random, for the order of the lengths: weights and inputs have another.
constexpr std::uint64_t order_stream = 6;

Index sum_of(const std::vector<Index>& lengths) {
  return std::accumulate(lengths.begin(), lengths.end(), Index{0});
}

/// Lengths that grow with a power of their rank 1/B, 2/B, ..., 1: all are T for 0, evenly spread
/// for 1, mostly short for more.
std::vector<Index> powers(Index T, Index B, double power) {
  std::vector<Index> lengths;
  for (Index b = 1; b <= B; ++b) {
    const double rank = static_cast<double>(b) / static_cast<double>(B);
    const double length = static_cast<double>(T) * std::pow(rank, power);
    lengths.push_back(std::max<Index>(1, std::llround(length)));
  }
  return lengths;
}

std::vector<Index> uniform(Index T, Index B) {
  return powers(T, B, 1);
}

/// The power whose lengths come nearest to that share of T*B, as near as whole steps and one
/// sequence of T allow.
std::vector<Index> of_share(double share, Index T, Index B) {
  const double wanted = share * static_cast<double>(T) * static_cast<double>(B);
  const auto sum = [&](double power) { return static_cast<double>(sum_of(powers(T, B, power))); };
  constexpr double steepest = 1e7;  // all but the last are 1
  double low = 0, high = 1;
  while (sum(high) > wanted && high < steepest) high *= 2;
  for (int halving = 0; halving < 50; ++halving) {
    const double middle = (low + high) / 2;
    (sum(middle) >= wanted ? low : high) = middle;
  }
  return powers(T, B, sum(low) - wanted <= wanted - sum(high) ? low : high);
}

/// B of them at even distances, the longest for the last, scaled so that it is T.
std::vector<Index> of_sample(const std::vector<Index>& sample, Index T, Index B) {
  const double count = static_cast<double>(sample.size());
  const double scale = static_cast<double>(T) / static_cast<double>(sample.back());
  std::vector<Index> lengths;
  for (Index b = 0; b < B; ++b) {
    const double rank = (static_cast<double>(b) + 0.5) / static_cast<double>(B);
    const Index length =
        b + 1 == B ? sample.back() : sample[static_cast<std::size_t>(rank * count)];
    lengths.push_back(std::max<Index>(1, std::llround(static_cast<double>(length) * scale)));
  }
  return lengths;
}

auto rule_of(std::vector<Index> sample) {
  // Spreads are copied into every case; the sample may be long.
  const auto shared = std::make_shared<const std::vector<Index>>(std::move(sample));
  return [shared](Index T, Index B) { return of_sample(*shared, T, B); };
}

/// The share that "25%" says; nothing for another kind of word.
std::optional<double> share_in(const std::string& word) {
  if (!word.ends_with('%')) return std::nullopt;
  int percent = 0;
  const char* end = word.data() + word.size() - 1;
  const auto [stopped, error] = std::from_chars(word.data(), end, percent);
  if (error != std::errc() || stopped != end || percent < 1 || percent > 100) {
    throw Error(
        ErrorKind::usage,
        std::string(flag) + ": expected a share in 1%..100%, in whole percent; got '" + word + "'");
  }
  return percent / 100.0;
}

const PublishedLengths* find_published(const std::string& name) {
  for (const PublishedLengths& table : published_lengths()) {
    if (table.name == name) return &table;
  }
  return nullptr;
}

/// A file's name stands in the results' column `options`, between others' colons and beside the
/// words that are no files.
std::string name_of_file(const std::string& path) {
  const std::string name =
      io::printable(std::filesystem::path(path).filename().string(), io::longest_name);
  const bool taken = name == none || name == even || name.ends_with('%') || find_published(name);
  if (!taken && name.find(':') == std::string::npos) return name;
  throw Error(ErrorKind::usage, std::string(flag) +
                                    ": expected a file with a name that has no ':' and is not "
                                    "that of another spread; got '" +
                                    path + "'");
}

}  // namespace

Spread Spread::parse(const std::string& word) {
  if (word == none) return {};
  if (word == even) return {word, uniform};
  if (const auto share = share_in(word)) {
    return {word, [s = *share](Index T, Index B) { return of_share(s, T, B); }};
  }
  if (const PublishedLengths* table = find_published(word)) {
    return {word, rule_of(bench::ascending(*table))};
  }
  if (word.find_first_of("./") != std::string::npos) {
    return {name_of_file(word), rule_of(read_lengths(word)), word};
  }
  std::string names;
  for (const PublishedLengths& table : published_lengths()) names += std::string(table.name) + ", ";
  throw Error(ErrorKind::usage, std::string(flag) + ": expected " + none + ", " + even +
                                    ", a share of the steps such as 25%, " + names +
                                    "or the path of a file, with a '/' or a '.'; got '" + word +
                                    "'");
}

std::vector<Index> Spread::lengths(Index T, Index B, std::uint64_t seed) const {
  std::vector<Index> all = ascending(T, B);
  net::Random random(seed, order_stream);
  for (std::size_t left = all.size(); left > 1; --left) {
    std::swap(all[left - 1], all[static_cast<std::size_t>(random.below(static_cast<Index>(left)))]);
  }
  return all;
}

Index Spread::live_steps(Index T, Index B) const {
  return given() ? sum_of(ascending(T, B)) : T * B;
}

}  // namespace bptt::bench
