// The command line that the three programs share: flags in groups, --help, --version, and the order
// of settings: flags, then BPTT_* variables, then a config file, then defaults.
#pragma once

#include <deque>
#include <iosfwd>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <boost/program_options.hpp>

namespace bptt::program {

class CommandLine {
 public:
  /// `usage` is the line after "usage: ", `summary` says what the program is for, `epilogue` (may
  /// be empty) follows the options in --help.
  CommandLine(std::string name, std::string usage, std::string summary, std::string epilogue = "");

  /// A group of flags under a heading in --help; add to it as to any boost options_description.
  boost::program_options::options_description& group(const std::string& title);

  /// Words without a flag are values of this one (declared in a group, too).
  void positional(const std::string& flag) { positional_.add(flag.c_str(), -1); }

  /// Reads settings in the order above. A config file (--config FILE) has `flag = value` lines.
  /// Nothing where --help or --version was asked for and answered: the program is done. Throws
  /// Error(usage) for an unknown flag or a malformed value; Error(data) for a malformed config
  /// file.
  std::optional<boost::program_options::variables_map> parse(int argc,
                                                             const char* const* argv) const;

  /// The flags of the command line itself, for what only matters where somebody asked for it just
  /// now. Throws as parse() does.
  std::set<std::string> given(int argc, const char* const* argv) const;

  /// Adds the `flag = value` lines of a file beneath what is already set. Throws as parse() does.
  void add_file(const std::string& path, boost::program_options::variables_map& settings) const;
  /// The same from a stream; `name` stands for the file in messages.
  void add_stream(std::istream&, const std::string& name,
                  boost::program_options::variables_map& settings) const;

  std::string help() const;

 private:
  boost::program_options::parsed_options parse_flags(
      const boost::program_options::options_description&, int argc, const char* const* argv) const;
  boost::program_options::options_description all() const;

  std::string name_, usage_, summary_, epilogue_;
  std::deque<boost::program_options::options_description> groups_;  // addresses handed out
  boost::program_options::options_description general_;             // always the last
  boost::program_options::positional_options_description positional_;
};

/// "bptt 0.1.0 (commit 1a2b3c4, g++ 12.2.0, Release)"
std::string version_text();
/// The commit built from, shortened; with "-dirty" where the tree had changes; "unknown" outside
/// git.
std::string source_commit();
/// Compiler and flags, as the build had them.
std::string compiler_text();
std::string compile_flags();
std::string build_type();

}  // namespace bptt::program
