// The metadata of a golden file. Every key is a row of one table; a cell option that parse_cell()
// learns is understood here without a change.
#include <functional>

#include <nlohmann/json.hpp>

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
    throw Error(ErrorKind::data, path + ": metadata bptt, key '" + key + "': expected " + expected +
                                     "; got " + came.dump());
  }
  std::string text(const std::string& key, const Json& json) const {
    if (!json.is_string()) fail(key, "a text", json);
    return json.get<std::string>();
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
    if (!out.refusal) out.refusal = why;
  }
};

using Read = std::function<void(Reading&, const std::string& key, const Json&)>;

/// An extent of the shape.
Read shape(Index Shape::*extent) {
  return [extent](Reading& r, const std::string& key, const Json& json) {
    r.out.spec.shape.*extent = r.extent(key, json);
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
      {"reset", false, option("reset", "before_matmul")},
      {"update", false, option("update", "take")},
      {"bias", false,
       [](Reading& r, const std::string& key, const Json& json) {
         if (!r.truth(key, json)) r.options.push_back({"bias=false", ":bias=off"});
       }},
      {"lengths", false,
       [](Reading& r, const std::string& key, const Json& json) {
         if (!json.is_array()) r.fail(key, "an array of lengths", json);
         for (const Json& length : json) {
           if (!length.is_number_integer()) r.fail(key, "an array of integers", json);
           r.out.lengths.push_back(length.get<Index>());
         }
         r.out.spec.lengths = true;
       }},
      {"layers", false,
       [](Reading& r, const std::string& key, const Json& json) {
         const Index layers = r.extent(key, json);
         if (layers != 1) {
           r.refuse("layers=" + std::to_string(layers) + ": stacks are not supported yet");
         }
       }},
      {"bidirectional", false,
       [](Reading& r, const std::string& key, const Json& json) {
         if (r.truth(key, json)) r.refuse("bidirectional: not supported yet");
       }},
      {"head", false,
       [](Reading& r, const std::string& key, const Json& json) {
         if (!json.is_object()) r.fail(key, "an object", json);
         const auto loss = json.find("loss");
         r.refuse("head" + (loss != json.end() ? " " + r.text("head.loss", *loss) : "") +
                  ": heads are not supported yet");
       }},
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
  if (!known(kind)) reading.refuse("cell=" + kind + ": not supported yet");
  for (const auto& option : reading.options) {
    if (!known(kind + option.in_cell)) {
      reading.refuse(kind + " with " + option.in_file + ": not supported yet");
    }
    out.cell += option.in_cell;
  }
  if (out.refusal) return;
  out.spec.cell = parse_cell(out.cell);
  out.cell = to_string(out.spec.cell);
}

Json parse_metadata(const io::Safetensors& file) {
  const auto found = file.metadata().find("bptt");
  if (found == file.metadata().end()) {
    throw Error(ErrorKind::data,
                file.path() + ": expected a golden file, with metadata key 'bptt'; there is none");
  }
  Json json;
  try {
    json = Json::parse(found->second);
  } catch (const Json::exception& error) {
    throw Error(ErrorKind::data, file.path() + ": metadata bptt: expected JSON; " + error.what());
  }
  if (!json.is_object()) {
    throw Error(ErrorKind::data,
                file.path() + ": metadata bptt: expected a JSON object; got " + json.type_name());
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
    if (found != json.end()) {
      row.read(reading, row.key, *found);
    } else if (row.required) {
      throw Error(ErrorKind::data,
                  file.path() + ": metadata bptt: expected a key '" + row.key + "'; there is none");
    }
  }
  for (const auto& [key, value] : json.items()) {
    bool known = false;
    for (const Row& row : rows()) known = known || key == row.key;
    if (!known) reading.refuse(key + "=" + value.dump() + ": not supported yet");
  }
  read_cell(reading);
  try {
    result.spec.validate();
  } catch (const Error& error) {
    throw Error(ErrorKind::data, file.path() + ": metadata bptt: " + error.what());
  }
  return result;
}

}  // namespace bptt::verify
