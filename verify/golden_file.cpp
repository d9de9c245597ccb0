// Reading a golden file: its tensors, checked against its metadata.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>

#include "impls/io/printable.hpp"
#include "verify/golden.hpp"

namespace bptt::verify {
namespace {

std::vector<Index> shape_of(const Extents& extents) {
  std::vector<Index> shape;
  for (int axis = 0; axis < extents.rank(); ++axis) shape.push_back(extents[axis]);
  return shape;
}

/// Leading axes of extent 1 may be left out: a state [1,B,H] of a single layer, a loss [1].
bool has_shape(const std::vector<Index>& stored, const std::vector<Index>& wanted) {
  if (stored == wanted) return true;
  return !wanted.empty() && wanted[0] == 1 &&
         std::equal(wanted.begin() + 1, wanted.end(), stored.begin(), stored.end());
}

/// A result's name in a file.
std::string name_in_file(const Layout& layout) {
  return (layout.name.starts_with("grad.") ? "" : "out.") + layout.name;
}

class Reader {
 public:
  Reader(const io::Safetensors& file, const GoldenSpec& spec, GoldenFile& golden)
      : file_(file), spec_(spec), golden_(golden) {
    check_extents();
    check_lengths();
    golden_.subject = network_subject(spec_.network, spec_.lengths);
    const auto model = golden_.subject->make<double>(naive_plans<double>());
    read_given(*model);
    read_results(result_layouts(*model, golden_.subject->cell()));
    for (const auto& [name, tensor] : file_.tensors()) {
      if (used_.count(name) == 0 && !name.starts_with(made_by_backend)) {
        fail("tensor '" + io::printable(name, io::longest_name) + "' " +
             io::shape_text(tensor.shape) + ": " + to_string(spec_.network) +
             " has no such tensor");
      }
    }
  }

 private:
  [[noreturn]] void fail(const std::string& message) const {
    throw io::file_error(file_.path(), message);
  }

  void check_shape(const std::string& name, const std::vector<Index>& wanted) const {
    const auto& stored = file_.tensor(name).shape;
    if (has_shape(stored, wanted)) return;
    fail("tensor '" + name + "': expected extents " + io::shape_text(wanted) + "; got " +
         io::shape_text(stored));
  }

  /// Every extent of the metadata shows in the shape of some tensor; before that is so, nothing is
  /// allocated for it.
  void check_extents() const {
    const StackSpec& stack = spec_.network.stack;
    const auto [T, B, I, H] = stack.shape;
    check_shape("x", {T, B, I});
    const Spec layer = stack.layer_spec(0);
    check_shape("weight_hh_l0", {layer.cell.gates() * H, H});
    file_.tensor(parameter_name("weight_ih_l0", stack.layers - 1, 0));
    // One tensor of a high number does not make a deep stack, for which far more would be built.
    const Index weights = 2 * stack.states();
    if (static_cast<std::size_t>(weights) > file_.tensors().size()) {
      fail("expected " + std::to_string(weights) + " weights for layers=" +
           std::to_string(stack.layers) + (stack.bidirectional ? ", bidirectional" : "") +
           "; the file has " + std::to_string(file_.tensors().size()) + " tensors");
    }
    if (const auto& head = spec_.network.head) {
      check_shape("head.weight", {head->O, stack.output_width()});
    }
    try {
      spec_.network.validate();
    } catch (const Error& error) {
      fail(std::string("metadata bptt: ") + error.what());
    }
  }

  void check_lengths() {
    if (!spec_.network.stack.lengths) return;
    const std::vector<Index>& lengths = spec_.lengths;
    if (file_.contains("lengths")) {
      used_.insert("lengths");
      const std::vector<Index> stored = file_.integers("lengths");
      if (stored != lengths) {
        fail("tensor 'lengths': expected " + io::shape_text(lengths) + " as in the metadata; got " +
             io::shape_text(stored));
      }
    }
    const Shape& shape = spec_.network.stack.shape;
    const bool in_range = std::all_of(lengths.begin(), lengths.end(), [&](Index length) {
      return length >= 0 && length <= shape.T;
    });
    if (lengths.size() != static_cast<std::size_t>(shape.B) || !in_range) {
      fail("lengths: expected " + std::to_string(shape.B) + " values in 0.." +
           std::to_string(shape.T) + "; got " + io::shape_text(lengths));
    }
  }

  /// What a backend computes with, or is compared with, has to be finite.
  template <class MayBeAnything>
  std::vector<double> read(const std::string& name, const Layout& layout,
                           MayBeAnything may_be_anything) {
    check_shape(name, shape_of(layout.extents));
    used_.insert(name);
    std::vector<double> values = file_.reals(name);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const auto index = static_cast<Index>(i);
      if (std::isfinite(values[i]) || may_be_anything(layout, index)) continue;
      fail("tensor '" + name + "': expected finite values; got " + std::to_string(values[i]) +
           " at element " + std::to_string(i) + " (" + to_string(place_of(layout, index)) + ")");
    }
    return values;
  }

  /// What stands for zero where a file does not have it.
  static bool is_optional(const net::ModelTensor<double>& tensor) {
    return tensor.role == net::Role::upstream || tensor.name == "h0" || tensor.name == "c0" ||
           tensor.name == "head.bias";
  }

  void read_given(const net::Model<double>& model) {
    for (const auto& tensor : given_tensors(model)) {
      const Extents& extents = tensor.value.extents();
      if (!file_.contains(tensor.name) && is_optional(tensor)) {
        golden_.given.values.emplace_back(static_cast<std::size_t>(extents.size()), 0.0);
      } else {
        const Layout layout =
            layout_of(tensor, false, golden_.subject->cell(), spec_.network.stack.directions());
        golden_.given.values.push_back(read(tensor.name, layout, is_padding));
      }
    }
    if (model.targets().empty()) return;
    const Shape& shape = spec_.network.stack.shape;
    check_shape("target", {shape.T, shape.B});
    used_.insert("target");
    golden_.given.targets = file_.integers("target");
  }

  void read_results(const std::vector<Layout>& layouts) {
    const auto nothing_may = [](const Layout&, Index) { return false; };
    for (const Layout& layout : layouts) {
      const std::string name = name_in_file(layout);
      const bool has = file_.contains(name);
      golden_.results.push_back(has ? read(name, layout, nothing_may) : std::vector<double>());
      golden_.coarse.push_back(has && file_.tensor(name).type == io::StoredType::f32);
      if (!has) golden_.not_compared.push_back(name);
    }
    if (golden_.not_compared.size() == layouts.size()) {
      fail("expected results to compare with (out.*, grad.*); there are none");
    }
  }

  const io::Safetensors& file_;
  const GoldenSpec& spec_;
  GoldenFile& golden_;
  std::set<std::string> used_;
};

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

}  // namespace bptt::verify
