// The metadata of a golden file. Every key is a row of one table; a cell option that parse_cell()
// learns is understood here without a change.
#include <functional>

#include <nlohmann/json.hpp>

#include "impls/io/printable.hpp"
#include "verify/golden.hpp"

namespace bptt::verify {
namespace {

using Json = nlohmann::json;

/// What is read, row by row.
struct Reading {
  const std::string& path;
  GoldenSpec& out;
  struct Option {
    std::string in_file;  ///< "output_activation=identity"
    std::string in_cell;  ///< ":output=identity", in the spelling of parse_cell()
  };
  std::vector<Option> options = {};

  [[noreturn]] void fail(const std::string& key, const std::string& expected,
                         const Json& came) const {
    throw io::file_error(
        path, "metadata bptt, key '" + key + "': expected " + expected + "; got " + came.dump());
  }
  /// Every text ends up in messages; no valid one changes by being made printable.
  std::string text(const std::string& key, const Json& json) const {
    if (!json.is_string()) fail(key, "a text", json);
    return io::printable(json.get<std::string>(), io::longest_name);
  }
  bool truth(const std::string& key, const Json& json) const {
    if (!json.is_boolean()) fail(key, "true or false", json);
    return json.get<bool>();
  }
  Index extent(const std::string& key, const Json& json) const {
    if (!json.is_number_integer() || json.get<double>() < 1 || json.get<double>() > 1e15) {
      fail(key, "an integer of at least 1", json);
    }
    return json.get<Index>();
  }
  void refuse(const std::string& why) const {
    if (!out.refusal) out.refusal = io::printable(why, io::longest_message);
  }
};

using Read = std::function<void(Reading&, const std::string& key, const Json&)>;

/// An extent of the shape.
Read shape(Index Shape::*extent) {
  return [extent](Reading& r, const std::string& key, const Json& json) {
    r.out.network.stack.shape.*extent = r.extent(key, json);
  };
}

/// A text that is an option of the cell: ":prefix=value", or ":value" without a prefix. The value
/// that stands for the plain cell is left out.
Read option(const std::string& prefix, const std::string& plain) {
  return [prefix, plain](Reading& r, const std::string& key, const Json& json) {
    const std::string value = r.text(key, json);
    if (value == plain) return;
    r.options.push_back({key + "=" + value, ":" + (prefix.empty() ? "" : prefix + "=") + value});
  };
}

/// A switch that is off in the plain cell.
Read option_if_true(const std::string& word) {
  return [word](Reading& r, const std::string& key, const Json& json) {
    if (r.truth(key, json)) r.options.push_back({key, ":" + word});
  };
}

/// A switch that is on in the plain cell.
Read option_if_false(const std::string& word) {
  return [word](Reading& r, const std::string& key, const Json& json) {
    if (!r.truth(key, json)) r.options.push_back({key + "=false", ":" + word});
  };
}

/// A value that a table of names does not have is refused, not an error: another version may.
template <class Parse>
void choose(Reading& r, const std::string& key, const Json& json, Parse parse) {
  try {
    parse(r.text(key, json));
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::data) throw;
    r.refuse(key + "=" + json.dump() + ": not supported (" + error.what() + ")");
  }
}

void read_head(Reading& r, const std::string& key, const Json& json) {
  if (!json.is_object()) r.fail(key, "an object", json);
  net::HeadSpec& head = r.out.network.head.emplace();
  for (const char* required : {"O", "loss"}) {
    if (!json.contains(required)) r.fail(key, "an object with O and loss", json);
  }
  for (const auto& [name, value] : json.items()) {
    const std::string full = key + "." + name;
    if (name == "O") {
      head.O = r.extent(full, value);
    } else if (name == "loss") {
      choose(r, full, value, [&](const std::string& text) { head.loss = net::parse_loss(text); });
    } else if (name == "steps") {
      choose(r, full, value, [&](const std::string& text) { head.steps = net::parse_steps(text); });
    } else {
      r.refuse(full + "=" + value.dump() + ": not supported");
    }
  }
}

struct Row {
  const char* key;
  bool required;
  Read read;
};

const std::vector<Row>& rows() {
  static const std::vector<Row> rows = {
      {"cell", true,
       [](Reading& r, const std::string& key, const Json& json) {
         r.out.cell = r.text(key, json);
       }},
      {"T", true, shape(&Shape::T)},
      {"B", true, shape(&Shape::B)},
      {"I", true, shape(&Shape::I)},
      {"H", true, shape(&Shape::H)},
      {"activation", false, option("", "tanh")},
      {"output_activation", false, option("output", "tanh")},
      {"gate_input", false, option("gate_input", "hidden")},
      {"peephole", false, option_if_true("peephole")},
      {"coupled_input_forget", false, option_if_true("coupled")},
      {"candidate_activation", false, option("candidate", "tanh")},
      {"input_gate", false, option_if_false("input_gate=off")},
      {"forget_gate", false, option_if_false("forget_gate=off")},
      {"output_gate", false, option_if_false("output_gate=off")},
      {"reset", false, option("reset", "before_matmul")},
      {"update", false, option("update", "take")},
      {"bias", false, option_if_false("bias=off")},
      {"lengths", false,
       [](Reading& r, const std::string& key, const Json& json) {
         if (!json.is_array()) r.fail(key, "an array of lengths", json);
         for (const Json& length : json) {
           if (!length.is_number_integer()) r.fail(key, "an array of integers", json);
           r.out.lengths.push_back(length.get<Index>());
         }
         r.out.network.stack.lengths = true;
       }},
      {"layers", false,
       [](Reading& r, const std::string& key, const Json& json) {
         r.out.network.stack.layers = r.extent(key, json);
       }},
      {"bidirectional", false,
       [](Reading& r, const std::string& key, const Json& json) {
         r.out.network.stack.bidirectional = r.truth(key, json);
       }},
      {"head", false, read_head},
  };
  return rows;
}

/// The cell with its options; the first thing of it that parse_cell() does not know is refused.
void read_cell(const Reading& reading) {
  GoldenSpec& out = reading.out;
  const std::string kind = out.cell;
  const auto known = [](const std::string& cell) {
    try {
      parse_cell(cell);
      return true;
    } catch (const Error&) {
      return false;
    }
  };
  if (!known(kind)) reading.refuse("cell=" + kind + ": not supported");
  for (const auto& option : reading.options) {
    if (!known(out.cell + option.in_cell)) {
      reading.refuse(out.cell + " with " + option.in_file + ": not supported");
    }
    out.cell += option.in_cell;
  }
  if (out.refusal) return;
  out.network.stack.cell = parse_cell(out.cell);
  out.cell = to_string(out.network.stack.cell);
}

Json parse_metadata(const io::Safetensors& file) {
  const auto found = file.metadata().find("bptt");
  if (found == file.metadata().end()) {
    throw io::file_error(file.path(),
                         "expected a golden file, with metadata key 'bptt'; there is none");
  }
  Json json;
  try {
    json = Json::parse(found->second);
  } catch (const Json::exception& error) {
    throw io::file_error(file.path(), std::string("metadata bptt: expected JSON; ") + error.what());
  }
  if (!json.is_object()) {
    throw io::file_error(
        file.path(), std::string("metadata bptt: expected a JSON object; got ") + json.type_name());
  }
  return json;
}

}  // namespace

GoldenSpec read_golden_spec(const io::Safetensors& file) {
  const Json json = parse_metadata(file);
  GoldenSpec result;
  Reading reading{file.path(), result};
  for (const Row& row : rows()) {
    const auto found = json.find(row.key);
    if (found != json.end() && !(found->is_null() && !row.required)) {
      row.read(reading, row.key, *found);
    } else if (row.required) {
      throw io::file_error(file.path(), std::string("metadata bptt: expected a key '") + row.key +
                                            "'; there is none");
    }
  }
  for (const auto& [key, value] : json.items()) {
    bool known = false;
    for (const Row& row : rows()) known = known || key == row.key;
    if (!known) reading.refuse(key + "=" + value.dump() + ": not supported");
  }
  read_cell(reading);
  if (!result.network.stack.lengths && file.contains("lengths")) {
    result.lengths = file.integers("lengths");
    result.network.stack.lengths = true;
  }
  try {
    result.network.stack.layer_spec(0).validate();
  } catch (const Error& error) {
    throw io::file_error(file.path(), std::string("metadata bptt: ") + error.what());
  }
  return result;
}

}  // namespace bptt::verify
