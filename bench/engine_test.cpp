// What is called how often, and what happens to an exception; never how long anything takes.
#include "bench/engine.hpp"

#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>

#include <gtest/gtest.h>

namespace bptt::bench {
namespace {

TEST(Engine, CallsAsOftenAsAsked) {
  int calls = 0;
  EXPECT_GT(time_calls("t", 5, [&] { ++calls; }), 0);
  EXPECT_EQ(calls, 5);
}

TEST(Engine, PreparesEachCall) {
  std::string order;
  time_calls(
      "t", 3, [&] { order += 'a'; }, [&] { order += 'b'; });
  EXPECT_EQ(order, "ababab");
}

TEST(Engine, DoesNotTimeThePreparation) {
  const auto sleep = [] { std::this_thread::sleep_for(std::chrono::milliseconds(50)); };
  EXPECT_LT(time_calls("t", 2, sleep, [] {}), 0.05);
  EXPECT_GE(time_calls(
                "t", 2, [] {}, sleep),
            0.05);
}

TEST(Engine, GivesTheTimeOfOneCall) {
  EXPECT_LT(time_calls("t", 100, [] { std::this_thread::sleep_for(std::chrono::milliseconds(1)); }),
            0.1);
}

TEST(Engine, ExceptionsComeThroughAndLeaveItUsable) {
  EXPECT_THROW(time_calls("t", 3, [] { throw std::runtime_error("no"); }), std::runtime_error);
  int calls = 0;
  time_calls("t", 1, [&] { ++calls; });
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace bptt::bench
