// Writing the metadata of a golden file; golden_spec.cpp reads it.
#include <nlohmann/json.hpp>

#include "verify/golden.hpp"

namespace bptt::verify {
namespace {

using Json = nlohmann::ordered_json;

/// An option of a cell as parse_cell() spells it, and its key in a file.
struct OptionKey {
  std::string_view in_cell, in_file;
};
constexpr OptionKey option_keys[] = {
    {"output", "output_activation"},
    {"candidate", "candidate_activation"},
    {"coupled", "coupled_input_forget"},
};

std::string key_of(std::string_view option) {
  for (const OptionKey& row : option_keys) {
    if (row.in_cell == option) return std::string(row.in_file);
  }
  return std::string(option);
}

/// "on" and "off" are booleans in a file; a word without a value is one that is true.
void add_option(std::string_view word, bool is_rnn, Json& json) {
  const std::size_t equals = word.find('=');
  if (equals == std::string_view::npos) {
    if (is_rnn) {
      json["activation"] = word;
    } else {
      json[key_of(word)] = true;
    }
    return;
  }
  const std::string_view value = word.substr(equals + 1);
  Json& entry = json[key_of(word.substr(0, equals))];
  if (value == "on" || value == "off") {
    entry = value == "on";
  } else {
    entry = value;
  }
}

}  // namespace

std::string golden_metadata(const net::NetworkSpec& network, const std::vector<Index>& lengths) {
  const StackSpec& stack = network.stack;
  Json json = Json::object();
  std::string_view rest;
  const std::string cell = to_string(stack.cell);
  for (rest = cell; !rest.empty();) {
    const std::string_view word = rest.substr(0, rest.find(':'));
    rest.remove_prefix(std::min(rest.size(), word.size() + 1));
    if (json.empty()) {
      json["cell"] = word;
    } else {
      add_option(word, stack.cell.kind == CellKind::rnn, json);
    }
  }
  json["T"] = stack.shape.T;
  json["B"] = stack.shape.B;
  json["I"] = stack.shape.I;
  json["H"] = stack.shape.H;
  if (stack.layers > 1) json["layers"] = stack.layers;
  if (stack.bidirectional) json["bidirectional"] = true;
  if (stack.lengths) json["lengths"] = lengths;
  if (network.head) {
    json["head"] = {{"O", network.head->O},
                    {"loss", net::name_of(network.head->loss)},
                    {"steps", net::name_of(network.head->steps)}};
  }
  return json.dump();
}

}  // namespace bptt::verify
