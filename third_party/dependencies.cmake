# What is linked, found where Debian's packages put it (third_party/install.sh installs them). A
# required library that is missing or too old stops here, with the package to install.

function(bptt_require name version package)
  find_package(${name} ${version} CONFIG QUIET ${ARGN})
  if(NOT ${name}_FOUND)
    message(FATAL_ERROR "bptt: ${name} ${version} or newer is missing. Debian package: ${package}; "
                        "`./bptt deps` installs all that is needed.")
  endif()
  message(STATUS "bptt: ${name} ${${name}_VERSION}")
  # Where find_package was called inside a function, its variables end with it.
  set(${name}_FOUND TRUE PARENT_SCOPE)
endfunction()

set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
bptt_require(benchmark 1.7 libbenchmark-dev)
bptt_require(nlohmann_json 3.11 nlohmann-json3-dev)
bptt_require(pugixml 1.12 libpugixml-dev)
bptt_require(boost_program_options 1.74 libboost-program-options-dev)
if(BPTT_TESTS)
  bptt_require(GTest 1.12 libgmock-dev)
endif()
bptt_require(hwy 1.0.3 libhwy-dev)

# OpenBLAS by name, not through libblas.so: that is an alternative which other packages can switch.
# The pthread variant, whose thread count can be set at run time.
find_library(BPTT_OPENBLAS openblas PATH_SUFFIXES openblas-pthread)
find_path(BPTT_OPENBLAS_INCLUDE cblas.h
          PATH_SUFFIXES openblas-pthread ${CMAKE_LIBRARY_ARCHITECTURE}/openblas-pthread openblas)
if(NOT BPTT_OPENBLAS OR NOT BPTT_OPENBLAS_INCLUDE)
  message(FATAL_ERROR "bptt: OpenBLAS is missing. Debian package: libopenblas-dev; `./bptt deps` "
                      "installs all that is needed.")
endif()
add_library(bptt_openblas INTERFACE)
target_link_libraries(bptt_openblas INTERFACE ${BPTT_OPENBLAS})
target_include_directories(bptt_openblas SYSTEM INTERFACE ${BPTT_OPENBLAS_INCLUDE})

# What only some backends need: bptt_need_NAME(missing) sets `missing` to why the library cannot be
# used, with its cure, or to nothing.

function(bptt_need_tbb missing)
  find_package(TBB 2021 CONFIG QUIET GLOBAL)
  if(NOT TBB_FOUND)
    set(${missing} "oneTBB 2021 or newer is missing (Debian package libtbb-dev; `./bptt deps` installs it)" PARENT_SCOPE)
    return()
  endif()
  set(${missing} "" PARENT_SCOPE)
endfunction()
