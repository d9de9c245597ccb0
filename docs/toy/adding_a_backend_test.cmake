# cmake -P: does what docs/adding-a-backend.md says, on a copy of the tree, and has the backend judged.
# Takes SOURCE_DIR and WORK_DIR (emptied first).
file(REMOVE_RECURSE ${WORK_DIR})
foreach(part CMakeLists.txt cmake impls verify bench reports third_party docs)
  file(COPY ${SOURCE_DIR}/${part} DESTINATION ${WORK_DIR}/tree
       PATTERN node_modules EXCLUDE)
endforeach()

# The folder and the line.
file(COPY ${SOURCE_DIR}/docs/toy/toy.cpp DESTINATION ${WORK_DIR}/tree/impls/toy)
set(list ${WORK_DIR}/tree/impls/CMakeLists.txt)
file(READ ${list} lines)
string(REPLACE "bptt_backends_end()" "bptt_backend(toy)\nbptt_backends_end()" lines "${lines}")
file(WRITE ${list} "${lines}")

# Judging it takes the reference and the harness only.
execute_process(COMMAND ${CMAKE_COMMAND} -S ${WORK_DIR}/tree -B ${WORK_DIR}/build -G Ninja
                        -DCMAKE_BUILD_TYPE=Release -DBPTT_TESTS=OFF -DBPTT_TBB=OFF
                COMMAND_ERROR_IS_FATAL ANY OUTPUT_QUIET)
execute_process(COMMAND ${CMAKE_COMMAND} --build ${WORK_DIR}/build --target bptt-verify
                COMMAND_ERROR_IS_FATAL ANY OUTPUT_QUIET)

execute_process(COMMAND ${WORK_DIR}/build/bin/bptt-verify --backend toy --cell rnn --quick
                RESULT_VARIABLE verdict OUTPUT_VARIABLE output ERROR_VARIABLE output)
message(STATUS "${output}")
if(NOT verdict EQUAL 0 OR NOT output MATCHES "toy")
  message(FATAL_ERROR "bptt-verify --backend toy: expected exit code 0 and its verdict; got ${verdict}")
endif()

# And the judge is not one that lets everything pass: the same backend with one sign wrong.
set(toy ${WORK_DIR}/tree/impls/toy/toy.cpp)
file(READ ${toy} code)
string(REPLACE "(1 - y * y)" "(1 + y * y)" broken "${code}")
if(broken STREQUAL code)
  message(FATAL_ERROR "the line to break is not in toy.cpp any more")
endif()
file(WRITE ${toy} "${broken}")
execute_process(COMMAND ${CMAKE_COMMAND} --build ${WORK_DIR}/build --target bptt-verify
                COMMAND_ERROR_IS_FATAL ANY OUTPUT_QUIET)
execute_process(COMMAND ${WORK_DIR}/build/bin/bptt-verify --backend toy --cell rnn --quick
                RESULT_VARIABLE verdict OUTPUT_QUIET ERROR_QUIET)
if(NOT verdict EQUAL 1)
  message(FATAL_ERROR "a broken toy: expected exit code 1; got ${verdict}")
endif()
file(REMOVE_RECURSE ${WORK_DIR})
