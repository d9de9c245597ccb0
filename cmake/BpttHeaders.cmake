# Headers that are compiled once and not again by every file (precompiled headers). A file still
# includes what it uses: without them (-DBPTT_PCH=OFF) everything builds the same, more slowly.
#
#   standard   what nearly every file includes of the standard library
#   light      the same, for what is compiled lightly (BpttCompile.cmake)
#   test       that and GoogleTest
#
# bptt_precompiled(TARGET standard|light|test) has TARGET use one of them. A compiler takes a
# precompiled header only for the flags that it was made with, so a target with flags of its own
# (OpenMP's) goes without.

set(standard_headers
  <algorithm> <array> <atomic> <charconv> <chrono> <cmath> <complex> <cstddef> <cstdint> <cstdio>
  <cstdlib> <cstring> <deque> <exception> <filesystem> <fstream> <functional> <initializer_list>
  <iostream> <iterator> <limits> <map> <memory> <mutex> <numeric> <optional> <random> <ranges> <set>
  <span> <sstream> <stdexcept> <string> <string_view> <system_error> <thread> <tuple> <type_traits>
  <unordered_map> <utility> <variant> <vector>)
set(test_headers ${standard_headers} <gmock/gmock.h> <gtest/gtest.h>)

# bptt_make_precompiled(NAME FLAGS HEADERS [LIBRARY...])
function(bptt_make_precompiled name flags headers)
  set(source ${CMAKE_CURRENT_BINARY_DIR}/headers_${name}.cpp)
  file(CONFIGURE OUTPUT ${source} CONTENT "// What the precompiled headers `${name}` belong to.\n")
  add_library(bptt_headers_${name} OBJECT ${source})
  target_link_libraries(bptt_headers_${name} PRIVATE bptt_flags ${ARGN})
  target_compile_options(bptt_headers_${name} PRIVATE ${flags})
  target_precompile_headers(bptt_headers_${name} PRIVATE ${headers})
endfunction()

if(BPTT_PCH)
  bptt_make_precompiled(standard "" "${standard_headers}")
  bptt_make_precompiled(light "${bptt_light_flags}" "${standard_headers}")
  if(BPTT_TESTS)
    bptt_make_precompiled(test "${bptt_light_flags}" "${test_headers}" GTest::gmock GTest::gtest)
  endif()
endif()

function(bptt_precompiled target kind)
  if(BPTT_PCH)
    target_precompile_headers(${target} REUSE_FROM bptt_headers_${kind})
  endif()
endfunction()
