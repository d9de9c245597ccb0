#include "reports/lengths.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "reports/case_columns.hpp"
#include "reports/format.hpp"
#include "reports/ranking.hpp"

namespace bptt::report {
namespace {

using Style = Text::Style;
using Point = LengthsFamily::Point;

constexpr std::string_view option = ":lengths=";

/// The name of the lengths that a cell's spelling ends with or holds, taken out of it.
std::optional<std::string> take_spread(std::string& cell) {
  const auto begin = cell.find(option);
  if (begin == std::string::npos) return std::nullopt;
  const auto name = begin + option.size(), end = std::min(cell.find(':', name), cell.size());
  const std::string spread = cell.substr(name, end - name);
  cell.erase(begin, end - begin);
  return spread;
}

/// Of T*B; nothing where no row of the case tells.
std::optional<double> live_share(const CaseResult& result) {
  const double all = static_cast<double>(result.key.T) * static_cast<double>(result.key.B);
  for (const Measurement& m : result.measurements) {
    if (m.live_steps) return static_cast<double>(*m.live_steps) / all;
  }
  return std::nullopt;
}

/// The backend in a case, where it may be ranked.
const Measurement* ranked(const CaseResult* result, const std::string& backend) {
  const Measurement* m = result == nullptr ? nullptr : result->find(backend);
  return m != nullptr && m->may_be_ranked() ? m : nullptr;
}

/// Time with lengths over the time of the same backend without. These are different cases, each
/// with rounds of its own: nothing pairs them.
std::optional<double> of_full(const LengthsFamily& family, const Measurement& m) {
  const Measurement* full = ranked(family.full, m.backend);
  if (full == nullptr || !m.may_be_ranked()) return std::nullopt;
  return m.median / full->median;
}

std::string case_text(const Layout& layout, const Case& key) {
  std::string text;
  for (const CaseField& field : layout.columns) {
    text += (text.empty() ? "" : ", ") + labelled(field, key);
  }
  return text.empty() ? key.cell : text;
}

std::vector<Case> keys_of(const std::vector<LengthsFamily>& families) {
  std::vector<Case> keys;
  for (const LengthsFamily& family : families) keys.push_back(family.key);
  return keys;
}

Words padding_words(const Measurement& m) {
  return {m.padding, m.padding == "computed" ? Style::alarm : Style::plain};
}

/// What one backend's cases with lengths come to.
struct Sum {
  double log_of_ideal = 0, least = 0, most = 0;
  std::size_t cases = 0, slower_than_full = 0, padded = 0;
  double worst_of_full = 0;
  const LengthsFamily* worst_family = nullptr;
  const Point* worst_point = nullptr;

  void add(const LengthsFamily& family, const Point& point, double of_full) {
    const double of_ideal = of_full / point.share;
    least = cases == 0 ? of_ideal : std::min(least, of_ideal);
    most = cases == 0 ? of_ideal : std::max(most, of_ideal);
    log_of_ideal += std::log(of_ideal);
    ++cases;
    if (of_full > 1) ++slower_than_full;
    if (of_full <= worst_of_full) return;
    worst_of_full = of_full;
    worst_family = &family;
    worst_point = &point;
  }
};

Words sentence_of(const std::string& backend, const Sum& sum, const Layout& layout) {
  Words words(backend, Style::backend);
  if (sum.padded > 0) {
    words.add(" takes no lengths: ")
        .add("padded", Style::alarm)
        .add(" in " + counted(sum.padded, "case", "cases"))
        .add(sum.cases > 0 ? ";" : ".");
  }
  if (sum.cases == 0) return words;
  const double mean = std::exp(sum.log_of_ideal / static_cast<double>(sum.cases));
  words.add(" takes ").add(times(mean), Style::best).add(" the ideal time in the geometric mean");
  words.add(" of " + counted(sum.cases, "case", "cases") + " with lengths" + " (" +
            times(sum.least) + " to " + times(sum.most) + "); ");
  if (sum.slower_than_full == 0) {
    words.add("always faster than without");
  } else {
    words.add("slower than without in " + std::to_string(sum.slower_than_full), Style::alarm);
  }
  words.add(", at most " + times(sum.worst_of_full) + " of that (" +
            case_text(layout, sum.worst_family->key) + ", " + sum.worst_point->spread + ").");
  return words;
}

}  // namespace

std::vector<LengthsFamily> lengths_families(const Report& report, std::string_view phase) {
  std::map<Case, LengthsFamily> by_key;
  for (const CaseResult* result : report.study.of("layer", phase)) {
    Case key = result->key;
    const auto spread = take_spread(key.cell);
    const auto share = live_share(*result);
    if (!spread || !share) continue;
    by_key[key].points.push_back({*spread, *share, result});
  }
  std::vector<LengthsFamily> families;
  for (auto& [key, family] : by_key) {
    family.key = key;
    family.full = report.study.find(key);
    std::stable_sort(family.points.begin(), family.points.end(),
                     [](const Point& a, const Point& b) { return a.share > b.share; });
    families.push_back(std::move(family));
  }
  return families;
}

Table lengths_table(const Report& report, std::string_view phase) {
  const auto families = lengths_families(report, phase);
  Table table;
  table.caption =
      "Ideal is a backend's own time without lengths by the share of steps that are live: it "
      "leaves "
      "the padding out and loses nothing by it. Above 1 of its full-length time, lengths cost more "
      "than padding does.";
  const CaseColumns columns(keys_of(families), {"workload", "phase"}, table);
  table.columns.push_back({"lengths", false, true});
  table.columns.push_back({"live steps", true});
  table.columns.push_back({"backend", false, true});
  for (const char* heading :
       {"time", "of its full-length time", "of the ideal", "of the fastest"}) {
    table.columns.push_back({heading, true});
  }
  table.columns.push_back({"padding"});
  const auto add = [&](const LengthsFamily& family, const Point& point) {
    const Measurement* leader = rank(*point.result).leader;
    for (const Measurement& m : point.result->measurements) {
      auto row = columns.cells(family.key);
      row.emplace_back(point.spread);
      row.emplace_back(percent(point.share));
      row.emplace_back(m.backend, Style::backend);
      if (!m.may_be_ranked()) {
        row.push_back(standing(m));
        row.insert(row.end(), 3, nothing);
      } else {
        const auto ratio = of_full(family, m);
        row.emplace_back(duration(m.median));
        row.emplace_back(or_nothing(ratio, times),
                         ratio.value_or(0) > 1 ? Style::alarm : Style::plain);
        row.emplace_back(ratio ? times(*ratio / point.share) : nothing);
        row.emplace_back(times(paired_ratio(m, *leader).value),
                         &m == leader ? Style::best : Style::plain);
      }
      row.push_back(padding_words(m));
      table.rows.push_back(std::move(row));
    }
  };
  for (const LengthsFamily& family : families) {
    if (family.full != nullptr) add(family, {"full", 1, family.full});
    for (const Point& point : family.points) add(family, point);
  }
  return table;
}

std::vector<Words> lengths_verdicts(const Report& report, std::string_view phase) {
  const auto families = lengths_families(report, phase);
  const Layout layout = layout_of(keys_of(families), {"workload", "phase"});
  std::vector<Words> sentences;
  for (const std::string& backend : report.study.backends) {
    Sum sum;
    for (const LengthsFamily& family : families) {
      for (const Point& point : family.points) {
        const Measurement* m = ranked(point.result, backend);
        if (m == nullptr) continue;
        if (m->padding == "computed") {
          ++sum.padded;
        } else if (const auto ratio = of_full(family, *m)) {
          sum.add(family, point, *ratio);
        }
      }
    }
    if (sum.cases + sum.padded > 0) sentences.push_back(sentence_of(backend, sum, layout));
  }
  return sentences;
}

std::vector<std::string> lengths_cautions(const Study& study) {
  std::vector<std::string> backends;
  std::size_t count = 0;
  for (const std::string& backend : study.backends) {
    const std::size_t before = count;
    for (const CaseResult& result : study.cases) {
      const Measurement* m = result.find(backend);
      if (m != nullptr && m->padding == "computed") ++count;
    }
    if (count > before) backends.push_back(backend);
  }
  if (backends.empty()) return {};
  return {counted(count, "measurement", "measurements") + " with lengths ran padded, by " +
          listed(backends) +
          ": every step was computed, and the last states are those after the padding. They stand "
          "beside backends that leave it out."};
}

Json lengths_data(const Report& report, std::string_view phase) {
  const auto families = lengths_families(report, phase);
  const Layout layout = layout_of(keys_of(families), {"workload", "phase"});
  Json all = Json::array();
  for (const LengthsFamily& family : families) {
    Json series = Json::object();
    for (const std::string& backend : report.study.backends) {
      Json points = Json::array();
      for (const Point& point : family.points) {
        const Measurement* m = ranked(point.result, backend);
        if (m == nullptr) continue;
        const auto ratio = of_full(family, *m);
        points.push_back({{"x", point.share},
                          {"seconds", m->median},
                          {"min", m->minimum},
                          {"max", m->maximum},
                          {"ratio", ratio ? Json(*ratio) : Json()},
                          {"spread", point.spread},
                          {"padded", m->padding == "computed"}});
      }
      if (!points.empty()) series[backend] = std::move(points);
    }
    if (series.empty()) continue;
    all.push_back({{"title", case_text(layout, family.key)}, {"series", std::move(series)}});
  }
  return all;
}

}  // namespace bptt::report
