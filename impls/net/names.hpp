// Enumerators with their names: the one lookup behind every name_of and parse_* of this folder.
#pragma once

#include <string>
#include <string_view>

#include "impls/api/error.hpp"

namespace bptt::net {

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

template <class E, std::size_t N>
E parse_in(const Named<E> (&table)[N], const char* what, std::string_view name) {
  std::string known;
  for (const auto& row : table) {
    if (row.name == name) return row.value;
    known += (known.empty() ? "" : ", ") + std::string(row.name);
  }
  throw Error(ErrorKind::usage, std::string(what) + ": expected one of " + known + "; got '" +
                                    std::string(name) + "'");
}

}  // namespace bptt::net
