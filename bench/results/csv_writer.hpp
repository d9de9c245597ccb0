// Appends rows to a results file: RFC 4180 quoting, lines end in LF.
#pragma once

#include <string>

#include "bench/results/row.hpp"

namespace bptt::results {

/// Each row goes to the system in one unbuffered write: what write() returned from survives a crash
/// of the program. An I/O failure is Error(unavailable) with the path and the system's reason.
class CsvWriter {
 public:
  enum class Mode {
    create,  ///< starts the file anew, with a header
    append,  ///< continues a file that has this header and ends in a whole line; creates it if
             ///< absent
  };

  /// In append mode a file with another header, or with a last line that was cut off, is
  /// Error(data).
  explicit CsvWriter(std::string path, Mode mode = Mode::create);
  ~CsvWriter();
  CsvWriter(const CsvWriter&) = delete;
  CsvWriter& operator=(const CsvWriter&) = delete;

  /// A row that read_csv would not read back is a mistake of the caller: std::invalid_argument.
  void write(const Row&);

 private:
  void write_text(const std::string&);

  std::string path_;
  int file_ = -1;
};

}  // namespace bptt::results
