// The data behind the charts. Everything is computed here; page.js chooses and draws.
#include <cmath>

#include "reports/lengths.hpp"
#include "reports/page.hpp"
#include "reports/peers.hpp"
#include "reports/ranking.hpp"
#include "reports/training.hpp"

namespace bptt::report {
namespace {

Json number(double value) {
  return std::isfinite(value) ? Json(value) : Json();
}

Json optional_number(const std::optional<double>& value) {
  return value ? number(*value) : Json();
}

Json ratio_json(const std::optional<Ratio>& ratio) {
  if (!ratio) return {};
  return {ratio->value, ratio->interval.low, ratio->interval.high, ratio->pairs};
}

/// A thread sweep shows how a backend scales against its own first point.
Json scaling(const Sweep& sweep, const Measurement& m) {
  const Measurement* first = sweep.points.front()->find(m.backend);
  if (first == nullptr || !first->may_be_ranked()) return {};
  return number(first->median / m.median);
}

Json series_json(const Report& report, const Sweep& sweep, const std::string& backend) {
  Json points = Json::array();
  for (const CaseResult* result : sweep.points) {
    const Measurement* m = result->find(backend);
    if (m == nullptr || !m->may_be_ranked()) continue;
    points.push_back(
        {{"x", result->key.*(sweep.axis->extent)},
         {"seconds", m->median},
         {"min", m->minimum},
         {"max", m->maximum},
         {"n", m->repetitions()},
         {"gflops", optional_number(m->gflops())},
         {"peak", optional_number(m->peak_gflops)},
         {"speedup", ratio_json(speedup(report.study, *result, backend, report.baseline))},
         {"scaling", scaling(sweep, *m)}});
  }
  return points;
}

Json sweep_json(const Report& report, const Sweep& sweep) {
  const Case& c = sweep.points.front()->key;
  Json series = Json::object();
  for (const std::string& backend : report.study.backends) {
    Json points = series_json(report, sweep, backend);
    if (!points.empty()) series[backend] = std::move(points);
  }
  return {{"cell", c.cell},
          {"dtype", c.dtype},
          {"phase", c.phase},
          {"fixed", sweep.fixed(report.study.hosts.size() > 1)},
          {"series", std::move(series)}};
}

Json axis_json(const Report& report, const Axis& axis) {
  Json sweeps = Json::array();
  for (const Sweep& sweep : sweeps_along(axis, report.study)) {
    sweeps.push_back(sweep_json(report, sweep));
  }
  return {{"name", axis.name}, {"title", axis.title}, {"sweeps", std::move(sweeps)}};
}

/// "lstm, T=50, H=128": what tells the cases given apart, of one of them.
std::string distinction(const Layout& layout, const Case& c) {
  std::string text;
  for (const CaseField& field : layout.columns) {
    text += (text.empty() ? "" : ", ") + labelled(field, c);
  }
  return text.empty() ? c.cell : text;
}

Json training_json(const Layout& layout, const Training& training) {
  Json curves = Json::array();
  for (const Curve& curve : training.curves) {
    Json points = Json::array();
    double elapsed = 0;
    for (std::size_t i = 0; i < curve.steps.size(); ++i) {
      elapsed += curve.seconds[i];
      points.push_back({curve.steps[i], number(curve.loss[i]), elapsed});
    }
    curves.push_back({{"name", training.name_of(curve)},
                      {"backend", curve.measurement->backend},
                      {"points", std::move(points)}});
  }
  return {{"title", distinction(layout, training.result->key)}, {"curves", std::move(curves)}};
}

Json phase_json(const Report& report, std::string_view phase) {
  const auto results = report.study.of("layer", phase);
  std::vector<Case> keys;
  for (const CaseResult* result : results) keys.push_back(result->key);
  const Layout layout = layout_of(keys, {"workload", "phase"});
  Json cases = Json::array();
  for (const CaseResult* result : results) {
    Json gains = Json::object();
    for (const std::string& backend : report.study.backends) {
      if (backend == report.baseline) continue;
      if (const auto gain = speedup(report.study, *result, backend, report.baseline)) {
        gains[backend] = ratio_json(gain);
      }
    }
    if (gains.empty()) continue;
    cases.push_back({{"label", distinction(layout, result->key)}, {"gains", std::move(gains)}});
  }
  return {{"phase", phase}, {"cases", std::move(cases)}};
}

}  // namespace

Json chart_data(const Report& report) {
  Json data = {{"backends", report.study.backends},
               {"baseline", report.baseline},
               {"axes", Json::array()},
               {"phases", Json::array()},
               {"peers", Json::array()},
               {"lengths", Json::array()},
               {"trainings", Json::array()},
               {"flow", flow_data(report.flow)}};
  for (const Axis& axis : axes()) {
    Json one = axis_json(report, axis);
    if (!one["sweeps"].empty()) data["axes"].push_back(std::move(one));
  }
  for (const std::string_view phase : measured_phases(report)) {
    Json one = phase_json(report, phase);
    if (!one["cases"].empty()) data["phases"].push_back(std::move(one));
    Json families = lengths_data(report, phase);
    if (!families.empty()) {
      data["lengths"].push_back({{"phase", phase}, {"families", std::move(families)}});
    }
    const bool several = measured_phases(report).size() > 1;
    for (Json& set : peer_data(report, phase)) {
      if (several) set["name"] = std::string(phase) + ", " + set["name"].get<std::string>();
      data["peers"].push_back(std::move(set));
    }
  }
  const std::vector<Training> trainings = trainings_of(report.study);
  std::vector<Case> keys;
  for (const Training& training : trainings) keys.push_back(training.result->key);
  const Layout layout = layout_of(keys, {"workload", "phase"});
  for (const Training& training : trainings) {
    data["trainings"].push_back(training_json(layout, training));
  }
  return data;
}

}  // namespace bptt::report
