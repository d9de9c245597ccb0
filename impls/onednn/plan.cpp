#include "impls/onednn/plan.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "impls/onednn/group_plan.hpp"
#include "impls/onednn/translate.hpp"
#include "impls/threads/openmp.hpp"

namespace bptt::onednn {
namespace {

using threads::OpenMpThreads;

class OneDnnPlan final : public Plan<float> {
 public:
  OneDnnPlan(const Spec& spec, const Exec& exec, const CellMap& map)
      : Plan<float>(spec, exec), group_({spec.shape}, map, Book::Place::top) {}

  std::size_t workspace_bytes() const override { return group_.workspace_bytes(); }
  LayoutSeconds layout_seconds() const override { return group_.layout_seconds(); }
  std::string implementation() const override { return group_.implementation(); }

 private:
  void do_forward(const Params<const float>& w, const Inputs<const float>& in,
                  const Outputs<float>& out) override {
    translate([&] {
      const OpenMpThreads threads(exec().threads, exec().bind_threads);
      group_.forward({&w, 1}, in, out);
    });
  }
  void do_backward(const Params<const float>& w, const Inputs<const float>& in,
                   const OutputGrads<const float>& dout, const Grads<float>& grads) override {
    translate([&] {
      const OpenMpThreads threads(exec().threads, exec().bind_threads);
      group_.backward({&w, 1}, in, dout, {{&grads.params, 1}, grads.x, grads.h0, grads.c0});
    });
  }

  GroupPlan group_;
};

class OneDnnStack final : public StackPlan<float> {
 public:
  OneDnnStack(const StackSpec& spec, const Exec& exec, const CellMap& map)
      : StackPlan<float>(spec), exec_(exec) {
    Index first = 0;
    const std::vector<Group> groups = groups_of(spec);
    for (const Group& group : groups) {
      const bool top = &group == &groups.back();
      stages_.push_back(
          {{group, map, top ? Book::Place::top : Book::Place::below}, {first, group.units()}});
      first += group.units();
    }
  }

  std::size_t workspace_bytes() const override {
    std::size_t bytes = 0;
    for (const Stage& stage : stages_) bytes += stage.plan.workspace_bytes();
    return bytes;
  }
  LayoutSeconds layout_seconds() const override {
    LayoutSeconds sum;
    for (const Stage& stage : stages_) sum = sum + stage.plan.layout_seconds();
    return sum;
  }
  /// "ref:any", "2 primitives: ref:any": each implementation that differs, once.
  std::string implementation() const override {
    std::vector<std::string> different;
    for (const Stage& stage : stages_) {
      const std::string& own = stage.plan.implementation();
      if (std::ranges::find(different, own) == different.end()) different.push_back(own);
    }
    std::string all;
    if (stages_.size() > 1) all = std::to_string(stages_.size()) + " primitives: ";
    for (const std::string& one : different) all += (&one == &different[0] ? "" : "; ") + one;
    return all;
  }

 private:
  /// Which states and parameters of the stack are a group's.
  struct Units {
    Index first, count;
    template <class T>
    std::span<T> of(std::span<T> all) const {
      if (all.empty()) return {};
      return all.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count));
    }
    /// Of states [L*D,B,H]; absent where they are.
    template <class T>
    View<T> of(const View<T>& states) const {
      if (!states) return {};
      const Index B = states.extents()[1], H = states.extents()[2];
      return {states.data() + first * B * H, {count, B, H}};
    }
  };
  struct Stage {
    GroupPlan plan;
    Units units;
  };

  Inputs<const float> inputs(std::size_t stage, const Inputs<const float>& in) const {
    const Units& units = stages_[stage].units;
    return {stage == 0 ? in.x : stages_[stage - 1].plan.y(), units.of(in.h0), units.of(in.c0)};
  }

  void do_forward(std::span<const Params<const float>> params, const Inputs<const float>& in,
                  const Outputs<float>& out) override {
    translate([&] {
      const OpenMpThreads threads(exec_.threads, exec_.bind_threads);
      for (std::size_t i = 0; i < stages_.size(); ++i) {
        auto& [plan, units] = stages_[i];
        const View<float> y = i + 1 == stages_.size() ? out.y : View<float>();
        plan.forward(units.of(params), inputs(i, in), {y, units.of(out.hT), units.of(out.cT)});
      }
    });
  }
  void do_backward(std::span<const Params<const float>> params, const Inputs<const float>& in,
                   const OutputGrads<const float>& dout, const StackGrads<float>& grads) override {
    translate([&] {
      const OpenMpThreads threads(exec_.threads, exec_.bind_threads);
      for (std::size_t i = stages_.size(); i-- > 0;) {
        auto& [plan, units] = stages_[i];
        const View<const float> dy = i + 1 == stages_.size() ? dout.y : stages_[i + 1].plan.dx();
        plan.backward(units.of(params), inputs(i, in), {dy, units.of(dout.hT), units.of(dout.cT)},
                      {units.of(grads.params), i == 0 ? grads.x : View<float>(), units.of(grads.h0),
                       units.of(grads.c0)});
      }
    });
  }

  Exec exec_;
  std::vector<Stage> stages_;  ///< from the bottom
};

}  // namespace

// oneDNN divides the work when a primitive is made, so threads are told before there is one.

std::size_t workspace_bytes(const Spec& spec, const Exec& exec, const CellMap& map) {
  const OpenMpThreads threads(exec.threads, exec.bind_threads);
  return Book({spec.shape}, map, Book::Place::top).layout.bytes();
}

std::size_t workspace_bytes(const StackSpec& spec, const Exec& exec, const CellMap& map) {
  const OpenMpThreads threads(exec.threads, exec.bind_threads);
  const std::vector<Group> groups = groups_of(spec);
  Index bytes = 0;
  for (const Group& group : groups) {
    const bool top = &group == &groups.back();
    const Book book(group, map, top ? Book::Place::top : Book::Place::below);
    bytes = checked_sum({bytes, static_cast<Index>(book.layout.bytes())}, "workspace");
  }
  return static_cast<std::size_t>(bytes);
}

std::unique_ptr<Plan<float>> make_plan(const Spec& spec, const Exec& exec, const CellMap& map) {
  const OpenMpThreads threads(exec.threads, exec.bind_threads);
  return std::make_unique<OneDnnPlan>(spec, exec, map);
}

std::unique_ptr<StackPlan<float>> make_plan(const StackSpec& spec, const Exec& exec,
                                            const CellMap& map) {
  const OpenMpThreads threads(exec.threads, exec.bind_threads);
  return std::make_unique<OneDnnStack>(spec, exec, map);
}

}  // namespace bptt::onednn
