// The line that runs a result again, alone.
#pragma once

#include <string>

#include "verify/result.hpp"

namespace bptt::verify {

std::string command_of(const Result&);

/// One word of a shell, whatever is in it: "it's" gives 'it'\''s'.
std::string shell_word(const std::string& text);

}  // namespace bptt::verify
