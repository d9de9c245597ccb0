// Golden files: inputs and the results that another system computed from them, as safetensors with
// a metadata key `bptt` (docs/verification.md has the format). The leg of the verification that
// shares no line of code with this suite.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "impls/api/backend.hpp"
#include "impls/io/safetensors.hpp"
#include "verify/result.hpp"

namespace bptt::verify {

/// The spec that a file's metadata describes. `refusal` says in words what of it this suite cannot
/// express yet; the spec then means nothing.
struct GoldenSpec {
  Spec spec;
  std::vector<Index> lengths;  ///< as the metadata lists them; empty where it does not
  std::string cell;            ///< as in a flag: "lstm:peephole"
  std::optional<std::string> refusal;
};

/// Throws Error(data) naming the file and the key where the metadata is missing or malformed.
GoldenSpec read_golden_spec(const io::Safetensors& file);

struct GoldenFile {
  std::string path;
  std::string cell;
  std::optional<std::string> refusal;
  /// Parameters, inputs, upstream gradients; what the file lacks is absent. Not there where the
  /// file is refused.
  std::unique_ptr<Problem<double>> problem;
  /// Expected results by their name in the file: "out.y", "grad.x", ...
  std::map<std::string, std::vector<double>> results;
  bool results_are_f32 = false;  ///< stored as F32: no backend can be nearer to them than that
};

/// Throws Error(data) naming the file, and the tensor where there is one.
GoldenFile read_golden(const std::string& path);

/// The files themselves; of a folder, every *.safetensors in it, sorted. Throws Error(data) for a
/// path that is not there.
std::vector<std::string> golden_paths(const std::vector<std::string>& files_or_folders);

/// Units of one file, for both precisions; computed once, used for every backend.
class GoldenCheck {
 public:
  GoldenCheck(GoldenFile, std::uint64_t seed);
  ~GoldenCheck();

  const GoldenFile& file() const { return file_; }
  Result check(const Backend&, Dtype, int threads) const;

 private:
  template <Real T>
  void check(const Backend&, const Exec&, Result&) const;

  GoldenFile file_;
  std::uint64_t seed_;
  std::unique_ptr<Reference<float>> f32_;
  std::unique_ptr<Reference<double>> f64_;
};

}  // namespace bptt::verify
