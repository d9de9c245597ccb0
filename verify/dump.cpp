#include "verify/dump.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <ostream>

#include "impls/io/printable.hpp"
#include "impls/io/safetensors_writer.hpp"
#include "verify/directions.hpp"
#include "verify/fuzz/subject.hpp"
#include "verify/golden.hpp"
#include "verify/random_values.hpp"

namespace bptt::verify {
namespace {

/// What a result ran on. Without a network the format of golden files cannot express it.
struct Source {
  std::shared_ptr<const Subject> subject;
  Given given;
  std::optional<net::NetworkSpec> network;
  std::vector<Index> lengths;
};

/// The stack that a model is, where it is nothing else.
std::optional<net::NetworkSpec> stack_of(const net::Model<double>& model, const Cell& cell,
                                         std::vector<Index>& lengths) {
  net::NetworkSpec network;
  StackSpec& stack = network.stack;
  stack.cell = cell;
  for (const auto& tensor : model.tensors()) {
    const Extents& extents = tensor.value.extents();
    if (tensor.name.find('.') != std::string::npos || tensor.role == net::Role::target) return {};
    if (tensor.name.ends_with("_reverse")) stack.bidirectional = true;
    if (tensor.name.starts_with("weight_hh_l") && !tensor.name.ends_with("_reverse")) {
      stack.layers = std::stoll(tensor.name.substr(11)) + 1;
      stack.shape.H = extents[1];
    }
    if (tensor.name == "x") {
      stack.shape = {extents[0], extents[1], extents[2], stack.shape.H};
      stack.lengths = tensor.lengths != nullptr;
      if (tensor.lengths) lengths = *tensor.lengths;
    }
    if (tensor.name == "y" && extents[0] != stack.shape.T) return {};
  }
  return network;
}

const Case* find_any_case(const std::string& name) {
  for (const auto* cases : {&all_cases(), &direction_cases()}) {
    for (const Case& c : *cases) {
      if (c.name == name) return &c;
    }
  }
  return nullptr;
}

/// Nothing where the subject is not a case or a file.
std::optional<Source> source_of(const Result& result) {
  Source source;
  if (result.kind == CheckKind::golden) {
    GoldenFile file = read_golden(result.subject);
    if (file.refusal) return {};
    source.subject = file.subject;
    source.given = std::move(file.given);
  } else {
    std::optional<Case> own;
    const Case* c = nullptr;
    if (result.kind == CheckKind::fuzz) {
      const auto described = fuzz::parse_description(result.subject);
      own = fuzz::case_of(described);
      source.network = described.network;
      source.lengths = described.lengths;
      c = &*own;
    } else {
      c = find_any_case(result.subject);
    }
    if (c == nullptr) return {};
    source.subject = c->subject;
    source.given = c->subject->draw(seed_of(*c, result.seed), result.dtype);
  }
  if (!source.network) {
    source.network = stack_of(*source.subject->make<double>(naive_plans<double>()),
                              source.subject->cell(), source.lengths);
  }
  return source;
}

std::vector<Index> shape_of(const Extents& extents) {
  std::vector<Index> shape;
  for (int axis = 0; axis < extents.rank(); ++axis) shape.push_back(extents[axis]);
  return shape;
}

std::string name_in_file(const Layout& layout) {
  return (layout.name.starts_with("grad.") ? "" : "out.") + layout.name;
}

void add_given(const Source& source, const net::Model<double>& model, io::SafetensorsWriter& file) {
  const auto tensors = given_tensors(model);
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    file.add(tensors[i].name, shape_of(tensors[i].value.extents()),
             std::span<const double>(source.given.values[i]));
  }
  const auto& targets = source.given.targets;
  if (!targets.empty() && source.network) {
    const Shape& shape = source.network->stack.shape;
    file.add("target", std::vector<Index>{shape.T, shape.B}, std::span<const Index>(targets));
  }
}

template <Real T>
void write_one(const std::string& path, const Backend& backend, const Result& result,
               Source source) {
  for (auto& values : source.given.values) {
    for (double& value : values) value = static_cast<double>(static_cast<T>(value));
  }
  Exec exec;
  exec.threads = result.threads;
  exec.recompute = result.recompute;
  const auto narrow = source.subject->template make<T>(plans_of<T>(backend, exec));
  const auto wide = source.subject->template make<Wider<T>>(naive_plans<Wider<T>>());
  const auto plain = source.subject->template make<double>(naive_plans<double>());
  const Values<T> got = run(*narrow, source.given);
  const Values<Wider<T>> expected = run(*wide, source.given);
  const auto layouts = result_layouts(*plain, source.subject->cell());

  io::SafetensorsWriter file;
  if (source.network) file.add_metadata("bptt", golden_metadata(*source.network, source.lengths));
  file.add_metadata("command", io::printable(result.command));
  file.add_metadata("backend", result.backend + " (" + backend.version() + ")");
  file.add_metadata("dtype", std::string(name_of(result.dtype)));
  add_given(source, *plain, file);
  for (std::size_t i = 0; i < layouts.size(); ++i) {
    const auto shape = shape_of(layouts[i].extents);
    const std::vector<double> reference(expected[i].begin(), expected[i].end());
    file.add(name_in_file(layouts[i]), shape, std::span<const double>(reference));
    file.add(made_by_backend + layouts[i].name, shape, std::span<const T>(got[i]));
  }
  file.write(path);
}

const Backend* find(const Settings& settings, const std::string& name) {
  for (const Backend* backend : settings.backends) {
    if (backend->name() == name) return backend;
  }
  return nullptr;
}

/// Why nothing was written; "" where something was.
std::string dump(const Settings& settings, const Result& result) {
  const Backend* backend = find(settings, result.backend);
  if (backend == nullptr) return "no backend of this run";
  const auto source = source_of(result);
  if (!source) return "not a case whose inputs can be drawn again";
  const auto path = std::filesystem::path(settings.dump) / (dump_name(result) + ".safetensors");
  dispatch(result.dtype, [&]<class T>(std::type_identity<T>) {
    write_one<T>(path.string(), *backend, result, *source);
  });
  return "";
}

}  // namespace

std::string dump_name(const Result& result) {
  constexpr std::size_t longest = 120;
  std::string subject = result.subject;
  if (result.kind == CheckKind::golden) subject = std::filesystem::path(subject).stem().string();
  std::string name = std::string(name_of(result.kind)) + "-" + result.backend + "-" +
                     std::string(name_of(result.dtype)) + "-threads" +
                     std::to_string(result.threads) + "-" + std::string(name_of(result.recompute)) +
                     "-" + subject;
  for (char& c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '.' || c == '-';
    if (!plain) c = '_';
  }
  char hash[16];
  std::snprintf(hash, sizeof hash, "-%08x",
                static_cast<unsigned>(hash_of(result.subject + std::to_string(result.seed))));
  return name.substr(0, longest) + hash;
}

void dump_failures(const Settings& settings, const std::vector<Result>& results,
                   std::ostream& notes) {
  std::error_code error;
  std::filesystem::create_directories(settings.dump, error);
  if (error) {
    throw Error(ErrorKind::unavailable,
                settings.dump + ": cannot make this folder: " + error.message());
  }
  int written = 0, left_out = 0;
  for (const Result& result : results) {
    if (result.verdict != Verdict::fail) continue;
    if (written == most_dumped) {
      ++left_out;
      continue;
    }
    std::string reason;
    try {
      reason = dump(settings, result);
    } catch (const Error& failed) {
      if (failed.kind() == ErrorKind::unavailable) throw;
      reason = failed.what();
    }
    written += reason.empty() ? 1 : 0;
    if (reason.empty()) continue;
    notes << "bptt-verify: --dump: " << dump_name(result) << ": not written: " << reason << '\n';
  }
  if (written > 0) {
    notes << "bptt-verify: --dump: wrote " << written << (written == 1 ? " file" : " files")
          << " to " << io::printable(settings.dump) << '\n';
  }
  if (left_out > 0) {
    notes << "bptt-verify: --dump: left out " << left_out << " more failing results; the first "
          << most_dumped << " are there\n";
  }
}

}  // namespace bptt::verify
