#include "verify/golden.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>

#include "verify/equality.hpp"
#include "verify/tensor_list.hpp"

namespace bptt::verify {
namespace {

/// A state is [1,B,H] in a file (layers times directions first, as PyTorch has it).
bool has_shape(const std::vector<Index>& stored, const Extents& expected) {
  std::vector<Index> wanted;
  for (int axis = 0; axis < expected.rank(); ++axis) wanted.push_back(expected[axis]);
  if (stored == wanted) return true;
  wanted.insert(wanted.begin(), 1);
  return expected.rank() == 2 && stored == wanted;
}

/// A result's name in a file.
std::string result_name(const TensorInfo& info) {
  return (info.is_gradient ? "" : "out.") + info.name();
}

class Reader {
 public:
  Reader(const io::Safetensors& file, const GoldenSpec& spec, GoldenFile& golden)
      : file_(file), spec_(spec.spec), golden_(golden) {
    golden_.problem = std::make_unique<Problem<double>>(spec_);
    read_lengths(spec.lengths);
    read_given(*golden_.problem);
    read_results();
    for (const auto& [name, tensor] : file_.tensors()) {
      if (used_.count(name) == 0) {
        fail("tensor '" + name + "' " + io::shape_text(tensor.shape) + ": " + to_string(spec_) +
             " has no such tensor");
      }
    }
  }

 private:
  [[noreturn]] void fail(const std::string& message) const {
    throw Error(ErrorKind::data, file_.path() + ": " + message);
  }

  void read_lengths(const std::vector<Index>& lengths) {
    if (file_.contains("lengths")) {
      used_.insert("lengths");
      const std::vector<Index> stored = file_.integers("lengths");
      if (stored != lengths) {
        fail("tensor 'lengths': expected " + io::shape_text(lengths) + " as in the metadata; got " +
             io::shape_text(stored));
      }
    }
    const Shape& shape = spec_.shape;
    const bool in_range = std::all_of(lengths.begin(), lengths.end(), [&](Index length) {
      return length >= 0 && length <= shape.T;
    });
    if (spec_.lengths && (lengths.size() != static_cast<std::size_t>(shape.B) || !in_range)) {
      fail("metadata bptt, key 'lengths': expected " + std::to_string(shape.B) + " values in 0.." +
           std::to_string(shape.T) + "; got " + io::shape_text(lengths));
    }
    golden_.problem->lengths() = lengths;
    golden_.problem->in.lengths = golden_.problem->lengths();
  }

  void read_given(Problem<double>& p) {
    const std::pair<std::string_view, View<double>*> optional[] = {{"h0", &p.in.h0},
                                                                   {"c0", &p.in.c0},
                                                                   {"dy", &p.dout.y},
                                                                   {"dhT", &p.dout.hT},
                                                                   {"dcT", &p.dout.cT}};
    for (const auto& [info, view] : given_tensors(p)) {
      if (info.extents.rank() == 0) continue;
      const std::string name = info.name();
      const auto absent = std::find_if(std::begin(optional), std::end(optional),
                                       [&](const auto& row) { return row.first == name; });
      if (!file_.contains(name) && absent != std::end(optional)) {
        *absent->second = View<double>();
        continue;
      }
      const std::vector<double> values = read(name, info.extents);
      std::copy(values.begin(), values.end(), view.begin());
    }
  }

  void read_results() {
    for (const auto& [info, view] : result_tensors(*golden_.problem)) {
      const std::string name = result_name(info);
      if (info.extents.rank() == 0 || !file_.contains(name)) continue;
      golden_.results[name] = read(name, info.extents);
      if (file_.tensor(name).type == io::StoredType::f32) golden_.results_are_f32 = true;
    }
    if (golden_.results.empty()) {
      fail("expected results to compare with (out.*, grad.*); there are none");
    }
  }

  std::vector<double> read(const std::string& name, const Extents& extents) {
    const auto& stored = file_.tensor(name);
    if (!has_shape(stored.shape, extents)) {
      fail("tensor '" + name + "': expected extents " + to_string(extents) + "; got " +
           io::shape_text(stored.shape));
    }
    used_.insert(name);
    return file_.reals(name);
  }

  const io::Safetensors& file_;
  const Spec& spec_;
  GoldenFile& golden_;
  std::set<std::string> used_;
};

/// True where every input is a float already: rounding them loses nothing.
bool inputs_are_floats(const Problem<double>& p) {
  for (const auto& [info, view] : given_tensors(p)) {
    for (const double value : view) {
      if (!std::isnan(value) && value != static_cast<double>(static_cast<float>(value)))
        return false;
    }
  }
  return true;
}

}  // namespace

GoldenFile read_golden(const std::string& path) {
  const auto file = io::Safetensors::read(path);
  const GoldenSpec spec = read_golden_spec(file);
  GoldenFile golden;
  golden.path = path;
  golden.cell = spec.cell;
  golden.refusal = spec.refusal;
  if (!golden.refusal) Reader(file, spec, golden);
  return golden;
}

std::vector<std::string> golden_paths(const std::vector<std::string>& files_or_folders) {
  namespace fs = std::filesystem;
  std::vector<std::string> paths;
  for (const std::string& given : files_or_folders) {
    if (!fs::is_directory(given)) {
      paths.push_back(given);
      continue;
    }
    std::vector<std::string> inside;
    for (const auto& entry : fs::directory_iterator(given)) {
      if (entry.path().extension() == ".safetensors") inside.push_back(entry.path().string());
    }
    std::sort(inside.begin(), inside.end());
    paths.insert(paths.end(), inside.begin(), inside.end());
  }
  return paths;
}

GoldenCheck::GoldenCheck(GoldenFile file, std::uint64_t seed)
    : file_(std::move(file)), seed_(seed) {
  if (file_.refusal) return;
  const bool exact = inputs_are_floats(*file_.problem);
  f32_ = make_reference<float>(*file_.problem, seed, exact ? Rounding::shared : Rounding::is_error);
  f64_ = make_reference<double>(*file_.problem, seed);
}
GoldenCheck::~GoldenCheck() = default;

Result GoldenCheck::check(const Backend& backend, Dtype dtype, int threads) const {
  Result result;
  result.kind = CheckKind::golden;
  result.backend = backend.name();
  result.cell = file_.cell;
  result.subject = file_.path;
  result.dtype = dtype;
  result.threads = threads;
  result.seed = seed_;
  Exec exec;
  exec.threads = threads;
  result.reason = file_.refusal ? *file_.refusal
                                : backend.refusal(file_.problem->spec(), dtype, exec).value_or("");
  if (!result.reason.empty()) {
    result.verdict = Verdict::refused;
    return result;
  }
  dispatch(dtype, [&]<class T>(std::type_identity<T>) { check<T>(backend, exec, result); });
  conclude(result);
  return result;
}

template <Real T>
void GoldenCheck::check(const Backend& backend, const Exec& exec, Result& result) const {
  const Problem<double>& file = *file_.problem;
  const Spec& spec = file.spec();
  Problem<T> got(spec);
  copy_given(file, got);
  poison_results(got);
  const auto plan = backend.plan<T>(spec, exec);
  run_both(*plan, got);

  const bool coarse = std::same_as<T, float> || file_.results_are_f32;
  const auto units = result_tensors(coarse ? f32_->unit : f64_->unit);
  const double resolution = coarse ? required_resolution<float>() : required_resolution<double>();
  const auto results = result_tensors(got);
  for (std::size_t i = 0; i < results.size(); ++i) {
    const auto& [info, view] = results[i];
    const auto expected = file_.results.find(result_name(info));
    if (expected == file_.results.end()) continue;
    const View<const double> want(expected->second.data(), info.extents);
    absorb(result, spec,
           compare(spec, file.lengths(), info, view, want, units[i].view, resolution));
  }
  if constexpr (std::same_as<T, float>) {
    localise(backend, exec, *f32_, seed_, result.findings);
  } else {
    localise(backend, exec, *f64_, seed_, result.findings);
  }
}

}  // namespace bptt::verify
