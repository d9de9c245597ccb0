#include "verify/final_state.hpp"

#include <algorithm>
#include <cstring>

namespace bptt::verify {
namespace {

/// Where "encoder." or nothing stands before the names of a recurrence.
constexpr std::string_view prefixes[] = {"", "encoder.", "decoder."};

template <Real T>
class FinalState {
 public:
  FinalState(const std::string& prefix, const net::Model<T>& model,
             const std::vector<Layout>& layouts, const Values<T>& results,
             std::vector<Finding>& findings)
      : prefix_(prefix), model_(model), layouts_(layouts), results_(results), findings_(findings) {}

  void check() {
    const Tensor y = result("y"), hT = result("hT");
    if (!y.layout || !hT.layout) return;
    const Extents& extents = hT.layout->extents;
    H_ = extents[extents.rank() - 1];
    B_ = extents[extents.rank() - 2];
    const Index states = extents.size() / (B_ * H_), steps = y.layout->blocks;
    const Index width = y.layout->extents[2], directions = width / H_;
    const auto& lengths = y.layout->lengths;
    for (Index state = 0; state < states; ++state) {
      for (Index b = 0; b < B_; ++b) {
        const Index length = lengths.empty() ? steps : lengths[static_cast<std::size_t>(b)];
        if (length == 0) {
          untouched(state, b);
        } else if (state / directions == states / directions - 1) {
          const Index direction = state % directions, end = direction == 0 ? length - 1 : 0;
          row(hT, state, b, y.data + (end * B_ + b) * width + direction * H_, end,
              "y at its sequence's last step");
        }
      }
    }
  }

 private:
  struct Tensor {
    const Layout* layout = nullptr;
    const T* data = nullptr;
  };

  Tensor result(const std::string& name) const {
    const std::string wanted =
        name.starts_with("grad.") ? "grad." + prefix_ + name.substr(5) : prefix_ + name;
    for (std::size_t i = 0; i < layouts_.size(); ++i) {
      if (layouts_[i].name == wanted) return {&layouts_[i], results_[i].data()};
    }
    return {};
  }

  /// nullptr where the model has no such tensor.
  const T* given(const char* name) const {
    for (const auto& tensor : model_.tensors()) {
      if (tensor.name == prefix_ + name) return tensor.value.data();
    }
    return nullptr;
  }

  bool has_upstream() const {
    return std::any_of(
        model_.tensors().begin(), model_.tensors().end(),
        [](const net::ModelTensor<T>& tensor) { return tensor.role == net::Role::upstream; });
  }

  /// A sequence without a live step. Initial states that are not given are zero; those of a decoder
  /// come from elsewhere, and so do gradients that do not come from upstream.
  void untouched(Index state, Index b) {
    const auto at = [&](const char* name) {
      const T* data = given(name);
      return data ? data + (state * B_ + b) * H_ : nullptr;
    };
    if (prefix_ != "decoder.") {
      row(result("hT"), state, b, at("h0"), -1, "h0 of a sequence of length 0");
      row(result("cT"), state, b, at("c0"), -1, "c0 of a sequence of length 0");
    }
    if (has_upstream()) {
      row(result("grad.h0"), state, b, at("dhT"), -1, "dhT of a sequence of length 0");
      row(result("grad.c0"), state, b, at("dcT"), -1, "dcT of a sequence of length 0");
    }
  }

  /// `expected` nullptr: the tensor was not given, it stands for zero.
  void row(const Tensor& got, Index state, Index b, const T* expected, Index time,
           const char* what) {
    if (!got.layout) return;
    for (const Finding& finding : findings_) {
      if (finding.check == "final-state" && finding.place.tensor == got.layout->name) return;
    }
    for (Index j = 0; j < H_; ++j) {
      const T wanted = expected ? expected[j] : T(0);
      const Index e = (state * B_ + b) * H_ + j;
      if (std::memcmp(&got.data[e], &wanted, sizeof(T)) == 0) continue;
      Finding finding;
      finding.check = "final-state";
      finding.place = place_of(*got.layout, e);
      finding.got = got.data[e];
      finding.expected = wanted;
      finding.message = std::string("expected a bitwise copy of ") + what;
      finding.time_step = time >= 0 ? "step " + std::to_string(time) : "no live step";
      findings_.push_back(std::move(finding));
      return;
    }
  }

  std::string prefix_;
  const net::Model<T>& model_;
  const std::vector<Layout>& layouts_;
  const Values<T>& results_;
  std::vector<Finding>& findings_;
  Index B_ = 0, H_ = 0;
};

}  // namespace

template <Real T>
void check_final_state(const net::Model<T>& model, const std::vector<Layout>& layouts,
                       const Values<T>& results, std::vector<Finding>& findings) {
  for (const std::string_view prefix : prefixes) {
    FinalState<T>(std::string(prefix), model, layouts, results, findings).check();
  }
}

template void check_final_state(const net::Model<float>&, const std::vector<Layout>&,
                                const Values<float>&, std::vector<Finding>&);
template void check_final_state(const net::Model<double>&, const std::vector<Layout>&,
                                const Values<double>&, std::vector<Finding>&);

}  // namespace bptt::verify
