// JSON and JUnit XML, as docs/verification.md has them.
#include <cmath>
#include <map>
#include <sstream>

#include <nlohmann/json.hpp>
#include <pugixml.hpp>

#include "impls/io/printable.hpp"
#include "impls/program/command_line.hpp"
#include "verify/report.hpp"

namespace bptt::verify {
namespace {

using Json = nlohmann::ordered_json;

/// JSON has no NaN and no infinity: they are null.
Json number(double value) {
  return std::isfinite(value) ? Json(value) : Json();
}
/// -1 stands for "has none".
Json optional_index(Index index) {
  return index >= 0 ? Json(index) : Json();
}

Json json_of(const Place& place) {
  if (place.index < 0) return Json();
  return {{"tensor", place.tensor},
          {"time", optional_index(place.time)},
          {"batch", optional_index(place.batch)},
          {"gate", place.gate.empty() ? Json() : Json(place.gate)},
          {"state", place.state.empty() ? Json() : Json(place.state)},
          {"row", optional_index(place.row)},
          {"column", optional_index(place.column)}};
}

Json json_of(const Finding& finding) {
  return {{"check", finding.check},         {"place", json_of(finding.place)},
          {"got", number(finding.got)},     {"expected", number(finding.expected)},
          {"error", number(finding.error)}, {"unit", number(finding.unit)},
          {"message", finding.message},     {"time_step", finding.time_step}};
}

Json json_of(const Result& result) {
  Json findings = Json::array();
  for (const Finding& finding : result.findings) findings.push_back(json_of(finding));
  return {{"kind", name_of(result.kind)},
          {"backend", result.backend},
          {"cell", result.cell},
          {"subject", result.subject},
          {"dtype", name_of(result.dtype)},
          {"threads", result.threads},
          {"recompute", name_of(result.recompute)},
          {"seed", result.seed},
          {"verdict", name_of(result.verdict)},
          {"reason", result.reason},
          {"elements", result.elements},
          {"slices", result.slices},
          {"inconclusive_slices", result.inconclusive_slices},
          {"worst_error", number(result.worst)},
          {"worst_place", json_of(result.worst_place)},
          {"worst_difference", number(result.worst_difference)},
          {"not_compared", result.not_compared},
          {"stability", result.stability.empty() ? Json() : Json(result.stability)},
          {"findings", std::move(findings)},
          {"command", result.command}};
}

std::string suite_name(const Result& result) {
  const std::string kind(name_of(result.kind));
  if (result.backend.empty()) return kind + ".files";
  const std::string recompute =
      result.recompute == Recompute::none ? "" : "." + std::string(name_of(result.recompute));
  return kind + "." + result.backend + "." + std::string(name_of(result.dtype)) + ".threads" +
         std::to_string(result.threads) + recompute;
}

}  // namespace

std::string json_text(const Settings& settings, const std::vector<Result>& results) {
  const Counts counts = count(results);
  Json all = Json::array();
  for (const Result& result : results) all.push_back(json_of(result));
  const Json document = {{"schema_version", json_schema_version},
                         {"program", "bptt-verify"},
                         {"version", program::version_text()},
                         {"seed", settings.seed},
                         {"limit", error_limit},
                         {"exit_code", exit_code_of(counts, settings.strict)},
                         {"counts",
                          {{"results", counts.results},
                           {"pass", counts.pass},
                           {"fail", counts.fail},
                           {"inconclusive", counts.inconclusive},
                           {"refused", counts.refused},
                           {"errors", counts.errors},
                           {"elements", counts.elements},
                           {"slices", counts.slices},
                           {"inconclusive_slices", counts.inconclusive_slices}}},
                         {"results", std::move(all)}};
  // A path may hold bytes that are not UTF-8.
  return document.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string junit_text(const std::vector<Result>& results) {
  pugi::xml_document document;
  auto declaration = document.append_child(pugi::node_declaration);
  declaration.append_attribute("version") = "1.0";
  declaration.append_attribute("encoding") = "UTF-8";
  auto suites = document.append_child("testsuites");
  suites.append_attribute("name") = "bptt-verify";
  const auto put_counts = [](pugi::xml_node node, const Counts& counts) {
    node.append_attribute("tests") = counts.results;
    node.append_attribute("failures") = counts.fail;
    node.append_attribute("errors") = counts.errors;
    node.append_attribute("skipped") = counts.refused + counts.inconclusive;
  };
  put_counts(suites, count(results));

  std::map<std::string, std::vector<const Result*>> by_suite;
  for (const Result& result : results) by_suite[suite_name(result)].push_back(&result);
  for (const auto& [name, members] : by_suite) {
    auto suite = suites.append_child("testsuite");
    suite.append_attribute("name") = name.c_str();
    Counts counts;
    for (const Result* result : members) {
      ++counts.results;
      ++counts.of(result->verdict);
    }
    put_counts(suite, counts);
    for (const Result* result : members) {
      auto test = suite.append_child("testcase");
      test.append_attribute("classname") = name.c_str();
      test.append_attribute("name") = io::printable(result->subject).c_str();
      if (result->verdict == Verdict::fail) {
        auto failure = test.append_child("failure");
        const Finding& first = result->findings.front();
        failure.append_attribute("message") =
            io::printable(first.check + ": " + to_string(first.place) + ": " + first.message)
                .c_str();
        std::ostringstream text;
        print_failure(text, *result);
        failure.text().set(text.str().c_str());
      } else if (result->verdict == Verdict::error) {
        test.append_child("error").append_attribute("message") =
            io::printable(result->reason).c_str();
      } else if (result->verdict != Verdict::pass) {
        test.append_child("skipped").append_attribute("message") =
            io::printable(std::string(name_of(result->verdict)) + ": " + result->reason).c_str();
      }
    }
  }
  std::ostringstream text;
  document.save(text, "  ");
  return text.str();
}

}  // namespace bptt::verify
