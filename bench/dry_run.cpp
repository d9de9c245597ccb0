#include "bench/dry_run.hpp"

#include <algorithm>
#include <ostream>

#include "bench/presets.hpp"
#include "bench/table.hpp"
#include "impls/api/memory.hpp"
#include "impls/api/registry.hpp"

namespace bptt::bench {

namespace {

/// A column of the table of cases.
struct Field {
  Table::Column column;
  std::string (*text)(const Case&);
  const char* ordinary;  ///< the column is left out where all cases have this; null: never
};

constexpr auto right = Table::Align::right;
const Field fields[] = {
    {{"cell"}, [](const Case& c) { return to_string(c.spec.cell); }, nullptr},
    {{"dtype"}, [](const Case& c) { return std::string(name_of(c.dtype)); }, nullptr},
    {{"T", right}, [](const Case& c) { return std::to_string(c.spec.shape.T); }, nullptr},
    {{"B", right}, [](const Case& c) { return std::to_string(c.spec.shape.B); }, nullptr},
    {{"I", right}, [](const Case& c) { return std::to_string(c.spec.shape.I); }, nullptr},
    {{"H", right}, [](const Case& c) { return std::to_string(c.spec.shape.H); }, nullptr},
    {{"layers", right}, [](const Case& c) { return std::to_string(c.spec.layers); }, "1"},
    {{"directions", right}, [](const Case& c) { return std::to_string(c.spec.directions()); }, "1"},
    {{"lengths"}, [](const Case& c) { return c.lengths.name(); }, "full"},
    {{"recompute"}, [](const Case& c) { return std::string(name_of(c.exec.recompute)); }, "none"},
    {{"threads", right}, [](const Case& c) { return std::to_string(c.exec.threads); }, nullptr},
};

std::vector<Field> fields_of(const std::vector<Case>& cases) {
  std::vector<Field> shown;
  for (const Field& field : fields) {
    const bool ordinary =
        field.ordinary != nullptr && std::all_of(cases.begin(), cases.end(), [&](const Case& c) {
          return field.text(c) == field.ordinary;
        });
    if (!ordinary) shown.push_back(field);
  }
  return shown;
}

}  // namespace

void print_dry_run(const Settings& settings, const std::vector<Case>& cases, CostModel& cost,
                   std::ostream& out) {
  const std::vector<Field> shown = fields_of(cases);
  std::vector<Table::Column> columns;
  for (const Field& field : shown) columns.push_back(field.column);
  columns.insert(columns.end(), {{"backend"}, {"memory", right}, {"time", right}, {""}});
  Table table(std::move(columns));
  double total = 0;
  std::size_t refused = 0;
  for (const Case& c : cases) {
    for (const Backend* backend : settings.backends) {
      std::vector<std::string> cells;
      for (const Field& field : shown) cells.push_back(field.text(c));
      cells.emplace_back(backend->name());
      if (const auto reason = cost.refusal(*backend, c, settings)) {
        ++refused;
        cells.insert(cells.end(), {"-", "-", "refused: " + *reason});
      } else {
        const double seconds = cost.case_seconds(*backend, c, settings);
        total += seconds;
        cells.push_back(
            bytes_text(tensor_bytes(c) + result_bytes(c) + workspace_bytes(*backend, c)));
        cells.push_back(duration_text(seconds));
        cells.emplace_back();
      }
      table.add(std::move(cells));
    }
  }
  table.print(out);
  const std::size_t runs = cases.size() * settings.backends.size();
  out << '\n'
      << cases.size() << " cases, " << settings.backends.size() << " backends, "
      << settings.phases.size() << " phases, " << settings.repetitions
      << " repetitions: " << runs - refused << " of " << runs << " can run, in about "
      << duration_text(total) << ".\n"
      << "Memory is the tensors and the workspace. Time is FLOPs over the rate of a training step "
         "of "
      << to_string(probe_shape)
      << " on one thread,\nmeasured just now for each backend, cell and dtype; large cases usually "
         "take less.\n";
}

namespace {

/// Whether results are bitwise the same for every thread count.
std::string sameness_text(const Backend& backend) {
  if (backend.same_for_all_threads(Exec())) return "yes";
  Exec asked;
  asked.threads = 2;
  asked.same_for_all_threads = true;
  return backend.refusal(Spec(), Dtype::f32, asked) ? "no" : "where asked for";
}

}  // namespace

void print_backends(std::ostream& out) {
  Table table({{"backend"}, {"version"}, {"bitwise the same for every thread count"}});
  for (const Backend* backend : backends()) {
    table.add({std::string(backend->name()), backend->version(), sameness_text(*backend)});
  }
  table.print(out);
  for (const LeftOutBackend& left_out : left_out_backends()) {
    out << left_out.name << ": left out: " << left_out.reason << '\n';
  }
}

void print_presets(std::ostream& out) {
  Table table({{"preset"}, {""}});
  for (const Preset& preset : presets()) {
    table.add({std::string(preset.name), std::string(preset.summary())});
  }
  table.print(out);
}

}  // namespace bptt::bench
