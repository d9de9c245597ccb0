#include "verify/shape_truth.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

#include "impls/net/stack_params.hpp"
#include "impls/net/stack_problem.hpp"
#include "verify/inputs.hpp"
#include "verify/random_values.hpp"
#include "verify/result.hpp"
#include "verify/subjects.hpp"
#include "verify/tensor_list.hpp"

namespace bptt::verify {
namespace {

/// A tensor with the batch as its last axis but one, [T,B,n] or [L*D,B,n], row by row.
template <class T>
class Rows {
 public:
  explicit Rows(const View<T>& view)
      : data_(view.data()),
        n_(view.extents()[view.extents().rank() - 1]),
        B_(view.extents()[view.extents().rank() - 2]),
        blocks_(view.size() / (n_ * B_)) {}
  Index blocks() const { return blocks_; }
  Index batch() const { return B_; }
  std::span<T> operator()(Index block, Index b) const {
    return {data_ + (block * B_ + b) * n_, static_cast<std::size_t>(n_)};
  }

 private:
  T* data_;
  Index n_, B_, blocks_;
};

/// Visits every parameter and every other tensor that is given, in the order in which a network
/// lists them.
template <Real T, class VisitParameter, class VisitBatched>
void for_each_given(const StackSpec& spec, const Candidate<T>& c, VisitParameter parameter,
                    VisitBatched batched) {
  const std::vector<Params<T>> params(c.params.begin(), c.params.end());
  net::for_each_parameter(
      spec, params, [&](const std::string&, const TensorInfo&, const View<T>& v) { parameter(v); });
  const auto visit = [&](const TensorInfo& info, const View<T>& view) {
    if (view) batched(info, view);
  };
  for_each(spec, c.in, visit);
  for_each(spec, c.dout, visit);
}

/// The same of results: outputs, then gradients.
template <Real T, class VisitParameter, class VisitBatched>
void for_each_result(const StackSpec& spec, const Candidate<T>& c, VisitParameter parameter,
                     VisitBatched batched) {
  const auto outputs = [&](const TensorInfo& info, const View<T>& view) {
    if (view) batched(info, view, false);
  };
  for_each(spec, c.out, outputs);
  const std::vector<Params<T>> params(c.grads.params.begin(), c.grads.params.end());
  net::for_each_parameter(
      spec, params, [&](const std::string&, const TensorInfo&, const View<T>& v) { parameter(v); });
  const auto gradients = [&](const TensorInfo& info, const View<T>& view) {
    if (view) batched(info, view, true);
  };
  for_each(spec, Inputs<T>{c.grads.x, c.grads.h0, c.grads.c0, {}}, gradients);
}

/// Inputs of the sampled rows.
template <Real T>
Given draw_rows(const Subject& subject, const ShapePart& part, std::uint64_t seed) {
  const StackSpec small = part.spec_of_rows();
  // Of a deep network: the reference knows units on a kink, should a few draws not avoid them.
  constexpr int tries = 6;
  if (!small.is_single()) return draw_model<T>(subject, seed, tries);
  // Kinks of a layer can be kept away step by step, which takes less time than drawing all anew.
  Problem<T> problem(small.layer_spec(0));
  problem.lengths() = part.lengths_of_rows();
  problem.in.lengths = problem.lengths();
  draw_inputs(seed, problem);
  Given given;
  for (const auto& [info, view] : verify::given_tensors(problem)) {
    if (view) given.values.emplace_back(view.begin(), view.end());
  }
  return given;
}

/// Takes what is wrong, or how far off it is, into a check.
void take(AtShape& check, double error, const Place& place, double got, double expected) {
  if (error <= check.max_error) return;
  check.max_error = error;
  char values[96];
  std::snprintf(values, sizeof values, ": got %.9g, expected %.9g", got, expected);
  if (error > 1) check.note = to_string(place) + values;
}

}  // namespace

template <Real T>
ShapeTruth<T>::ShapeTruth(ShapePart part, std::uint64_t seed)
    : part_(std::move(part)),
      seed_(seed),
      subject_(network_subject({part_.spec_of_rows()}, part_.lengths_of_rows())),
      reference_(make_reference<T>(*subject_, draw_rows<T>(*subject_, part_, seed), seed,
                                   Rounding::shared, part_.runs)) {}

template <Real T>
std::size_t ShapeTruth<T>::bytes() const {
  return 3 * net::StackProblem<Wider<T>>::bytes(part_.spec_of_rows());
}

template <Real T>
void ShapeTruth<T>::fill(const Candidate<T>& c) const {
  auto values = reference_.given.values.begin();
  const auto parameter = [&](const View<T>& view) {
    std::transform(values->begin(), values->end(), view.begin(),
                   [](double value) { return static_cast<T>(value); });
    ++values;
  };
  const auto batched = [&](const TensorInfo&, const View<T>& view) {
    const Rows<T> all(view);
    const double* next = values->data();
    for (Index block = 0; block < all.blocks(); ++block) {
      for (const Index row : part_.rows) {
        for (T& value : all(block, row)) value = static_cast<T>(*next++);
      }
    }
    ++values;
  };
  for_each_given(part_.spec, c, parameter, batched);
  fill_other_rows(c);
}

template <Real T>
void ShapeTruth<T>::fill_other_rows(const Candidate<T>& c) const {
  net::Random random(seed_, hash_of("other rows"));
  const auto batched = [&](const TensorInfo& info, const View<T>& view) {
    const bool upstream = info.base_name.starts_with("d");
    const bool over_time = info.base_name == "x";
    const Rows<T> all(view);
    for (Index block = 0; block < all.blocks(); ++block) {
      for (Index b = 0; b < all.batch(); ++b) {
        if (part_.has_row(b)) continue;
        const bool padding = over_time && !part_.lengths.empty() &&
                             block >= part_.lengths[static_cast<std::size_t>(b)];
        for (T& value : all(block, b)) {
          value = upstream  ? T(0)
                  : padding ? std::numeric_limits<T>::quiet_NaN()
                            : static_cast<T>(spread(random));
        }
      }
    }
  };
  for_each_given(
      part_.spec, c, [](const View<T>&) {}, batched);
}

template <Real T>
AtShape ShapeTruth<T>::judge(const Candidate<T>& c) const {
  constexpr double infinite = std::numeric_limits<double>::infinity();
  AtShape check;
  Values<T> got;
  const auto parameter = [&](const View<T>& view) { got.emplace_back(view.begin(), view.end()); };
  // Rows without upstream gradients: gradients exactly zero, everything else finite.
  const auto batched = [&](const TensorInfo& info, const View<T>& view, bool gradient) {
    auto& of_rows = got.emplace_back();
    const Rows<T> all(view);
    bool good = true;
    for (Index block = 0; block < all.blocks(); ++block) {
      for (const Index row : part_.rows) {
        const auto values = all(block, row);
        of_rows.insert(of_rows.end(), values.begin(), values.end());
      }
      for (Index b = 0; b < all.batch() && good; ++b) {
        if (part_.has_row(b)) continue;
        const auto values = all(block, b);
        const auto bad = std::find_if_not(values.begin(), values.end(), [&](T value) {
          return gradient ? value == T(0) : std::isfinite(value);
        });
        if (bad == values.end()) continue;
        good = false;
        Place place;
        place.tensor = (gradient ? "grad." : "") + std::string(info.base_name);
        place.index = &*bad - view.data();
        if (info.base_name == "x" || info.base_name == "y") place.time = block;
        place.batch = b;
        place.column = bad - values.begin();
        take(check, infinite, place, static_cast<double>(*bad), 0);
      }
    }
  };
  for_each_result(part_.spec, c, parameter, batched);

  Result result;
  compare_all(reference_, got, result);
  for (const Finding& finding : result.findings) {
    const bool exact = finding.error == 0;  // what has to be zero is not
    take(check, exact ? infinite : finding.error / error_limit, finding.place, finding.got,
         finding.expected);
  }
  check.max_error = std::max(check.max_error, result.worst / error_limit);
  if (!(check.max_error <= 1)) {
    check.status = AtShape::Status::failed;
  } else if (!part_.is_full()) {
    check.status = AtShape::Status::reduced;
    check.note = part_.reduction();
  }
  return check;
}

template class ShapeTruth<float>;
template class ShapeTruth<double>;

}  // namespace bptt::verify
