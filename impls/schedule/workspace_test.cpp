// The formulas of docs/memory.md against what a block books.
#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "impls/schedule/sequence_block.hpp"

namespace bptt::schedule {
namespace {

struct Numbers {
  Index reals = 0, indices = 0, arrays = 0;
};

/// As the tables of docs/memory.md have it, in f32, for a block of b of the batch's sequences.
Numbers documented(const Spec& spec, Recompute recompute, Index b) {
  const auto [T, B, I, H] = spec.shape;
  const Index G = spec.cell.gates();
  const bool lstm = spec.cell.kind == CellKind::lstm, gru = spec.cell.kind == CellKind::gru;
  const auto k = static_cast<Index>(std::ceil(std::sqrt(static_cast<double>(T))));
  const Index chunk = std::max<Index>(512, 512 * 1024 / (std::max(G * H, I) * 4));
  Index R = T * b, S = T * b + b;
  if (recompute == Recompute::gates) R = std::min(T * b, std::max(b, chunk));
  if (recompute == Recompute::checkpoint) {
    R = k * b;
    S = k * b + b;
  }
  Numbers n;
  n.reals = R * G * H + S * H + b * H + G * H;
  if (lstm) n.reals += S * H + R * H + b * H;
  if (gru) n.reals += R * H + b * H;
  if (spec.lengths || b != B) n.reals += R * I + std::min(R, std::max(b, chunk)) * I;
  if (spec.cell.peephole) n.reals += 3 * H;
  if (recompute == Recompute::gates) n.reals += R * H;
  if (recompute == Recompute::checkpoint) n.reals += (T + k - 1) / k * b * H * (lstm ? 2 : 1);
  if (recompute != Recompute::none) n.reals += G * H * (I + H) + 2 * G * H;
  n.indices = b + 3 * T + 2;
  n.arrays = 24;  // at most, each with less than 64 bytes of padding
  return n;
}

TEST(Workspace, IsWhatTheDocumentsSay) {
  for (const char* cell : {"rnn", "lstm", "lstm:peephole", "gru"}) {
    for (const Recompute recompute : {Recompute::none, Recompute::gates, Recompute::checkpoint}) {
      for (const bool lengths : {false, true}) {
        for (const Shape shape : {Shape{1000, 32, 256, 256}, Shape{7, 3, 5, 4}, Shape{1, 1, 1, 1},
                                  Shape{50, 700, 3, 17}, Shape{122, 9, 300, 8}}) {
          for (const Index b : {shape.B, (shape.B + 1) / 2}) {
            const Spec spec{parse_cell(cell), shape, lengths};
            WorkspaceLayout layout;
            SequenceBlock<float>::book(layout, spec, recompute, {0, b});
            const Numbers n = documented(spec, recompute, b);
            const auto booked = static_cast<Index>(layout.bytes());
            const Index expected = n.reals * 4 + n.indices * 8;
            EXPECT_GE(booked, expected) << to_string(spec) << " " << name_of(recompute);
            EXPECT_LT(booked, expected + n.arrays * 64)
                << to_string(spec) << " " << name_of(recompute);
          }
        }
      }
    }
  }
}

TEST(Segments, CutTimeWithoutGaps) {
  for (const Recompute recompute : {Recompute::none, Recompute::gates, Recompute::checkpoint}) {
    const Spec spec{parse_cell("lstm"), {130, 7, 3, 40}, true};
    const auto sizes = Segments::sizes(spec, recompute, 7, 4);
    WorkspaceLayout layout;
    const auto of_live = LiveRows::book(layout, 130, 7);
    const auto of_segments = Segments::book(layout, 130);
    const Workspace workspace(layout);
    LiveRows live(workspace, of_live, 130, 0, 7);
    Segments segments(workspace, of_segments, sizes);
    for (const std::vector<Index>& lengths :
         {std::vector<Index>{130, 130, 130, 130, 130, 130, 130},
          std::vector<Index>{0, 12, 130, 1, 77, 5, 13}, std::vector<Index>(7, 0)}) {
      live.assign(lengths);
      segments.assign(live);
      EXPECT_EQ(segments.begin(0), 0);
      EXPECT_EQ(segments.end(segments.count() - 1), 130);
      for (Index s = 0; s < segments.count(); ++s) {
        EXPECT_LT(segments.begin(s), segments.end(s));
        EXPECT_LE(live.offset(segments.end(s)) - live.offset(segments.begin(s)), sizes.tape_rows);
        if (recompute == Recompute::checkpoint) {
          EXPECT_EQ(segments.begin(s), s * 12);
        }
      }
      const Index in_gates_mode = live.total() > sizes.tape_rows ? 2 : 1;
      EXPECT_EQ(segments.count(), recompute == Recompute::none         ? 1
                                  : recompute == Recompute::checkpoint ? 11
                                                                       : in_gates_mode);
    }
  }
}

}  // namespace
}  // namespace bptt::schedule
