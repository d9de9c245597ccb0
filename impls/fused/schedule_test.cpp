// A schedule on teams of every size: forward and backward may have fewer threads than were asked
// for, and not the same number. What is computed must be the same, bit for bit.
#include "impls/fused/schedule.hpp"

#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "impls/fused/partition.hpp"
#include "impls/fused/plan_results.hpp"
#include "impls/fused/team.hpp"

namespace bptt::fused {
namespace {

/// As the backend's plan, on as many threads of its own as it is told.
template <Real T>
class PlanOfTeams final : public Plan<T> {
 public:
  PlanOfTeams(const Spec& spec, const Exec& exec, int forward, int backward)
      : PlanOfTeams(spec, exec, forward, backward, WorkspaceLayout()) {}
  std::size_t workspace_bytes() const override { return workspace_.bytes(); }

 private:
  PlanOfTeams(const Spec& spec, const Exec& exec, int forward, int backward, WorkspaceLayout layout)
      : Plan<T>(spec, exec),
        forward_(forward),
        backward_(backward),
        bookings_(Schedule<T>::book(layout, spec, exec)),
        workspace_(layout),
        schedule_(workspace_, bookings_, spec, exec) {}

  template <class Body>
  static void run(int size, const Body& body) {
    Barrier barrier(size, 100);
    std::vector<std::jthread> threads;
    for (int rank = 0; rank < size; ++rank) {
      threads.emplace_back([&, rank] { body(Member(rank, size, &barrier)); });
    }
  }
  void do_forward(const Params<const T>& w, const Inputs<const T>& in,
                  const Outputs<T>& out) override {
    schedule_.start(in);
    run(forward_, [&](const Member& member) { schedule_.forward(w, in, out, member); });
  }
  void do_backward(const Params<const T>& w, const Inputs<const T>& in,
                   const OutputGrads<const T>& dout, const Grads<T>& grads) override {
    run(backward_, [&](const Member& member) { schedule_.backward(w, in, dout, grads, member); });
  }

  int forward_, backward_;
  typename Schedule<T>::Bookings bookings_;
  Workspace workspace_;
  Schedule<T> schedule_;
};

template <Real T>
void expect_same_bits_on_every_team(const Spec& spec, const Exec& exec) {
  const auto on = [&](int forward, int backward) {
    PlanOfTeams<T> plan(spec, exec, forward, backward);
    return results_on(plan, spec);
  };
  const std::vector<T> all = on(exec.threads, exec.threads);
  for (int size = 1; size <= exec.threads; ++size) {
    const int other = exec.threads + 1 - size;
    EXPECT_TRUE(on(size, size) == all) << to_string(spec) << " " << name_of(exec.recompute) << " "
                                       << size << " of " << exec.threads << " threads";
    EXPECT_TRUE(on(size, other) == all)
        << to_string(spec) << " " << name_of(exec.recompute) << " " << size << " and " << other
        << " of " << exec.threads << " threads";
  }
}

void expect_same_bits_on_every_team(const char* cell, const Shape& shape, int threads,
                                    Partition::Way way, Index parts) {
  for (const bool lengths : {false, true}) {
    Spec spec{parse_cell(cell), shape};
    spec.lengths = lengths;
    for (const Recompute recompute : {Recompute::none, Recompute::gates, Recompute::checkpoint}) {
      const Exec exec{threads, recompute};
      ASSERT_EQ(partition(spec, exec, sizeof(float)).way, way) << to_string(spec);
      ASSERT_EQ(partition(spec, exec, sizeof(float)).parts, parts) << to_string(spec);
      expect_same_bits_on_every_team<float>(spec, exec);
      expect_same_bits_on_every_team<double>(spec, exec);
    }
  }
}

constexpr const char* cells[] = {"rnn", "lstm", "gru", "gru:reset=after_matmul"};

/// Each part sums up dW of its own rows (a long time, few units) or there is no place for that;
/// there may be more parts than threads that have come, fewer, or as many.
TEST(FusedSchedule, SameBitsOfPartsOnEveryTeam) {
  for (const char* cell : cells) {
    expect_same_bits_on_every_team(cell, {400, 5, 3, 17}, 5, Partition::Way::parts, 5);
    expect_same_bits_on_every_team(cell, {60, 4, 3, 17}, 6, Partition::Way::parts, 4);
    expect_same_bits_on_every_team(cell, {3, 7, 20, 33}, 4, Partition::Way::parts, 4);
  }
}

TEST(FusedSchedule, SameBitsOfUnitsOnEveryTeam) {
  expect_same_bits_on_every_team("rnn", {6, 1, 700, 700}, 3, Partition::Way::units, 1);
  expect_same_bits_on_every_team("lstm", {6, 1, 208, 208}, 4, Partition::Way::units, 1);
  expect_same_bits_on_every_team("gru", {6, 9, 350, 350}, 2, Partition::Way::units, 1);
}

TEST(FusedSchedule, SameBitsOfTheLoopOfOneOnEveryTeam) {
  for (const char* cell : cells) {
    expect_same_bits_on_every_team(cell, {200, 1, 48, 48}, 3, Partition::Way::ahead, 1);
  }
}

}  // namespace
}  // namespace bptt::fused
