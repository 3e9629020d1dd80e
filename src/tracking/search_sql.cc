// SPDX-License-Identifier: Apache-2.0
#include "tracking/search_sql.h"

#include <algorithm>

#include "base/error.h"
#include "base/id.h"
#include "json/value.h"

namespace slipway::tracking {
namespace {

// Keys that one statement takes.
constexpr std::size_t kBlockSmall = 10;
constexpr std::size_t kBlockLarge = 200;

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
    list += (list.empty() ? "" : ", ") + bind(std::string_view{value});
  return list.empty() ? "(NULL)" : "(" + list + ")";
}

std::string SearchSql::text_condition(std::string_view column, const Comparison& comparison) {
  const std::string name(column);
  const std::string_view first =
      comparison.texts.empty() ? std::string_view() : comparison.texts.front();
  switch (comparison.op) {
    case Operator::kLike: return storage::like(name, bind(first));
    case Operator::kIlike: return storage::like_any_case(name, bind(first));
    case Operator::kIn: return name + " IN " + bind_list(comparison.texts);
    case Operator::kNotIn: return name + " NOT IN " + bind_list(comparison.texts);
    default: return name + " " + std::string(sql_operator(comparison.op)) + " " + bind(first);
  }
}

std::string SearchSql::number_condition(std::string_view column, const Comparison& comparison) {
  return std::string(column) + " " + std::string(sql_operator(comparison.op)) + " " +
         bind(comparison.number);
}

std::string SearchSql::prefix_condition(std::string_view column, std::string_view pattern) {
  const std::string_view prefix = head_of(pattern.substr(0, pattern.find_first_of("%_")));
  if (prefix.empty()) return "";
  // The first text behind all those: the last byte that can be raised is. UTF-8 has no byte 0xFF.
  std::string behind(prefix);
  while (static_cast<unsigned char>(behind.back()) >= 0xF4U) {
    behind.pop_back();
    if (behind.empty()) return std::string(column) + " >= " + bind(prefix);
  }
  behind.back() = static_cast<char>(behind.back() + 1);
  const std::string from = bind(prefix);
  return std::string(column) + " >= " + from + " AND " + std::string(column) + " < " +
         bind(std::string_view{behind});
}

std::string SearchSql::head_column(std::string_view column) {
  return "substr(" + std::string(column) + ", 1, " + std::to_string(kHeadCharacters) + ")";
}

std::string SearchSql::by_index(std::string_view index) {
  return " INDEXED BY " + std::string(index);
}

void SearchSql::append(std::string& where, const std::string& condition) {
  if (!condition.empty()) where += (where.empty() ? "" : " AND ") + condition;
}

std::string_view head_of(std::string_view text) {
  std::size_t characters = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0U) == 0x80U) continue;
    if (characters++ == kHeadCharacters) return text.substr(0, i);
  }
  return text;
}

storage::Statement SearchSql::open(storage::Session& session, storage::Usage usage) const {
  storage::Statement statement = session.prepare(text, usage);
  int index = 0;
  for (const auto& value : values_) {
    ++index;
    std::visit([&](const auto& v) { statement.bind(index, v); }, value);
  }
  return statement;
}

std::string Scope::condition(SearchSql& sql, std::string_view column) const {
  switch (rule) {
    case Rule::kAll: return "";
    case Rule::kNone: return "1 = 0";
    case Rule::kOnly: return std::string(column) + " IN (" + select(sql) + ")";
    case Rule::kAllBut: return std::string(column) + " NOT IN (" + select(sql) + ")";
  }
  return "1 = 0";
}

void each_block(std::span<const std::int64_t> keys,
                const std::function<void(const std::string& list, const BindBlock& bind)>& work) {
  while (!keys.empty()) {
    const std::size_t places = keys.size() > kBlockSmall ? kBlockLarge : kBlockSmall;
    const auto block = keys.first(std::min(places, keys.size()));
    std::string list;
    for (std::size_t i = 1; i <= places; ++i) list += (i == 1 ? "?" : ", ?") + std::to_string(i);
    work("(" + list + ")", [&](storage::Statement& statement) {
      for (std::size_t i = 0; i < places; ++i)
        statement.bind(static_cast<int>(i) + 1, block[std::min(i, block.size() - 1)]);
    });
    keys = keys.subspan(block.size());
  }
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
  if (offset->as_int() > kOffsetMax) {
    throw Error(Code::kInvalidArgument, "Invalid page token: its offset " +
                                            std::to_string(offset->as_int()) + " is beyond " +
                                            std::to_string(kOffsetMax));
  }
  return offset->as_int();
}

std::string make_offset_token(std::int64_t offset) {
  return base64_encode("{\"offset\": " + std::to_string(offset) + "}");
}

}  // namespace slipway::tracking
