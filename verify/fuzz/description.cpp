#include "verify/fuzz/description.hpp"

#include <algorithm>
#include <charconv>
#include <set>

#include "impls/api/names.hpp"
#include "impls/io/printable.hpp"

namespace bptt::verify::fuzz {
namespace {

constexpr Named<InputValues> value_names[] = {
    {InputValues::fixture, "fixture"}, {InputValues::initial, "initial"},
    {InputValues::large, "large"},     {InputValues::tiny, "tiny"},
    {InputValues::sparse, "sparse"},   {InputValues::zero_tensors, "zero-tensors"},
    {InputValues::coarse, "coarse"},
};

[[noreturn]] void fail(const std::string& what, const std::string& expected,
                       std::string_view came) {
  throw Error(ErrorKind::usage, "case, " + what + ": expected " + expected + "; got '" +
                                    io::printable(came, io::longest_name) + "'");
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = 0;;) {
    const std::size_t end = text.find(separator, begin);
    parts.push_back(text.substr(begin, end - begin));
    if (end == std::string_view::npos) return parts;
    begin = end + 1;
  }
}

Index parse_number(const std::string& what, std::string_view text, Index least) {
  Index value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < least) {
    fail(what, "a whole number of at least " + std::to_string(least), text);
  }
  return value;
}

/// LOSS:OUTPUTS:STEPS
net::HeadSpec parse_head(std::string_view text) {
  const auto parts = split(text, ':');
  if (parts.size() != 3) fail("head", "LOSS:OUTPUTS:STEPS", text);
  net::HeadSpec head;
  head.loss = net::parse_loss(parts[0]);
  head.O = parse_number("outputs of the head", parts[1], 1);
  head.steps = net::parse_steps(parts[2]);
  return head;
}

std::string text_of(const net::HeadSpec& head) {
  return std::string(net::name_of(head.loss)) + ":" + std::to_string(head.O) + ":" +
         std::string(net::name_of(head.steps));
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ",") + word;
  return text;
}

std::string joined(const std::vector<Index>& numbers) {
  std::vector<std::string> words;
  for (const Index number : numbers) words.push_back(std::to_string(number));
  return joined(words);
}

/// A word of a case's text, behind the cell.
struct Word {
  std::string_view key;
  bool has_value = true;
  void (*read)(Description&, std::string_view value) = nullptr;
  /// The value; "" where the word is left out (of a word without value: its key).
  std::string (*print)(const Description&) = nullptr;
  bool required = false;
};

template <Index Shape::*extent>
constexpr Word extent_word(std::string_view key) {
  return {key, true,
          [](Description& d, std::string_view value) {
            d.network.stack.shape.*extent = parse_number("an extent", value, 1);
          },
          [](const Description& d) { return std::to_string(d.network.stack.shape.*extent); }, true};
}

constexpr Word words[] = {
    extent_word<&Shape::T>("T"),
    extent_word<&Shape::B>("B"),
    extent_word<&Shape::I>("I"),
    extent_word<&Shape::H>("H"),
    {"layers", true,
     [](Description& d, std::string_view value) {
       d.network.stack.layers = parse_number("layers", value, 1);
     },
     [](const Description& d) {
       const Index layers = d.network.stack.layers;
       return layers == 1 ? std::string() : std::to_string(layers);
     }},
    {"bidirectional", false,
     [](Description& d, std::string_view) { d.network.stack.bidirectional = true; },
     [](const Description& d) {
       return std::string(d.network.stack.bidirectional ? "bidirectional" : "");
     }},
    {"lengths", true,
     [](Description& d, std::string_view value) {
       d.network.stack.lengths = true;
       for (const auto part : split(value, ',')) {
         d.lengths.push_back(parse_number("lengths", part, 0));
       }
     },
     [](const Description& d) { return joined(d.lengths); }},
    {"head", true,
     [](Description& d, std::string_view value) { d.network.head = parse_head(value); },
     [](const Description& d) {
       return d.network.head ? text_of(*d.network.head) : std::string();
     }},
    {"without", true,
     [](Description& d, std::string_view value) {
       for (const auto part : split(value, ',')) d.without.emplace_back(part);
     },
     [](const Description& d) { return joined(d.without); }},
    {"values", true,
     [](Description& d, std::string_view value) {
       d.values = parse_in(value_names, "case, values", value);
     },
     [](const Description& d) {
       return d.values == InputValues::fixture ? std::string()
                                               : std::string(name_in(value_names, d.values));
     }},
};

std::string known_words() {
  std::string known;
  for (const Word& word : words) {
    known += (known.empty() ? "" : ", ") + std::string(word.key) + (word.has_value ? "=" : "");
  }
  return known;
}

const Word& find_word(std::string_view key, bool has_value, std::string_view text) {
  for (const Word& word : words) {
    if (word.key == key && word.has_value == has_value) return word;
  }
  fail("a word", "one of " + known_words(), text);
}

void sort_without(std::vector<std::string>& without) {
  const auto& order = optional_tensors();
  const auto rank = [&](const std::string& name) {
    return std::find(order.begin(), order.end(), name) - order.begin();
  };
  std::sort(without.begin(), without.end(),
            [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
}

}  // namespace

std::string_view name_of(InputValues values) {
  return name_in(value_names, values);
}

const std::vector<InputValues>& all_input_values() {
  static const std::vector<InputValues> all = [] {
    std::vector<InputValues> list;
    for (const auto& row : value_names) list.push_back(row.value);
    return list;
  }();
  return all;
}

const std::vector<std::string>& optional_tensors() {
  static const std::vector<std::string> names = {"h0",
                                                 "c0",
                                                 "hT",
                                                 "cT",
                                                 "dy",
                                                 "dhT",
                                                 "dcT",
                                                 "grad.x",
                                                 "grad.h0",
                                                 "grad.c0",
                                                 "grad.weight_ih_l0",
                                                 "grad.weight_hh_l0",
                                                 "grad.bias_ih_l0",
                                                 "grad.bias_hh_l0",
                                                 "grad.weight_peephole_l0"};
  return names;
}

bool has_tensor(const Cell& cell, std::string_view name) {
  if (name == "c0" || name == "cT" || name == "dcT" || name == "grad.c0") {
    return cell.has_cell_state();
  }
  if (name.starts_with("grad.bias_")) return cell.bias;
  if (name == "grad.weight_peephole_l0") return cell.peephole;
  return true;
}

void Description::validate() const {
  network.validate();
  check_lengths(network.stack, lengths, "case, lengths");
  if (values != InputValues::fixture && network.stack.cell.has_kink()) {
    fail("values", "fixture for " + to_string(network.stack.cell) + ", whose kink only that avoids",
         name_of(values));
  }
  if (!without.empty() && !is_layer()) {
    fail("without", "a single layer without head, which alone may lack tensors", joined(without));
  }
  std::set<std::string> seen;
  for (const std::string& name : without) {
    const auto& known = optional_tensors();
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      fail("without", "names among " + joined(known), name);
    }
    if (!has_tensor(network.stack.cell, name)) {
      fail("without", "a tensor that " + to_string(network.stack.cell) + " has", name);
    }
    if (!seen.insert(name).second) fail("without", "each tensor once", name);
  }
}

Description parse_description(std::string_view text) {
  Description d;
  std::set<std::string_view> seen;
  bool first = true;
  for (const std::string_view word : split(text, ' ')) {
    if (word.empty()) continue;
    if (first) {
      d.network.stack.cell = parse_cell(word);
      first = false;
      continue;
    }
    const std::size_t equals = word.find('=');
    const bool has_value = equals != std::string_view::npos;
    const Word& known = find_word(word.substr(0, equals), has_value, word);
    if (!seen.insert(known.key).second) fail(std::string(known.key), "it once", word);
    known.read(d, has_value ? word.substr(equals + 1) : std::string_view());
  }
  if (first) fail("its first word", "a cell, as in 'lstm T=3 B=2 I=1 H=5'", text);
  for (const Word& word : words) {
    if (word.required && seen.count(word.key) == 0) {
      fail("an extent", "all of T=, B=, I=, H=; there is no " + std::string(word.key) + "=", text);
    }
  }
  sort_without(d.without);
  d.validate();
  return d;
}

std::string to_string(const Description& d) {
  std::string text = to_string(d.network.stack.cell);
  for (const Word& word : words) {
    const std::string value = word.print(d);
    if (value.empty()) continue;
    text += " " + (word.has_value ? std::string(word.key) + "=" : "") + value;
  }
  return text;
}

}  // namespace bptt::verify::fuzz
