#include "impls/naive/naive.hpp"

#include <algorithm>
#include <vector>

#include "impls/api/memory.hpp"
#include "impls/naive/gru.hpp"
#include "impls/naive/lstm.hpp"
#include "impls/naive/rnn.hpp"
#include "impls/naive/variation.hpp"

namespace bptt::naive {
namespace {

/// Elements of the tape and of what backward carries. Without recomputation every sample has a tape
/// of its own; with it, samples share what backward rebuilds.
struct Sizes {
  Sizes(const Spec& spec, Recompute recompute) {
    const auto& s = spec.shape;
    const auto sized = [](std::initializer_list<Index> extents) {
      return checked_product(extents, "tape");
    };
    const bool has_c = spec.cell.has_cell_state(), gru = spec.cell.kind == CellKind::gru;
    if (recompute == Recompute::checkpoint) {
      while (segment < s.T / segment + (s.T % segment != 0 ? 1 : 0)) ++segment;
    } else {
      segment = s.T;
    }
    const Index gate_steps = recompute == Recompute::gates ? 1 : segment;
    const Index states = checked_sum({segment, 1}, "tape");
    gates = sized({gate_steps, spec.cell.gates(), s.H});
    product = gru ? sized({gate_steps, s.H}) : 0;
    h = sized({states, s.H});
    c = has_c ? h : 0;
    if (recompute == Recompute::checkpoint) {
      segments = (s.T + segment - 1) / segment;
      kept = sized({segments, has_c ? 2 : 1, s.H});
    }
    shared_gates = recompute != Recompute::none;
    shared_states = recompute == Recompute::checkpoint;
    const Index of_gates = checked_sum({gates, product}, "tape");
    const Index of_states = checked_sum({h, c}, "tape");
    gates_begin = checked_sum({sized({s.B, kept}), sized({4, s.H})}, "tape");
    states_begin = checked_sum({gates_begin, sized({shared_gates ? 1 : s.B, of_gates})}, "tape");
    total = checked_sum({states_begin, sized({shared_states ? 1 : s.B, of_states})}, "tape");
  }
  Index segment = 1;  ///< steps that the tape's states hold
  Index segments = 1;
  Index gates, product, h, c;  ///< of one sample
  Index kept = 0;              ///< checkpoints of one sample: h and c at the start of each segment
  bool shared_gates, shared_states;
  /// Where they begin in memory, behind [B,kept] checkpoints and the [4,H] that backward carries.
  Index gates_begin, states_begin, total;
};

std::size_t tape_bytes(const Spec& spec, Recompute recompute, std::size_t element_bytes) {
  return static_cast<std::size_t>(
      checked_product({Sizes(spec, recompute).total, static_cast<Index>(element_bytes)}, "tape"));
}

/// out = v, or zero where v is absent.
template <class T>
void copy_row(const View<const T>& v, Index row, Index n, T* out) {
  for (Index k = 0; k < n; ++k) out[k] = v ? v(row, k) : T(0);
}

template <Scalar T, template <class> class CellOf>
class NaivePlan final : public Plan<T> {
 public:
  NaivePlan(const Spec& spec, const Exec& exec)
      : Plan<T>(spec, exec),
        sizes_(spec, exec.recompute),
        memory_(static_cast<std::size_t>(sizes_.total)) {}

  std::size_t workspace_bytes() const override { return memory_.size() * sizeof(T); }

 private:
  const Cell& cell() const { return this->spec().cell; }
  bool has_c() const { return cell().has_cell_state(); }

  Sample<T> sample(Index b, const Inputs<const T>& in) {
    const auto& spec = this->spec();
    Sample<T> s;
    s.b = b;
    s.length = spec.lengths ? in.lengths[static_cast<std::size_t>(b)] : spec.shape.T;
    s.H = spec.shape.H;
    s.gate_rows = spec.cell.gates() * spec.shape.H;
    s.x = in.x;
    s.gate_tape = memory_.data() + sizes_.gates_begin +
                  (sizes_.shared_gates ? 0 : b * (sizes_.gates + sizes_.product));
    s.product_tape = s.gate_tape + sizes_.gates;
    s.h_tape = memory_.data() + sizes_.states_begin +
               (sizes_.shared_states ? 0 : b * (sizes_.h + sizes_.c));
    s.c_tape = s.h_tape + sizes_.h;
    return s;
  }

  /// h_t and, of an lstm, c_t with t the first step of a segment: kept by forward.
  T* kept(Index b, Index segment) {
    return memory_.data() + b * sizes_.kept + segment * (sizes_.kept / sizes_.segments);
  }

  /// Makes the tape's states begin with step t, the first of a segment. In forward the state before
  /// it stands at the end of the tape; in backward it was kept.
  void enter_segment(Sample<T>& s, Index t, bool is_forward) {
    if (!sizes_.shared_states) return;
    const Index H = s.H;
    T* const at = kept(s.b, t / sizes_.segment);
    if (is_forward) {
      std::copy_n(s.h(t), H, at);
      if (has_c()) std::copy_n(s.c(t), H, at + H);
    }
    s.first_state = s.first_gates = t;
    std::copy_n(at, H, s.h(t));
    if (has_c()) std::copy_n(at + H, H, s.c(t));
  }

  /// Before backward's step t, which ends the tape: what forward did not keep.
  void rebuild(const Params<const T>& w, Sample<T>& s, Index t) {
    switch (this->exec().recompute) {
      case Recompute::none:
        return;
      case Recompute::gates:
        s.first_gates = t;
        CellOf<T>::forward(cell(), w, s, t);
        return;
      case Recompute::checkpoint: {
        const bool ends_segment = t + 1 == s.length || (t + 1) % sizes_.segment == 0;
        if (!ends_segment) return;
        const Index first = t / sizes_.segment * sizes_.segment;
        enter_segment(s, first, false);
        for (Index step = first; step <= t; ++step) CellOf<T>::forward(cell(), w, s, step);
        return;
      }
    }
  }

  void do_forward(const Params<const T>& w, const Inputs<const T>& in,
                  const Outputs<T>& out) override {
    const auto& [T_, B, I, H] = this->spec().shape;
    for (Index b = 0; b < B; ++b) {
      Sample<T> s = sample(b, in);
      copy_row(in.h0, b, H, s.h(0));
      if (has_c()) copy_row(in.c0, b, H, s.c(0));
      for (Index t = 0; t < s.length; ++t) {
        if (t % sizes_.segment == 0) enter_segment(s, t, true);
        if (this->exec().recompute == Recompute::gates) s.first_gates = t;
        CellOf<T>::forward(cell(), w, s, t);
        std::copy_n(s.h(t + 1), H, &out.y(t, b, 0));
      }
      for (Index t = s.length; t < T_; ++t) std::fill_n(&out.y(t, b, 0), H, T(0));
      if (out.hT) std::copy_n(s.h(s.length), H, &out.hT(b, 0));
      if (out.cT) std::copy_n(s.c(s.length), H, &out.cT(b, 0));
    }
  }

  void do_backward(const Params<const T>& w, const Inputs<const T>& in,
                   const OutputGrads<const T>& dout, const Grads<T>& grads) override {
    const auto& [T_, B, I, H] = this->spec().shape;
    for_each(this->spec(), grads, [](const TensorInfo&, const View<T>& view) {
      std::fill(view.begin(), view.end(), T(0));
    });
    Gradient<T> g;
    g.dh = memory_.data() + B * sizes_.kept;
    g.dc = g.dh + H;
    g.dh_prev = g.dc + H;
    g.scratch = g.dh_prev + H;
    // The tape must last as long as what is written down of it.
    const bool steps_first_to_last =
        Variation::reverses_sums() && this->exec().recompute == Recompute::none;
    if (steps_first_to_last) g.later = &addends_;
    for (Index turn = 0; turn < B; ++turn) {
      const Index b = Variation::sample_at(turn, B);
      Sample<T> s = sample(b, in);
      copy_row(dout.hT, b, H, g.dh);
      if (has_c()) copy_row(dout.cT, b, H, g.dc);
      for (Index t = s.length - 1; t >= 0; --t) {
        rebuild(w, s, t);
        for (Index j = 0; j < H; ++j) {
          if (dout.y) g.dh[j] += dout.y(t, b, j);
          g.dh_prev[j] = T(0);
        }
        g.dx = grads.x ? &grads.x(t, b, 0) : nullptr;
        CellOf<T>::backward(cell(), w, s, t, g, grads.params);
        std::swap(g.dh, g.dh_prev);
        if (addends_.is_full()) addends_.add_from_the_latest();
      }
      addends_.add_from_the_latest();
      if (grads.h0) std::copy_n(g.dh, H, &grads.h0(b, 0));
      if (grads.c0) std::copy_n(g.dc, H, &grads.c0(b, 0));
    }
  }

  Sizes sizes_;
  std::vector<T> memory_;
  Addends<T> addends_;  ///< of a sample; empty but for a Variation that reverses sums
};

class NaiveBackend final : public Backend {
 public:
  NaiveBackend() : Backend("naive") {}
  std::string version() const override { return "scalar loops"; }
  bool same_for_all_threads(const Exec&) const override { return true; }

 private:
  std::optional<std::string> do_refusal(const Spec&, Dtype, const Exec& exec) const override {
    if (exec.threads == 1) return std::nullopt;
    return "it runs on one thread; " + std::to_string(exec.threads) + " were asked for";
  }
  std::size_t do_workspace_bytes(const Spec& spec, Dtype dtype, const Exec& exec) const override {
    return tape_bytes(spec, exec.recompute, bytes_of(dtype));
  }
  std::unique_ptr<Plan<float>> do_plan(std::type_identity<float>, const Spec& spec,
                                       const Exec& exec) const override {
    return make_plan<float>(spec, exec);
  }
  std::unique_ptr<Plan<double>> do_plan(std::type_identity<double>, const Spec& spec,
                                        const Exec& exec) const override {
    return make_plan<double>(spec, exec);
  }
};

}  // namespace

template <Scalar T>
std::unique_ptr<Plan<T>> make_plan(const Spec& spec, const Exec& exec) {
  spec.validate();
  require_memory(tape_bytes(spec, exec.recompute, sizeof(T)),
                 "tape of naive for " + to_string(spec));
  switch (spec.cell.kind) {
    case CellKind::rnn:
      return std::make_unique<NaivePlan<T, Rnn>>(spec, exec);
    case CellKind::lstm:
      return std::make_unique<NaivePlan<T, Lstm>>(spec, exec);
    case CellKind::gru:
      return std::make_unique<NaivePlan<T, Gru>>(spec, exec);
  }
  return nullptr;
}

template std::unique_ptr<Plan<float>> make_plan(const Spec&, const Exec&);
template std::unique_ptr<Plan<double>> make_plan(const Spec&, const Exec&);
template std::unique_ptr<Plan<long double>> make_plan(const Spec&, const Exec&);
template std::unique_ptr<Plan<std::complex<double>>> make_plan(const Spec&, const Exec&);

std::unique_ptr<Backend> make_backend() {
  return std::make_unique<NaiveBackend>();
}

}  // namespace bptt::naive
