#include "bench/mode.hpp"

#include "impls/api/names.hpp"

namespace bptt::bench {
namespace {

constexpr Named<Mode> modes[] = {{Mode::full_layer, "full-layer"},
                                 {Mode::recurrent_only, "recurrent-only"}};

}  // namespace

std::string_view name_of(Mode mode) {
  return name_in(modes, mode);
}

Mode parse_mode(std::string_view flag, std::string_view text) {
  return parse_in(modes, flag, text);
}

}  // namespace bptt::bench
