#include "verify/flow/initialisations.hpp"

#include <algorithm>
#include <optional>

#include "impls/net/initialise.hpp"
#include "verify/flow/norms.hpp"

namespace bptt::verify::flow {
namespace {

constexpr double remembering_bias = 2;

/// Every gate's block normal, scaled to the radius.
template <Real T>
void fill_with_radius(double radius, const Spec& spec, const View<T>& w, net::Random& random) {
  const Index H = spec.shape.H;
  std::vector<double> block(static_cast<std::size_t>(H * H));
  for (Index gate = 0; gate < spec.cell.gates(); ++gate) {
    for (double& value : block) value = random.normal();
    const double scale = radius / spectral_radius({block.data(), {H, H}});
    std::transform(block.begin(), block.end(), &w(gate * H, 0),
                   [&](double value) { return static_cast<T>(scale * value); });
  }
}

/// The GRU's update gate, such that the old state is what is kept.
template <Real T>
void remember(const Spec& spec, const Params<T>& params) {
  if (spec.cell.kind != CellKind::gru || !spec.cell.bias) return;
  const Index H = spec.shape.H, z = 1;
  const double bias = spec.cell.update == GruUpdate::take ? -remembering_bias : remembering_bias;
  std::fill_n(params.bias_ih.data() + z * H, H, static_cast<T>(bias));
  std::fill_n(params.bias_hh.data() + z * H, H, T(0));
}

}  // namespace

const std::vector<Initialisation>& initialisations() {
  static const std::vector<Initialisation> all = {
      {"uniform"},         {"orthogonal"},      {"identity"},
      {"radius=0.5", 0.5}, {"radius=0.9", 0.9}, {"radius=1.0", 1.0},
      {"radius=1.1", 1.1}, {"radius=1.5", 1.5}, {"remember"},
  };
  return all;
}

bool applies_to(const Initialisation& initialisation, const Cell& cell) {
  return initialisation.name != "remember" || (cell.kind != CellKind::rnn && cell.bias);
}

template <Real T>
void fill(const Initialisation& initialisation, const Spec& spec, const Params<T>& params,
          net::Random& random) {
  const bool remembers = initialisation.name == "remember";
  const bool has_radius = initialisation.radius > 0;
  // What the table does not set otherwise is that of `orthogonal`, whose biases are zero.
  const net::Init init = remembers    ? net::Init::uniform
                         : has_radius ? net::Init::orthogonal
                                      : net::parse_init(initialisation.name);
  net::initialise(spec, params, random,
                  remembers ? std::optional<double>(remembering_bias) : std::nullopt, init);
  if (remembers) remember(spec, params);
  if (has_radius) fill_with_radius(initialisation.radius, spec, params.weight_hh, random);
}

template void fill<float>(const Initialisation&, const Spec&, const Params<float>&, net::Random&);
template void fill<double>(const Initialisation&, const Spec&, const Params<double>&, net::Random&);

}  // namespace bptt::verify::flow
