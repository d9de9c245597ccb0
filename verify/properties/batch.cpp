// Relations along the batch: its order, and its parts.
#include <algorithm>

#include "impls/net/random.hpp"
#include "verify/properties/checks.hpp"
#include "verify/properties/trial.hpp"

namespace bptt::verify {
namespace {

std::vector<Index> pick(const std::vector<Index>& lengths, const std::vector<Index>& rows) {
  if (lengths.empty()) return {};
  std::vector<Index> picked;
  for (const Index row : rows) picked.push_back(lengths[static_cast<std::size_t>(row)]);
  return picked;
}

Given take_rows(const std::vector<Layout>& layouts, const Given& given,
                const std::vector<Index>& rows) {
  Given taken;
  taken.values = take_rows<double>(layouts, given.values, rows);
  return taken;
}

std::vector<Index> lengths_of(const Fixture& fixture) {
  return fixture.stack.lengths ? tied_lengths(fixture.stack.shape) : std::vector<Index>();
}

template <Real T>
class BatchPermutation final : public PreparedProperty<T> {
 public:
  BatchPermutation(const Fixture& fixture, const PropertySetup& setup)
      : lengths_(lengths_of(fixture)),
        base_(fixture.subject(setup, lengths_), setup.seed),
        layouts_(given_layouts(*base_.subject)) {
    for (const auto& order : orders(fixture.stack.shape.B, setup.seed)) {
      permuted_.push_back({order, fixture.subject(setup, pick(lengths_, order)),
                           take_rows(layouts_, base_.ref.given, order)});
    }
  }

  void run(const Backend& backend, const Exec& exec, Result& result) const override {
    const auto straight = widened<T>(run_on<T>(backend, exec, *base_.subject, base_.ref.given));
    for (const auto& [order, subject, given] : permuted_) {
      const auto units = take_rows<double>(base_.ref.layouts, base_.ref.unit, order);
      compare_results<T>(
          "batch-permutation", "the batch in another order gives something else",
          result_layouts(*subject->template make<T>(naive_plans<T>()), subject->cell()),
          run_on<T>(backend, exec, *subject, given),
          expect(take_rows<double>(base_.ref.layouts, straight, order), units, units), result);
    }
  }

 private:
  std::vector<std::vector<Index>> orders(Index B, std::uint64_t seed) const {
    std::vector<Index> reversed = iota(B), shuffled = reversed;
    std::reverse(reversed.begin(), reversed.end());
    net::Random random(seed, 0x6f72646572u);
    for (std::size_t i = shuffled.size(); i > 1; --i) {
      std::swap(shuffled[i - 1],
                shuffled[static_cast<std::size_t>(random.below(static_cast<Index>(i)))]);
    }
    if (lengths_.empty()) return {reversed, shuffled};
    std::vector<Index> rising = iota(B);
    std::stable_sort(rising.begin(), rising.end(), [&](Index a, Index b) {
      return lengths_[static_cast<std::size_t>(a)] < lengths_[static_cast<std::size_t>(b)];
    });
    std::vector<Index> falling(rising.rbegin(), rising.rend());
    return {reversed, shuffled, rising, falling};
  }

  struct Permuted {
    std::vector<Index> order;
    std::shared_ptr<const Subject> subject;
    Given given;
  };
  std::vector<Index> lengths_;
  Trial<T> base_;
  std::vector<Layout> layouts_;
  std::vector<Permuted> permuted_;
};

template <Real T>
class BatchSplit final : public PreparedProperty<T> {
 public:
  BatchSplit(const Fixture& fixture, const PropertySetup& setup)
      : lengths_(lengths_of(fixture)), whole_(fixture.subject(setup, lengths_), setup.seed) {
    const auto layouts = given_layouts(*whole_.subject);
    const std::vector<Index> rows = iota(fixture.stack.shape.B);
    // Unequal parts, the smaller one first.
    const auto cut = rows.begin() + std::max<std::ptrdiff_t>(1, std::ssize(rows) * 3 / 8);
    for (const std::vector<Index>& part :
         {std::vector<Index>(rows.begin(), cut), std::vector<Index>(cut, rows.end())}) {
      Shape shape = fixture.stack.shape;
      shape.B = static_cast<Index>(part.size());
      parts_.push_back({part, Trial<T>(fixture.subject(setup, shape, pick(lengths_, part)),
                                       take_rows(layouts, whole_.ref.given, part), setup.seed)});
    }
  }

  void run(const Backend& backend, const Exec& exec, Result& result) const override {
    const auto& layouts = whole_.ref.layouts;
    const auto whole = run_on<T>(backend, exec, *whole_.subject, whole_.ref.given);
    std::vector<Values<T>> parts;
    for (const auto& [rows, trial] : parts_) {
      parts.push_back(run_on<T>(backend, exec, *trial.subject, trial.ref.given));
    }
    Expectation sum{widened<T>(whole), whole_.ref.unit};
    for (std::size_t i = 0; i < layouts.size(); ++i) {
      if (layouts[i].batched) {
        put_rows(i, parts, sum);
      } else {
        std::fill(sum.values[i].begin(), sum.values[i].end(), 0);
        for (std::size_t part = 0; part < parts.size(); ++part) {
          sum.add(i, parts[part][i], parts_[part].trial.ref.unit[i]);
        }
      }
    }
    compare_results<T>("batch-split", "the batch's parts give something else than the batch",
                       layouts, whole, sum, result);
  }

 private:
  /// The parts' rows in their places.
  void put_rows(std::size_t i, const std::vector<Values<T>>& parts, Expectation& to) const {
    const Extents& extents = whole_.ref.layouts[i].extents;
    const Index width = extents[extents.rank() - 1], batch = extents[extents.rank() - 2];
    const Index blocks = extents.size() / (batch * width);
    for (std::size_t part = 0; part < parts.size(); ++part) {
      const auto& [rows, trial] = parts_[part];
      const auto part_rows = static_cast<Index>(rows.size());
      for (Index e = 0; e < blocks * part_rows * width; ++e) {
        const Index block = e / (part_rows * width), row = e / width % part_rows;
        const auto from = static_cast<std::size_t>(e);
        const auto at = static_cast<std::size_t>(
            (block * batch + rows[static_cast<std::size_t>(row)]) * width + e % width);
        to.values[i][at] = static_cast<double>(parts[part][i][from]);
        to.units[i][at] = std::hypot(to.units[i][at], trial.ref.unit[i][from]);
      }
    }
  }

  struct Part {
    std::vector<Index> rows;
    Trial<T> trial;
  };
  std::vector<Index> lengths_;
  Trial<T> whole_;
  std::vector<Part> parts_;
};

}  // namespace

template <Real T>
Prepared<T> prepare_batch_permutation(const Fixture& fixture, const PropertySetup& setup) {
  return std::make_unique<BatchPermutation<T>>(fixture, setup);
}
template <Real T>
Prepared<T> prepare_batch_split(const Fixture& fixture, const PropertySetup& setup) {
  return std::make_unique<BatchSplit<T>>(fixture, setup);
}

template Prepared<float> prepare_batch_permutation(const Fixture&, const PropertySetup&);
template Prepared<double> prepare_batch_permutation(const Fixture&, const PropertySetup&);
template Prepared<float> prepare_batch_split(const Fixture&, const PropertySetup&);
template Prepared<double> prepare_batch_split(const Fixture&, const PropertySetup&);

}  // namespace bptt::verify
