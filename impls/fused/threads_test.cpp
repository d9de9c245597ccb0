// What must not depend on how many threads there are, or on how far each has come.
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "impls/fused/every_target.hpp"
#include "impls/fused/partition.hpp"
#include "impls/fused/plan_results.hpp"

namespace bptt::fused {

namespace {

template <Real T>
std::vector<T> results(const Spec& spec, const Exec& exec) {
  return results_on(*make_backend()->plan<T>(spec, exec), spec);
}

constexpr const char* cells[] = {"rnn", "lstm", "gru", "gru:reset=after_matmul"};

template <Real T>
void expect_same_bits(const Spec& spec, Exec exec, std::initializer_list<int> counts = {2, 3}) {
  exec.threads = 1;
  const std::vector<T> one = results<T>(spec, exec);
  for (const int threads : counts) {
    exec.threads = threads;
    EXPECT_TRUE(results<T>(spec, exec) == one)
        << to_string(spec) << " " << name_of(exec.recompute) << ": 1 and " << threads << " threads";
  }
}

TEST(FusedThreads, SameBitsInOnePart) {
  // Batches of one part, whose rows are more and fewer than those of a register tile; units in as
  // many panels as change the tiles with the number of threads that share them. Small ones are not
  // split: one thread runs the loop, the others take the inputs, in more than one chunk.
  const auto check = []<class T>(const Kernels<T>&) {
    for (const char* cell : cells) {
      for (const Index B : {3, 7}) {
        for (const Index H : {48, 96, 200}) {
          for (const Recompute recompute : {Recompute::none, Recompute::checkpoint}) {
            expect_same_bits<T>({parse_cell(cell), {B == 3 ? 25 : 4, B, 40, H}},
                                {1, recompute, true});
          }
        }
      }
    }
  };
  for_each_target<float>(check);
  for_each_target<double>(check);
}

/// Of the time loop, with more than one chunk in each segment of a recomputation; dW in short
/// blocks, to which they come meanwhile, or in long ones.
TEST(FusedThreads, SameBitsWhereOthersAreAhead) {
  const auto check = [](const Spec& spec) {
    for (const Recompute recompute : {Recompute::none, Recompute::gates, Recompute::checkpoint}) {
      const Exec exec{2, recompute, true};
      ASSERT_EQ(partition(spec, exec, 4).way, Partition::Way::ahead);
      expect_same_bits<float>(spec, exec, {2, 3, 4});
    }
  };
  for (const char* cell : cells) {
    for (const bool lengths : {false, true}) {
      Spec spec{parse_cell(cell), {200, 3, 120, 81}};
      spec.lengths = lengths;
      ASSERT_FALSE(partition(spec, {2}, 4).short_blocks);
      check(spec);
      spec.shape.I = spec.shape.H;
      ASSERT_TRUE(partition(spec, {2}, 4).short_blocks);
      check(spec);
    }
  }
}

/// How many blocks of dW the others come to before the loop ends is for the day to decide. Their
/// columns are, for two of them, other ones than those that all share then.
template <Real T>
void expect_same_bits_whoever_is_faster(const Spec& spec, int threads,
                                        Index (*length)(const Spec&, Index) = mixed_length) {
  for (const Recompute recompute : {Recompute::none, Recompute::gates, Recompute::checkpoint}) {
    const Exec exec{threads, recompute};
    const Partition several = partition(spec, exec, sizeof(T));
    ASSERT_EQ(several.way, Partition::Way::ahead) << to_string(spec);
    ASSERT_TRUE(several.short_blocks) << to_string(spec);
    const auto alone = make_backend()->plan<T>(spec, {1, recompute, true});
    const std::vector<T> one = results_on(*alone, spec, length);
    const auto plan = make_backend()->plan<T>(spec, exec);
    for (int run = 0; run < 8; ++run) {
      EXPECT_TRUE(results_on(*plan, spec, length) == one)
          << to_string(spec) << " " << name_of(recompute) << " run " << run;
    }
  }
}

TEST(FusedThreads, SameBitsWhoeverIsFaster) {
  for (const char* cell : cells) {
    for (const int threads : {2, 3}) {
      for (const Index T : {130, 200}) {
        expect_same_bits_whoever_is_faster<float>({parse_cell(cell), {T, 1, 70, 48}}, threads);
        expect_same_bits_whoever_is_faster<double>({parse_cell(cell), {T, 1, 38, 24}}, threads);
      }
    }
  }
}

/// The others come to blocks in which no sequence lives any more: these add nothing, and are not
/// what dW begins with, nor is what the caller has there.
TEST(FusedThreads, SameBitsWhoeverIsFasterWhereStepsHaveNoRows) {
  for (const char* cell : cells) {
    for (const auto& [batch, threads] : {std::pair(1, 2), {1, 3}, {3, 2}, {2, 3}}) {
      Spec spec{parse_cell(cell), {200, batch, 40, 48}};
      spec.lengths = true;
      expect_same_bits_whoever_is_faster<float>(spec, threads,
                                                [](const Spec&, Index) { return Index{0}; });
      expect_same_bits_whoever_is_faster<float>(spec, threads,
                                                [](const Spec&, Index) { return Index{3}; });
    }
  }
}

void expect_near_one_thread(const Spec& spec, const Exec& exec,
                            Index (*length)(const Spec&, Index) = mixed_length) {
  const auto one = results_on(*make_backend()->plan<float>(spec, {1}), spec, length);
  const auto plan = make_backend()->plan<float>(spec, exec);
  const std::vector<float> first = results_on(*plan, spec, length);
  ASSERT_EQ(first.size(), one.size());
  for (std::size_t k = 0; k < one.size(); ++k) {
    ASSERT_NEAR(first[k], one[k], 1e-4) << to_string(spec) << " " << exec.threads << " threads";
  }
  for (int run = 0; run < 8; ++run) {
    EXPECT_TRUE(results_on(*plan, spec, length) == first)
        << to_string(spec) << " " << exec.threads << " threads, run " << run;
  }
}

/// As many parts as there are threads, or rows: some of one row, some threads without a part.
TEST(FusedThreads, PartsOfARow) {
  for (const char* cell : cells) {
    for (const bool lengths : {false, true}) {
      for (const Shape& shape : {Shape{400, 5, 3, 17}, Shape{3, 5, 20, 33}}) {
        Spec spec{parse_cell(cell), shape};
        spec.lengths = lengths;
        for (const int threads : {4, 5, 8}) {
          for (const Recompute recompute : {Recompute::none, Recompute::checkpoint}) {
            const Exec exec{threads, recompute};
            ASSERT_EQ(partition(spec, exec, 4).parts, std::min<Index>(threads, 5));
            expect_near_one_thread(spec, exec);
          }
        }
      }
    }
  }
}

/// Most steps have no rows; nor have some parts more than one.
TEST(FusedThreads, ManyPartsOfOneStep) {
  Spec spec{parse_cell("rnn"), {6, 70, 8, 48}};
  spec.lengths = true;
  const Exec exec{40};
  ASSERT_EQ(partition(spec, exec, 4).parts, 40);
  expect_near_one_thread(spec, exec, [](const Spec&, Index) { return Index{1}; });
}

TEST(FusedThreads, WaysOfABatch) {
  using enum Partition::Way;
  const auto of = [](const char* cell, const Shape& shape, int threads) {
    return partition({parse_cell(cell), shape}, {threads}, 4);
  };
  const auto way = [&](const char* cell, const Shape& shape, int threads) {
    const Partition partition = of(cell, shape, threads);
    EXPECT_EQ(partition.parts, 1);
    return partition.way;
  };
  EXPECT_EQ(way("lstm", {200, 1, 128, 128}, 1), parts);
  EXPECT_EQ(way("rnn", {200, 1, 128, 128}, 2), ahead);
  EXPECT_EQ(way("lstm", {200, 1, 256, 256}, 2), units);
  EXPECT_EQ(way("lstm", {200, 1, 128, 128}, 2), units);
  EXPECT_EQ(way("gru", {200, 1, 128, 128}, 2), ahead) << "others come to much of dW meanwhile";
  EXPECT_EQ(way("gru", {60, 1, 128, 128}, 2), units) << "all of dW is left when the loop ends";
  EXPECT_EQ(way("lstm", {200, 2, 128, 128}, 2), ahead) << "two rows: more to tell, no less to read";
  EXPECT_EQ(way("lstm", {200, 2, 256, 256}, 2), units);
  EXPECT_EQ(way("gru", {200, 2, 256, 256}, 2), ahead) << "its W_hh stays in a second-level cache";
  EXPECT_EQ(way("rnn", {10, 1, 8193, 4}, 2), units) << "inputs are packed piece by piece";
  EXPECT_EQ(way("rnn", {10, 1, 4, 4}, 2), parts) << "a meeting takes longer than the work";
  EXPECT_EQ(way("lstm", {30, 4, 512, 512}, 2), units) << "two parts would each read all of W_hh";
  EXPECT_EQ(way("lstm", {30, 9, 512, 512}, 2), units) << "of two parts one would have five rows";
  EXPECT_EQ(way("lstm", {25, 16, 1024, 1024}, 16), units) << "as with four rows on two threads";

  EXPECT_EQ(of("rnn", {10, 4, 128, 128}, 2).parts, 2);
  EXPECT_EQ(of("lstm", {1000, 4, 64, 64}, 2).parts, 2);
  EXPECT_EQ(of("gru", {30, 33, 512, 512}, 2).parts, 2) << "a row more or less hardly matters";
  EXPECT_EQ(of("lstm", {25, 64, 1024, 1024}, 2).parts, 2);
  EXPECT_EQ(of("lstm", {50, 16, 128, 128}, 16).parts, 16) << "a row for each thread";
  EXPECT_EQ(of("gru", {50, 8, 64, 64}, 16).parts, 8) << "and none for some";
}

/// Threads without a unit in every step, because there are fewer panels than threads, and numbers
/// of panels that no number of threads divides.
TEST(FusedThreads, SameBitsWhereUnitsAreFewOrOdd) {
  const auto check = [](const char* cell, const Shape& shape, std::initializer_list<int> counts) {
    const Spec spec{parse_cell(cell), shape};
    const Exec exec{1, Recompute::none, true};
    for (const int threads : counts) {
      ASSERT_EQ(partition(spec, {threads, Recompute::none, true}, 4).way, Partition::Way::units);
    }
    for (int run = 0; run < 5; ++run) expect_same_bits<float>(spec, exec, counts);
  };
  for (const char* cell : cells) {
    for (const Index B : {1, 2, 3}) check(cell, {10, B, 8193, 20}, {2, 3, 5});
  }
  check("lstm", {10, 1, 96, 96}, {4});
  check("lstm", {10, 1, 80, 80}, {4});
  check("lstm", {10, 1, 208, 208}, {3, 5, 8});
  check("gru", {10, 1, 208, 208}, {4, 8});
}

TEST(FusedThreads, SameBitsWhereTheBatchIsCut) {
  for (const char* cell : cells) {
    for (const Index B : {8, 13, 70}) {
      expect_same_bits<float>({parse_cell(cell), {5, B, 20, 33}}, {1, Recompute::none, true});
    }
  }
}

/// Weights that are packed once for all, and steps of more rows than a block of dW.
TEST(FusedThreads, SameBitsWhereTheBatchIsCutAndThereIsMuchOfIt) {
  expect_same_bits<float>({parse_cell("lstm"), {2, 9, 20, 300}}, {1, Recompute::none, true});
  expect_same_bits<float>({parse_cell("gru"), {2, 16 * 520 + 5, 3, 4}}, {1, Recompute::none, true});
  expect_same_bits<float>({parse_cell("rnn"), {1, 3, 5, 4}}, {1, Recompute::none, true}, {2, 5});
}

/// Rows enough for each part to sum up its own.
Spec with_sums(const char* cell, Index batch, bool lengths) {
  Spec spec{parse_cell(cell), {240, batch, 5, 17}};
  spec.lengths = lengths;
  return spec;
}
Index parts_with_sums(const Spec& spec, const Exec& exec) {
  const auto [T, B, I, H] = spec.shape;
  const Index rows = spec.cell.gates() * H, parts = partition(spec, exec, sizeof(float)).parts;
  EXPECT_LE(2 * (parts - 1) * rows * (I + H), T * B * (rows + H)) << "docs/fused.md: `sums`";
  return parts;
}

TEST(FusedThreads, SameBitsWherePartsHaveSums) {
  for (const char* cell : cells) {
    for (const bool lengths : {false, true}) {
      const Spec spec = with_sums(cell, 14, lengths);
      // Even over one and three threads, not over two.
      ASSERT_EQ(parts_with_sums(spec, {1, Recompute::none, true}), 3);
      for (const Recompute recompute : {Recompute::none, Recompute::gates, Recompute::checkpoint}) {
        expect_same_bits<float>(spec, {1, recompute, true});
      }
    }
  }
}

/// A part in which no sequence lives adds nothing, whatever an earlier call has left there. Which
/// of the two parts it is depends on how many sequences there are.
TEST(FusedThreads, PartsWithoutRows) {
  const auto one_lives = [](const Spec& spec, Index sequence) {
    return sequence == 5 ? spec.shape.T / 2 : 0;
  };
  for (const char* cell : cells) {
    for (const Index batch : {13, 14}) {
      const Spec spec = with_sums(cell, batch, true);
      for (const Recompute recompute : {Recompute::none, Recompute::gates, Recompute::checkpoint}) {
        const Exec exec{2, recompute};
        ASSERT_EQ(parts_with_sums(spec, exec), 2);
        const auto used = make_backend()->plan<float>(spec, exec);
        results_on(*used, spec);
        const auto alone = make_backend()->plan<float>(spec, {1, recompute});
        EXPECT_TRUE(results_on(*used, spec, one_lives) == results_on(*alone, spec, one_lives))
            << to_string(spec) << " " << name_of(recompute);
      }
    }
  }
}

/// More inputs than are packed at once: whoever is faster packs the next ones while another still
/// multiplies by the ones before.
TEST(FusedThreads, ManyInputs) {
  for (const Index I : {8193, 8300, 16500}) {
    const Spec spec{parse_cell("rnn"), {3, 4, I, 128}};
    const std::vector<float> one = results<float>(spec, {1});
    for (const int threads : {2, 3}) {
      for (int run = 0; run < 10; ++run) {
        EXPECT_TRUE(results<float>(spec, {threads}) == one) << to_string(spec) << " run " << run;
      }
    }
  }
}

}  // namespace
}  // namespace bptt::fused
