#include "verify/textbook/program.hpp"

#include <algorithm>
#include <ostream>

#include "impls/program/exit_code.hpp"
#include "verify/textbook/print.hpp"

namespace bptt::verify::textbook {

int run_audit(const std::string& format, std::ostream& out) {
  if (format != "text" && format != "markdown") {
    throw Error(ErrorKind::usage,
                "--textbook: expected one of text, markdown; got '" + format + "'");
  }
  const std::vector<Row> rows = audit();
  if (format == "markdown") {
    out << markdown(rows);
  } else {
    print_text(out, rows);
  }
  const bool good = std::all_of(rows.begin(), rows.end(), is_as_stated);
  return good ? program::good : program::numerically_wrong;
}

}  // namespace bptt::verify::textbook
