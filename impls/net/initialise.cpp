#include "impls/net/initialise.hpp"

#include <algorithm>
#include <cmath>
#include <complex>
#include <vector>

#include "impls/api/names.hpp"

namespace bptt::net {
namespace {

constexpr Named<Init> inits[] = {{Init::uniform, "uniform"},
                                 {Init::xavier, "xavier"},
                                 {Init::orthogonal, "orthogonal"},
                                 {Init::identity, "identity"}};

template <Scalar T>
T as_f32(double value) {
  return static_cast<T>(static_cast<float>(value));
}

template <Scalar T>
void fill_within(View<T> values, double bound, Random& random) {
  for (T& value : values) value = as_f32<T>(random.uniform(-bound, bound));
}

/// Makes the rows orthonormal, one after the other. Twice over, because what rounding leaves of the
/// earlier rows in a row that was nearly among them is large beside what is left of it.
void orthonormalise_rows(std::vector<double>& matrix, Index rows, Index columns) {
  const auto row = [&](Index r) { return matrix.data() + r * columns; };
  const auto dot = [&](const double* a, const double* b) {
    double sum = 0;
    for (Index j = 0; j < columns; ++j) sum += a[j] * b[j];
    return sum;
  };
  for (Index r = 0; r < rows; ++r) {
    for (int pass = 0; pass < 2; ++pass) {
      for (Index k = 0; k < r; ++k) {
        const double share = dot(row(r), row(k));
        for (Index j = 0; j < columns; ++j) row(r)[j] -= share * row(k)[j];
      }
      const double norm = std::sqrt(dot(row(r), row(r)));
      for (Index j = 0; j < columns; ++j) row(r)[j] /= norm;
    }
  }
}

/// One matrix of weights, [rows,columns].
template <Scalar T>
void fill_weights(View<T> matrix, Init init, Index fan, Random& random) {
  const Extents& e = matrix.extents();
  switch (init) {
    case Init::uniform:
      return fill_uniform(matrix, fan, random);
    case Init::xavier:
      return fill_within(matrix, std::sqrt(6.0 / static_cast<double>(e[0] + e[1])), random);
    case Init::orthogonal:
      return fill_orthogonal(matrix, random);
    case Init::identity:
      return fill_normal(matrix, 0.001, random);
  }
}

template <Scalar T>
void fill_bias(View<T> bias, Init init, Index fan, Random& random) {
  if (init == Init::uniform) return fill_uniform(bias, fan, random);
  std::fill(bias.begin(), bias.end(), T{});
}

template <Scalar T>
void fill_identity(View<T> matrix) {
  std::fill(matrix.begin(), matrix.end(), T{});
  for (Index k = 0; k < matrix.extents()[0]; ++k) matrix(k, k) = T{1};
}

/// fill(block) of every gate's rows.
template <Scalar T, class Fill>
void for_each_gate(View<T> weights, Index H, Fill fill) {
  const Index columns = weights.extents()[1];
  for (Index row = 0; row < weights.extents()[0]; row += H) {
    fill(View<T>(weights.data() + row * columns, {H, columns}));
  }
}

}  // namespace

std::string_view name_of(Init init) {
  return name_in(inits, init);
}
Init parse_init(std::string_view name) {
  return parse_in(inits, "init", name);
}

template <Scalar T>
void fill_uniform(View<T> values, Index fan, Random& random) {
  fill_within(values, 1 / std::sqrt(static_cast<double>(fan)), random);
}

template <Scalar T>
void fill_normal(View<T> values, double deviation, Random& random) {
  for (T& value : values) value = as_f32<T>(deviation * random.normal());
}

template <Scalar T>
void fill_orthogonal(View<T> matrix, Random& random) {
  const Index rows = matrix.extents()[0], columns = matrix.extents()[1];
  const bool wide = rows <= columns;
  const Index few = wide ? rows : columns, many = wide ? columns : rows;
  std::vector<double> drawn(static_cast<std::size_t>(matrix.size()));
  for (double& value : drawn) value = random.normal();
  orthonormalise_rows(drawn, few, many);
  for (Index i = 0; i < rows; ++i) {
    for (Index j = 0; j < columns; ++j) {
      matrix(i, j) = as_f32<T>(drawn[static_cast<std::size_t>(wide ? i * many + j : j * many + i)]);
    }
  }
}

template <Scalar T>
void initialise(const Spec& spec, const Params<T>& params, Random& random,
                std::optional<double> forget_bias, Init init) {
  const Index H = spec.shape.H;
  for_each_gate(params.weight_ih, H, [&](View<T> block) { fill_weights(block, init, H, random); });
  for_each_gate(params.weight_hh, H, [&](View<T> block) {
    if (init == Init::identity) return fill_identity(block);
    fill_weights(block, init, H, random);
  });
  fill_bias(params.bias_ih, init, H, random);
  fill_bias(params.bias_hh, init, H, random);
  fill_uniform(params.weight_peephole, H, random);
  if (!forget_bias || !spec.cell.bias) return;
  for (Index g = 0; g < spec.cell.gates(); ++g) {
    if (spec.cell.gate_name(g) != "f") continue;
    std::fill_n(params.bias_ih.data() + g * H, H, as_f32<T>(*forget_bias));
    std::fill_n(params.bias_hh.data() + g * H, H, T{});
  }
}

template <Scalar T>
void initialise_dense(View<T> weight, View<T> bias, Random& random, Init init) {
  const Index fan = weight.extents()[1];
  fill_weights(weight, init == Init::identity ? Init::xavier : init, fan, random);
  fill_bias(bias, init, fan, random);
}

#define BPTT_INSTANTIATE(T)                                                                  \
  template void fill_uniform<T>(View<T>, Index, Random&);                                    \
  template void fill_normal<T>(View<T>, double, Random&);                                    \
  template void fill_orthogonal<T>(View<T>, Random&);                                        \
  template void initialise<T>(const Spec&, const Params<T>&, Random&, std::optional<double>, \
                              Init);                                                         \
  template void initialise_dense<T>(View<T>, View<T>, Random&, Init);
BPTT_INSTANTIATE(float)
BPTT_INSTANTIATE(double)
BPTT_INSTANTIATE(long double)
BPTT_INSTANTIATE(std::complex<double>)
#undef BPTT_INSTANTIATE

}  // namespace bptt::net
