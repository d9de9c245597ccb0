// Enumerators with their names: the one lookup behind every name_of and parse_*.
#pragma once

#include <string>
#include <string_view>

#include "impls/api/error.hpp"

namespace bptt {

/// One table per concept: the enumerators of E with their names.
template <class E>
struct Named {
  E value;
  std::string_view name;
};

template <class E, std::size_t N>
std::string_view name_in(const Named<E> (&table)[N], E value) {
  for (const auto& row : table) {
    if (row.value == value) return row.name;
  }
  return "?";
}

/// All names: "rnn, lstm, gru".
template <class E, std::size_t N>
std::string names_in(const Named<E> (&table)[N]) {
  std::string names;
  for (const auto& row : table) names += (names.empty() ? "" : ", ") + std::string(row.name);
  return names;
}

template <class E, std::size_t N>
const Named<E>* find_in(const Named<E> (&table)[N], std::string_view name) {
  for (const auto& row : table) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

/// Throws Error(usage) that says what was expected of `what`, and what came.
template <class E, std::size_t N>
E parse_in(const Named<E> (&table)[N], std::string_view what, std::string_view name) {
  if (const auto* row = find_in(table, name)) return row->value;
  throw Error(ErrorKind::usage, std::string(what) + ": expected one of " + names_in(table) +
                                    "; got '" + std::string(name) + "'");
}

}  // namespace bptt
