// The backend `tbb`: oneTBB over parts of the batch. Each task runs its sequences through the whole
// of time, with no barrier inside the time loop; afterwards, tasks over ranges of gate rows sum the
// parameters' gradients over all parts, always in the same order. How the work is cut depends on
// the shape alone, so results are bitwise equal for every number of threads. OpenBLAS runs
// single-threaded underneath.
#include <algorithm>
#include <deque>
#include <vector>

#include <oneapi/tbb/version.h>

#include "impls/api/backend.hpp"
#include "impls/cell/pointwise.hpp"
#include "impls/linalg/blas_kernels.hpp"
#include "impls/linalg/blas_threads.hpp"
#include "impls/schedule/sequence_block.hpp"
#include "impls/threads/shared_arena.hpp"
#include "impls/threads/side_by_side.hpp"

namespace bptt::tbb {
namespace {

using schedule::SequenceBlock;
using schedule::Workspace;
using schedule::WorkspaceLayout;

/// How the work is cut. A product of few rows is slow, so parts of the batch are not made smaller
/// than `rows_wanted` unless the machine would have nothing to share otherwise.
struct Cut {
  explicit Cut(const Spec& spec) {
    constexpr Index rows_wanted = 16, parts_at_least = 4, parts_at_most = 64;
    constexpr Index tiles = 16, tile_rows_at_least = 64;
    const Index B = spec.shape.B;
    parts = std::clamp(B / rows_wanted, std::min(B, parts_at_least), parts_at_most);
    gate_rows = spec.cell.gates() * spec.shape.H;
    tile_rows = std::max(tile_rows_at_least, (gate_rows + tiles - 1) / tiles);
    tile_count = (gate_rows + tile_rows - 1) / tile_rows;
    batch = B;
  }
  /// Sequences of a part: as even as can be, the longer parts first.
  Index part_begin(Index part) const {
    return part * (batch / parts) + std::min(part, batch % parts);
  }

  Index batch, parts, gate_rows, tile_rows, tile_count;
};

template <Real T>
typename SequenceBlock<T>::Range range_of(const Cut& cut, Index part) {
  return {cut.part_begin(part), cut.part_begin(part + 1) - cut.part_begin(part)};
}

template <Real T>
std::vector<typename SequenceBlock<T>::Bookings> book(WorkspaceLayout& layout, const Spec& spec,
                                                      Recompute recompute, const Cut& cut) {
  std::vector<typename SequenceBlock<T>::Bookings> bookings;
  for (Index part = 0; part < cut.parts; ++part) {
    bookings.push_back(SequenceBlock<T>::book(layout, spec, recompute, range_of<T>(cut, part)));
  }
  return bookings;
}

template <Real T>
class TbbPlan final : public Plan<T> {
 public:
  TbbPlan(const Spec& spec, const Exec& exec) : TbbPlan(spec, exec, WorkspaceLayout()) {}

  std::size_t workspace_bytes() const override { return workspace_.bytes(); }

 private:
  TbbPlan(const Spec& spec, const Exec& exec, WorkspaceLayout layout)
      : Plan<T>(spec, exec),
        cut_(spec),
        bookings_(book<T>(layout, spec, exec.recompute, cut_)),
        workspace_(layout),
        arena_(threads::threads_of(exec)) {
    for (Index part = 0; part < cut_.parts; ++part) {
      blocks_.emplace_back(workspace_, bookings_[static_cast<std::size_t>(part)], spec,
                           exec.recompute, range_of<T>(cut_, part));
    }
  }

  void do_forward(const Params<const T>& w, const Inputs<const T>& in,
                  const Outputs<T>& out) override {
    const linalg::BlasThreads single(1);
    arena_.lease()->for_each(cut_.parts, [&](Index part) { block(part).forward(w, in, out); });
  }

  void do_backward(const Params<const T>& w, const Inputs<const T>& in,
                   const OutputGrads<const T>& dout, const Grads<T>& grads) override {
    const linalg::BlasThreads single(1);
    const auto arena = arena_.lease();
    arena->for_each(cut_.parts, [&](Index part) { block(part).backward(w, in, dout, grads); });
    arena->for_each(cut_.tile_count, [&](Index tile) {
      const Index begin = tile * cut_.tile_rows;
      const Index count = std::min(cut_.tile_rows, cut_.gate_rows - begin);
      for (Index part = 0; part < cut_.parts; ++part) {
        block(part).weight_gradients(in, begin, count, part > 0, grads.params);
      }
    });
  }

  SequenceBlock<T>& block(Index part) { return blocks_[static_cast<std::size_t>(part)]; }

  Cut cut_;
  std::vector<typename SequenceBlock<T>::Bookings> bookings_;
  Workspace workspace_;
  std::deque<SequenceBlock<T>> blocks_;
  threads::SharedArena arena_;
};

class TbbBackend final : public Backend {
 public:
  TbbBackend() : Backend("tbb") {}
  std::string version() const override {
    const auto kernels = linalg::blas_kernels();
    return "oneTBB " + std::to_string(TBB_VERSION_MAJOR) + "." + std::to_string(TBB_VERSION_MINOR) +
           ", " + kernels.library + " " + kernels.live + ", pointwise " + cell::instruction_set();
  }
  bool same_for_all_threads(const Exec&) const override { return true; }

 private:
  bool can_run_side_by_side() const override { return true; }
  std::unique_ptr<SideBySide> do_side_by_side(const Exec& exec) const override {
    return std::make_unique<threads::OneTbbSideBySide>(exec);
  }
  std::optional<std::string> do_refusal(const Spec& spec, Dtype, const Exec&) const override {
    return schedule::blas_refusal(spec);
  }
  std::size_t do_workspace_bytes(const Spec& spec, Dtype dtype, const Exec& exec) const override {
    return dispatch(dtype, [&]<class T>(std::type_identity<T>) {
      WorkspaceLayout layout;
      book<T>(layout, spec, exec.recompute, Cut(spec));
      return layout.bytes();
    });
  }
  std::unique_ptr<Plan<float>> do_plan(std::type_identity<float>, const Spec& spec,
                                       const Exec& exec) const override {
    return std::make_unique<TbbPlan<float>>(spec, exec);
  }
  std::unique_ptr<Plan<double>> do_plan(std::type_identity<double>, const Spec& spec,
                                        const Exec& exec) const override {
    return std::make_unique<TbbPlan<double>>(spec, exec);
  }
};

}  // namespace

std::unique_ptr<Backend> make_backend() {
  return std::make_unique<TbbBackend>();
}

}  // namespace bptt::tbb
