# How everything in the tree is compiled: bptt_library(NAME [TOGETHER] [OWN_FLAGS] SOURCES... [APART...]
# [LIBS...]) and bptt_program(NAME SOURCES... [LIBS...]). Includes are written from the top of the tree.
#
# TOGETHER: up to eight files are compiled as one, which takes half of the time: templates that they
# share are instantiated once. Names in their unnamed namespaces must then differ; files of APART are
# compiled by themselves. With -DBPTT_TOGETHER=OFF every file is.
# OWN_FLAGS: the target gets flags of its own, and can use no precompiled headers (BpttHeaders.cmake).
# A folder sets BPTT_LIGHT where nothing is computed that anybody waits for (flags, text, tables): a
# release build then compiles it with -O1, which takes two thirds of the time that -O3 takes.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

add_library(bptt_flags INTERFACE)
target_include_directories(bptt_flags INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(bptt_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor
  # g++ 12 sees an overlap in std::string's operator+ that is not there (GCC bug 105651).
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
  # The same source must give the same bits on every instruction set: a multiply-add is fused only
  # where the code asks for it. For the same reason there is no -ffast-math anywhere.
  -ffp-contract=off
  $<$<BOOL:${BPTT_WERROR}>:-Werror>)

if(BPTT_SANITIZE)
  target_compile_options(bptt_flags INTERFACE
    -fsanitize=${BPTT_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all -g)
  target_link_options(bptt_flags INTERFACE -fsanitize=${BPTT_SANITIZE})
endif()

# With -O1, g++ takes members of a std::function for uninitialized that are not.
set(bptt_light_flags $<$<CONFIG:Release>:-O1> $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
function(bptt_compile_as_folder_says target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "OWN_FLAGS" "" "")
  set(headers standard)
  if(BPTT_LIGHT)
    target_compile_options(${target} PRIVATE ${bptt_light_flags})
    set(headers light)
  endif()
  if(NOT arg_OWN_FLAGS)
    bptt_precompiled(${target} ${headers})
  endif()
endfunction()

function(bptt_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "OWN_FLAGS;TOGETHER" "" "SOURCES;APART;LIBS")
  add_library(${name} STATIC ${arg_SOURCES} ${arg_APART})
  target_link_libraries(${name} PUBLIC bptt_flags ${arg_LIBS})
  if(arg_OWN_FLAGS)
    bptt_compile_as_folder_says(${name} OWN_FLAGS)
  else()
    bptt_compile_as_folder_says(${name})
  endif()
  if(BPTT_TOGETHER AND arg_TOGETHER)
    set_target_properties(${name} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 8)
    set_source_files_properties(${arg_APART} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  endif()
endfunction()

function(bptt_program name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LIBS")
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE bptt_flags ${arg_LIBS})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
  bptt_compile_as_folder_says(${name})
endfunction()
