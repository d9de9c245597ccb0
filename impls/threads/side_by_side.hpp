// Two plans at the same time, on oneTBB. For backends that link it.
#pragma once

#include <array>
#include <cstddef>
#include <exception>

#include "impls/api/side_by_side.hpp"
#include "impls/threads/shared_arena.hpp"

namespace bptt::threads {

/// The second plan is called by a thread that is the caller's in the plan's own arena, if that has
/// more than the one.
class OneTbbSideBySide final : public SideBySide {
 public:
  explicit OneTbbSideBySide(const Exec& exec)
      // With more threads than two the plans' arenas bind: here the second is not thread 1.
      : arena_({.count = 2,
                .first = exec.first_thread,
                .bound = exec.bind_threads && exec.threads == 2}) {
    allow_onetbb(exec.threads);
  }

 private:
  void do_run(const Task& task) override {
    std::array<std::exception_ptr, 2> errors;
    arena_.lease()->for_each(2, [&](std::ptrdiff_t side) {
      try {
        task(static_cast<int>(side));
      } catch (...) {
        errors[static_cast<std::size_t>(side)] = std::current_exception();
      }
    });
    for (const std::exception_ptr& error : errors) {
      if (error) std::rethrow_exception(error);
    }
  }

  SharedArena arena_;
};

}  // namespace bptt::threads
