// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "yaml/node.h"

namespace slipway::data {

// JSON as Python's json.dumps writes it by default: ", " and ": ", non-ASCII as \uXXXX with
// surrogate pairs, floats by repr, NaN and Infinity bare. DVC hashes such texts, so every byte
// counts.

// Appends a text quoted. Bytes that are not UTF-8 become \udcXX, as Python reads file names.
void append_python_string(std::string& out, std::string_view bytes);

// With sort_keys=True where `sorted`. Keys that are numbers, truth values or null become texts, as
// Python does.
std::string python_json(const yaml::Node& node, bool sorted);

// Lone surrogates \udc80 … \udcff are no JSON to other readers: replaces them in a JSON text by
// private code points, which undo_lone_bytes turns back into the bytes that they stand for.
std::string restore_lone_bytes(std::string_view json_text);
std::string undo_lone_bytes(std::string_view text);

}  // namespace slipway::data
