// Relations along time: two stretches make the whole, and a bidirectional stack does not know which
// of its directions is called forward.
#include <algorithm>

#include "verify/properties/checks.hpp"
#include "verify/properties/trial.hpp"

namespace bptt::verify {
namespace {

template <Real T>
class Concatenation final : public PreparedProperty<T> {
 public:
  Concatenation(const Fixture& fixture, const PropertySetup& setup)
      : lengths_(fixture.stack.lengths ? tied_lengths(fixture.stack.shape) : std::vector<Index>()),
        whole_(fixture.subject(setup, lengths_), setup.seed),
        layouts_(given_layouts(*whole_.subject)),
        cut_(fixture.stack.shape.T * 3 / 7) {
    parts_[0] = part(fixture, setup, 0, cut_);
    parts_[1] = part(fixture, setup, cut_, fixture.stack.shape.T);
  }

  void run(const Backend& backend, const Exec& exec, Result& result) const override {
    const auto& layouts = whole_.ref.layouts;
    const auto whole = run_on<T>(backend, exec, *whole_.subject, whole_.ref.given);
    Given first = parts_[0].given, second = parts_[1].given;
    const auto start = run_on<T>(backend, exec, *parts_[0].subject, first);
    hand_over(start, "hT", "h0", second);
    hand_over(start, "cT", "c0", second);
    const auto end = run_on<T>(backend, exec, *parts_[1].subject, second);
    hand_over(end, "grad.h0", "dhT", first);
    hand_over(end, "grad.c0", "dcT", first);
    const auto begin = run_on<T>(backend, exec, *parts_[0].subject, first);

    Values<double> joined;
    for (std::size_t i = 0; i < layouts.size(); ++i) {
      const Layout& layout = layouts[i];
      const bool is_state = layout.outer == net::OuterAxis::states;
      const bool is_final = is_state && !layout.name.starts_with("grad.");
      std::vector<double> all(begin[i].begin(), begin[i].end());
      if (layout.outer == net::OuterAxis::time) {
        all.insert(all.end(), end[i].begin(), end[i].end());
      } else if (is_final) {
        all.assign(end[i].begin(), end[i].end());
      } else if (!is_state) {
        std::transform(all.begin(), all.end(), end[i].begin(), all.begin(), std::plus<>());
      }
      joined.push_back(std::move(all));
    }
    compare_results<T>("concatenation",
                       "steps 0.." + std::to_string(cut_ - 1) +
                           " and the rest, states and their gradients handed over, give something "
                           "else than all steps at once",
                       layouts, whole, expect(joined, whole_.ref.unit, whole_.ref.unit), result);
  }

 private:
  struct Part {
    std::shared_ptr<const Subject> subject;
    Given given;
  };

  Part part(const Fixture& fixture, const PropertySetup& setup, Index from, Index to) const {
    Shape shape = fixture.stack.shape;
    shape.T = to - from;
    std::vector<Index> lengths;
    for (const Index length : lengths_) lengths.push_back(std::clamp(length, from, to) - from);
    Given given = whole_.ref.given;
    for (std::size_t i = 0; i < layouts_.size(); ++i) {
      if (layouts_[i].outer != net::OuterAxis::time) continue;
      auto& values = given.values[i];
      const Index step = layouts_[i].block_size();
      values = std::vector<double>(values.begin() + from * step, values.begin() + to * step);
    }
    return {fixture.subject(setup, shape, lengths), std::move(given)};
  }

  /// Where the cell has such a tensor.
  void hand_over(const Values<T>& results, std::string_view result, std::string_view name,
                 Given& to) const {
    const Index from = find_tensor(whole_.ref.layouts, result), at = find_tensor(layouts_, name);
    if (from < 0 || at < 0) return;
    const auto& values = results[static_cast<std::size_t>(from)];
    to.values[static_cast<std::size_t>(at)].assign(values.begin(), values.end());
  }

  std::vector<Index> lengths_;
  Trial<T> whole_;
  std::vector<Layout> layouts_;
  Index cut_;
  std::array<Part, 2> parts_;
};

/// What a bidirectional stack holds, seen from the other end of time.
class Mirror {
 public:
  Mirror(const StackSpec& stack, std::vector<Index> lengths)
      : stack_(stack), lengths_(std::move(lengths)) {}

  template <class Value>
  Values<Value> operator()(const std::vector<Layout>& layouts, const Values<Value>& values) const {
    Values<Value> mirrored = values;
    for (std::size_t i = 0; i < layouts.size(); ++i) {
      const Layout& layout = layouts[i];
      const std::string name = layout.name.substr(layout.name.find('.') + 1);
      if (layout.outer == net::OuterAxis::time) {
        reverse_steps(layout, values[i], mirrored[i]);
        if (name == "y" || name == "dy") swap_halves(layout, mirrored[i]);
      } else if (layout.outer == net::OuterAxis::states) {
        for (Index block = 0; block < layout.blocks; ++block) {
          std::copy_n(values[i].begin() + (block ^ 1) * layout.block_size(), layout.block_size(),
                      mirrored[i].begin() + block * layout.block_size());
        }
      } else if (layout.outer == net::OuterAxis::gates) {
        mirrored[i] = values[static_cast<std::size_t>(find_tensor(layouts, twin(layout.name)))];
        const bool reads_layer_below =
            name.starts_with("weight_ih") && !name.starts_with("weight_ih_l0");
        if (reads_layer_below) swap_halves(layout, mirrored[i]);
      }
    }
    return mirrored;
  }

 private:
  /// The other direction's parameter.
  static std::string twin(const std::string& name) {
    constexpr std::string_view suffix = "_reverse";
    return name.ends_with(suffix) ? name.substr(0, name.size() - suffix.size())
                                  : name + std::string(suffix);
  }

  /// Live steps; padding stays where it is.
  template <class Value>
  void reverse_steps(const Layout& layout, const std::vector<Value>& from,
                     std::vector<Value>& to) const {
    const Index B = stack_.shape.B, width = layout.block_size() / B;
    for (Index b = 0; b < B; ++b) {
      const Index length =
          lengths_.empty() ? stack_.shape.T : lengths_[static_cast<std::size_t>(b)];
      for (Index t = 0; t < length; ++t) {
        std::copy_n(from.begin() + (t * B + b) * width, width,
                    to.begin() + ((length - 1 - t) * B + b) * width);
      }
    }
  }

  template <class Value>
  static void swap_halves(const Layout& layout, std::vector<Value>& values) {
    const Index width = layout.extents[layout.extents.rank() - 1];
    for (auto row = values.begin(); row != values.end(); row += width) {
      std::rotate(row, row + width / 2, row + width);
    }
  }

  StackSpec stack_;
  std::vector<Index> lengths_;
};

template <Real T>
class TimeReversal final : public PreparedProperty<T> {
 public:
  TimeReversal(const Fixture& fixture, const PropertySetup& setup)
      : lengths_(fixture.stack.lengths ? tied_lengths(fixture.stack.shape) : std::vector<Index>()),
        base_(fixture.subject(setup, lengths_), setup.seed),
        mirror_(fixture.stack, lengths_) {
    mirrored_.values = mirror_(given_layouts(*base_.subject), base_.ref.given.values);
  }

  void run(const Backend& backend, const Exec& exec, Result& result) const override {
    const auto model = base_.subject->template make<T>(plans_of<T>(backend, exec));
    const auto& layouts = base_.ref.layouts;
    const auto straight = verify::run(*model, base_.ref.given);
    const auto reversed = verify::run(*model, mirrored_);
    const auto units = mirror_(layouts, base_.ref.unit);
    compare_results<T>("time-reversal",
                       "x reversed in time, with the weights of both directions swapped, gives "
                       "something else than the reverse",
                       layouts, reversed,
                       expect(mirror_(layouts, widened<T>(straight)), units, units), result);
  }

 private:
  std::vector<Index> lengths_;
  Trial<T> base_;
  Mirror mirror_;
  Given mirrored_;
};

}  // namespace

template <Real T>
Prepared<T> prepare_concatenation(const Fixture& fixture, const PropertySetup& setup) {
  return std::make_unique<Concatenation<T>>(fixture, setup);
}
template <Real T>
Prepared<T> prepare_time_reversal(const Fixture& fixture, const PropertySetup& setup) {
  return std::make_unique<TimeReversal<T>>(fixture, setup);
}

template Prepared<float> prepare_concatenation(const Fixture&, const PropertySetup&);
template Prepared<double> prepare_concatenation(const Fixture&, const PropertySetup&);
template Prepared<float> prepare_time_reversal(const Fixture&, const PropertySetup&);
template Prepared<double> prepare_time_reversal(const Fixture&, const PropertySetup&);

}  // namespace bptt::verify
