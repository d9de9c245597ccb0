# bptt_backend(NAME [LIBS target...] [NEEDS dependency...] [ON_DEMAND how])
#
# Builds impls/NAME/*.cpp (tests aside) as a backend and enters it in the registry. The folder
# defines `std::unique_ptr<bptt::Backend> bptt::NAME::make_backend()`.
#
# BPTT_<NAME>=AUTO|ON|OFF decides what happens where a dependency is missing: AUTO leaves the backend
# out and says why, ON stops the configuration. A dependency `d` is there when bptt_need_d() of
# third_party/dependencies.cmake has found it; that also names the package to install. The default is
# AUTO; OFF with ON_DEMAND, which says how to get the backend.

set_property(GLOBAL PROPERTY bptt_backends_built "")
set_property(GLOBAL PROPERTY bptt_backends_left_out "")

function(bptt_backend name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "ON_DEMAND" "LIBS;NEEDS")
  string(TOUPPER ${name} upper)
  set(default AUTO)
  set(hint "")
  if(arg_ON_DEMAND)
    set(default OFF)
    set(hint ", as by default: ${arg_ON_DEMAND}")
  endif()
  set(BPTT_${upper} ${default} CACHE STRING "Build the backend ${name}: AUTO, ON or OFF")
  set_property(CACHE BPTT_${upper} PROPERTY STRINGS AUTO ON OFF)
  set(reason "")
  if(BPTT_${upper} STREQUAL "OFF")
    set(reason "switched off (BPTT_${upper}=OFF)${hint}")
  else()
    foreach(need IN LISTS arg_NEEDS)
      cmake_language(CALL bptt_need_${need} missing)
      if(missing)
        set(reason "${missing}")
        break()
      endif()
    endforeach()
    if(reason AND NOT BPTT_${upper} STREQUAL "AUTO")
      message(FATAL_ERROR "bptt: backend ${name} was asked for (BPTT_${upper}=${BPTT_${upper}}): ${reason}")
    endif()
  endif()
  if(reason)
    message(STATUS "bptt: backend ${name} left out: ${reason}")
    # The reason by itself: it is a sentence, which no list could hold, having semicolons.
    set_property(GLOBAL APPEND PROPERTY bptt_backends_left_out ${name})
    set_property(GLOBAL PROPERTY bptt_left_out_${name} "${reason}")
    return()
  endif()
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "_test\\.cpp$")
  bptt_library(bptt_backend_${name} SOURCES ${sources} LIBS bptt_api ${arg_LIBS})
  set_property(GLOBAL APPEND PROPERTY bptt_backends_built ${name})
endfunction()

# Writes the registry: target bptt_backends holds every backend that was built.
function(bptt_backends_end)
  get_property(built GLOBAL PROPERTY bptt_backends_built)
  get_property(left_out GLOBAL PROPERTY bptt_backends_left_out)
  set(BPTT_DECLARATIONS "")
  set(BPTT_ENTRIES "")
  set(BPTT_LEFT_OUT "")
  set(libraries "")
  foreach(name IN LISTS built)
    string(APPEND BPTT_DECLARATIONS
           "namespace ${name} { std::unique_ptr<Backend> make_backend(); }\n")
    string(APPEND BPTT_ENTRIES "      ${name}::make_backend(),\n")
    list(APPEND libraries bptt_backend_${name})
  endforeach()
  foreach(name IN LISTS left_out)
    get_property(reason GLOBAL PROPERTY bptt_left_out_${name})
    string(APPEND BPTT_LEFT_OUT "    LeftOutBackend{\"${name}\", R\"_(${reason})_\"},\n")
  endforeach()
  list(LENGTH left_out BPTT_LEFT_OUT_COUNT)
  configure_file(${PROJECT_SOURCE_DIR}/cmake/backend_table.cpp.in
                 ${CMAKE_CURRENT_BINARY_DIR}/backend_table.cpp @ONLY)
  bptt_library(bptt_backends SOURCES ${CMAKE_CURRENT_BINARY_DIR}/backend_table.cpp
               LIBS bptt_api ${libraries})
endfunction()
