#include "verify/textbook/naive_gradient.hpp"

#include <algorithm>

#include "impls/api/tensor.hpp"
#include "impls/naive/naive.hpp"

namespace bptt::verify::textbook {
namespace {

void copy_in(const Named<double>& from, const std::string& name, double* to) {
  if (!from.has(name)) return;
  const auto& values = from[name].values();
  std::copy(values.begin(), values.end(), to);
}

Real copy_out(const double* from, Index rows, Index columns) {
  Real result(rows, columns);
  std::copy_n(from, rows * columns, result.values().data());
  return result;
}

}  // namespace

NaiveRun run_naive(const CellNames& names, int steps, const Named<double>& given,
                   const Named<double>& upstream) {
  Spec spec;
  spec.cell = parse_cell(names.cell);
  const Real& U = given["U" + names.gates.front()];
  const Index H = U.rows(), I = U.columns();
  spec.shape = {steps, 1, I, H};
  Problem<double> p(spec);
  for (std::size_t g = 0; g < names.gates.size(); ++g) {
    const Index row = static_cast<Index>(g) * H;
    copy_in(given, "W" + names.gates[g], &p.params.weight_hh(row, 0));
    copy_in(given, "U" + names.gates[g], &p.params.weight_ih(row, 0));
    if (p.params.bias_ih) copy_in(given, "b" + names.gates[g], &p.params.bias_ih[row]);
  }
  copy_in(given, at(names.state, 0), p.in.h0.data());
  if (p.in.c0) copy_in(given, at(names.memory, 0), p.in.c0.data());
  for (int t = 1; t <= steps; ++t) {
    copy_in(given, at("x", t), &p.in.x(t - 1, 0, 0));
    copy_in(upstream, at(names.state, t), &p.dout.y(t - 1, 0, 0));
  }

  const auto plan = naive::make_plan<double>(spec);
  plan->forward(p.params, p.in, p.out);
  plan->backward(p.params, p.in, p.dout, p.grads);

  NaiveRun run;
  for (std::size_t g = 0; g < names.gates.size(); ++g) {
    const Index row = static_cast<Index>(g) * H;
    run.gradient["W" + names.gates[g]] = copy_out(&p.grads.params.weight_hh(row, 0), H, H);
    run.gradient["U" + names.gates[g]] = copy_out(&p.grads.params.weight_ih(row, 0), H, I);
    if (p.params.bias_ih) {
      run.gradient["b" + names.gates[g]] = copy_out(&p.grads.params.bias_ih[row], H, 1);
    }
  }
  run.gradient[at(names.state, 0)] = copy_out(p.grads.h0.data(), H, 1);
  if (p.grads.c0) run.gradient[at(names.memory, 0)] = copy_out(p.grads.c0.data(), H, 1);
  for (int t = 1; t <= steps; ++t) {
    run.forward[at(names.state, t)] = copy_out(&p.out.y(t - 1, 0, 0), H, 1);
    if (given.has(at("x", t))) {
      run.gradient[at("x", t)] = copy_out(&p.grads.x(t - 1, 0, 0), I, 1);
    }
  }
  return run;
}

}  // namespace bptt::verify::textbook
