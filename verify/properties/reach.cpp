#include "verify/properties/reach.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace bptt::verify {
namespace {

/// One mark per unit (or input).
using Marks = std::vector<bool>;

void spread(Marks& to, const Marks& from) {
  for (std::size_t k = 0; k < to.size(); ++k) to[k] = to[k] || from[k];
}

/// What a step of the forward pass leaves.
struct Step {
  Marks x, h_prev, c_prev, h, c;
  std::vector<Marks> gates;  ///< activated
  Marks product;             ///< gru: r h_{t-1}, or W_hn h_{t-1} + b_hn
};

/// One sequence of the batch.
class Sequence {
 public:
  Sequence(Problem<float>& p, Index b, Paths paths)
      : p_(p),
        cell_(p.spec().cell),
        paths_(paths),
        b_(b),
        H_(p.spec().shape.H),
        I_(p.spec().shape.I) {
    const Index length =
        p.spec().lengths ? p.lengths()[static_cast<std::size_t>(b)] : p.spec().shape.T;
    for (Index t = 0; t < length; ++t) steps_.push_back({row3(p.in.x, t), {}, {}, {}, {}, {}, {}});
  }

  void forward() {
    Marks h = row2(p_.in.h0), c = row2(p_.in.c0);
    for (Index t = 0; t < std::ssize(steps_); ++t) {
      Step& s = steps_[static_cast<std::size_t>(t)];
      s.h_prev = h;
      s.c_prev = c;
      s.gates.assign(static_cast<std::size_t>(cell_.gates()), none(H_));
      for (Index j = 0; j < H_; ++j) {
        if (cell_.kind == CellKind::lstm) lstm_forward(s, j);
        if (cell_.kind == CellKind::rnn) s.gates[0][at(j)] = preactivation(s, 0, j, s.h_prev);
      }
      if (cell_.kind == CellKind::rnn) s.h = s.gates[0];
      if (cell_.kind == CellKind::gru) gru_forward(s);
      h = s.h;
      c = s.c;
      put(p_.out.y, t, h);
    }
    put(p_.out.hT, h);
    put(p_.out.cT, c);
  }

  void backward() {
    Marks dh = row2(p_.dout.hT), dc = row2(p_.dout.cT);
    for (Index t = std::ssize(steps_) - 1; t >= 0; --t) {
      const Step& s = steps_[static_cast<std::size_t>(t)];
      spread(dh, row3(p_.dout.y, t));
      dx_ = none(I_);
      dh_prev_ = none(H_);
      if (cell_.kind == CellKind::rnn) rnn_backward(s, dh);
      if (cell_.kind == CellKind::lstm) dc = lstm_backward(s, dh, dc);
      if (cell_.kind == CellKind::gru) gru_backward(s, dh);
      put(p_.grads.x, t, dx_);
      dh = dh_prev_;
    }
    put(p_.grads.h0, dh);
    put(p_.grads.c0, dc);
  }

 private:
  static std::size_t at(Index j) { return static_cast<std::size_t>(j); }
  static Marks none(Index n) { return Marks(static_cast<std::size_t>(n), false); }

  Marks row3(const View<float>& v, Index t) const { return row(&v(t, b_, 0), v.extents()[2]); }
  Marks row2(const View<float>& v) const { return v ? row(&v(b_, 0), H_) : none(H_); }
  static Marks row(const float* data, Index n) {
    Marks marks = none(n);
    for (Index k = 0; k < n; ++k) marks[at(k)] = data[k] != 0;
    return marks;
  }
  void put(const View<float>& v, Index t, const Marks& marks) const {
    std::copy(marks.begin(), marks.end(), &v(t, b_, 0));
  }
  void put(const View<float>& v, const Marks& marks) const {
    if (v) std::copy(marks.begin(), marks.end(), &v(b_, 0));
  }

  static bool marked(const View<float>& v, Index row) { return v && v[row] != 0; }
  bool peephole(Index k, Index j) const {
    return cell_.peephole && p_.params.weight_peephole(k, j) != 0;
  }
  bool reads(const View<float>& w, Index row, const Marks& v) const {
    for (Index k = 0; k < std::ssize(v); ++k) {
      if (w(row, k) != 0 || v[at(k)]) return true;
    }
    return false;
  }
  bool from_input(const Step& s, Index g, Index j) const {
    const Index row = g * H_ + j;
    return reads(p_.params.weight_ih, row, s.x) || marked(p_.params.bias_ih, row);
  }
  bool from_state(Index g, Index j, const Marks& state) const {
    const Index row = g * H_ + j;
    return reads(p_.params.weight_hh, row, state) || marked(p_.params.bias_hh, row);
  }
  bool preactivation(const Step& s, Index g, Index j, const Marks& state) const {
    return from_input(s, g, j) || from_state(g, j, state);
  }

  /// The gradient of a preactivation reaches x, its row of the parameters, and the state it read:
  /// through the input's part and the state's part of its sum.
  void through_input(const Step& s, Index g, Index j, bool dp) {
    const Index row = g * H_ + j;
    for (Index k = 0; k < I_; ++k) {
      dx_[at(k)] = dx_[at(k)] || dp || p_.params.weight_ih(row, k) != 0;
      add(p_.grads.params.weight_ih(row, k), dp || s.x[at(k)]);
    }
    if (p_.grads.params.bias_ih) add(p_.grads.params.bias_ih[row], dp);
  }
  void through_state(const Marks& state, Index g, Index j, bool dp, Marks& d_state) {
    const Index row = g * H_ + j;
    for (Index k = 0; k < H_; ++k) {
      d_state[at(k)] = d_state[at(k)] || dp || p_.params.weight_hh(row, k) != 0;
      add(p_.grads.params.weight_hh(row, k), dp || state[at(k)]);
    }
    if (p_.grads.params.bias_hh) add(p_.grads.params.bias_hh[row], dp);
  }
  static void add(float& mark, bool more) {
    if (more) mark = 1;
  }

  void rnn_backward(const Step& s, const Marks& dh) {
    const Activation phi = cell_.activation;
    const bool smooth = phi == Activation::tanh || phi == Activation::sigmoid ||
                        (paths_ == Paths::possible && phi != Activation::identity);
    for (Index j = 0; j < H_; ++j) {
      const bool dp = dh[at(j)] || (smooth && s.h[at(j)]);
      through_input(s, 0, j, dp);
      through_state(s.h_prev, 0, j, dp, dh_prev_);
    }
  }

  bool multiplies(Index gate) const { return cell_.uses_gate(gate) || paths_ == Paths::possible; }

  enum LstmGate : Index { i_, f_, g_, o_ };
  const Marks& read_by(const Step& s, Index g) const {
    return cell_.gate_input == GateInput::cell && g != g_ ? s.c_prev : s.h_prev;
  }
  void lstm_forward(Step& s, Index j) {
    if (s.h.empty()) s.h = s.c = none(H_);
    std::array<bool, 4> p;
    for (Index g = 0; g < 4; ++g) p[at(g)] = preactivation(s, g, j, read_by(s, g));
    const bool c_prev = s.c_prev[at(j)];
    if (cell_.peephole) {
      p[i_] = p[i_] || peephole(0, j) || c_prev;
      p[f_] = p[f_] || peephole(1, j) || c_prev;
    }
    const bool f = cell_.forget_gate && p[f_];
    const bool i = cell_.coupled ? f : cell_.input_gate && p[i_];
    const bool c = f || c_prev || i || p[g_];
    if (cell_.peephole) p[o_] = p[o_] || peephole(2, j) || c;
    const bool o = cell_.output_gate && p[o_];
    s.gates[i_][at(j)] = i;
    s.gates[f_][at(j)] = f;
    s.gates[g_][at(j)] = p[g_];
    s.gates[o_][at(j)] = o;
    s.c[at(j)] = c;
    s.h[at(j)] = o || c;
  }
  Marks lstm_backward(const Step& s, const Marks& dh, const Marks& dc_next) {
    Marks dc_prev = none(H_);
    for (Index j = 0; j < H_; ++j) {
      const bool i = s.gates[i_][at(j)], f = s.gates[f_][at(j)], g = s.gates[g_][at(j)],
                 o = s.gates[o_][at(j)], c = s.c[at(j)], c_prev = s.c_prev[at(j)];
      std::array<bool, 4> dp{};
      dp[o_] = cell_.output_gate && (dh[at(j)] || c || o);
      bool dc = dc_next[at(j)] || dh[at(j)] || o || (cell_.output == Activation::tanh && c);
      if (cell_.peephole && multiplies(o_)) dc = dc || dp[o_] || peephole(2, j);
      const bool di = dc || g;
      const bool df = dc || c_prev || (cell_.coupled && di);
      dp[i_] = cell_.uses_gate(i_) && (di || i);
      dp[f_] = cell_.forget_gate && (df || f);
      dp[g_] = dc || i || (cell_.candidate == Activation::tanh && g);
      dc_prev[at(j)] = dc_prev[at(j)] || dc || f;
      constexpr Index gate_of_peephole[] = {i_, f_, o_};
      for (Index k = 0; k < 3; ++k) {
        const Index gate = gate_of_peephole[k];
        if (!cell_.peephole || !multiplies(gate)) continue;
        const bool of_gate = dp[at(gate)];
        if (gate != o_) dc_prev[at(j)] = dc_prev[at(j)] || of_gate || peephole(k, j);
        add(p_.grads.params.weight_peephole(k, j), of_gate || (gate == o_ ? c : c_prev));
      }
      for (Index gate = 0; gate < 4; ++gate) {
        if (!multiplies(gate)) continue;
        const bool from_cell = &read_by(s, gate) == &s.c_prev;
        through_input(s, gate, j, dp[at(gate)]);
        through_state(read_by(s, gate), gate, j, dp[at(gate)], from_cell ? dc_prev : dh_prev_);
      }
    }
    return dc_prev;
  }

  enum GruGate : Index { r_, z_, n_ };
  void gru_forward(Step& s) {
    const bool before = cell_.reset == GruReset::before_matmul;
    s.product = s.h = none(H_);
    for (Index j = 0; j < H_; ++j) {
      for (const Index g : {r_, z_}) s.gates[at(g)][at(j)] = preactivation(s, g, j, s.h_prev);
      s.product[at(j)] =
          before ? s.gates[r_][at(j)] || s.h_prev[at(j)] : from_state(n_, j, s.h_prev);
    }
    for (Index j = 0; j < H_; ++j) {
      const bool recurrent =
          before ? from_state(n_, j, s.product) : s.gates[r_][at(j)] || s.product[at(j)];
      s.gates[n_][at(j)] = from_input(s, n_, j) || recurrent;
      s.h[at(j)] = s.gates[z_][at(j)] || s.h_prev[at(j)] || s.gates[n_][at(j)];
    }
  }
  void gru_backward(const Step& s, const Marks& dh) {
    const bool before = cell_.reset == GruReset::before_matmul;
    Marks d_product = none(H_), dr = none(H_);
    for (Index j = 0; j < H_; ++j) {
      const bool dp = dh[at(j)] || s.gates[z_][at(j)] || s.gates[n_][at(j)];
      through_input(s, n_, j, dp);
      if (before) {
        through_state(s.product, n_, j, dp, d_product);
      } else {
        through_state(s.h_prev, n_, j, dp || s.gates[r_][at(j)], dh_prev_);
        dr[at(j)] = dp || s.product[at(j)];
      }
    }
    for (Index j = 0; j < H_; ++j) {
      const bool r = s.gates[r_][at(j)], z = s.gates[z_][at(j)], h_prev = s.h_prev[at(j)];
      dh_prev_[at(j)] = dh_prev_[at(j)] || dh[at(j)] || z;
      if (before) {
        dh_prev_[at(j)] = dh_prev_[at(j)] || d_product[at(j)] || r;
        dr[at(j)] = d_product[at(j)] || h_prev;
      }
      const bool dp_r = dr[at(j)] || r;
      const bool dp_z = dh[at(j)] || s.gates[n_][at(j)] || h_prev || z;
      for (const auto& [gate, dp] : {std::pair{r_, dp_r}, std::pair{z_, dp_z}}) {
        through_input(s, gate, j, dp);
        through_state(s.h_prev, gate, j, dp, dh_prev_);
      }
    }
  }

  Problem<float>& p_;
  const Cell& cell_;
  Paths paths_;
  Index b_, H_, I_;
  std::vector<Step> steps_;
  Marks dx_, dh_prev_;
};

}  // namespace

void mark_reach(Problem<float>& p, Paths paths) {
  const auto clear = [](const TensorInfo&, const View<float>& view) {
    std::fill(view.begin(), view.end(), 0.0F);
  };
  for_each(p.spec(), p.out, clear);
  for_each(p.spec(), p.grads, clear);
  for (Index b = 0; b < p.spec().shape.B; ++b) {
    Sequence sequence(p, b, paths);
    sequence.forward();
    sequence.backward();
  }
}

}  // namespace bptt::verify
