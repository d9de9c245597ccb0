#include "impls/program/command_line.hpp"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <iostream>
#include <sstream>

#include "impls/api/error.hpp"

namespace bptt::program {
namespace po = boost::program_options;
namespace {
constexpr unsigned line_length = 100, description_length = 60;
}

CommandLine::CommandLine(std::string name, std::string usage, std::string summary,
                         std::string epilogue)
    : name_(std::move(name)),
      usage_(std::move(usage)),
      summary_(std::move(summary)),
      epilogue_(std::move(epilogue)),
      general_("General", line_length, description_length) {
  general_.add_options()("config", po::value<std::string>()->value_name("FILE"),
                         "read settings from FILE, as lines `flag = value`")(
      "help,h", "print this help")("version", "print the version");
}

po::options_description& CommandLine::group(const std::string& title) {
  return groups_.emplace_back(title, line_length, description_length);
}

po::options_description CommandLine::all() const {
  po::options_description all("", line_length, description_length);
  for (const auto& group : groups_) all.add(group);
  all.add(general_);
  return all;
}

po::parsed_options CommandLine::parse_flags(const po::options_description& options, int argc,
                                            const char* const* argv) const {
  namespace style = po::command_line_style;
  // No guessing: an abbreviation that works today would break when a flag is added.
  return po::command_line_parser(argc, argv)
      .options(options)
      .positional(positional_)
      .style(style::default_style & ~style::allow_guessing)
      .run();
}

std::set<std::string> CommandLine::given(int argc, const char* const* argv) const {
  std::set<std::string> flags;
  const auto options = all();
  try {
    for (const auto& flag : parse_flags(options, argc, argv).options) flags.insert(flag.string_key);
  } catch (const po::error& error) {
    throw Error(ErrorKind::usage, std::string(error.what()) + " (see " + name_ + " --help)");
  }
  return flags;
}

std::optional<po::variables_map> CommandLine::parse(int argc, const char* const* argv) const {
  po::variables_map settings;
  const auto options = all();
  try {
    po::store(parse_flags(options, argc, argv), settings);
    if (settings.count("help") != 0) {
      std::cout << help();
      return std::nullopt;
    }
    if (settings.count("version") != 0) {
      std::cout << name_ << " of " << version_text() << '\n';
      return std::nullopt;
    }
    po::store(po::parse_environment(options,
                                    [&](const std::string& variable) -> std::string {
                                      constexpr std::string_view prefix = "BPTT_";
                                      if (!variable.starts_with(prefix)) return "";
                                      std::string flag = variable.substr(prefix.size());
                                      std::transform(flag.begin(), flag.end(), flag.begin(),
                                                     [](unsigned char c) {
                                                       return c == '_' ? '-' : std::tolower(c);
                                                     });
                                      return options.find_nothrow(flag, false) ? flag : "";
                                    }),
              settings);
    if (settings.count("config") != 0) add_file(settings["config"].as<std::string>(), settings);
    po::notify(settings);
  } catch (const po::error& error) {
    throw Error(ErrorKind::usage, std::string(error.what()) + " (see " + name_ + " --help)");
  }
  return settings;
}

void CommandLine::add_file(const std::string& path, po::variables_map& settings) const {
  std::ifstream file(path);
  if (!file)
    throw Error(ErrorKind::data, path + ": expected a readable settings file; cannot open it");
  add_stream(file, path, settings);
}

void CommandLine::add_stream(std::istream& file, const std::string& name,
                             po::variables_map& settings) const {
  try {
    const auto options = all();
    po::store(po::parse_config_file(file, options), settings);
    po::notify(settings);
  } catch (const po::error& error) {
    throw Error(ErrorKind::data, name + ": " + error.what());
  }
}

std::string CommandLine::help() const {
  std::ostringstream text;
  text << "usage: " << usage_ << "\n\n" << summary_ << '\n';
  for (const auto& group : groups_) text << '\n' << group;
  text << '\n' << general_;
  if (!epilogue_.empty()) text << '\n' << epilogue_ << '\n';
  return text.str();
}

}  // namespace bptt::program
