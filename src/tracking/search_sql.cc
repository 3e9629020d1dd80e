// SPDX-License-Identifier: Apache-2.0
#include "tracking/search_sql.h"

#include <algorithm>

#include "base/error.h"
#include "base/id.h"
#include "json/value.h"

namespace slipway::tracking {
namespace {

// SQLite's LIKE folds case, its GLOB does not: % and _ become * and ?, and what GLOB would take for
// its own is put in brackets.
std::string glob_of_like(std::string_view pattern) {
  std::string glob;
  for (const char c : pattern) {
    switch (c) {
      case '%': glob += '*'; break;
      case '_': glob += '?'; break;
      case '*':
      case '?':
      case '[': glob += std::string("[") + c + "]"; break;
      default: glob += c;
    }
  }
  return glob;
}

}  // namespace

std::string SearchSql::bind(std::int64_t value) {
  values_.emplace_back(value);
  return "?" + std::to_string(values_.size());
}
std::string SearchSql::bind(double value) {
  values_.emplace_back(value);
  return "?" + std::to_string(values_.size());
}
std::string SearchSql::bind(std::string_view value) {
  values_.emplace_back(std::string(value));
  return "?" + std::to_string(values_.size());
}

std::string SearchSql::bind_list(const std::vector<std::int64_t>& values) {
  std::string list;
  for (const std::int64_t value : values) list += (list.empty() ? "" : ", ") + bind(value);
  return list.empty() ? "(NULL)" : "(" + list + ")";
}

std::string SearchSql::bind_list(const std::vector<std::string>& values) {
  std::string list;
  for (const std::string& value : values)
    list += (list.empty() ? "" : ", ") + bind(std::string_view(value));
  return list.empty() ? "(NULL)" : "(" + list + ")";
}

std::string SearchSql::text_condition(std::string_view column, const Comparison& comparison) {
  const std::string name(column);
  const std::string_view first =
      comparison.texts.empty() ? std::string_view() : comparison.texts.front();
  switch (comparison.op) {
    case Operator::kLike: return name + " GLOB " + bind(std::string_view(glob_of_like(first)));
    case Operator::kIlike: return "LOWER(" + name + ") LIKE LOWER(" + bind(first) + ")";
    case Operator::kIn: return name + " IN " + bind_list(comparison.texts);
    case Operator::kNotIn: return name + " NOT IN " + bind_list(comparison.texts);
    default: return name + " " + std::string(sql_operator(comparison.op)) + " " + bind(first);
  }
}

std::string SearchSql::number_condition(std::string_view column, const Comparison& comparison) {
  return std::string(column) + " " + std::string(sql_operator(comparison.op)) + " " +
         bind(comparison.number);
}

storage::Statement SearchSql::open(storage::Session& session) const {
  storage::Statement statement = session.prepare(text);
  int index = 0;
  for (const auto& value : values_) {
    ++index;
    std::visit([&](const auto& v) { statement.bind(index, v); }, value);
  }
  return statement;
}

std::int64_t parse_offset_token(std::string_view token) {
  if (token.empty()) return 0;
  std::string text;
  if (!base64_decode(token, text)) {
    throw Error(Code::kInvalidArgument, "Invalid page token, could not base64-decode");
  }
  json::Value value;
  try {
    value = json::parse(text);
  } catch (const Error&) {
    throw Error(Code::kInvalidArgument, "Invalid page token, decoded value=b'" + text + "'");
  }
  const json::Value* offset = value.find("offset");
  if (offset == nullptr || offset->kind() != json::Value::Kind::kInt || offset->as_int() < 1) {
    std::string printed = json::write(value, {.python_separators = true});
    std::replace(printed.begin(), printed.end(), '"', '\'');
    throw Error(Code::kInvalidArgument, "Invalid page token, parsed value=" + printed);
  }
  return offset->as_int();
}

std::string make_offset_token(std::int64_t offset) {
  return base64_encode("{\"offset\": " + std::to_string(offset) + "}");
}

}  // namespace slipway::tracking
