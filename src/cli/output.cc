// SPDX-License-Identifier: Apache-2.0
#include "cli/output.h"

#include <algorithm>
#include <ostream>

#include "cli/readable.h"

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

void print_members(std::ostream& out, const json::Value& value, int depth) {
  const std::string indent(static_cast<std::size_t>(depth) * 2, ' ');
  for (const json::Member& member : value.as_object()) {
    const std::string name = one_line(member.first);
    if (member.second.is_object() && !member.second.as_object().empty()) {
      out << indent << name << ":\n";
      print_members(out, member.second, depth + 1);
    } else if (member.second.is_array() && !member.second.as_array().empty() &&
               member.second.as_array()[0].is_object()) {
      out << indent << name << ":\n";
      for (const json::Value& item : member.second.as_array())
        out << indent << "  - " << readable(item) << "\n";
    } else {
      out << indent << name << ": " << readable(member.second) << "\n";
    }
  }
}

using Cells = std::vector<std::vector<std::string>>;

void print_tabbed(std::ostream& out, const Cells& cells) {
  for (const auto& row : cells) {
    for (std::size_t i = 0; i < row.size(); ++i) out << (i == 0 ? "" : "\t") << row[i];
    out << "\n";
  }
}

// The last column is the one with sentences: it is cut where the terminal ends, since a wrapped row
// is no row any more.
void print_aligned(std::ostream& out, const Cells& cells, std::size_t columns) {
  constexpr std::size_t kGap = 2;
  constexpr std::size_t kLastColumnMin = 12;
  std::vector<std::size_t> widths;
  for (const auto& row : cells) {
    widths.resize(row.size(), 0);
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], columns_of(row[i]));
  }
  std::size_t before_last = 0;
  for (std::size_t i = 0; i + 1 < widths.size(); ++i) before_last += widths[i] + kGap;
  const std::size_t last_max =
      columns == 0 ? std::string::npos
                   : std::max(kLastColumnMin, columns - std::min(columns, before_last));
  for (const auto& row : cells) {
    for (std::size_t i = 0; i + 1 < row.size(); ++i)
      out << row[i] << std::string(widths[i] - columns_of(row[i]) + kGap, ' ');
    out << cut(row.back(), last_max) << "\n";
  }
}

}  // namespace

std::string text_at(const json::Value& value, std::string_view path) {
  const json::Value* const found = at(value, path);
  if (found == nullptr || found->is_null()) return "";
  return found->is_string() ? one_line(found->as_string()) : json::write(*found);
}

void print_rows(Context& context, const json::Array& rows, const std::vector<Column>& columns) {
  Cells cells;
  if (context.out_is_terminal) {
    cells.emplace_back();
    for (const Column& column : columns) cells.back().push_back(column.title);
  }
  for (const json::Value& row : rows) {
    cells.emplace_back();
    for (const Column& column : columns) {
      const json::Value* const value = at(row, column.path);
      cells.back().push_back(value == nullptr ? "-" : readable(*value, !context.out_is_terminal));
    }
  }
  if (context.out_is_terminal)
    print_aligned(context.out, cells, context.columns);
  else
    print_tabbed(context.out, cells);
}

void print_table(Context& context, const json::Array& rows, const std::vector<Column>& columns) {
  if (context.json) {
    print_json(context, rows);
    return;
  }
  if (rows.empty())
    context.err << "none\n";
  else
    print_rows(context, rows, columns);
}

void print_fields(Context& context, const std::vector<Field>& fields) {
  std::size_t width = 0;
  for (const Field& field : fields) width = std::max(width, columns_of(field.first));
  for (const Field& field : fields) {
    context.out << field.first << std::string(width - columns_of(field.first) + 2, ' ')
                << (field.second.empty() ? "-" : one_line(field.second)) << "\n";
  }
}

void print_object(Context& context, const json::Value& value) {
  if (context.json)
    print_json(context, value);
  else if (value.is_object())
    print_members(context.out, value, 0);
  else
    context.out << readable(value) << "\n";
}

}  // namespace slipway::cli
