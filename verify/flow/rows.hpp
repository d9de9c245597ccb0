// What a gradient-flow measurement leaves: a row for each lag, and the CSV file that holds them
// (docs/gradient-flow.md describes the columns). Written by bptt-verify, read by bptt-report.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "impls/api/index.hpp"

namespace bptt::verify::flow {

inline constexpr int schema_version = 1;

/// Of a norm beside its bound.
enum class Verdict {
  holds,         ///< norm <= bound, but for rounding
  violated,      ///< it is not, or is no number though the bound is one
  out_of_range,  ///< the norm overflowed, and so does the bound: nothing can be compared
};

/// One norm: |dh_T / dh_(T-lag)| of one network.
struct Row {
  std::string backend, dtype, cell, initialisation;
  Index T = 0, H = 0;
  std::uint64_t seed = 0;
  double sigma_max = 0;  ///< the largest singular value of a gate's block of W_hh, over its blocks
  double spectral_radius = 0;       ///< the largest eigenvalue's modulus, over the same blocks
  Index lag = 0;                    ///< T - k, in 1..T
  double norm = 0;                  ///< operator norm of dh_T/dh_k, c_k held; not finite: overflow
  std::optional<double> cell_norm;  ///< lstm: that of dh_T/dc_k, h_k held
  std::optional<double> bound;      ///< rnn: (gamma sigma_max)^lag; infinity where it overflows
  std::optional<Verdict> verdict;   ///< nothing where there is no bound

  bool operator==(const Row&) const = default;
};

/// Names of the columns, in the order of the file.
const std::vector<std::string_view>& columns();

std::string csv_text(const std::vector<Row>&);

/// RFC 4180 with LF or CRLF; anything but the columns above with values in their ranges, each lag
/// of a network once, is Error(data), "FILE:LINE: column 'NAME': expected ...; got ...". `name`
/// stands for the file.
std::vector<Row> parse_csv(std::string_view text, const std::string& name);
/// The same from a file; one that cannot be read is Error(data), too.
std::vector<Row> read_csv(const std::string& path);

}  // namespace bptt::verify::flow
