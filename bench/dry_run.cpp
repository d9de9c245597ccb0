#include "bench/dry_run.hpp"

#include <ostream>

#include "bench/presets.hpp"
#include "bench/table.hpp"
#include "impls/api/memory.hpp"
#include "impls/api/registry.hpp"

namespace bptt::bench {

void print_dry_run(const Settings& settings, const std::vector<Case>& cases, CostModel& cost,
                   std::ostream& out) {
  constexpr auto right = Table::Align::right;
  Table table({{"cell"},
               {"dtype"},
               {"T", right},
               {"B", right},
               {"I", right},
               {"H", right},
               {"threads", right},
               {"backend"},
               {"memory", right},
               {"time", right},
               {""}});
  double total = 0;
  std::size_t refused = 0;
  for (const Case& c : cases) {
    for (const Backend* backend : settings.backends) {
      const Shape& shape = c.spec.shape;
      std::vector<std::string> cells = {
          to_string(c.spec.cell),         std::string(name_of(c.dtype)), std::to_string(shape.T),
          std::to_string(shape.B),        std::to_string(shape.I),       std::to_string(shape.H),
          std::to_string(c.exec.threads), std::string(backend->name())};
      if (const auto reason = cost.refusal(*backend, c, settings)) {
        ++refused;
        cells.insert(cells.end(), {"-", "-", "refused: " + *reason});
      } else {
        const double seconds = cost.case_seconds(*backend, c, settings);
        total += seconds;
        cells.push_back(
            bytes_text(tensor_bytes(c) + backend->workspace_bytes(c.spec, c.dtype, c.exec)));
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

void print_backends(std::ostream& out) {
  Table table({{"backend"}, {"version"}, {"bitwise the same for every thread count"}});
  for (const Backend* backend : backends()) {
    table.add({std::string(backend->name()), backend->version(),
               backend->same_for_all_threads() ? "yes" : "no"});
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
