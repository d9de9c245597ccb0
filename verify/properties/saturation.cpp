// Preactivations far beyond where sigmoid and tanh are flat, weights many orders of magnitude from
// 1: against the reference in the next higher precision, in its units.
//
// Saturated and ordinary units stand side by side in every slice: the unit of a saturated one,
// where naive errs by next to nothing, is then what its neighbours' errors make of it. A slice
// whose signal has gone (every unit saturated) is no reason for doubt here.
#include <algorithm>
#include <cmath>

#include "verify/properties/checks.hpp"
#include "verify/properties/trial.hpp"
#include "verify/subjects.hpp"

namespace bptt::verify {
namespace {

/// A layer with changed inputs, against the reference.
template <Real T>
class AgainstReference final : public PreparedProperty<T> {
 public:
  AgainstReference(std::string check, std::string message)
      : check_(std::move(check)), message_(std::move(message)) {}

  void add(const std::string& what, const std::shared_ptr<const Subject>& subject,
           const Given& given, std::uint64_t seed) {
    trials_.push_back({what, Trial<T>(subject, given, seed)});
  }

  void run(const Backend& backend, const Exec& exec, Result& result) const override {
    for (const auto& [what, trial] : trials_) {
      compare_with_reference<T>(check_, what + message_, trial,
                                run_on<T>(backend, exec, *trial.subject, trial.ref.given), result);
    }
    result.inconclusive_slices = 0;
  }

 private:
  struct Changed {
    std::string what;
    Trial<T> trial;
  };
  std::string check_, message_;
  std::vector<Changed> trials_;
};

std::shared_ptr<const Subject> layer(const Spec& spec, const PropertySetup& setup) {
  return setup(layer_subject(spec, spec.lengths ? tied_lengths(spec.shape) : std::vector<Index>()));
}

std::vector<double>& values_of(const std::vector<Layout>& layouts, Given& given,
                               std::string_view name) {
  return given.values[static_cast<std::size_t>(find_tensor(layouts, name))];
}

}  // namespace

template <Real T>
Prepared<T> prepare_saturation(const Spec& spec, const PropertySetup& setup) {
  auto check = std::make_unique<AgainstReference<T>>("saturation", "");
  const auto subject = layer(spec, setup);
  const auto layouts = given_layouts(*subject);
  const Given drawn = subject->draw(setup.seed, dtype_of<T>);
  for (const double size : {20.0, 100.0, 1e4}) {
    Given given = drawn;
    // Both signs in every gate, two units in five; another two in the next gate.
    auto& bias = values_of(layouts, given, "bias_ih_l0");
    for (std::size_t row = 0; row < bias.size(); ++row) {
      const auto gate = static_cast<Index>(row) / spec.shape.H;
      const bool squashed =
          spec.cell.kind != CellKind::lstm || gate != 2 || spec.cell.candidate == Activation::tanh;
      const std::size_t turn = (row + 2 * static_cast<std::size_t>(gate)) % 5;
      if (squashed && turn < 2) bias[row] += turn == 0 ? size : -size;
    }
    check->add("preactivations of +-" + number_text(size) + " in two units of five", subject, given,
               setup.seed);
  }
  Given given = drawn;
  auto& x = values_of(layouts, given, "x");
  const Index row = spec.shape.B * spec.shape.I;
  for (std::size_t e = 0; e < x.size(); ++e) {
    if (static_cast<Index>(e) % row < spec.shape.I) x[e] *= 64;
  }
  check->add("x of the first sequence 64 times as large", subject, given, setup.seed);
  return check;
}

template <Real T>
Prepared<T> prepare_extreme_weights(const Spec& spec, const PropertySetup& setup) {
  auto check = std::make_unique<AgainstReference<T>>("extreme-weights", "");
  const auto subject = layer(spec, setup);
  const auto layouts = given_layouts(*subject);
  const Given drawn = subject->draw(setup.seed, dtype_of<T>);
  // Tiny: a product of two of them is still a normal number, and so is its square as an error in
  // double. Huge: only where the cell squashes what comes out.
  constexpr int tiny = sizeof(T) == 4 ? -40 : -200;
  constexpr int huge = sizeof(T) == 4 ? 30 : 100;
  const bool squashes =
      spec.cell.kind == CellKind::rnn
          ? spec.cell.activation == Activation::tanh || spec.cell.activation == Activation::sigmoid
          : spec.cell.candidate == Activation::tanh && spec.cell.output == Activation::tanh &&
                spec.cell.gate_input == GateInput::hidden;
  for (const int exponent : {tiny, huge}) {
    if (exponent == huge && !squashes) continue;
    Given given = drawn;
    for (std::size_t i = 0; i < layouts.size(); ++i) {
      if (!layouts[i].name.starts_with("weight") && !layouts[i].name.starts_with("bias")) continue;
      for (double& value : given.values[i]) value = std::ldexp(value, exponent);
    }
    check->add("all parameters times 2^" + std::to_string(exponent), subject, given, setup.seed);
  }
  return check;
}

#define BPTT_INSTANTIATE(T)                                                   \
  template Prepared<T> prepare_saturation(const Spec&, const PropertySetup&); \
  template Prepared<T> prepare_extreme_weights(const Spec&, const PropertySetup&)
BPTT_INSTANTIATE(float);
BPTT_INSTANTIATE(double);
#undef BPTT_INSTANTIATE

}  // namespace bptt::verify
