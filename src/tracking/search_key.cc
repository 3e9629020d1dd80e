// SPDX-License-Identifier: Apache-2.0
#include "tracking/search_key.h"

#include "base/error.h"
#include "base/id.h"
#include "json/value.h"
#include "tracking/search_sql.h"

namespace slipway::tracking {
namespace {

json::Value to_json(const SortValue& value) {
  if (value.rank != SortValue::kValue) return json::Array{value.rank};
  return std::visit([](const auto& v) { return json::Value(v); }, value.value);
}

// False when it is none that this place of a key can have.
bool read_value(const json::Value& from, const KeyPart& part, SortValue& value) {
  if (from.is_array()) {
    const json::Array& rank = from.as_array();
    if (!part.may_miss || rank.size() != 1 || rank[0].kind() != json::Value::Kind::kInt)
      return false;
    value.rank = static_cast<int>(rank[0].as_int());
    const bool is_nan = rank[0].as_int() == SortValue::kNan;
    return (is_nan && part.kind == ValueKind::kReal) || rank[0].as_int() == SortValue::kMissing;
  }
  switch (part.kind) {
    case ValueKind::kInteger:
      if (from.kind() != json::Value::Kind::kInt) return false;
      value.value = from.as_int();
      return true;
    case ValueKind::kReal:
      if (!from.is_number()) return false;
      value.value = from.as_double();
      return true;
    case ValueKind::kText:
      if (!from.is_string()) return false;
      value.value = from.as_string();
      return true;
  }
  return false;
}

}  // namespace

int compare(const SortValue& a, const SortValue& b, bool ascending) {
  if (a.rank != b.rank) return a.rank < b.rank ? -1 : 1;
  if (a.rank != SortValue::kValue) return 0;
  if (a.value == b.value) return 0;
  return (a.value < b.value) == ascending ? -1 : 1;
}

int compare(const SortKey& a, const SortKey& b, std::span<const OrderTerm> order) {
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (const int sign = compare(a[i], b[i], order[i].ascending); sign != 0) return sign;
  }
  return 0;
}

PagePlace parse_page_token(std::string_view token, std::string_view mark,
                           std::span<const KeyPart> parts) {
  PagePlace place;
  if (token.empty()) return place;
  std::string text;
  if (!base64_decode(token, text) || !text.starts_with("{\"after\":")) {
    place.offset = parse_offset_token(token);
    return place;
  }
  const auto invalid = [] {
    return Error(Code::kInvalidArgument, "Invalid page token, could not be read");
  };
  json::Value value;
  try {
    value = json::parse(text);
  } catch (const Error&) {
    throw invalid();
  }
  const json::Value* query = value.find("query");
  const json::Value* after = value.find("after");
  if (query == nullptr || !query->is_string() || after == nullptr || !after->is_array())
    throw invalid();
  if (query->as_string() != mark) {
    throw Error(Code::kInvalidArgument,
                "Invalid page token: it belongs to a search with another filter, order, view or "
                "experiments");
  }
  if (after->as_array().size() != parts.size()) throw invalid();
  for (std::size_t i = 0; i < parts.size(); ++i) {
    SortValue& read = place.after.emplace_back();
    if (!read_value(after->as_array()[i], parts[i], read)) throw invalid();
  }
  return place;
}

std::string make_page_token(const SortKey& after, std::string_view mark) {
  json::Array values;
  for (const SortValue& value : after) values.push_back(to_json(value));
  return base64_encode(json::write(json::Object{{"after", std::move(values)}, {"query", mark}}));
}

std::string search_mark(const std::vector<std::string>& parts) {
  json::Array list;
  for (const std::string& part : parts) list.emplace_back(part);
  return sha256_hex(json::write(json::Value(std::move(list)))).substr(0, 16);
}

}  // namespace slipway::tracking
