# What the folders use from outside. One line a part; docs/dependencies.md says why each is here.
find_package(Threads REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(CURL REQUIRED)
find_package(ZLIB REQUIRED)
find_package(spdlog REQUIRED)
find_package(fmt REQUIRED)
find_package(simdjson REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
find_package(prometheus-cpp CONFIG REQUIRED)
find_library(YAML yaml REQUIRED)
find_library(SODIUM sodium REQUIRED)
find_path(LIBPQ_HEADERS libpq-fe.h PATH_SUFFIXES postgresql REQUIRED)

# Headers that scripts/setup unpacks into the build tree because installing them would evict something, or because Debian 12 has them not.
set(SLIPWAY_PARTS "${CMAKE_SOURCE_DIR}/build/parts" CACHE PATH "where scripts/setup put Boost's headers and ONNX Runtime")
if(NOT EXISTS "${SLIPWAY_PARTS}/boost/include/boost/beast.hpp")
  message(FATAL_ERROR "Boost 1.81's headers are not in ${SLIPWAY_PARTS}: run scripts/setup")
endif()

# Which folder links what. Everything else in a folder's link line comes from src/LAYERS.
set(SLIPWAY_PARTS_base Threads::Threads OpenSSL::Crypto spdlog::spdlog prometheus-cpp::core)
set(SLIPWAY_PARTS_json simdjson::simdjson nlohmann_json::nlohmann_json)
set(SLIPWAY_PARTS_yaml ${YAML})
set(SLIPWAY_PARTS_storage SQLite::SQLite3 ${CMAKE_DL_LIBS})  # libpq by dlopen, as libcurl
set(SLIPWAY_PARTS_net ${CMAKE_DL_LIBS})  # libcurl by dlopen: only its headers are needed to build
set(SLIPWAY_PARTS_access ${SODIUM})
set(SLIPWAY_PARTS_data OpenSSL::Crypto)
set(SLIPWAY_PARTS_http ZLIB::ZLIB)
set(SLIPWAY_PARTS_serving ${CMAKE_DL_LIBS})
set(SLIPWAY_PARTS_cli CLI11::CLI11)
# System headers a folder sees besides.
set(SLIPWAY_HEADERS_http ${SLIPWAY_PARTS}/boost/include)
set(SLIPWAY_HEADERS_storage ${LIBPQ_HEADERS})
set(SLIPWAY_HEADERS_stats ${SLIPWAY_PARTS}/boost/include)
set(SLIPWAY_HEADERS_serving ${SLIPWAY_PARTS}/onnxruntime/include)
