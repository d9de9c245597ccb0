#include "reports/flow.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

#include "reports/format.hpp"

namespace bptt::report {
namespace {

using verify::flow::Row;
using verify::flow::Verdict;

/// What networks may differ in besides cell and initialisation.
struct Setting {
  const char* name;
  std::string (*text)(const Row&);
};
constexpr Setting settings[] = {
    {"backend", [](const Row& row) { return row.backend; }},
    {"dtype", [](const Row& row) { return row.dtype; }},
    {"T", [](const Row& row) { return "T=" + std::to_string(row.T); }},
    {"H", [](const Row& row) { return "H=" + std::to_string(row.H); }},
    {"seed", [](const Row& row) { return "seed " + std::to_string(row.seed); }},
};

/// The settings that differ among the rows, and those that do not.
struct Differences {
  std::vector<const Setting*> varied, fixed;

  explicit Differences(const Flow& flow) {
    for (const Setting& setting : settings) {
      std::set<std::string> values;
      for (const Row& row : flow) values.insert(setting.text(row));
      (values.size() > 1 ? varied : fixed).push_back(&setting);
    }
  }
  static std::string text(const std::vector<const Setting*>& of, const Row& row) {
    std::string text;
    for (const Setting* setting : of) text += (text.empty() ? "" : ", ") + setting->text(row);
    return text;
  }
  /// "rnn:relu", "rnn:relu, H=16"
  std::string title(const Row& row) const {
    const std::string more = text(varied, row);
    return row.cell + (more.empty() ? "" : ", " + more);
  }
};

/// One network's rows, by lag.
using Network = std::vector<const Row*>;

struct Group {
  std::string title;
  std::vector<Network> networks;
};

/// Networks by title, in order of first appearance.
std::vector<Group> groups_of(const Flow& flow) {
  const Differences differences(flow);
  std::vector<Group> groups;
  for (const Row& row : flow) {
    const std::string title = differences.title(row);
    auto group = std::find_if(groups.begin(), groups.end(),
                              [&](const Group& one) { return one.title == title; });
    if (group == groups.end()) group = groups.insert(groups.end(), {title, {}});
    auto& networks = group->networks;
    auto network = std::find_if(networks.begin(), networks.end(), [&](const Network& one) {
      return one.front()->initialisation == row.initialisation;
    });
    if (network == networks.end()) network = networks.insert(networks.end(), Network());
    network->push_back(&row);
  }
  for (Group& group : groups) {
    for (Network& network : group.networks) {
      std::sort(network.begin(), network.end(),
                [](const Row* a, const Row* b) { return a->lag < b->lag; });
    }
  }
  return groups;
}

/// The worst of its lags'; nothing where there is no bound.
std::optional<Verdict> verdict_of(const Network& network) {
  std::optional<Verdict> worst;
  for (const Row* row : network) {
    if (!row->verdict || worst == Verdict::violated) continue;
    if (!worst || *row->verdict != Verdict::holds) worst = row->verdict;
  }
  return worst;
}

Words bound_words(std::optional<Verdict> verdict) {
  if (!verdict) return nothing;
  if (*verdict == Verdict::violated) return Words("violated", Text::Style::alarm);
  return *verdict == Verdict::holds ? "holds" : "out of range";
}

std::string caption(const Flow& flow) {
  if (flow.empty()) return "";
  return Differences::text(Differences(flow).fixed, flow.front());
}

/// On a logarithmic scale there is no zero, and JSON has no infinity.
Json positive(double value) {
  return std::isfinite(value) && value > 0 ? Json(value) : Json();
}

}  // namespace

Words flow_verdict(const Flow& flow) {
  const auto count = [&](Verdict verdict) {
    return static_cast<std::size_t>(std::count_if(
        flow.begin(), flow.end(), [&](const Row& row) { return row.verdict == verdict; }));
  };
  const std::size_t broken = count(Verdict::violated), beyond = count(Verdict::out_of_range),
                    bounds = count(Verdict::holds) + broken + beyond;
  if (bounds == 0) return "Of these cells, none has a bound.";
  const std::string all = counted(bounds, "bound", "bounds");
  if (broken == 0 && beyond > 0) {
    return std::to_string(bounds - beyond) + " of " + all +
           (bounds - beyond == 1 ? " holds" : " hold") +
           "; of the others norm and bound are out of range.";
  }
  if (broken == 0) return bounds == 1 ? "The bound holds." : "All " + all + " hold.";
  return Words(
             std::to_string(broken) + " of " + all + (broken == 1 ? " does" : " do") + " not hold",
             Text::Style::alarm)
      .add(": the backward pass that was measured is wrong.");
}

std::vector<std::string> flow_method() {
  return {
      "Gradient flow: the operator norm (largest singular value) of the Jacobian dh_T/dh_k, of "
      "which a backend's backward pass gives every row: a batch of equal sequences from h_k on, "
      "with the identity as dhT. Of an lstm, c_k is held; dh_T/dc_k is its other half.",
      "The bound is (gamma sigma_max(W_hh))^(T-k), gamma the largest slope of the activation: 1/4 "
      "for sigmoid, 1 for the others. It says how large the norm may be, not how large it is. "
      "lstm and gru have no bound in W_hh alone.",
  };
}

Table flow_summary(const Flow& flow) {
  const Differences differences(flow);
  Table table{caption(flow), {{"cell", false, true}}, {}};
  for (const Setting* setting : differences.varied) {
    table.columns.push_back({setting->name, false, true});
  }
  const bool has_cell_state = std::any_of(flow.begin(), flow.end(),
                                          [](const Row& row) { return row.cell_norm.has_value(); });
  table.columns.insert(table.columns.end(), {{"initialisation", false, true},
                                             {"σmax(W_hh)", true},
                                             {"spectral radius", true},
                                             {"norm at T-k=1", true},
                                             {"half way", true},
                                             {"at the last", true},
                                             {"factor per step", true}});
  if (has_cell_state) table.columns.push_back({"dh_T/dc_k at the last", true});
  table.columns.insert(table.columns.end(), {{"bound at the last", true}, {"bound"}});
  for (const Group& group : groups_of(flow)) {
    for (const Network& network : group.networks) {
      const Row &first = *network.front(), &middle = *network[(network.size() - 1) / 2],
                &last = *network.back();
      std::vector<Words> cells = {first.cell};
      for (const Setting* setting : differences.varied) cells.push_back(setting->text(first));
      for (const std::string& text :
           {first.initialisation, three_digits(first.sigma_max),
            three_digits(first.spectral_radius), three_digits(first.norm),
            three_digits(middle.norm), three_digits(last.norm),
            three_digits(std::pow(last.norm, 1 / static_cast<double>(last.lag)))}) {
        cells.push_back(text);
      }
      if (has_cell_state) cells.push_back(or_nothing(last.cell_norm, three_digits));
      cells.push_back(or_nothing(last.bound, three_digits));
      cells.push_back(bound_words(verdict_of(network)));
      table.rows.push_back(std::move(cells));
    }
  }
  return table;
}

Table flow_table(const Flow& flow) {
  Table table{caption(flow),
              {{"network", false, true},
               {"initialisation", false, true},
               {"T-k", true},
               {"|dh_T/dh_k|", true},
               {"|dh_T/dc_k|", true},
               {"bound", true},
               {"verdict", false, true}},
              {}};
  for (const Group& group : groups_of(flow)) {
    for (const Network& network : group.networks) {
      for (const Row* row : network) {
        table.rows.push_back({group.title, row->initialisation, std::to_string(row->lag),
                              three_digits(row->norm), or_nothing(row->cell_norm, three_digits),
                              or_nothing(row->bound, three_digits), bound_words(row->verdict)});
      }
    }
  }
  return table;
}

std::vector<std::string> flow_titles(const Flow& flow) {
  std::vector<std::string> titles;
  for (Group& group : groups_of(flow)) titles.push_back(std::move(group.title));
  return titles;
}

Json flow_data(const Flow& flow) {
  Json charts = Json::array();
  for (const Group& group : groups_of(flow)) {
    Json networks = Json::array();
    for (const Network& network : group.networks) {
      Json points = Json::array();
      for (const Row* row : network) {
        points.push_back({row->lag, positive(row->norm),
                          row->cell_norm ? positive(*row->cell_norm) : Json(),
                          row->bound ? positive(*row->bound) : Json()});
      }
      networks.push_back({{"name", network.front()->initialisation},
                          {"holds", verdict_of(network) != Verdict::violated},
                          {"points", std::move(points)}});
    }
    charts.push_back({{"title", group.title}, {"networks", std::move(networks)}});
  }
  return charts;
}

}  // namespace bptt::report
