// How long the sequences of a batch are: the values of --lengths.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "impls/api/index.hpp"

namespace bptt::bench {

/// A spread of lengths over a batch, whatever its T and B are: docs/measuring.md defines each.
class Spread {
 public:
  /// No lengths: each sequence has T steps.
  Spread() = default;

  /// `full`, `uniform`, a share of the steps that is live as `25%`, a published spread's name, or
  /// the path of a file of lengths (with a '/' or a '.'). Throws Error(usage) for a word that is
  /// none of them, Error(data) that names file and line for a file that is not as it should be.
  static Spread parse(const std::string& word);

  /// As results have it: of a file its name, without folders.
  const std::string& name() const { return name_; }
  /// Whether sequences have lengths at all; `100%` says that they have, and that all are T.
  bool given() const { return static_cast<bool>(rule_); }
  /// A spread by its file's path, else by its name.
  bool operator==(const Spread& other) const {
    return name_ == other.name_ && path_ == other.path_;
  }

  /// B lengths in 1..T in ascending order, the last of them T. Only where they are given.
  std::vector<Index> ascending(Index T, Index B) const { return rule_(T, B); }
  /// The same in an order that `seed` decides.
  std::vector<Index> lengths(Index T, Index B, std::uint64_t seed) const;
  /// Their sum; T*B where none are given.
  Index live_steps(Index T, Index B) const;

 private:
  using Rule = std::function<std::vector<Index>(Index T, Index B)>;
  Spread(std::string name, Rule rule, std::string path = "")
      : name_(std::move(name)), path_(std::move(path)), rule_(std::move(rule)) {}

  std::string name_ = "full", path_;
  Rule rule_;
};

}  // namespace bptt::bench
