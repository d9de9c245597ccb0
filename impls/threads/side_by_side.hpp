// Two plans at the same time, on oneTBB. For backends that link it.
#pragma once

#include <array>
#include <cstddef>
#include <exception>

#include "impls/api/side_by_side.hpp"
#include "impls/threads/shared_arena.hpp"

namespace bptt::threads {

/// The thread that calls the second plan is what the caller is to the first: thread 0 of the plan's
/// own arena, if that has more than the one.
class OneTbbSideBySide final : public SideBySide {
 public:
  explicit OneTbbSideBySide(const Exec& exec)
      // So that the second of this arena is the first of the second half.
      : arena_({.count = 2,
                .first = exec.first_thread + exec.threads / 2 - 1,
                .bound = exec.bind_threads}),
        bound_(exec.bind_threads) {
    allow_onetbb(exec.threads);
  }

 private:
  void do_run(const Task& task) override {
    std::array<std::exception_ptr, 2> errors;
    const int caller_at = this_processor();
    arena_.lease()->for_each(2, [&](std::ptrdiff_t side) {
      // Not the caller, with both to do.
      if (side == 1 && !bound_ && Arena::place() != 0) make_way_on(caller_at);
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
  bool bound_;
};

}  // namespace bptt::threads
