# Files that travel inside the binary, as bytes in an assembler file: no copy in memory, no file to lose.

# slipway_embed(TARGET SYMBOL_PREFIX NAME=PATH...) makes SYMBOL_PREFIX_table in a generated .cc: names, first bytes, sizes.
function(slipway_embed target prefix)
  set(assembly "${CMAKE_BINARY_DIR}/embed_${prefix}.S")
  set(table "${CMAKE_BINARY_DIR}/embed_${prefix}.cc")
  set(asm_text ".section .rodata\n")
  set(declarations "")
  set(rows "")
  set(index 0)
  foreach(pair ${ARGN})
    string(REGEX MATCH "^([^=]+)=(.*)$" _ "${pair}")
    set(name "${CMAKE_MATCH_1}")
    set(path "${CMAKE_MATCH_2}")
    set(symbol "${prefix}_${index}")
    string(APPEND asm_text ".global ${symbol}\n.global ${symbol}_end\n.balign 16\n${symbol}:\n.incbin \"${path}\"\n${symbol}_end:\n.byte 0\n")
    string(APPEND declarations "extern \"C\" const char ${symbol}[];\nextern \"C\" const char ${symbol}_end[];\n")
    string(APPEND rows "    {\"${name}\", {${symbol}, static_cast<std::size_t>(${symbol}_end - ${symbol})}},\n")
    math(EXPR index "${index} + 1")
    set_property(SOURCE ${assembly} APPEND PROPERTY OBJECT_DEPENDS "${path}")
  endforeach()
  string(APPEND asm_text ".section .note.GNU-stack,\"\",@progbits\n")
  file(CONFIGURE OUTPUT ${assembly} CONTENT "${asm_text}" @ONLY)
  file(CONFIGURE OUTPUT ${table} CONTENT
"#include <string_view>
#include <utility>
#include <vector>
${declarations}
std::vector<std::pair<std::string_view, std::string_view>> ${prefix}_table() {
  return {
${rows}  };
}
" @ONLY)
  set_source_files_properties(${assembly} PROPERTIES LANGUAGE ASM)
  target_sources(${target} PRIVATE ${assembly} ${table})
endfunction()

# Every schema/NNNN_name.sql and NNNN_name.postgres.sql, in order, into storage/.
function(slipway_embed_schema)
  if(NOT TARGET slipway_storage)
    return()
  endif()
  file(GLOB files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/schema/*.sql)
  list(SORT files)
  set(pairs "")
  foreach(file ${files})
    get_filename_component(name ${file} NAME)
    string(REGEX REPLACE "\\.sql$" "" name ${name})
    list(APPEND pairs "${name}=${file}")
  endforeach()
  slipway_embed(slipway_storage slipway_schema ${pairs})
endfunction()

# The page, built by esbuild from web/ into build/web and embedded into server/. Without SLIPWAY_UI an empty table.
function(slipway_embed_page)
  if(NOT TARGET slipway_server)
    return()
  endif()
  set(folder "${CMAKE_BINARY_DIR}/web")
  set(assembly "${CMAKE_BINARY_DIR}/page.S")
  set(table "${CMAKE_BINARY_DIR}/page.cc")
  find_package(Python3 REQUIRED COMPONENTS Interpreter)
  set(inputs "")
  set(build_page ${CMAKE_COMMAND} -E make_directory ${folder})
  if(SLIPWAY_UI AND EXISTS ${CMAKE_SOURCE_DIR}/web/build.mjs)
    find_program(NODE node REQUIRED)
    file(GLOB_RECURSE inputs CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/web/src/*)
    list(APPEND inputs ${CMAKE_SOURCE_DIR}/web/build.mjs ${CMAKE_SOURCE_DIR}/web/package-lock.json)
    set(build_page ${NODE} ${CMAKE_SOURCE_DIR}/web/build.mjs ${folder})
  endif()
  add_custom_command(OUTPUT ${assembly} ${table}
    COMMAND ${CMAKE_COMMAND} -E rm -rf ${folder}
    COMMAND ${build_page}
    COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/scripts/embed.py ${folder} slipway_page ${assembly} ${table}
    DEPENDS ${inputs} ${CMAKE_SOURCE_DIR}/scripts/embed.py
    COMMENT "Building the page" VERBATIM)
  set_source_files_properties(${assembly} PROPERTIES LANGUAGE ASM)
  target_sources(slipway_server PRIVATE ${assembly} ${table})
endfunction()
