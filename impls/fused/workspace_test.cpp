// The formula of docs/fused.md against what a plan books.
#include <algorithm>
#include <limits>

#include <gtest/gtest.h>

#include "impls/fused/every_target.hpp"
#include "impls/fused/schedule.hpp"

namespace bptt::fused {
namespace {

Index up(Index n, Index by) {
  return (n + by - 1) / by;
}

struct Numbers {
  Index elements = 0, indices = 0;
  Index panels = 0;  ///< each with up to 63 vectors of padding behind it
};

/// As docs/fused.md has it, by its names.
Numbers documented(const Spec& spec, const Exec& exec, Index L, Index element_bytes) {
  const auto [T, B, I, H] = spec.shape;
  const Index G = spec.cell.gates(), threads = exec.threads;
  const bool before = spec.cell.kind == CellKind::gru && spec.cell.reset == GruReset::before_matmul;
  const bool after = spec.cell.kind == CellKind::gru && !before;
  const Index lstm = spec.cell.kind == CellKind::lstm ? 1 : 0, reset = before ? 1 : 0;
  const bool wide = I > 8192, gates = exec.recompute == Recompute::gates;
  const bool checkpoints = exec.recompute == Recompute::checkpoint;

  const Partition partition = fused::partition(spec, exec, element_bytes);
  const Index parts = partition.parts;
  const bool split = partition.way == Partition::Way::units;
  if (wide) {
    EXPECT_EQ(parts, 1);
  } else if (exec.same_for_all_threads) {
    EXPECT_EQ(parts, std::clamp<Index>(B / 4, 1, 16));
  } else {
    EXPECT_TRUE(parts == 1 || parts == std::min(B, threads)) << parts;
  }

  Index k = 1;
  while (k * k < T) ++k;
  const Index chunk = std::max<Index>(512, 512 * 1024 / (std::max(G * H, I) * element_bytes));
  Index R = T * B, K = 0;
  if (gates) R = std::min(T * B, std::max(B, chunk));
  if (checkpoints) {
    R = k * B + B;
    K = up(T, k);
  }
  const Index S = gates ? T * B : R, P = up(H, L), W = after ? 4 : G;
  const Index forward = P * L * G * (std::min<Index>(I, 8192) + H);
  const Index backward = G * H * L * (up(I, L) + P);
  const bool own = exec.recompute == Recompute::none && parts > 1 &&
                   std::max(forward, backward) * element_bytes <= 1 << 20;
  const Index copies = own ? std::min(threads, parts) : 1;
  Numbers n;
  const Index sequences = parts * up(B, parts);
  n.elements = P * L *
               (R * (W + reset) + S * (1 + lstm) + sequences * (1 + 2 * lstm + reset) +
                W * (copies + 2 * parts));
  n.panels = P * (2 + lstm + reset) + P * parts * (1 + lstm + reset);
  if (parts > 1) n.elements += 1024 * parts * (2 + lstm + reset);
  if (checkpoints) {
    n.elements += P * L * sequences * (K + lstm * (K - 1));
  }
  n.elements += copies * (exec.recompute == Recompute::none ? std::max(forward, backward)
                                                            : forward + backward);
  const Index sums = G * H * (I + H) * (parts - 1);
  const bool few = 2 * parts < threads && !exec.same_for_all_threads;
  if (!few && 2 * sums <= P * L * (R * W + S * (1 + lstm))) n.elements += sums;
  const Index x_panels = threads * std::min<Index>(64, up(I, L));
  n.elements += x_panels * L * std::min<Index>(512, T * B);
  n.panels += x_panels;
  if (split) {
    n.elements += 2 * (P * L * B * W + 1024);
    n.panels += 2 * P;
  }
  n.indices = R + 2 * B + 3 * T + 2 + parts * (T + 4);
  return n;
}

template <Real T>
void expect_as_documented(Index lanes) {
  for (const char* cell : {"rnn", "lstm", "gru", "gru:reset=after_matmul"}) {
    for (const Recompute recompute : {Recompute::none, Recompute::gates, Recompute::checkpoint}) {
      for (const bool same : {false, true}) {
        for (const int threads : {1, 2, 3, 8}) {
          for (const Shape shape :
               {Shape{1000, 32, 256, 256}, Shape{7, 3, 5, 4}, Shape{1, 1, 1, 1},
                Shape{50, 700, 3, 17}, Shape{122, 2, 300, 100}, Shape{3, 5, 20'000, 40},
                Shape{400, 5, 3, 17}, Shape{400, 3, 3, 17}}) {
            const Spec spec{parse_cell(cell), shape};
            const Exec exec{threads, recompute, same};
            WorkspaceLayout layout;
            Schedule<T>::book(layout, spec, exec);
            const Index size = sizeof(T);
            const Numbers n = documented(spec, exec, lanes, size);
            const Index least = n.elements * size + n.indices * 8;
            const Index line = 64, arrays = 25;
            EXPECT_GE(static_cast<Index>(layout.bytes()), least)
                << to_string(spec) << " " << name_of(recompute) << " " << threads << " threads";
            EXPECT_LT(static_cast<Index>(layout.bytes()),
                      least + n.panels * 63 * lanes * size + arrays * line)
                << to_string(spec) << " " << name_of(recompute) << " " << threads << " threads";
          }
        }
      }
    }
  }
}

TEST(FusedWorkspace, IsWhatTheDocumentSays) {
  for_each_target<float>(
      [](const Kernels<float>& kernels) { expect_as_documented<float>(kernels.lanes); });
  for_each_target<double>(
      [](const Kernels<double>& kernels) { expect_as_documented<double>(kernels.lanes); });
}

TEST(FusedWorkspace, RefusesSizesThatDoNotFit) {
  constexpr Index most = std::numeric_limits<Index>::max();
  for (const Recompute recompute : {Recompute::none, Recompute::gates, Recompute::checkpoint}) {
    for (const Shape shape :
         {Shape{1, most / 4, 1, 1}, Shape{2, most / 2, 1, 1}, Shape{1, 1, most / 8, 8},
          Shape{1, 1, 1, most / 4}, Shape{1, Index{1} << 40, 1, Index{1} << 40}}) {
      for (const int threads : {1, 2}) {
        const Spec spec{parse_cell("lstm"), shape};
        WorkspaceLayout layout;
        EXPECT_THROW(Schedule<float>::book(layout, spec, {threads, recompute}), Error)
            << to_string(spec) << " " << name_of(recompute);
      }
    }
  }
}

}  // namespace
}  // namespace bptt::fused
