// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "cli/command.h"
#include "json/value.h"

namespace slipway::cli {

// The exit code of an Error; one table for our commands, one for DVC's verbs.
int exit_code(Code code);
int dvc_exit_code(Code code);

// "error: …" and "hint: …" on err; under --json {"v":1,"error":{"code","message","hint"}} on out.
void print_error(Context& context, const Error& error);

// The envelope {"v":1,"kind":"run.list","data":…}.
void print_json(Context& context, const json::Value& data);

// A column of a table: title, and where its value stands in each row ("run.info.run_id").
struct Column {
  std::string title;
  std::string path;
};

// Rows as an aligned table on a terminal, tab-separated without a head when piped; under --json the
// envelope. Texts keep no control characters.
void print_table(Context& context, const json::Array& rows, const std::vector<Column>& columns);

// Members as "name: value" lines (nested ones indented), or the envelope.
void print_object(Context& context, const json::Value& value);

// A member of a member: at(value, "run.info.run_id"); null if any step is missing.
const json::Value* at(const json::Value& value, std::string_view path);
std::string text_at(const json::Value& value,
                    std::string_view path);  // "" if missing; numbers as JSON writes them

}  // namespace slipway::cli
