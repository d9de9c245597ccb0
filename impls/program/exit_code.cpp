#include "impls/program/exit_code.hpp"

#include <iostream>
#include <new>

namespace bptt::program {

ExitCode exit_code_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::usage:
      return bad_usage;
    case ErrorKind::data:
      return bad_data;
    case ErrorKind::unavailable:
      return not_available;
  }
  return not_available;
}

int run(const char* name, const std::function<int()>& body) {
  try {
    return body();
  } catch (const Error& error) {
    std::cerr << name << ": " << error.what() << '\n';
    return exit_code_of(error.kind());
  } catch (const std::bad_alloc&) {
    std::cerr << name << ": out of memory\n";
    return not_available;
  } catch (const std::exception& error) {
    std::cerr << name << ": " << error.what() << '\n';
    return not_available;
  }
}

}  // namespace bptt::program
