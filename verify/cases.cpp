#include "verify/cases.hpp"

#include <algorithm>

namespace bptt::verify {
namespace {

struct VariantRow {
  Variant variant;
  std::string_view name;
};
constexpr VariantRow variants[] = {{Variant::plain, "plain"},
                                   {Variant::lengths, "lengths"},
                                   {Variant::bare, "bare"},
                                   {Variant::last, "last"}};

constexpr std::string_view cells[] = {
    "rnn",
    "rnn:relu",
    "rnn:sigmoid",
    "rnn:leaky_relu",
    "rnn:identity",
    "lstm",
    "gru",
    "gru:update=keep",
    "gru:reset=after_matmul",
    "gru:reset=after_matmul:update=keep",
};

enum class Bias { on, both };

enum class Of { all_cells, rnn };

struct ShapeRow {
  Shape shape;
  std::vector<Variant> variants;
  Bias bias;
  bool small, quick;
  Of of = Of::all_cells;
};

const std::vector<ShapeRow>& shape_rows() {
  using enum Variant;
  static const std::vector<ShapeRow> rows = {
      // Small enough for the oracles to visit every element.
      {{7, 3, 5, 4}, {plain, lengths}, Bias::both, true, true},
      {{7, 3, 5, 4}, {bare, last}, Bias::on, true, false},
      {{5, 5, 2, 3}, {lengths}, Bias::on, true, false},
      {{31, 1, 2, 3}, {plain}, Bias::on, true, false},
      // Extents of one.
      {{1, 1, 1, 1}, {plain, lengths}, Bias::both, true, true},
      {{1, 5, 3, 7}, {plain, lengths}, Bias::on, true, false},
      {{9, 1, 3, 5}, {plain, lengths}, Bias::both, false, true},
      {{6, 5, 1, 1}, {plain, lengths}, Bias::on, false, true},
      {{5, 1, 1, 9}, {plain, bare}, Bias::on, false, false},
      // Around the widths of vector registers and matrix-product tiles.
      {{3, 2, 81, 16}, {plain}, Bias::both, false, false},
      {{11, 7, 3, 17}, {plain, lengths}, Bias::both, false, true},
      {{6, 65, 9, 8}, {plain, lengths}, Bias::on, false, false},
      {{9, 5, 31, 33}, {plain, lengths, bare, last}, Bias::on, false, false},
      {{5, 16, 17, 48}, {plain}, Bias::both, false, false},
      {{4, 37, 19, 80}, {plain, lengths}, Bias::on, false, false},
      // Far back in time, and more rows than one time chunk of a hoisted product holds.
      {{50, 3, 5, 17}, {plain, lengths}, Bias::on, false, true},
      {{50, 2, 7, 9}, {last}, Bias::on, false, false},
      {{60, 13, 7, 33}, {plain, lengths}, Bias::on, false, false},
      {{75, 37, 5, 17}, {plain, lengths}, Bias::on, false, false},
      {{24, 81, 3, 80}, {plain, lengths}, Bias::on, false, false, Of::rnn},
      {{130, 2, 3, 5}, {plain}, Bias::on, false, false},
  };
  return rows;
}

Case make_case(const ShapeRow& row, Variant variant, std::string_view cell, bool bias) {
  Case c;
  c.spec.cell = parse_cell(cell);
  c.spec.cell.bias = bias;
  c.spec.shape = row.shape;
  c.spec.lengths = variant == Variant::lengths;
  c.variant = variant;
  c.small = row.small;
  c.quick = row.quick;
  const auto& s = row.shape;
  c.name = to_string(c.spec.cell) + "/" + std::string(name_of(variant)) + "/T" +
           std::to_string(s.T) + "-B" + std::to_string(s.B) + "-I" + std::to_string(s.I) + "-H" +
           std::to_string(s.H);
  return c;
}

std::vector<Case> make_cases() {
  std::vector<Case> cases;
  for (const std::string_view cell : cells) {
    for (const ShapeRow& row : shape_rows()) {
      if (row.of == Of::rnn && parse_cell(cell).kind != CellKind::rnn) continue;
      for (const Variant variant : row.variants) {
        cases.push_back(make_case(row, variant, cell, true));
        if (row.bias == Bias::both) cases.push_back(make_case(row, variant, cell, false));
      }
    }
  }
  return cases;
}

}  // namespace

std::string_view name_of(Variant variant) {
  return std::find_if(std::begin(variants), std::end(variants),
                      [variant](const VariantRow& row) { return row.variant == variant; })
      ->name;
}

std::vector<Index> Case::lengths() const {
  if (!spec.lengths) return {};
  const auto [T, B, I, H] = spec.shape;
  std::vector<Index> lengths;
  for (Index b = 0; b < B; ++b) lengths.push_back(1 + (b * 31 + 17) % T);
  // A full one is never first, so that "the longest comes first" is not taken for granted.
  const Index pinned[] = {(T + 1) / 2, T, 1, 0};
  for (Index b = 0; b < std::min<Index>(B, 4); ++b)
    lengths[static_cast<std::size_t>(b)] = pinned[b];
  if (B == 1) lengths[0] = std::max<Index>(T - 2, 1);
  return lengths;
}

const std::vector<Case>& all_cases() {
  static const std::vector<Case> cases = make_cases();
  return cases;
}

std::uint64_t seed_of(const Case& c, std::uint64_t seed) {
  // FNV-1a: std::hash may differ between libraries.
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char character : c.name) {
    hash = (hash ^ static_cast<unsigned char>(character)) * 0x100000001b3u;
  }
  return hash ^ (seed * 0x9e3779b97f4a7c15u);
}

bool matches_glob(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0;
  // Where to go on after a mismatch: behind the last star, which then takes one character more.
  std::size_t after_star = std::string_view::npos, taken = 0;
  while (t < text.size()) {
    if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t]) && pattern[p] != '*') {
      ++p;
      ++t;
    } else if (p < pattern.size() && pattern[p] == '*') {
      after_star = ++p;
      taken = t;
    } else if (after_star != std::string_view::npos) {
      p = after_star;
      t = ++taken;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

}  // namespace bptt::verify
