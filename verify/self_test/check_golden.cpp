// Golden files as a check of the self-test: those of the fault's own cell and kind.
#include <algorithm>

#include "verify/golden.hpp"
#include "verify/self_test/checks.hpp"

namespace bptt::verify::self_test {
namespace {

/// What a file is about, in the words of a case's name: "2-layers-bidirectional-lengths".
std::string kind_of(const GoldenSpec& spec) {
  const StackSpec& stack = spec.network.stack;
  std::string kind = stack.layers > 1 ? std::to_string(stack.layers) + "-layers" : "";
  const auto add = [&](const char* word) { kind += (kind.empty() ? "" : "-") + std::string(word); };
  if (stack.bidirectional) add("bidirectional");
  if (stack.lengths) add("lengths");
  return kind.empty() ? "plain" : kind;
}

/// Files by "cell/kind".
class Files {
 public:
  Files(const std::string& folder, std::uint64_t seed) : seed_(seed) {
    for (const std::string& path : golden_paths({folder})) {
      const GoldenSpec spec = read_golden_spec(io::Safetensors::read(path));
      if (spec.refusal || spec.network.head) continue;
      std::string& first = paths_[to_string(spec.network.stack.cell) + "/" + kind_of(spec)];
      if (first.empty()) first = path;
    }
  }

  Seen check(const Planted& planted) {
    const std::string& name = planted.fault.case_name;
    const auto path = paths_.find(name.substr(0, name.find_last_of('/')));
    if (path == paths_.end()) return {};
    const FaultyBackend backend = planted.backend();
    const auto run = [&](const GoldenCheck& check) {
      return seen_as("golden", check.check(backend, planted.dtype, Exec{}));
    };
    if (!planted.fault.around.is_planted()) {
      return run(checks_.get(path->second, [&] {
        return std::make_unique<GoldenCheck>(read_golden(path->second), seed_);
      }));
    }
    GoldenFile file = read_golden(path->second);
    file.subject = planted.subject(file.subject);
    return run(GoldenCheck(std::move(file), seed_));
  }

 private:
  std::uint64_t seed_;
  std::map<std::string, std::string> paths_;
  Kept<GoldenCheck> checks_;
};

}  // namespace

CheckForSelfTest golden_check(const CheckOptions& options) {
  const auto files = std::make_shared<Files>(options.golden, options.seed);
  return {{"golden"}, [files](const Planted& planted) { return files->check(planted); }};
}

}  // namespace bptt::verify::self_test
