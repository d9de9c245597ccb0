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

# GNU's, which the C++ compiler brings, or Clang's: peers are told their threads through it.
function(bptt_need_openmp missing)
  find_package(OpenMP QUIET GLOBAL COMPONENTS CXX)
  if(NOT OpenMP_CXX_FOUND)
    set(${missing} "the C++ compiler has no OpenMP (g++ brings it; Debian package for Clang: libomp-dev)" PARENT_SCOPE)
    return()
  endif()
  set(${missing} "" PARENT_SCOPE)
endfunction()

# bptt_find_peer(TARGET HEADER header LIBRARIES name...): an imported target for a library found by
# name; nothing where it is not there.
function(bptt_find_peer target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "HEADER" "LIBRARIES")
  if(TARGET ${target})
    return()
  endif()
  string(TOUPPER ${target} upper)
  find_path(${upper}_INCLUDE ${arg_HEADER})
  set(files "")
  foreach(name IN LISTS arg_LIBRARIES)
    find_library(${upper}_${name} ${name})
    if(NOT ${upper}_${name})
      return()
    endif()
    list(APPEND files ${${upper}_${name}})
  endforeach()
  if(NOT ${upper}_INCLUDE)
    return()
  endif()
  add_library(${target} INTERFACE IMPORTED GLOBAL)
  target_link_libraries(${target} INTERFACE ${files})
  target_include_directories(${target} SYSTEM INTERFACE ${${upper}_INCLUDE})
endfunction()

# bptt_read_version(RESULT HEADER): "major.minor" by the two macros _VERSION_MAJOR and _VERSION_MINOR of
# a header; nothing where there is no such header.
function(bptt_read_version result header)
  set(version "")
  if(EXISTS "${header}")
    file(STRINGS "${header}" version REGEX "define [A-Z]+_VERSION_M(AJ|IN)OR")
    string(REGEX REPLACE "[^0-9;]" "" version "${version}")
    string(REPLACE ";" "." version "${version}")
  endif()
  set(${result} "${version}" PARENT_SCOPE)
endfunction()

# By name and not by its CMake package, which wants OpenCL for what is not used here. Versions 2 and 3
# differ in impls/onednn/version.cpp; other builds than those on OpenMP have threads that could not be
# told.
function(bptt_need_onednn missing)
  bptt_find_peer(bptt_dnnl HEADER oneapi/dnnl/dnnl.hpp LIBRARIES dnnl)
  set(reason "")
  if(NOT TARGET bptt_dnnl)
    set(reason "oneDNN is missing (Debian package libdnnl-dev; `./bptt deps` installs it)")
  else()
    set(headers ${BPTT_DNNL_INCLUDE}/oneapi/dnnl)
    bptt_read_version(version ${headers}/dnnl_version.h)
    set(runtime "")
    if(EXISTS ${headers}/dnnl_config.h)
      file(STRINGS ${headers}/dnnl_config.h runtime REGEX "DNNL_CPU_THREADING_RUNTIME DNNL_RUNTIME_OMP")
    endif()
    if(NOT version)
      set(reason "this oneDNN does not tell its version: ${headers}/dnnl_version.h (Debian package libdnnl-dev has it)")
    elseif(version VERSION_LESS 2.6 OR NOT version VERSION_LESS 4)
      set(reason "oneDNN 2.6 or newer, but not 4, is needed; ${version} is there (Debian package libdnnl-dev)")
    elseif(NOT runtime)
      set(reason "this oneDNN was not built for OpenMP (Debian's package libdnnl-dev is)")
    endif()
  endif()
  set(${missing} "${reason}" PARENT_SCOPE)
endfunction()

# A static library in Debian. The products it does not generate code for it takes from a BLAS.
function(bptt_need_xsmm missing)
  bptt_find_peer(bptt_xsmm HEADER libxsmm_dnn_rnncell.h LIBRARIES xsmm)
  if(NOT TARGET bptt_xsmm)
    set(${missing} "libxsmm 1.17 is missing, or a later one that has no rnncell any more (Debian package libxsmm-dev; `./bptt deps` installs it)" PARENT_SCOPE)
    return()
  endif()
  set_property(TARGET bptt_xsmm APPEND PROPERTY INTERFACE_LINK_LIBRARIES bptt_openblas Threads::Threads rt dl m)
  set(${missing} "" PARENT_SCOPE)
endfunction()

# By name and not by its CMake package, which wants the libraries of every build that there could be. What
# a version runs is asked of the library itself (impls/torch/layers.hpp).
function(bptt_need_torch missing)
  bptt_find_peer(bptt_torch HEADER torch/csrc/autograd/autograd.h LIBRARIES torch_cpu c10)
  set(reason "")
  if(NOT TARGET bptt_torch)
    set(reason "PyTorch 1.13 or newer is missing (Debian package libtorch-dev; `./bptt deps torch` installs it)")
  else()
    set(header ${BPTT_TORCH_INCLUDE}/torch/headeronly/version.h) # where it is since 2.9
    if(NOT EXISTS ${header})
      set(header ${BPTT_TORCH_INCLUDE}/torch/csrc/api/include/torch/version.h)
    endif()
    bptt_read_version(version ${header})
    if(NOT version)
      set(reason "this PyTorch does not tell its version: ${header} (Debian package libtorch-dev has it)")
    elseif(version VERSION_LESS 1.13 OR NOT version VERSION_LESS 3)
      set(reason "PyTorch 1.13 to 2 is needed; ${version} is there (Debian package libtorch-dev)")
    endif()
  endif()
  set(${missing} "${reason}" PARENT_SCOPE)
endfunction()
