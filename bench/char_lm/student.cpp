#include "bench/char_lm/student.hpp"

#include "impls/api/memory.hpp"

namespace bptt::bench {

std::string MemoryBudget::take(std::size_t bytes) {
  if (bytes <= free_ - taken_) {
    taken_ += bytes;
    return "";
  }
  return "needs " + bytes_text(bytes) + " beside the " + bytes_text(taken_) +
         " of the trainings that go on at the same time; " + bytes_text(free_) + " are free";
}

}  // namespace bptt::bench
