// A backend learning a text beside others, and the memory they take together.
#pragma once

#include <memory>
#include <string>

#include "bench/char_lm/curves.hpp"
#include "bench/char_lm/trainer.hpp"
#include "bench/journal.hpp"

namespace bptt::bench {

struct Student {
  const Backend* backend = nullptr;
  Case c;
  Verdict verdict;
  std::unique_ptr<Trainer> trainer;
  Curve losses;
  std::vector<Measurement> measurements;
  std::string complaint;  ///< what its training failed; empty where nothing
  std::string failure;    ///< what went unexpectedly wrong in it; empty where nothing
};

/// Counts what the trainings of a case take together.
class MemoryBudget {
 public:
  explicit MemoryBudget(std::size_t free) : free_(free) {}
  /// Why another training does not fit beside those taken before; "" where it does, and is taken.
  std::string take(std::size_t bytes);

 private:
  std::size_t free_, taken_ = 0;
};

}  // namespace bptt::bench
