// --dump: the numbers of what fails, as safetensors, to look into with other tools.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "verify/result.hpp"
#include "verify/settings.hpp"

namespace bptt::verify {

/// More failing results than these are not written; a line says so.
inline constexpr int most_dumped = 20;

/// Runs each failing result once more and writes DIR/NAME.safetensors, with NAME from dump_name():
/// inputs and the expected results in the format of golden files, so that `--golden` reads it
/// back, and what the backend made of them as "got.y", "got.grad.x". What that format cannot
/// express (architectures) has no key `bptt`. Creates the folder. Says on `notes` what was left
/// out, and why. Throws Error(unavailable) where a file cannot be written.
void dump_failures(const Settings&, const std::vector<Result>&, std::ostream& notes);

/// Letters, digits and "._-" alone, as long as file systems allow, of one result alone:
/// "fuzz-tbb-f32-threads2-none-lstm_T_3_B_2-9f86d081".
std::string dump_name(const Result&);

}  // namespace bptt::verify
