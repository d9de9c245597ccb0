# bptt_test(NAME LABEL label [TIMEOUT seconds] [SPINNING] SOURCES... [LIBS...]): one GoogleTest
# program; each of its tests is a ctest of its own, named NAME.Suite.Test and labelled. Labels in
# use: unit, gradient, equality, golden, selftest, cli, report, slow.
#
# Tests run beside each other, so that OpenMP's threads sleep while they wait for work; SPINNING:
# as in a user's program, for some milliseconds in a loop.
if(NOT BPTT_TESTS)
  function(bptt_test)
  endfunction()
  return()
endif()

enable_testing()
include(GoogleTest)

function(bptt_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "SPINNING" "LABEL;TIMEOUT" "SOURCES;LIBS")
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 300)
  endif()
  set(environment)
  if(NOT arg_SPINNING)
    set(environment ENVIRONMENT OMP_WAIT_POLICY=passive)
  endif()
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE bptt_flags ${arg_LIBS} GTest::gmock GTest::gtest
                                        GTest::gtest_main)
  bptt_precompiled(${name} test)
  # What a test calls is compiled for speed, its own code need not be.
  target_compile_options(${name} PRIVATE ${bptt_light_flags})
  target_compile_definitions(${name} PRIVATE
    BPTT_SOURCE_DIR="${PROJECT_SOURCE_DIR}" BPTT_BIN_DIR="${PROJECT_BINARY_DIR}/bin")
  gtest_discover_tests(${name} TEST_PREFIX "${name}." DISCOVERY_MODE PRE_TEST
                       PROPERTIES LABELS "${arg_LABEL}" TIMEOUT ${arg_TIMEOUT}
                                  ${environment})
endfunction()
