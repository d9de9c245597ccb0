// For tests: the folder of impls/io/test_folder.hpp under this namespace's name.
#pragma once

#include "impls/io/test_folder.hpp"

namespace bptt::bench {

using io::TestFolder;
using io::text_in;

}  // namespace bptt::bench
