// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <utility>
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

// Rows in readable(): on a terminal aligned under their titles, the last column cut where the
// terminal ends; when piped tab-separated, in full and without titles. No rows print nothing.
void print_rows(Context& context, const json::Array& rows, const std::vector<Column>& columns);

// The result of a `list`: print_rows, and "none" on err where there are none; under --json the rows
// in the envelope, columns or not.
void print_table(Context& context, const json::Array& rows, const std::vector<Column>& columns);

// "name   value" lines, the values under each other; an empty value as "-".
using Field = std::pair<std::string, std::string>;
void print_fields(Context& context, const std::vector<Field>& fields);

// Members as "name: value" lines in readable(), nested ones indented; or the envelope.
void print_object(Context& context, const json::Value& value);

// A member of a member: at(value, "run.info.run_id"); null if any step is missing.
const json::Value* at(const json::Value& value, std::string_view path);
std::string text_at(const json::Value& value,
                    std::string_view path);  // "" if missing; numbers as JSON writes them

}  // namespace slipway::cli
