#include "bench/presets.hpp"

namespace bptt::bench {

std::string_view Preset::summary() const {
  const auto begin = text.find_first_not_of("# \n");
  return text.substr(begin, text.find('\n', begin) - begin);
}

const Preset* find_preset(std::string_view name) {
  for (const Preset& preset : presets()) {
    if (preset.name == name) return &preset;
  }
  return nullptr;
}

}  // namespace bptt::bench
