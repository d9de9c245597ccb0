#include "verify/at_shape.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

#include "impls/net/stack_problem.hpp"
#include "verify/shape_truth.hpp"

namespace bptt::verify {
namespace {

struct StatusRow {
  AtShape::Status status;
  std::string_view name;
};
constexpr StatusRow statuses[] = {{AtShape::Status::full, "full"},
                                  {AtShape::Status::reduced, "reduced"},
                                  {AtShape::Status::failed, "failed"}};

// What is remembered of former cases together. A composed stack has two different layers, and is
// checked as a whole after it was timed.
constexpr std::size_t most_known = 3, most_known_bytes = 400'000'000;

/// What tells one truth from another.
std::string key_of(const ShapePart& part, Dtype dtype, std::uint64_t seed) {
  std::string key = std::string(name_of(dtype)) + " " + std::to_string(seed) + " " +
                    to_string(part.spec) + " rows";
  for (const Index row : part.rows) key += " " + std::to_string(row);
  key += " lengths";
  for (const Index length : part.lengths_of_rows()) key += " " + std::to_string(length);
  return key + " of B=" + std::to_string(part.asked.shape.B);
}

/// NaN in every result, so that an element which a plan does not write, or adds to, shows.
template <Real T>
void poison(const StackSpec& spec, const net::StackProblem<T>& p) {
  const auto fill = [](const View<T>& view) {
    std::fill(view.begin(), view.end(), std::numeric_limits<T>::quiet_NaN());
  };
  const auto visit = [&](const TensorInfo&, const View<T>& view) { fill(view); };
  for_each(spec, p.out, visit);
  for_each(spec, Inputs<T>{p.grads.x, p.grads.h0, p.grads.c0, {}}, visit);
  const std::vector<Params<T>> params(p.grads.params.begin(), p.grads.params.end());
  net::for_each_parameter(
      spec, params, [&](const std::string&, const TensorInfo&, const View<T>& v) { fill(v); });
}

/// A problem's tensors for a plan of the stack.
template <Real T>
Candidate<T> candidate_of(net::StackProblem<T>& p, net::Stack<T>& stack,
                          std::span<const Index> lengths) {
  p.in.lengths = lengths;
  return {p.params(), p.in, p.out, p.dout, p.grads, [&p, &stack] {
            stack.forward(p.params_to_read(), p.in, p.out);
            stack.backward(p.params_to_read(), p.in, p.dout, p.grads);
          }};
}

template <Real T>
AtShape check_new_plan(const Backend& backend, const Exec& exec, const ShapeTruth<T>& truth) {
  const ShapePart& part = truth.part();
  net::Stack<T> stack(part.spec, net::PlanMaker<T>(backend, exec));
  net::StackProblem<T> problem(part.spec);
  const Candidate<T> candidate = candidate_of(problem, stack, part.lengths);
  truth.fill(candidate);
  poison(part.spec, problem);
  candidate.run();
  return truth.judge(candidate);
}

}  // namespace

std::string_view name_of(AtShape::Status status) {
  return std::find_if(std::begin(statuses), std::end(statuses),
                      [status](const StatusRow& row) { return row.status == status; })
      ->name;
}

template <Real T>
std::shared_ptr<const ShapeTruth<T>> ShapeChecks::truth(const StackSpec& spec, std::uint64_t seed,
                                                        std::span<const Index> lengths) {
  spec.validate();
  ShapePart part = part_of(spec, dtype_of<T>, lengths);
  const std::string key = key_of(part, dtype_of<T>, seed) + " asked " + to_string(part.asked);
  for (const Known& known : known_) {
    if (known.key == key) return std::static_pointer_cast<const ShapeTruth<T>>(known.truth);
  }
  auto made = std::make_shared<const ShapeTruth<T>>(std::move(part), seed);
  const auto held = [&] {
    return std::accumulate(known_.begin(), known_.end(), made->bytes(),
                           [](std::size_t sum, const Known& known) { return sum + known.bytes; });
  };
  while (!known_.empty() && (known_.size() >= most_known || held() > most_known_bytes)) {
    known_.erase(known_.begin());
  }
  known_.push_back({key, made->bytes(), made});
  return made;
}

AtShape ShapeChecks::check(const Backend& backend, const StackSpec& spec, Dtype dtype,
                           const Exec& exec, std::uint64_t seed, std::span<const Index> lengths) {
  if (const auto reason = net::stack_refusal(backend, spec, dtype, exec)) {
    throw Error(ErrorKind::unavailable,
                std::string(backend.name()) + " refuses " + to_string(spec) + ": " + *reason);
  }
  return dispatch(dtype, [&]<class T>(std::type_identity<T>) {
    return check_new_plan<T>(backend, exec, *truth<T>(spec, seed, lengths));
  });
}

template <Real T>
std::optional<AtShape> ShapeChecks::check(const Candidate<T>& candidate, const StackSpec& spec,
                                          std::uint64_t seed, std::span<const Index> lengths) {
  if (!part_of(spec, dtype_of<T>, lengths).is_full()) return std::nullopt;
  const auto of_case = truth<T>(spec, seed, lengths);
  of_case->fill(candidate);
  candidate.run();
  return of_case->judge(candidate);
}
template std::optional<AtShape> ShapeChecks::check(const Candidate<float>&, const StackSpec&,
                                                   std::uint64_t, std::span<const Index>);
template std::optional<AtShape> ShapeChecks::check(const Candidate<double>&, const StackSpec&,
                                                   std::uint64_t, std::span<const Index>);

AtShape check_at_shape(const Backend& backend, const Spec& spec, Dtype dtype, const Exec& exec,
                       std::uint64_t seed, std::span<const Index> lengths) {
  const StackSpec single{.cell = spec.cell, .shape = spec.shape, .lengths = spec.lengths};
  return ShapeChecks().check(backend, single, dtype, exec, seed, lengths);
}

}  // namespace bptt::verify
