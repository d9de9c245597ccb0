#include "bench/lengths/flag.hpp"

#include <algorithm>

namespace bptt::bench {

std::vector<Spread> spreads_of(const FlagValues& settings) {
  const auto all = list_of(settings, "lengths", Spread::parse);
  for (const Spread& spread : all) {
    const auto same_name = [&](const Spread& other) { return other.name() == spread.name(); };
    if (std::count_if(all.begin(), all.end(), same_name) == 1) continue;
    refuse_flag("lengths", "files of different names, by which rows tell them apart",
                "'" + spread.name() + "' in several folders");
  }
  return all;
}

void check_lengths(const Settings& s) {
  if (s.lengths == std::vector{Spread()}) return;
  if (s.workload == Settings::Workload::char_lm) {
    throw Error(ErrorKind::usage,
                "--lengths: expected full; the windows of char-lm's text have T characters each");
  }
  // They are kept one by one.
  constexpr Index most = 100000;
  for (const ShapeChoice& shape : s.shapes) {
    if (shape.B <= most) continue;
    refuse_flag("batch", "at most " + std::to_string(most) + " where sequences have lengths",
                std::to_string(shape.B));
  }
}

}  // namespace bptt::bench
