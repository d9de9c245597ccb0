// What peers refuse for the same reason, in the same words. docs/peers.md lists who refuses what.
#pragma once

#include <optional>
#include <string>

#include "impls/api/exec.hpp"
#include "impls/api/scalar.hpp"
#include "impls/api/spec.hpp"
#include "impls/threads/openmp.hpp"

namespace bptt::peer {

inline std::optional<std::string> refuse_f64(const std::string& library, Dtype dtype) {
  if (dtype != Dtype::f64) return std::nullopt;
  return library + "'s recurrent cells train in f32, not in f64";
}

inline std::optional<std::string> refuse_lengths(const std::string& library, const Spec& spec) {
  if (!spec.lengths) return std::nullopt;
  return library + " knows no sequence lengths: all sequences of a batch are as long as the batch";
}

/// Recomputation, and the promise of the same bits for every thread count.
inline std::optional<std::string> refuse_trades(const std::string& library, const Exec& exec) {
  if (exec.recompute != Recompute::none) {
    return library + " keeps everything that backward needs; it recomputes nothing";
  }
  if (exec.same_for_all_threads && exec.threads > 1) {
    return library + "'s results depend on its number of threads";
  }
  return std::nullopt;
}

/// A library on OpenMP gets no more threads than OpenMP will grant.
inline std::optional<std::string> refuse_openmp(const Exec& exec) {
  const int most = threads::max_openmp_threads();
  if (exec.threads <= most) return std::nullopt;
  return "OpenMP grants at most " + std::to_string(most) + " threads here (OMP_THREAD_LIMIT); " +
         std::to_string(exec.threads) + " were asked for";
}

/// The options of the lstm that only this suite has. `peephole` says whether the library has that
/// one.
inline std::optional<std::string> refuse_lstm_options(const std::string& library, const Cell& cell,
                                                      bool peephole) {
  if (cell.kind != CellKind::lstm) return std::nullopt;
  Cell without = cell;
  if (peephole) without.peephole = false;
  if (without.is_plain_lstm()) return std::nullopt;
  return library + " has the plain lstm" +
         (peephole ? ", with peepholes or without, and no other option of it"
                   : " and no option of it");
}

}  // namespace bptt::peer
