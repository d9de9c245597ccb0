// For tests: validates a document against the part of JSON Schema 2020-12 that docs/schema uses.
// Strict: a keyword that it does not know is a complaint, so that no rule goes unchecked.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace bptt::verify {

class JsonSchema {
 public:
  explicit JsonSchema(nlohmann::json schema) : root_(std::move(schema)) {}

  /// What is wrong with the document, each with the path to it; empty: nothing.
  std::vector<std::string> complaints(const nlohmann::json& document) const {
    std::vector<std::string> list;
    check(root_, document, "$", list);
    return list;
  }

 private:
  using Json = nlohmann::json;

  static bool has_type(const Json& value, const std::string& type) {
    if (type == "number") return value.is_number();
    if (type == "integer") return value.is_number_integer();
    return type == value.type_name();
  }

  static bool has_one_of_types(const Json& value, const Json& types) {
    if (types.is_string()) return has_type(value, types);
    return std::any_of(types.begin(), types.end(),
                       [&](const Json& type) { return has_type(value, type); });
  }

  void check(const Json& schema, const Json& value, const std::string& path,
             std::vector<std::string>& list) const {
    const auto complain = [&](const std::string& what) { list.push_back(path + ": " + what); };
    for (const auto& [keyword, rule] : schema.items()) {
      if (keyword == "$ref") {
        check(root_.at(Json::json_pointer(rule.get<std::string>().substr(1))), value, path, list);
      } else if (keyword == "type") {
        if (!has_one_of_types(value, rule)) complain("not of type " + rule.dump());
      } else if (keyword == "const") {
        if (value != rule) complain("not " + rule.dump());
      } else if (keyword == "enum") {
        if (std::find(rule.begin(), rule.end(), value) == rule.end()) {
          complain(value.dump() + " is not one of " + rule.dump());
        }
      } else if (keyword == "minimum") {
        if (value.is_number() && value < rule) complain("less than " + rule.dump());
      } else if (keyword == "exclusiveMinimum") {
        if (value.is_number() && value <= rule) complain("not more than " + rule.dump());
      } else if (keyword == "minLength") {
        if (value.is_string() && value.get<std::string>().size() < rule) complain("too short");
      } else if (keyword == "items") {
        for (std::size_t i = 0; value.is_array() && i < value.size(); ++i) {
          check(rule, value[i], path + "[" + std::to_string(i) + "]", list);
        }
      } else if (keyword == "required") {
        for (const Json& key : rule) {
          if (value.is_object() && !value.contains(key)) complain("there is no key " + key.dump());
        }
      } else if (keyword == "properties") {
        if (!value.is_object()) continue;
        for (const auto& [key, member] : value.items()) {
          if (rule.contains(key)) check(rule[key], member, path + "." + key, list);
        }
      } else if (keyword == "additionalProperties") {
        if (!value.is_object() || rule != false) continue;
        for (const auto& [key, member] : value.items()) {
          if (!schema.at("properties").contains(key)) complain("key '" + key + "' is not known");
        }
      } else if (keyword != "$schema" && keyword != "$defs" && keyword != "title" &&
                 keyword != "description") {
        complain("the schema's keyword '" + keyword + "' is not understood");
      }
    }
  }

  Json root_;
};

}  // namespace bptt::verify
