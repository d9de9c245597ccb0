// The same data gives the same bits: run again, on a plan that has seen other data, beside another
// plan, on a new plan, in buffers that lie elsewhere, on any number of threads.
#include <algorithm>
#include <optional>
#include <thread>

#include "verify/bits.hpp"
#include "verify/inputs.hpp"
#include "verify/layer_model.hpp"
#include "verify/properties/checks.hpp"
#include "verify/properties/trial.hpp"

namespace bptt::verify {
namespace {

/// The inputs and the results of one layer, each `offset` elements behind the start of a cache
/// line.
template <Real T>
class Data {
 public:
  Data(const Spec& spec, std::uint64_t seed, std::vector<Index> lengths, std::size_t offset = 0)
      : problem_(spec) {
    if (spec.lengths) problem_.lengths() = std::move(lengths);
    problem_.in.lengths = problem_.lengths();
    draw_inputs(seed, problem_);
    if (offset > 0) {
      const auto move = [&](auto&... views) { (place(views, offset), ...); };
      auto& p = problem_;
      move(p.params.weight_ih, p.params.weight_hh, p.params.bias_ih, p.params.bias_hh,
           p.params.weight_peephole, p.in.x, p.in.h0, p.in.c0, p.out.y, p.out.hT, p.out.cT,
           p.dout.y, p.dout.hT, p.dout.cT, p.grads.params.weight_ih, p.grads.params.weight_hh,
           p.grads.params.bias_ih, p.grads.params.bias_hh, p.grads.params.weight_peephole,
           p.grads.x, p.grads.h0, p.grads.c0);
    }
  }

  void forward(Plan<T>& plan) { run_forward(plan, problem_); }
  void backward(Plan<T>& plan) {
    plan.backward(problem_.params, problem_.in, problem_.dout, problem_.grads);
  }
  /// The bits of a forward and backward pass into poisoned results.
  Values<T> both(Plan<T>& plan) {
    poison_results(problem_);
    forward(plan);
    backward(plan);
    return results();
  }
  Values<T> results() const {
    Values<T> values;
    for (const auto& [info, view] : result_tensors(problem_)) {
      if (view) values.emplace_back(view.begin(), view.end());
    }
    return values;
  }
  Problem<T>& problem() { return problem_; }

 private:
  void place(View<T>& view, std::size_t offset) {
    if (!view) return;
    auto& moved = moved_.emplace_back(Extents{view.size() + static_cast<Index>(offset)});
    T* const data = moved.view().data() + offset;
    std::copy(view.begin(), view.end(), data);
    view = View<T>(data, view.extents());
  }

  Problem<T> problem_;
  std::vector<Tensor<T>> moved_;
};

enum class Stability { stable, thread_dependent, racy };
constexpr const char* stability_names[] = {"stable", "thread-dependent", "racy"};

template <Real T>
class Determinism final : public PreparedProperty<T> {
 public:
  Determinism(const Spec& spec, const PropertySetup& setup) : spec_(spec), seed_(setup.seed) {
    const LayerModel<T> model(spec, naive_plans<T>(),
                              [&](Problem<T>& p) { p.lengths() = lengths(); });
    layouts_ = result_layouts<T>(model, spec.cell);
  }

  void run(const Backend& backend, const Exec& exec, Result& result) const override {
    // Without the promise as it comes, and with it where it has to be asked for.
    Stability stability = check(backend, exec, result);
    Exec asked = exec;
    asked.same_for_all_threads = true;
    if (!backend.same_for_all_threads(exec) && !refusal(backend, asked, 2)) {
      stability = std::max(stability, check(backend, asked, result));
    }
    result.stability = stability_names[static_cast<int>(stability)];
    for (const Layout& layout : layouts_) result.elements += layout.extents.size();
  }

 private:
  std::vector<Index> lengths() const {
    return spec_.lengths ? tied_lengths(spec_.shape) : std::vector<Index>();
  }
  std::vector<Index> other_lengths() const {
    std::vector<Index> other = lengths();
    std::reverse(other.begin(), other.end());
    if (!other.empty()) other.front() = 0;
    return other;
  }
  std::optional<std::string> refusal(const Backend& backend, Exec exec, int threads) const {
    exec.threads = threads;
    return backend.refusal(spec_, dtype_of<T>, exec);
  }

  /// The class under one Exec; findings where a promise is broken.
  Stability check(const Backend& backend, Exec exec, Result& result) const {
    std::optional<Values<T>> first;
    int first_threads = 0;
    std::vector<Finding> races, differences;
    std::string reason;
    for (const int threads : {1, 2, 3}) {
      if (const auto refused = refusal(backend, exec, threads)) {
        reason = *refused;
        continue;
      }
      exec.threads = threads;
      const Values<T> bits = check_runs(backend, exec, races);
      result.threads = threads;
      if (!first) {
        first = bits;
        first_threads = threads;
        continue;
      }
      compare_bits(layouts_, bits, *first, "thread-counts",
                   "other bits with " + std::to_string(threads) + " threads than with " +
                       std::to_string(first_threads),
                   differences);
    }
    if (!first) throw Error(ErrorKind::unavailable, reason);
    append(races, result);
    if (backend.same_for_all_threads(exec)) append(differences, result);
    return !races.empty()         ? Stability::racy
           : !differences.empty() ? Stability::thread_dependent
                                  : Stability::stable;
  }

  static void append(const std::vector<Finding>& findings, Result& result) {
    result.findings.insert(result.findings.end(), findings.begin(), findings.end());
  }

  /// Everything that one thread count can show. Returns the bits.
  Values<T> check_runs(const Backend& backend, const Exec& exec,
                       std::vector<Finding>& findings) const {
    const auto plan = backend.plan<T>(spec_, exec);
    Data<T> data(spec_, seed_, lengths());
    const Values<T> bits = data.both(*plan);
    const auto compare = [&](const Values<T>& got, const char* check, const char* message) {
      compare_bits(layouts_, got, bits, check, message, findings);
    };
    for (int i = 0; i < repetitions(exec.threads); ++i) {
      const std::size_t before = findings.size();
      compare(data.both(*plan), "rerun", "other bits when the same plan runs again");
      if (findings.size() > before) break;
    }

    Data<T> other(spec_, ~seed_, other_lengths());
    other.both(*plan);
    compare(data.both(*plan), "other-lengths",
            "other bits after data with other values and other lengths on the same plan");

    const auto neighbour = backend.plan<T>(spec_, exec);
    poison_results(data.problem());
    data.forward(*plan);
    other.forward(*neighbour);
    data.backward(*plan);
    other.backward(*neighbour);
    compare(data.results(), "neighbour-plan",
            "other bits where another plan's calls lie between forward and backward");

    poison_results(data.problem());
    other.forward(*plan);
    data.forward(*plan);
    data.backward(*plan);
    compare(data.results(), "second-forward",
            "other bits after a forward pass of other data without a backward pass");

    compare(data.both(*backend.plan<T>(spec_, exec)), "fresh-plan", "other bits on a new plan");
    Data<T> moved(spec_, seed_, lengths(), 1);
    compare(moved.both(*plan), "alignment",
            "other bits where the tensors lie one element off a cache line");
    return bits;
  }

  /// Enough that threads meet in different orders. Where they outnumber the processors, each run
  /// is cut by the system's scheduler (and takes its time slices): fewer do.
  static int repetitions(int threads) {
    return threads <= static_cast<int>(std::thread::hardware_concurrency()) ? 12 : 3;
  }

  Spec spec_;
  std::uint64_t seed_;
  std::vector<Layout> layouts_;
};

}  // namespace

template <Real T>
Prepared<T> prepare_determinism(const Spec& spec, const PropertySetup& setup) {
  return std::make_unique<Determinism<T>>(spec, setup);
}
template Prepared<float> prepare_determinism(const Spec&, const PropertySetup&);
template Prepared<double> prepare_determinism(const Spec&, const PropertySetup&);

}  // namespace bptt::verify
