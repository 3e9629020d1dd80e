// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "json/value.h"

namespace slipway::cli {

// Values as a person reads them in one line of a terminal; `--json` has them as they are.
// Pure, thread-safe, O(bytes).

// The text without line breaks and control characters (C0, DEL, and C1 as UTF-8): a name from
// somebody's script must not move the cursor.
std::string one_line(std::string_view text);

// Null, "" and empty lists as "-"; yes and no; a number in six digits, in all where it is whole or
// `exact`; a time without its microseconds, unless `exact`; a list with commas; an object as "name
// value, name value", one inside another in parentheses.
std::string readable(const json::Value& value, bool exact = false);

// Columns that it takes on a terminal: none for combining marks, two for the wide characters of
// East Asian scripts and for emoji (Unicode 15, blocks of East Asian Width W and F), else one.
std::size_t columns_of(std::string_view text);

// The text if it fits into `columns`, else its beginning and "...". REQUIRES: columns >= 3.
std::string cut(const std::string& text, std::size_t columns);

// "11.4 MB", powers of 1,000.
std::string readable_bytes(std::int64_t bytes);

// "830 ms", "5.1 s", "4 min 10 s", "2 h 5 min".
std::string readable_duration(std::int64_t us);

}  // namespace slipway::cli
