// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace slipway {

// Small questions about bytes that every folder asks in the same words. Independent of the locale;
// bytes above 127 are left alone. Pure; thread-safe.

// A to Z as a to z, every other byte as it is.
char ascii_lower(char c);
std::string ascii_lower(std::string_view text);

// Whether the two differ in nothing but the case of A to Z: header names, schemes, keywords.
bool same_ignoring_case(std::string_view a, std::string_view b);

// Without the blanks, tabs, line feeds and carriage returns at both ends. A view into `text`.
std::string_view trimmed(std::string_view text);

// A path as messages show it: between backquotes.
std::string quoted(const std::filesystem::path& path);

// Appends a code point in UTF-8 (RFC 3629, section 3). REQUIRES: at most 0x10FFFF, no surrogate.
void append_utf8(std::string& out, char32_t point);

}  // namespace slipway
