// SPDX-License-Identifier: Apache-2.0
#include "cli/output.h"

#include <algorithm>
#include <ostream>

namespace slipway::cli {

int exit_code(Code code) {
  switch (code) {
    case Code::kInvalidArgument: return kUsage;
    case Code::kUnauthenticated:
    case Code::kPermissionDenied: return kNotAllowed;
    case Code::kNotFound: return kNotFound;
    case Code::kAlreadyExists:
    case Code::kFailedPrecondition:
    case Code::kConflict: return kConflict;
    case Code::kUnavailable:
    case Code::kDeadlineExceeded: return kUnavailable;
    case Code::kResourceExhausted:
    case Code::kUnimplemented:
    case Code::kDataLoss:
    case Code::kInternal: return kFailed;
  }
  return kFailed;
}

int dvc_exit_code(Code code) {
  constexpr int kDvcFailure = 255;
  constexpr int kDvcNoRepository = 253;
  return code == Code::kNotFound ? kDvcNoRepository : kDvcFailure;
}

void print_error(Context& context, const Error& error) {
  if (context.json) {
    json::Object body{{"code", code_name(error.code())}, {"message", error.what()}};
    if (!error.hint().empty()) body.set("hint", error.hint());
    context.out << json::write(json::Object{{"v", 1}, {"error", body}}) << "\n";
    return;
  }
  context.err << "error: " << error.what() << "\n";
  if (!error.hint().empty()) context.err << "  hint: " << error.hint() << "\n";
}

void print_json(Context& context, const json::Value& data) {
  std::string kind = context.command;
  std::replace(kind.begin(), kind.end(), ' ', '.');
  context.out << json::write(json::Object{{"v", 1}, {"kind", kind}, {"data", data}}) << "\n";
}

const json::Value* at(const json::Value& value, std::string_view path) {
  const json::Value* here = &value;
  while (here != nullptr && !path.empty()) {
    const std::size_t dot = path.find('.');
    here = here->find(path.substr(0, dot));
    path = dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1);
  }
  return here;
}

namespace {

// One line, no control characters: a name from somebody's script must not move the cursor.
std::string shown(const json::Value& value) {
  std::string text = value.is_null()     ? "-"
                     : value.is_string() ? value.as_string()
                                         : json::write(value);
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 32 || c == 127) c = ' ';
  }
  return text;
}

// Columns that a text takes on a terminal, near enough: bytes that begin a character.
std::size_t width(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
}

void print_members(std::ostream& out, const json::Value& value, int depth) {
  const std::string indent(static_cast<std::size_t>(depth) * 2, ' ');
  for (const json::Member& member : value.as_object()) {
    if (member.second.is_object() && !member.second.as_object().empty()) {
      out << indent << member.first << ":\n";
      print_members(out, member.second, depth + 1);
    } else if (member.second.is_array() && !member.second.as_array().empty() &&
               member.second.as_array()[0].is_object()) {
      out << indent << member.first << ":\n";
      for (const json::Value& item : member.second.as_array())
        out << indent << "  - " << shown(item) << "\n";
    } else {
      out << indent << member.first << ": " << shown(member.second) << "\n";
    }
  }
}

}  // namespace

std::string text_at(const json::Value& value, std::string_view path) {
  const json::Value* const found = at(value, path);
  return found == nullptr || found->is_null() ? "" : shown(*found);
}

void print_table(Context& context, const json::Array& rows, const std::vector<Column>& columns) {
  if (context.json) {
    print_json(context, rows);
    return;
  }
  std::vector<std::vector<std::string>> cells;
  if (context.out_is_terminal) {
    cells.emplace_back();
    for (const Column& column : columns) cells.back().push_back(column.title);
  }
  for (const json::Value& row : rows) {
    cells.emplace_back();
    for (const Column& column : columns) {
      const json::Value* const value = at(row, column.path);
      cells.back().push_back(value == nullptr ? "-" : shown(*value));
    }
  }
  std::vector<std::size_t> widths(columns.size(), 0);
  for (const auto& row : cells) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
  }
  for (const auto& row : cells) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      const bool last = i + 1 == row.size();
      context.out << row[i];
      if (last) continue;
      context.out << (context.out_is_terminal ? std::string(widths[i] - width(row[i]) + 2, ' ')
                                              : std::string("\t"));
    }
    context.out << "\n";
  }
}

void print_object(Context& context, const json::Value& value) {
  if (context.json)
    print_json(context, value);
  else if (value.is_object())
    print_members(context.out, value, 0);
  else
    context.out << shown(value) << "\n";
}

}  // namespace slipway::cli
