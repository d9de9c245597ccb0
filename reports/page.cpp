#include "reports/page.hpp"

#include "reports/format.hpp"
#include "reports/html.hpp"
#include "reports/lengths.hpp"
#include "reports/peers.hpp"
#include "reports/ranking.hpp"
#include "reports/training.hpp"

namespace bptt::report {
namespace {

constexpr std::string_view no_charts =
    "<p class=\"caution\">This page has tables but no charts: Apache ECharts was not there when "
    "bptt-report was built. <code>npm ci --prefix third_party --ignore-scripts</code> installs it; "
    "build again after that.</p>\n";

bool has_charts() {
  return !echarts_js().empty();
}

std::string details(const std::string& summary, const std::string& body, bool open = false) {
  return std::string("<details") + (open ? " open=\"\"" : "") + "><summary>" +
         escape_html(summary) + "</summary>\n" + body + "</details>\n";
}

std::string section(const std::string& id, const std::string& title, const std::string& body) {
  if (body.empty()) return "";
  return "<section id=\"" + id + "\">\n<h2>" + escape_html(title) + "</h2>\n" + body +
         "</section>\n";
}

std::string paragraph(const std::string& text, const std::string& classes = "") {
  return (classes.empty() ? "<p>" : "<p class=\"" + classes + "\">") + text + "</p>\n";
}

/// A place that page.js draws into, and the table that says the same.
std::string figure(const std::string& kind, const std::string& name, const std::string& summary,
                   const std::string& table) {
  return "<figure class=\"chart\" data-kind=\"" + kind + "\" data-name=\"" + name +
         "\"></figure>\n<div class=\"after\">" + details(summary, table, !has_charts()) +
         "</div>\n";
}

class Page {
 public:
  explicit Page(const Report& report) : report_(report), html_(report.study.backends) {}

  std::string text() const {
    const Json data = chart_data(report_);
    return fill(page_html(), {{"title", escape_html(title(report_))},
                              {"style", std::string(page_css())},
                              {"verdict", verdicts()},
                              {"score", score_bar()},
                              {"facts", facts()},
                              {"cautions", cautions_html()},
                              {"winners", winners_section()},
                              {"sweeps", sweeps_section()},
                              {"speedups", speedups_section()},
                              {"peers", peers_section()},
                              {"lengths", lengths_section()},
                              {"training", training_section()},
                              {"flow", flow_section()},
                              {"self_test", self_test_section()},
                              {"unranked", unranked_section()},
                              {"method", method_list()},
                              {"measurements", measurements_section()},
                              {"environment", environment_section()},
                              {"data", escape_json_for_script(data)},
                              {"echarts", std::string(echarts_js())},
                              {"script", std::string(page_js()) + std::string(flow_js()) +
                                             std::string(lengths_js())}});
  }

 private:
  std::string verdicts() const {
    std::string text;
    for (const std::string_view phase : measured_phases(report_)) {
      const bool first = text.empty();
      text += paragraph("<span class=\"phase\">" + escape_html(phase) + "</span> " +
                            html_.words(verdict(report_, phase)),
                        first ? "verdict" : "verdict minor");
    }
    return text;
  }

  /// The headline's counts as one bar, in plain HTML: it needs no script.
  std::string score_bar() const {
    const auto phases = measured_phases(report_);
    if (phases.empty()) return "";
    const Score counts = score(report_.study.of("layer", phases.front()));
    std::string bar = "<div class=\"score\" aria-hidden=\"true\">";
    const auto part = [&](std::size_t count, const std::string& classes, const std::string& name) {
      if (count == 0) return;
      bar += "<span class=\"" + classes + "\" style=\"flex-grow:" + std::to_string(count) + "\">" +
             escape_html(name) + " <b>" + std::to_string(count) + "</b></span>";
    };
    for (const auto& [backend, count] : counts.wins) {
      part(count, "win " + html_.series_class(backend), backend);
    }
    part(counts.too_close, "open", "too close");
    part(counts.too_few, "open", "unsure");
    part(counts.alone, "open", "no rival");
    part(counts.none, "open", "none verified");
    return bar + "</div>\n";
  }

  std::string facts() const {
    const std::vector<Fact> all = run_facts(report_);
    if (all.empty()) return "";
    std::string list = "<dl class=\"facts\">";
    for (const Fact& fact : all) {
      list += "<div><dt>" + escape_html(fact.name) + "</dt><dd>" + escape_html(fact.value) +
              "</dd></div>\n";
    }
    return list + "</dl>\n";
  }

  std::string cautions_html() const {
    std::string text;
    for (const std::string& caution : cautions(report_)) {
      text += paragraph(escape_html(caution), "caution");
    }
    return has_charts() ? text : text + std::string(no_charts);
  }

  /// One table per phase, the first one open where `open` says so.
  std::string by_phase(const std::string& title, Table (*table)(const Report&, std::string_view),
                       bool open) const {
    std::string text;
    for (const std::string_view phase : measured_phases(report_)) {
      text += details(std::string(phase) + title, html_.table(table(report_, phase)),
                      open && text.empty());
    }
    return text;
  }

  std::string winners_section() const {
    return section("winners", "Fastest backend for each shape", by_phase("", winners, true));
  }

  std::string sweeps_section() const {
    std::string body;
    for (const Axis& axis : axes()) {
      const Table table = sweep_table(report_, axis);
      if (table.rows.empty()) continue;
      body += "<h3>Against " + escape_html(axis.title) + "</h3>\n" +
              figure("sweep", std::string(axis.name), "As a table", html_.table(table));
    }
    if (body.empty()) return "";
    return section("sweeps", "How time and speed depend on the shape",
                   "<div class=\"toolbar\" id=\"sweep-choice\"></div>\n" + body);
  }

  std::string speedups_section() const {
    const std::string tables = by_phase(" as a table", speedups, !has_charts());
    if (tables.empty()) return "";
    return section(
        "speedups", "Speed-up over " + report_.baseline,
        "<figure class=\"chart\" data-kind=\"speedups\"></figure>\n<div class=\"after\">" + tables +
            "</div>\n");
  }

  std::string peers_section() const {
    const auto phases = measured_phases(report_);
    std::string body, cases;
    for (const std::string_view phase : phases) {
      const Table means = peer_means(report_, phase);
      if (means.rows.empty()) continue;
      for (const Words& sentence : peer_verdicts(report_, phase)) {
        body += paragraph("<span class=\"phase\">" + escape_html(phase) + "</span> " +
                          html_.words(sentence));
      }
      body += html_.table(means);
      cases += details(std::string(phase) + ", case by case",
                       html_.table(peer_cases(report_, phase)), !has_charts());
    }
    if (body.empty()) return "";
    return section("peers", "Against the peers",
                   body + "<figure class=\"chart\" data-kind=\"peers\"></figure>\n" +
                       "<div class=\"after\">" + cases + "</div>\n");
  }

  std::string lengths_section() const {
    std::string body;
    for (const std::string_view phase : measured_phases(report_)) {
      const Table table = lengths_table(report_, phase);
      if (table.rows.empty()) continue;
      for (const Words& sentence : lengths_verdicts(report_, phase)) {
        body += paragraph("<span class=\"phase\">" + escape_html(phase) + "</span> " +
                          html_.words(sentence));
      }
      body += figure("lengths", std::string(phase), std::string(phase) + " as a table",
                     html_.table(table));
    }
    return section("lengths", "Sequences of different lengths", body);
  }

  std::string training_section() const {
    const std::size_t count = trainings_of(report_.study).size();
    if (count == 0) return "";
    std::string body = html_.table(training_table(report_));
    for (std::size_t i = 0; i < count; ++i) {
      body += "<figure class=\"chart\" data-kind=\"training\" data-name=\"" + std::to_string(i) +
              "\"></figure>\n";
    }
    body += "<div class=\"after\">" +
            details("The loss curves as a table", html_.table(loss_table(report_)), !has_charts()) +
            "</div>\n";
    return section("training", "A real workload: training a character-level language model", body);
  }

  std::string self_test_section() const {
    if (!report_.self_test) return "";
    return section(
        "self-test", "Whether a wrong gradient would be caught",
        paragraph(html_.words(self_test_verdict(report_.self_test))) +
            html_.table(self_test_checks(report_.self_test)) + "<div class=\"after\">" +
            details("Every planted fault", html_.table(self_test_faults(report_.self_test))) +
            "</div>\n");
  }

  std::string flow_section() const {
    if (report_.flow.empty()) return "";
    std::string body = paragraph(html_.words(flow_verdict(report_.flow))) +
                       html_.table(flow_summary(report_.flow));
    const std::vector<std::string> titles = flow_titles(report_.flow);
    for (std::size_t i = 0; i < titles.size(); ++i) {
      body += "<h3>" + escape_html(titles[i]) +
              "</h3>\n<figure class=\"chart\" data-kind=\"flow\" " + "data-name=\"" +
              std::to_string(i) + "\"></figure>\n";
    }
    body += "<div class=\"after\">" +
            details("Every norm as a table", html_.table(flow_table(report_.flow))) + "</div>\n";
    return section("flow", "How gradients flow back through time", body);
  }

  std::string unranked_section() const {
    std::string body;
    const auto part = [&](const std::string& title, const Table& table) {
      if (!table.rows.empty()) body += "<h3>" + title + "</h3>\n" + html_.table(table);
    };
    part("Measured, but not verified", unverified(report_));
    part("Refused", refusals(report_));
    return section("unranked", "Not ranked", body);
  }

  std::string measurements_section() const {
    const Table table = measurements(report_);
    if (table.rows.empty()) return "";
    return section(
        "measurements", "All measurements",
        details(counted(table.rows.size(), "measurement", "measurements"), html_.table(table)));
  }

  std::string environment_section() const {
    std::string body;
    for (const EnvironmentFile& file : report_.environments) {
      body +=
          details(file.name, "<div class=\"environment\">" + json_html(file.content) + "</div>\n");
    }
    return section("environment", "Environment of the run", body);
  }

  std::string method_list() const {
    std::string list = "<ul>";
    for (const std::string& sentence : method(report_)) {
      list += "<li>" + escape_html(sentence) + "</li>\n";
    }
    return section("method", "How these figures were made", list + "</ul>\n");
  }

  const Report& report_;
  Html html_;
};

}  // namespace

std::string html_page(const Report& report) {
  return Page(report).text();
}

}  // namespace bptt::report
