// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

#include "json/value.h"

namespace slipway::calc {

// Every statistic of stats/ by name, JSON in and JSON out: what `slipway stats NAME` prints, and
// what an evidence record holds so that anybody can recompute a verdict. One table has the names,
// their input keys and their functions; the parser, the list and the JSON schemas are made from it.
//
// Input: one object; keys, types and ranges as list_json() says. Unknown keys are errors.
// Output: one bare object. Undefined numbers are null, infinite ones the texts "inf" and "-inf";
// wherever a value is null or a fallback was used there is a `note`. Same input, same bytes.

// All names, sorted.
std::vector<std::string> names();

// Throws kNotFound "`NAME` is not a statistic" for an unknown name, kInvalidArgument for bad input:
// the message holds the offending key in backticks, first; `-` when the input is no object.
// Thread-safe.
json::Value run(std::string_view name, const json::Value& input);

// [{"name", "summary", "input": JSON Schema (2020-12) of the input}], sorted by name.
json::Value list_json();

// The command `slipway stats`: `args` are the words after it. Returns the exit code.
//   NAME [--json]     one object from `in` to `out`, 0; bad input: nothing on `out`, one line
//   `error: …` on `err`, 2 NAME --jsonl      one input a line, one output a line, flushed; a bad
//   line gives {"error":{"key","message"}} in its place and
//                     exit code 2 at the end
//   list [--json]     the names, one a line; or list_json()
// An unknown NAME or flag, or none: 2, one line on `err`.
int run_stats(const std::vector<std::string>& args, std::istream& in, std::ostream& out,
              std::ostream& err);

}  // namespace slipway::calc
