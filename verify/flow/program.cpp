#include "verify/flow/program.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>
#include <ostream>
#include <span>

#include "impls/io/atomic_file.hpp"
#include "impls/program/exit_code.hpp"
#include "impls/program/progress.hpp"
#include "verify/flow/measure.hpp"
#include "verify/flow/settings.hpp"
#include "verify/text_table.hpp"

namespace bptt::verify::flow {
namespace {

std::string number(double value) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.3g", value);
  return buffer;
}

bool is_wrong(const Row& row) {
  if (row.verdict) return *row.verdict == Verdict::violated;
  return !std::isfinite(row.norm) || !std::isfinite(row.cell_norm.value_or(0));
}

/// How many rows have this verdict.
std::size_t count(std::span<const Row> rows, std::optional<Verdict> verdict) {
  return static_cast<std::size_t>(std::count_if(
      rows.begin(), rows.end(), [&](const Row& row) { return row.verdict == verdict; }));
}

/// Of a network with bounds: the worst of its lags.
const char* at_every_lag(std::span<const Row> network) {
  if (count(network, Verdict::violated) > 0) return "VIOLATED";
  return count(network, Verdict::out_of_range) > 0 ? "out of range" : "holds";
}

/// Rows that follow one another and agree in key().
template <class Key>
std::vector<std::span<const Row>> groups(std::span<const Row> rows, Key key) {
  std::vector<std::span<const Row>> found;
  for (std::size_t begin = 0; begin < rows.size();) {
    std::size_t end = begin;
    while (end < rows.size() && key(rows[end]) == key(rows[begin])) ++end;
    found.push_back(rows.subspan(begin, end - begin));
    begin = end;
  }
  return found;
}

/// A few of one network's rows: the first, the last, and some between.
std::vector<std::size_t> shown(std::size_t count) {
  std::vector<std::size_t> places;
  for (const double share : {0.0, 0.1, 0.25, 0.5, 1.0}) {
    const auto place = static_cast<std::size_t>(share * static_cast<double>(count - 1) + 0.5);
    if (places.empty() || places.back() != place) places.push_back(place);
  }
  return places;
}

void print_cell(std::ostream& out, std::span<const Row> rows) {
  const auto networks = groups(rows, [](const Row& row) { return row.initialisation; });
  const Row& first = rows.front();
  const auto places = shown(networks.front().size());
  out << '\n'
      << first.cell << ", " << first.backend << ", " << first.dtype << ", H=" << first.H
      << ", T=" << first.T << ": |dh_T/dh_(T-lag)|"
      << (first.cell_norm ? ", and |dh_T/dc_(T-lag)| at the last lag" : "") << '\n';
  std::vector<std::string> titles = {"initialisation", ">sigma_max", ">radius"};
  for (const std::size_t place : places) {
    titles.push_back((place == 0 ? ">lag " : ">") + std::to_string(rows[place].lag));
  }
  if (first.cell_norm) titles.push_back(">dc");
  if (first.bound) titles.insert(titles.end(), {">bound", "at every lag"});
  TextTable table(std::move(titles));
  for (const auto& network : networks) {
    const Row& last = network.back();
    std::vector<std::string> cells = {last.initialisation, number(last.sigma_max),
                                      number(last.spectral_radius)};
    for (const std::size_t place : places) cells.push_back(number(network[place].norm));
    if (last.cell_norm) cells.push_back(number(*last.cell_norm));
    if (last.bound) {
      cells.insert(cells.end(), {number(*last.bound), at_every_lag(network)});
    }
    table.add(std::move(cells));
  }
  table.print(out);
}

/// What was shown: bounds that were checked, and norms that have none.
void print_summary(std::ostream& out, std::span<const Row> rows) {
  const std::size_t unbounded = count(rows, std::nullopt), bounds = rows.size() - unbounded;
  const std::size_t not_finite = static_cast<std::size_t>(std::count_if(
      rows.begin(), rows.end(), [](const Row& row) { return !row.verdict && is_wrong(row); }));
  out << '\n';
  if (bounds > 0) {
    const std::size_t held = count(rows, Verdict::holds),
                      beyond = count(rows, Verdict::out_of_range);
    out << (count(rows, Verdict::violated) > 0 ? "FAIL: "
            : held > 0                         ? "PASS: "
                                               : "NOTHING CHECKED: ")
        << held << " of " << bounds << " bounds hold";
    if (beyond > 0) {
      out << ", " << beyond << " are out of range: norm and bound overflow " << rows.front().dtype;
    }
    out << ".\n";
  }
  if (unbounded > 0) {
    out << (not_finite > 0 ? "FAIL: " : "NO CHECK: ") << unbounded - not_finite << " of "
        << unbounded
        << " norms of gated cells are finite; no bound is claimed for lstm and gru, what is shown "
           "is "
           "what was measured.\n";
  }
}

}  // namespace

void print(std::ostream& out, const std::vector<Row>& rows) {
  for (const auto& cell : groups(std::span<const Row>(rows),
                                 [](const Row& row) { return row.backend + ' ' + row.cell; })) {
    print_cell(out, cell);
  }
  for (const Row& row : rows) {
    if (!is_wrong(row)) continue;
    out << (row.bound ? "VIOLATED: " : "NOT FINITE: ") << row.backend << ' ' << row.cell << ' '
        << row.initialisation << ", lag " << row.lag << ": expected |dh_T/dh_k| of "
        << (row.bound ? "at most " + number(*row.bound) : "any finite size") << "; got "
        << number(row.norm) << '\n';
  }
  print_summary(out, rows);
}

int exit_code_of(const std::vector<Row>& rows) {
  if (rows.empty()) return program::nothing_done;
  if (std::any_of(rows.begin(), rows.end(), is_wrong)) return program::numerically_wrong;
  return count(rows, Verdict::out_of_range) == rows.size() ? program::nothing_done : program::good;
}

int run_flow(int argc, const char* const* argv, std::ostream& out) {
  const auto settings = parse_settings(argc, argv);
  if (!settings) return program::good;
  std::optional<io::AtomicFile> file;  // what keeps it from being written shows before the work
  if (!settings->output.empty()) file.emplace(settings->output);
  std::vector<Row> rows;
  {
    constexpr double seconds_guessed = 10;
    program::Progress line(seconds_guessed);
    const auto networks = static_cast<double>(settings->backends.size() * settings->cells.size() *
                                              initialisations().size());
    double done = 0;
    for (const Backend* backend : settings->backends) {
      for (const Cell& cell : settings->cells) {
        Network network{cell, {}, settings->T, settings->H, settings->seed};
        if (const auto reason =
                backend->refusal(spec_of(network, network.T), settings->dtype, Exec{})) {
          line.clear();
          out << backend->name() << " refuses " << to_string(cell) << ": " << *reason << '\n';
          continue;
        }
        for (const Initialisation& initialisation : initialisations()) {
          line.show(seconds_guessed * done++ / networks,
                    to_string(cell) + " " + std::string(initialisation.name));
          if (!applies_to(initialisation, cell)) continue;
          network.initialisation = initialisation;
          const std::vector<Row> more = measure(*backend, settings->dtype, network);
          rows.insert(rows.end(), more.begin(), more.end());
        }
      }
    }
  }
  print(out, rows);
  if (file) file->commit(csv_text(rows));
  return exit_code_of(rows);
}

}  // namespace bptt::verify::flow
