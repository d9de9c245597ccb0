#include "verify/self_test/outcome.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>

#include <nlohmann/json.hpp>

#include "impls/api/error.hpp"
#include "impls/api/names.hpp"
#include "impls/io/printable.hpp"
#include "impls/program/exit_code.hpp"

namespace bptt::verify::self_test {
namespace {

using Json = nlohmann::ordered_json;

constexpr Named<Verdict> verdicts[] = {{Verdict::caught, "caught"},
                                       {Verdict::not_planted, "not planted"},
                                       {Verdict::misnamed, "misnamed"},
                                       {Verdict::elsewhere, "wrong check"},
                                       {Verdict::survived, "SURVIVED"}};

Json json_of(const Outcome& outcome) {
  Json dtypes = Json::array();
  for (const Dtype dtype : outcome.dtypes) dtypes.push_back(bptt::name_of(dtype));
  return {{"fault", outcome.fault},        {"phase", outcome.phase},
          {"cell", outcome.cell},          {"expected_check", outcome.expected_check},
          {"backend", outcome.backend},    {"verdict", name_of(outcome.verdict)},
          {"reason", outcome.reason},      {"dtypes", std::move(dtypes)},
          {"caught_by", outcome.caught_by}};
}

Json json_of(const CheckOutcome& check) {
  return {{"check", check.name},      {"expected", check.expected},     {"caught", check.caught},
          {"only_it", check.only_it}, {"applicable", check.applicable}, {"idle", check.is_idle()}};
}

Outcome outcome_of(const Json& json) {
  Outcome outcome{json.at("fault"), json.at("phase"), json.at("cell"), json.at("expected_check"),
                  json.at("backend")};
  outcome.verdict = parse_in(verdicts, "verdict", json.at("verdict").get_ref<const std::string&>());
  outcome.reason = json.at("reason");
  for (const Json& dtype : json.at("dtypes")) {
    outcome.dtypes.push_back(parse_dtype(dtype.get_ref<const std::string&>()));
  }
  outcome.caught_by = json.at("caught_by");
  return outcome;
}

CheckOutcome check_of(const Json& json) {
  CheckOutcome check{json.at("check"), json.at("expected"), json.at("caught"), json.at("only_it")};
  check.applicable = json.at("applicable");
  return check;
}

}  // namespace

std::string_view name_of(Verdict verdict) {
  return name_in(verdicts, verdict);
}

int SelfTest::count(Verdict verdict) const {
  return static_cast<int>(
      std::count_if(outcomes.begin(), outcomes.end(),
                    [verdict](const Outcome& outcome) { return outcome.verdict == verdict; }));
}

int SelfTest::exit_code() const {
  const int good = count(Verdict::caught), all = static_cast<int>(outcomes.size());
  if (good + count(Verdict::not_planted) < all || !false_alarms.empty()) {
    return program::numerically_wrong;
  }
  if (good == 0) return program::nothing_done;
  const bool idle = std::any_of(checks.begin(), checks.end(),
                                [](const CheckOutcome& check) { return check.is_idle(); });
  return idle ? program::numerically_wrong : program::good;
}

std::vector<std::string> SelfTest::backends() const {
  std::vector<std::string> names;
  for (const Outcome& outcome : outcomes) {
    if (std::find(names.begin(), names.end(), outcome.backend) == names.end()) {
      names.push_back(outcome.backend);
    }
  }
  return names;
}

std::string json_text(const SelfTest& result) {
  Json outcomes = Json::array(), checks = Json::array(), counts = Json::object();
  for (const Outcome& outcome : result.outcomes) outcomes.push_back(json_of(outcome));
  for (const CheckOutcome& check : result.checks) checks.push_back(json_of(check));
  for (const auto& [verdict, name] : verdicts) counts[name] = result.count(verdict);
  const Json document = {
      {"schema_version", schema_version},   {"program", "bptt-verify --self-test"},
      {"exit_code", result.exit_code()},    {"counts", std::move(counts)},
      {"outcomes", std::move(outcomes)},    {"checks", std::move(checks)},
      {"false_alarms", result.false_alarms}};
  return document.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

SelfTest parse_json(std::string_view text, const std::string& name) {
  const auto fail = [&](const std::string& what) {
    return Error(ErrorKind::data, name + ": expected what bptt-verify --self-test --json writes; " +
                                      io::printable(what));
  };
  try {
    const Json document = Json::parse(text);
    if (const int version = document.at("schema_version"); version != schema_version) {
      throw fail("got schema_version " + std::to_string(version) + ", not " +
                 std::to_string(schema_version));
    }
    SelfTest result;
    for (const Json& outcome : document.at("outcomes")) {
      result.outcomes.push_back(outcome_of(outcome));
    }
    for (const Json& check : document.at("checks")) result.checks.push_back(check_of(check));
    result.false_alarms = document.at("false_alarms");
    return result;
  } catch (const Json::exception& error) {
    throw fail(std::string("got: ") + error.what());
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::data) throw;
    throw fail(std::string("got: ") + error.what());
  }
}

SelfTest read_json(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) throw Error(ErrorKind::data, io::printable(path) + ": cannot be read");
  return parse_json(text.str(), io::printable(path));
}

}  // namespace bptt::verify::self_test
