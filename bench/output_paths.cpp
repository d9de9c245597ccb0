#include "bench/output_paths.hpp"

#include <filesystem>
#include <system_error>

#include "bench/environment.hpp"

namespace bptt::bench {
namespace fs = std::filesystem;
namespace {

constexpr const char* load_flag = "--load-weights";
constexpr const char* save_flag = "--save-weights";

bool is_device(const fs::path& path) {
  std::error_code error;
  const auto kind = fs::status(path, error).type();
  return kind == fs::file_type::character || kind == fs::file_type::fifo ||
         kind == fs::file_type::block || kind == fs::file_type::socket;
}

fs::path canonical(const std::string& path) {
  std::error_code error;
  // Absolute first: of a relative path no part of which exists, the standard keeps it relative.
  const fs::path found = fs::weakly_canonical(fs::absolute(path, error), error);
  return error ? fs::path(path) : found;
}

bool is_same_file(const std::string& a, const std::string& b) {
  if (canonical(a) == canonical(b)) return true;
  std::error_code error;  // of a file that is not there: then it is no other one either
  return fs::equivalent(a, b, error);
}

bool may_share(const UsedPath& a, const UsedPath& b) {
  if (!a.written && !b.written) return true;
  const auto are = [&](const char* one, const char* other) {
    return a.name == one && b.name == other;
  };
  return are(load_flag, save_flag) || are(save_flag, load_flag);
}

}  // namespace

std::vector<UsedPath> used_paths(const Settings& settings) {
  std::vector<UsedPath> paths = {{"--output", settings.output, true}};
  if (!is_device(settings.output)) {
    paths.push_back({"the environment file of --output", environment_path(settings.output), true});
    paths.push_back({"environment.json beside --output",
                     (fs::path(settings.output).parent_path() / "environment.json").string(),
                     true});
  }
  if (settings.workload == Settings::Workload::char_lm) {
    const TrainingOptions& training = settings.training;
    for (const UsedPath& path :
         {UsedPath{save_flag, training.save_weights, true},
          UsedPath{"--dump-logits", training.dump_logits, true}, UsedPath{"--text", training.text},
          UsedPath{load_flag, training.load_weights}}) {
      if (!path.path.empty()) paths.push_back(path);
    }
  }
  return paths;
}

void refuse_clashes(const std::vector<UsedPath>& paths) {
  for (std::size_t i = 0; i < paths.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const UsedPath &a = paths[j], &b = paths[i];
      if (may_share(a, b) || is_device(b.path) || !is_same_file(a.path, b.path)) continue;
      throw Error(
          ErrorKind::usage,
          a.name + " and " + b.name + ": expected different files; got '" + b.path + "' for both");
    }
  }
}

}  // namespace bptt::bench
