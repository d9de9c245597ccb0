#include "impls/net/optimizer.hpp"

#include <charconv>
#include <cmath>

#include "impls/api/names.hpp"

namespace bptt::net {
namespace {

constexpr Named<OptimizerKind> kinds[] = {{OptimizerKind::sgd, "sgd"},
                                          {OptimizerKind::adam, "adam"}};

struct Option {
  OptimizerKind kind;
  std::string_view name;
  double OptimizerOptions::*member;
  bool below_one;  ///< in [0,1); otherwise above 0
};
constexpr Option option_table[] = {
    {OptimizerKind::sgd, "momentum", &OptimizerOptions::momentum, true},
    {OptimizerKind::adam, "beta1", &OptimizerOptions::beta1, true},
    {OptimizerKind::adam, "beta2", &OptimizerOptions::beta2, true},
    {OptimizerKind::adam, "epsilon", &OptimizerOptions::epsilon, false},
};

[[noreturn]] void fail(std::string_view text, const std::string& message) {
  throw Error(ErrorKind::usage, "optimizer '" + std::string(text) + "': " + message);
}

void apply(OptimizerOptions& options, std::string_view text, std::string_view word) {
  const auto equals = word.find('=');
  std::string known;
  for (const Option& option : option_table) {
    if (option.kind != options.kind) continue;
    known += (known.empty() ? "" : ", ") + std::string(option.name) + "=NUMBER";
    if (equals == std::string_view::npos || option.name != word.substr(0, equals)) continue;
    const std::string_view digits = word.substr(equals + 1);
    const char* const end = digits.data() + digits.size();
    double value = 0;
    const auto [stop, error] = std::from_chars(digits.data(), end, value);
    const bool fits = option.below_one ? value >= 0 && value < 1 : value > 0;
    if (error != std::errc() || stop != end || !std::isfinite(value) || !fits) {
      fail(text, std::string(option.name) + ": expected a number " +
                     (option.below_one ? "in [0,1)" : "above 0") + "; got '" + std::string(digits) +
                     "'");
    }
    options.*option.member = value;
    return;
  }
  fail(text, "option '" + std::string(word) + "' is not known; " +
                 std::string(name_in(kinds, options.kind)) + " takes: " + known);
}

}  // namespace

OptimizerOptions parse_optimizer(std::string_view text) {
  OptimizerOptions options;
  auto colon = text.find(':');
  options.kind = parse_in(kinds, "optimizer", text.substr(0, colon));
  while (colon != std::string_view::npos) {
    const auto next = text.find(':', colon + 1);
    apply(options, text, text.substr(colon + 1, next - colon - 1));
    colon = next;
  }
  return options;
}

std::string to_string(const OptimizerOptions& options) {
  std::string text(name_in(kinds, options.kind));
  for (const Option& option : option_table) {
    const double value = options.*option.member;
    if (value == OptimizerOptions().*option.member) continue;
    char digits[32];
    text += ":" + std::string(option.name) + "=" +
            std::string(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
  }
  return text;
}

template <Real T>
double global_norm(std::span<const View<T>> grads) {
  double sum = 0;
  for (const View<T>& grad : grads) {
    for (const T value : grad) sum += static_cast<double>(value) * static_cast<double>(value);
  }
  return std::sqrt(sum);
}

template <Real T>
double clip_by_global_norm(std::span<const View<T>> grads, double largest) {
  const double norm = global_norm(grads);
  if (!std::isfinite(norm) || norm <= largest) return norm;
  const T factor = static_cast<T>(largest / norm);
  for (const View<T>& grad : grads) {
    for (T& value : grad) value *= factor;
  }
  return norm;
}

template <Real T>
std::size_t Optimizer<T>::bytes(const OptimizerOptions& options, Index parameters) {
  const auto means = options.kind == OptimizerKind::adam ? 2u : options.momentum != 0 ? 1u : 0u;
  return means * static_cast<std::size_t>(parameters) * sizeof(T);
}

template <Real T>
Optimizer<T>::Optimizer(const OptimizerOptions& options, std::span<const View<T>> params)
    : options_(options), params_(params.begin(), params.end()) {
  Index count = 0;
  for (const View<T>& param : params_) count += param.size();
  const auto all = static_cast<std::size_t>(count);
  if (options_.kind == OptimizerKind::adam || options_.momentum != 0) first_.assign(all, T{});
  if (options_.kind == OptimizerKind::adam) second_.assign(all, T{});
}

template <Real T>
void Optimizer<T>::check(std::span<const View<T>> grads) const {
  const auto fail = [](const std::string& expected, const std::string& came) {
    throw Error(ErrorKind::usage, "optimizer: expected " + expected + "; got " + came);
  };
  if (params_.size() != grads.size()) {
    fail(std::to_string(params_.size()) + " gradients", std::to_string(grads.size()));
  }
  for (std::size_t k = 0; k < grads.size(); ++k) {
    if (params_[k].extents() == grads[k].extents()) continue;
    fail("a gradient of extents " + to_string(params_[k].extents()), to_string(grads[k].extents()));
  }
}

template <Real T>
void Optimizer<T>::step(std::span<const View<T>> grads, double rate) {
  check(grads);
  power1_ *= options_.beta1;
  power2_ *= options_.beta2;
  // The corrections for the start at zero, folded into the rate and the square root's scale.
  const T rate_t = static_cast<T>(rate), momentum = static_cast<T>(options_.momentum);
  const T beta1 = static_cast<T>(options_.beta1), beta2 = static_cast<T>(options_.beta2);
  const T rest1 = static_cast<T>(1 - options_.beta1), rest2 = static_cast<T>(1 - options_.beta2);
  const T corrected_rate = static_cast<T>(rate / (1 - power1_));
  const T correction2 = static_cast<T>(1 / (1 - power2_));
  const T epsilon = static_cast<T>(options_.epsilon);
  T* mean = first_.data();
  T* square = second_.data();
  for (std::size_t k = 0; k < grads.size(); ++k) {
    T* const param = params_[k].data();
    const T* const grad = grads[k].data();
    const Index size = grads[k].size();
    if (options_.kind == OptimizerKind::adam) {
      for (Index i = 0; i < size; ++i) {
        mean[i] = beta1 * mean[i] + rest1 * grad[i];
        square[i] = beta2 * square[i] + rest2 * grad[i] * grad[i];
        param[i] -= corrected_rate * mean[i] / (std::sqrt(correction2 * square[i]) + epsilon);
      }
      mean += size;
      square += size;
    } else if (mean != nullptr) {
      for (Index i = 0; i < size; ++i) {
        mean[i] = momentum * mean[i] + grad[i];
        param[i] -= rate_t * mean[i];
      }
      mean += size;
    } else {
      for (Index i = 0; i < size; ++i) param[i] -= rate_t * grad[i];
    }
  }
}

#define BPTT_INSTANTIATE(T)                                                 \
  template double global_norm<T>(std::span<const View<T>>);                 \
  template double clip_by_global_norm<T>(std::span<const View<T>>, double); \
  template class Optimizer<T>;
BPTT_INSTANTIATE(float)
BPTT_INSTANTIATE(double)
#undef BPTT_INSTANTIATE

}  // namespace bptt::net
