// What moves parameters against their gradients: stochastic gradient descent with momentum, Adam,
// and clipping by the global norm.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "impls/api/scalar.hpp"
#include "impls/api/view.hpp"

namespace bptt::net {

/// The Euclidean norm of all gradients taken as one vector, summed in double.
template <Real T>
double global_norm(std::span<const View<T>> grads);

/// Scales all gradients by largest/norm where their global norm exceeds `largest` (Pascanu,
/// Mikolov, Bengio 2013). Returns the norm before. A norm that is not finite leaves the gradients
/// alone.
template <Real T>
double clip_by_global_norm(std::span<const View<T>> grads, double largest);

enum class OptimizerKind { sgd, adam };

/// Options of the other kind keep their defaults.
struct OptimizerOptions {
  OptimizerKind kind = OptimizerKind::sgd;
  double momentum = 0;    ///< sgd, in [0,1)
  double beta1 = 0.9;     ///< adam, in [0,1)
  double beta2 = 0.999;   ///< adam, in [0,1)
  double epsilon = 1e-8;  ///< adam, above 0
  bool operator==(const OptimizerOptions&) const = default;
};

/// Parses `kind[:option=value]...`: "sgd", "sgd:momentum=0.9", "adam:beta1=0.8:epsilon=1e-6".
/// Throws Error(usage) that names the word, and what would have been understood.
OptimizerOptions parse_optimizer(std::string_view text);
/// The inverse; options at their default are left out.
std::string to_string(const OptimizerOptions&);

/// sgd    v = momentum v + g,  p -= rate v  (v starts at 0; PyTorch's form)
/// adam   m = beta1 m + (1-beta1) g,  v = beta2 v + (1-beta2) g^2,
///        p -= rate (m / (1-beta1^n)) / (sqrt(v / (1-beta2^n)) + epsilon)  at step n = 1, 2, ...
///        (Kingma and Ba 2015, Algorithm 1)
/// Stepping allocates nothing.
template <Real T>
class Optimizer {
 public:
  /// `params` are views of what is to be moved; they must outlive the optimizer.
  Optimizer(const OptimizerOptions&, std::span<const View<T>> params);

  /// Throws Error(usage) where the gradients do not pair up with the parameters.
  void step(std::span<const View<T>> grads, double rate);

  /// What it holds beside the parameters.
  std::size_t bytes() const { return (first_.size() + second_.size()) * sizeof(T); }
  static std::size_t bytes(const OptimizerOptions&, Index parameters);

 private:
  void check(std::span<const View<T>> grads) const;

  OptimizerOptions options_;
  std::vector<View<T>> params_;
  std::vector<T> first_, second_;   ///< running means, of all parameters in a row
  double power1_ = 1, power2_ = 1;  ///< beta1^n, beta2^n
};

}  // namespace bptt::net
