# cmake -P: configures the tree with the peers' libraries hidden, then with libraries whose headers are not
# there, and looks at the table that is written: every backend that cannot be built stands in it, with its
# reason whole. Nothing is built. Takes SOURCE_DIR, WORK_DIR (emptied first), OPENBLAS_INCLUDE (not to be
# hidden with the others) and HIDDEN, the folders of the peers' headers here.
file(REMOVE_RECURSE ${WORK_DIR})
file(MAKE_DIRECTORY ${WORK_DIR}/empty)

function(configure)
  execute_process(COMMAND ${CMAKE_COMMAND} -S ${SOURCE_DIR} -B ${WORK_DIR}/build -G Ninja -DBPTT_TESTS=OFF
                          -DBPTT_OPENBLAS_INCLUDE=${OPENBLAS_INCLUDE} ${ARGN}
                  RESULT_VARIABLE failed OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(failed)
    message(FATAL_ERROR "does not configure:\n${output}")
  endif()
  set(output "${output}" PARENT_SCOPE)
  file(READ ${WORK_DIR}/build/impls/backend_table.cpp table)
  set(table "${table}" PARENT_SCOPE)
endfunction()

function(expect_left_out name reason)
  foreach(where table output)
    string(FIND "${${where}}" "${reason}" found)
    if(found EQUAL -1)
      message(FATAL_ERROR "${name}: expected '${reason}' in the ${where}:\n${${where}}")
    endif()
  endforeach()
  string(FIND "${table}" "LeftOutBackend{\"${name}\", R\"_(" found)
  if(found EQUAL -1)
    message(FATAL_ERROR "${name}: expected among the backends left out:\n${table}")
  endif()
endfunction()

# In a file, since it is a list.
file(WRITE ${WORK_DIR}/hidden.cmake "set(CMAKE_IGNORE_PATH \"${HIDDEN}\" CACHE STRING \"\")\n")
configure(-C ${WORK_DIR}/hidden.cmake -DCMAKE_DISABLE_FIND_PACKAGE_TBB=ON -DBPTT_TORCH=AUTO)
foreach(name tbb fused)
  expect_left_out(${name} "oneTBB 2021 or newer is missing (Debian package libtbb-dev; `./bptt deps` installs it)")
endforeach()
expect_left_out(onednn "oneDNN is missing (Debian package libdnnl-dev; `./bptt deps` installs it)")
expect_left_out(xsmm "has no rnncell any more (Debian package libxsmm-dev; `./bptt deps` installs it)")
expect_left_out(torch "PyTorch 1.13 or newer is missing (Debian package libtorch-dev; `./bptt deps torch` installs it)")
if(NOT table MATCHES "LeftOutBackend, 5>")
  message(FATAL_ERROR "expected five backends left out:\n${table}")
endif()

# Libraries are there, what belongs to them is not.
configure(-DBPTT_DNNL_INCLUDE=${WORK_DIR}/empty -DBPTT_DNNL_dnnl=dnnl
          -DBPTT_TORCH_INCLUDE=${WORK_DIR}/empty -DBPTT_TORCH_torch_cpu=torch_cpu -DBPTT_TORCH_c10=c10)
expect_left_out(onednn "this oneDNN does not tell its version")
expect_left_out(torch "this PyTorch does not tell its version")

# A version that is too new to have been tried.
set(headers ${WORK_DIR}/four/oneapi/dnnl)
file(WRITE ${headers}/dnnl_version.h "#define DNNL_VERSION_MAJOR 4\n#define DNNL_VERSION_MINOR 0\n")
configure(-DBPTT_DNNL_INCLUDE=${WORK_DIR}/four -DBPTT_DNNL_dnnl=dnnl)
expect_left_out(onednn "oneDNN 2.6 or newer, but not 4, is needed; 4.0 is there")

# Asked for, they are not left out silently.
execute_process(COMMAND ${CMAKE_COMMAND} -S ${SOURCE_DIR} -B ${WORK_DIR}/build -DBPTT_ONEDNN=ON
                RESULT_VARIABLE failed OUTPUT_QUIET ERROR_VARIABLE output)
if(NOT failed OR NOT output MATCHES "onednn was asked for")
  message(FATAL_ERROR "BPTT_ONEDNN=ON without oneDNN: expected an error; got:\n${output}")
endif()
file(REMOVE_RECURSE ${WORK_DIR})
