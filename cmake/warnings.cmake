# Warnings are errors, from the first commit.
add_library(slipway_flags INTERFACE)
target_compile_options(slipway_flags INTERFACE
  -Wall -Wextra -Werror -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wconversion -Wsign-conversion
  -Wnull-dereference -Wimplicit-fallthrough -fno-omit-frame-pointer)
# GCC 12 warns about its own standard library here (std::string, std::variant) when it inlines.
target_compile_options(slipway_flags INTERFACE -Wno-restrict -Wno-null-dereference -Wno-maybe-uninitialized)
# Designated initialisers name what they set; the rest has its default in the struct.
target_compile_options(slipway_flags INTERFACE -Wno-missing-field-initializers)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # GCC is the compiler that judges: clang builds the fuzzers, and has other warnings of the same names.
  target_compile_options(slipway_flags INTERFACE -Wno-unknown-warning-option -Wno-error)
endif()
target_include_directories(slipway_flags INTERFACE ${CMAKE_SOURCE_DIR}/src)
if(SLIPWAY_SANITIZE)
  target_compile_options(slipway_flags INTERFACE -fsanitize=${SLIPWAY_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(slipway_flags INTERFACE -fsanitize=${SLIPWAY_SANITIZE})
endif()
