// Golden files: inputs and the results that another system computed from them, as safetensors with
// a metadata key `bptt` (docs/verification.md has the format). The leg of the verification that
// shares no line of code with this suite.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "impls/api/backend.hpp"
#include "impls/io/safetensors.hpp"
#include "verify/result.hpp"
#include "verify/subjects.hpp"

namespace bptt::verify {

/// What a file's metadata describes. `refusal` says in words what of it this suite cannot express;
/// the rest then means nothing.
struct GoldenSpec {
  net::NetworkSpec network;
  std::vector<Index> lengths;  ///< [B] where the network has lengths
  std::string cell;            ///< as in a flag: "lstm:peephole"
  std::optional<std::string> refusal;
};

/// Throws Error(data) naming the file and the key where the metadata is missing or malformed.
GoldenSpec read_golden_spec(const io::Safetensors& file);

/// The metadata that says what this is: read_golden_spec() gives it back. Of a head, what the
/// format has: outputs, loss, steps.
std::string golden_metadata(const net::NetworkSpec&, const std::vector<Index>& lengths);

/// Tensors whose names begin so are what some backend made of the file's inputs (bptt-verify
/// --dump): nothing to compare with, so they are not read.
inline constexpr const char* made_by_backend = "got.";

struct GoldenFile {
  std::string path;
  std::string cell;
  std::optional<std::string> refusal;  ///< the rest is empty then

  std::shared_ptr<const Subject> subject;
  Given given;  ///< optional tensors that the file lacks are zero
  /// Expected results in the order of result_layouts(); empty where the file does not have it.
  Values<double> results;
  /// Stored as F32: no backend can be nearer to it than that.
  std::vector<bool> coarse;
  std::vector<std::string> not_compared;  ///< results that it does not have: "out.hT", "grad.x"
};

/// Throws Error(data) naming the file, and the tensor where there is one. Extents in the metadata
/// are believed only where the file's tensors have them: nothing larger than the file's own tensors
/// ask for is allocated before that.
GoldenFile read_golden(const std::string& path);

/// The files themselves; of a folder, every *.safetensors in it, sorted.
std::vector<std::string> golden_paths(const std::vector<std::string>& files_or_folders);

/// Units of one file, for both precisions; computed once, used for every backend.
class GoldenCheck {
 public:
  GoldenCheck(GoldenFile, std::uint64_t seed);

  const GoldenFile& file() const { return file_; }
  Result check(const Backend&, Dtype, const Exec&) const;

 private:
  template <Real T>
  void check(const Backend&, const Exec&, Result&) const;
  /// Of a wrong element: which of file and backend the other legs agree with, in words.
  std::string odd_one_out(const Finding&, double naive, double unit_of_file) const;

  GoldenFile file_;
  std::uint64_t seed_;
  Reference<float> f32_;
  Reference<double> f64_;
};

/// The whole of a file, one result for each backend, precision, way to recompute and thread count;
/// where it cannot be read, one result that says why.
struct GoldenOptions {
  std::vector<const Backend*> backends;
  std::vector<Dtype> dtypes;
  std::vector<Recompute> recompute;
  std::vector<int> threads;
  std::vector<std::string> cells;  ///< only files of these; empty: of any
  std::uint64_t seed = 1;
};
std::vector<Result> check_golden_file(const std::string& path, const GoldenOptions&);

}  // namespace bptt::verify
