// For tests: a golden file made from naive<long double>, as another system might have written it.
#pragma once

#include <algorithm>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <unistd.h>

#include "impls/io/safetensors_writer.hpp"
#include "verify/subjects.hpp"

namespace bptt::verify {

class Written {
 public:
  explicit Written(const net::NetworkSpec& spec, std::vector<Index> lengths = {})
      : lengths_(std::move(lengths)), subject_(network_subject(spec, lengths_)) {
    path = (std::filesystem::temp_directory_path() /
            ("bptt_golden_test_" + std::to_string(::getpid()) + ".safetensors"))
               .string();
  }
  ~Written() { std::filesystem::remove(path); }

  std::string metadata = "{}";
  std::string path;
  std::set<std::string> left_out;  ///< tensors that are not written
  std::set<std::string> as_zero;   ///< given as zero, and not written
  std::set<std::string> as_float;  ///< stored as F32
  bool all_as_float = false;       ///< all of them are
  bool flat_states = false;        ///< [B,H] for [1,B,H]
  std::string extra;               ///< a tensor that nobody knows
  Index target_off = 0;            ///< added to every class
  double off = 0;                  ///< added to the first element of grad.weight_hh_l0

  void write() const {
    const Dtype dtype = all_as_float ? Dtype::f32 : Dtype::f64;
    const auto model = subject_->make<long double>(naive_plans<long double>());
    Given given = subject_->draw(17, dtype);
    const auto tensors = given_tensors(*model);
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      if (as_zero.count(tensors[i].name)) std::ranges::fill(given.values[i], 0.0);
    }
    const Values<long double> results = run(*model, given);
    const auto layouts = result_layouts(*model, subject_->cell());
    io::SafetensorsWriter writer;
    writer.add_metadata("bptt", metadata);
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      if (!as_zero.count(tensors[i].name)) {
        add(writer, tensors[i].name, tensors[i].value.extents(), given.values[i]);
      }
    }
    for (std::size_t i = 0; i < layouts.size(); ++i) {
      const std::string& name = layouts[i].name;
      std::vector<double> values(results[i].begin(), results[i].end());
      if (name == "grad.weight_hh_l0") values[0] += off;
      add(writer, (name.starts_with("grad.") ? "" : "out.") + name, layouts[i].extents, values);
    }
    if (!given.targets.empty()) {
      for (Index& target : given.targets) target = std::max<Index>(target, 0) + target_off;
      const auto B = static_cast<Index>(lengths_.size());
      writer.add("target", std::vector<Index>{static_cast<Index>(given.targets.size()) / B, B},
                 std::span<const Index>(given.targets));
    }
    if (!lengths_.empty() && !left_out.count("lengths")) {
      writer.add("lengths", std::vector<Index>{static_cast<Index>(lengths_.size())},
                 std::span<const Index>(lengths_));
    }
    if (!extra.empty()) writer.add(extra, std::vector<Index>{1}, std::vector<double>{1});
    writer.write(path);
  }

 private:
  void add(io::SafetensorsWriter& writer, const std::string& name, const Extents& extents,
           const std::vector<double>& values) const {
    if (left_out.count(name)) return;
    std::vector<Index> shape;
    for (int axis = 0; axis < extents.rank(); ++axis) shape.push_back(extents[axis]);
    if (flat_states && shape.size() == 3 && shape[0] == 1) shape.erase(shape.begin());
    if (all_as_float || as_float.count(name)) {
      const std::vector<float> narrow(values.begin(), values.end());
      writer.add(name, shape, std::span<const float>(narrow));
    } else {
      writer.add(name, shape, std::span<const double>(values));
    }
  }

  std::vector<Index> lengths_;
  std::shared_ptr<const Subject> subject_;
};

/// A single layer.
inline net::NetworkSpec spec_of(const char* cell, const Shape& shape, bool lengths = false) {
  net::NetworkSpec spec;
  spec.stack.cell = parse_cell(cell);
  spec.stack.shape = shape;
  spec.stack.lengths = lengths;
  return spec;
}

inline constexpr const char* lstm_metadata =
    R"({"cell": "lstm", "T": 5, "B": 4, "I": 3, "H": 6, "bias": false, "lengths": [3, 5, 1, 0]})";
inline const std::vector<Index> lstm_lengths = {3, 5, 1, 0};

inline Written lstm_file() {
  return Written(spec_of("lstm:bias=off", {5, 4, 3, 6}, true), lstm_lengths);
}

}  // namespace bptt::verify
