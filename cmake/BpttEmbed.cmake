# bptt_embed(TARGET NAMESPACE ns FILES function=path...): adds to TARGET a source in which
# `std::string_view ns::function()` is the content of the file. A file that is absent at configure
# time is embedded as an empty text; whoever calls this says so to the user.

function(bptt_embed target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "NAMESPACE" "FILES")
  set(source ${CMAKE_CURRENT_BINARY_DIR}/${target}_embedded.cpp)
  set(text "// Written by cmake/BpttEmbed.cmake.\n#include <string_view>\n")
  set(tracked)
  foreach(pair IN LISTS arg_FILES)
    string(REGEX MATCH "^([a-z_]+)=(.*)$" matched "${pair}")
    set(function ${CMAKE_MATCH_1})
    get_filename_component(path "${CMAKE_MATCH_2}" ABSOLUTE)
    set(symbol bptt_embedded_${function})
    set(content "")
    if(EXISTS "${path}")
      list(APPEND tracked "${path}")
      set(content ".incbin \\\"${path}\\\"\\n")
    endif()
    string(APPEND text "
__asm__(\".section .rodata\\n${symbol}_begin:\\n${content}${symbol}_end:\\n.previous\");
extern \"C\" const char ${symbol}_begin[], ${symbol}_end[];
namespace ${arg_NAMESPACE} {
std::string_view ${function}();
std::string_view ${function}() {
  return {${symbol}_begin, static_cast<std::size_t>(${symbol}_end - ${symbol}_begin)};
}
}
")
  endforeach()
  file(CONFIGURE OUTPUT ${source} CONTENT "${text}" @ONLY)
  # .incbin is not seen by the compiler's own dependency files.
  set_source_files_properties(${source} PROPERTIES OBJECT_DEPENDS "${tracked}")
  target_sources(${target} PRIVATE ${source})
endfunction()
