#include "impls/naive/naive.hpp"

#include <algorithm>
#include <vector>

#include "impls/api/memory.hpp"
#include "impls/naive/gru.hpp"
#include "impls/naive/lstm.hpp"
#include "impls/naive/rnn.hpp"

namespace bptt::naive {
namespace {

/// Elements of the tape and of what backward carries, for one sample and for all.
struct Sizes {
  explicit Sizes(const Spec& spec) {
    const auto& s = spec.shape;
    gates = checked_product({s.T, spec.cell.gates(), s.H}, "tape");
    h = checked_product({checked_sum({s.T, 1}, "tape"), s.H}, "tape");
    c = spec.cell.has_cell_state() ? h : 0;
    product = spec.cell.kind == CellKind::gru ? checked_product({s.T, s.H}, "tape") : 0;
    carried = checked_product({4, s.H}, "tape");
    total = checked_sum(
        {checked_product({s.B, checked_sum({gates, h, c, product}, "tape")}, "tape"), carried},
        "tape");
  }
  Index gates, h, c, product, carried, total;
};

std::size_t tape_bytes(const Spec& spec, std::size_t element_bytes) {
  return static_cast<std::size_t>(
      checked_product({Sizes(spec).total, static_cast<Index>(element_bytes)}, "tape"));
}

/// out = v, or zero where v is absent.
template <class T>
void copy_row(const View<const T>& v, Index row, Index n, T* out) {
  for (Index k = 0; k < n; ++k) out[k] = v ? v(row, k) : T(0);
}

template <Scalar T, template <class> class CellOf>
class NaivePlan final : public Plan<T> {
 public:
  explicit NaivePlan(const Spec& spec)
      : Plan<T>(spec, Exec{}), sizes_(spec), memory_(static_cast<std::size_t>(sizes_.total)) {}

  std::size_t workspace_bytes() const override { return memory_.size() * sizeof(T); }

 private:
  Sample<T> sample(Index b, const Inputs<const T>& in) {
    const auto& spec = this->spec();
    Sample<T> s;
    s.b = b;
    s.length = spec.lengths ? in.lengths[static_cast<std::size_t>(b)] : spec.shape.T;
    s.H = spec.shape.H;
    s.gate_rows = spec.cell.gates() * spec.shape.H;
    s.x = in.x;
    s.gate_tape = memory_.data() + b * (sizes_.gates + sizes_.h + sizes_.c + sizes_.product);
    s.h_tape = s.gate_tape + sizes_.gates;
    s.c_tape = s.h_tape + sizes_.h;
    s.product_tape = s.c_tape + sizes_.c;
    return s;
  }

  void do_forward(const Params<const T>& w, const Inputs<const T>& in,
                  const Outputs<T>& out) override {
    const auto& [T_, B, I, H] = this->spec().shape;
    const bool has_c = this->spec().cell.has_cell_state();
    for (Index b = 0; b < B; ++b) {
      const Sample<T> s = sample(b, in);
      copy_row(in.h0, b, H, s.h(0));
      if (has_c) copy_row(in.c0, b, H, s.c(0));
      for (Index t = 0; t < s.length; ++t) {
        CellOf<T>::forward(this->spec().cell, w, s, t);
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
    const bool has_c = this->spec().cell.has_cell_state();
    for_each(this->spec(), grads, [](const TensorInfo&, const View<T>& view) {
      std::fill(view.begin(), view.end(), T(0));
    });
    Gradient<T> g;
    g.dh = memory_.data() + memory_.size() - sizes_.carried;
    g.dc = g.dh + H;
    g.dh_prev = g.dc + H;
    g.scratch = g.dh_prev + H;
    for (Index b = 0; b < B; ++b) {
      const Sample<T> s = sample(b, in);
      copy_row(dout.hT, b, H, g.dh);
      if (has_c) copy_row(dout.cT, b, H, g.dc);
      for (Index t = s.length - 1; t >= 0; --t) {
        for (Index j = 0; j < H; ++j) {
          if (dout.y) g.dh[j] += dout.y(t, b, j);
          g.dh_prev[j] = T(0);
        }
        g.dx = grads.x ? &grads.x(t, b, 0) : nullptr;
        CellOf<T>::backward(this->spec().cell, w, s, t, g, grads.params);
        std::swap(g.dh, g.dh_prev);
      }
      if (grads.h0) std::copy_n(g.dh, H, &grads.h0(b, 0));
      if (grads.c0) std::copy_n(g.dc, H, &grads.c0(b, 0));
    }
  }

  Sizes sizes_;
  std::vector<T> memory_;
};

class NaiveBackend final : public Backend {
 public:
  NaiveBackend() : Backend("naive") {}
  std::string version() const override { return "scalar loops"; }
  bool same_for_all_threads() const override { return true; }

 private:
  std::optional<std::string> do_refusal(const Spec&, Dtype, const Exec& exec) const override {
    if (exec.threads == 1) return std::nullopt;
    return "it runs on one thread; " + std::to_string(exec.threads) + " were asked for";
  }
  std::size_t do_workspace_bytes(const Spec& spec, Dtype dtype, const Exec&) const override {
    return tape_bytes(spec, bytes_of(dtype));
  }
  std::unique_ptr<Plan<float>> do_plan(std::type_identity<float>, const Spec& spec,
                                       const Exec&) const override {
    return make_plan<float>(spec);
  }
  std::unique_ptr<Plan<double>> do_plan(std::type_identity<double>, const Spec& spec,
                                        const Exec&) const override {
    return make_plan<double>(spec);
  }
};

}  // namespace

template <Scalar T>
std::unique_ptr<Plan<T>> make_plan(const Spec& spec) {
  spec.validate();
  require_memory(tape_bytes(spec, sizeof(T)), "tape of naive for " + to_string(spec));
  switch (spec.cell.kind) {
    case CellKind::rnn:
      return std::make_unique<NaivePlan<T, Rnn>>(spec);
    case CellKind::lstm:
      return std::make_unique<NaivePlan<T, Lstm>>(spec);
    case CellKind::gru:
      return std::make_unique<NaivePlan<T, Gru>>(spec);
  }
  return nullptr;
}

template std::unique_ptr<Plan<float>> make_plan<float>(const Spec&);
template std::unique_ptr<Plan<double>> make_plan<double>(const Spec&);
template std::unique_ptr<Plan<long double>> make_plan<long double>(const Spec&);
template std::unique_ptr<Plan<std::complex<double>>> make_plan<std::complex<double>>(const Spec&);

std::unique_ptr<Backend> make_backend() {
  return std::make_unique<NaiveBackend>();
}

}  // namespace bptt::naive
