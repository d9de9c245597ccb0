// The number types of the suite. Inside, code is a template on one of them; the Dtype enum exists
// only where text comes in (flags, files) and is turned into a type once, by dispatch().
#pragma once

#include <complex>
#include <concepts>
#include <cstddef>
#include <string_view>
#include <type_traits>

namespace bptt {

/// What every backend computes in.
template <class T>
concept Real = std::same_as<T, float> || std::same_as<T, double>;

/// What the reference `naive` computes in as well: a higher precision to measure errors against,
/// and complex numbers for the complex-step derivative.
template <class T>
concept Scalar = Real<T> || std::same_as<T, long double> || std::same_as<T, std::complex<double>>;

enum class Dtype { f32, f64 };

inline constexpr Dtype all_dtypes[] = {Dtype::f32, Dtype::f64};

std::string_view name_of(Dtype);
/// Throws Error(usage) listing the known names.
Dtype parse_dtype(std::string_view);
std::size_t bytes_of(Dtype);

template <Real T>
inline constexpr Dtype dtype_of = std::same_as<T, float> ? Dtype::f32 : Dtype::f64;

/// The next higher precision, in which a result in T is judged.
template <Real T>
using Wider = std::conditional_t<std::same_as<T, float>, double, long double>;

/// Calls `f(std::type_identity<T>{})` with the type that `dtype` names.
template <class F>
decltype(auto) dispatch(Dtype dtype, F&& f) {
  return dtype == Dtype::f32 ? f(std::type_identity<float>{}) : f(std::type_identity<double>{});
}

}  // namespace bptt
