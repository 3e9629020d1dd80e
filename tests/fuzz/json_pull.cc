// SPDX-License-Identifier: Apache-2.0
// The forward reader against the tree reader: what one takes the other takes, and they see the
// same.
#include <optional>
#include <string>

#include "fuzz.h"
#include "json/pull.h"
#include "json/value.h"

namespace slipway {
namespace {

json::Value read(json::PullReader& reader) {
  switch (reader.kind()) {
    case json::PullKind::kNull: reader.null(); return nullptr;
    case json::PullKind::kBool: return reader.boolean();
    case json::PullKind::kNumber:
      if (reader.is_integer()) return std::string(reader.raw());
      return reader.number();
    case json::PullKind::kString: return reader.text();
    case json::PullKind::kArray: {
      json::Array items;
      reader.enter_array();
      while (reader.next_element()) items.push_back(read(reader));
      return items;
    }
    case json::PullKind::kObject: {
      json::Array members;
      reader.enter_object();
      for (std::string_view key; reader.next_field(key);) {
        members.push_back(key);
        members.push_back(read(reader));
      }
      return members;
    }
  }
  return nullptr;
}

// The tree in the same shape: objects as lists, integers as they were sent is not to be had, so
// they are compared by value.
bool equal(const json::Value& pulled, const json::Value& tree) {
  if (tree.is_object()) {
    if (!pulled.is_array() || pulled.as_array().size() != 2 * tree.as_object().size()) return false;
    std::size_t i = 0;
    for (const json::Member& member : tree.as_object()) {
      if (pulled.as_array()[i] != json::Value(member.first)) return false;
      if (!equal(pulled.as_array()[i + 1], member.second)) return false;
      i += 2;
    }
    return true;
  }
  if (tree.is_array()) {
    if (!pulled.is_array() || pulled.as_array().size() != tree.as_array().size()) return false;
    for (std::size_t i = 0; i < tree.as_array().size(); ++i)
      if (!equal(pulled.as_array()[i], tree.as_array()[i])) return false;
    return true;
  }
  if (tree.is_number() && pulled.is_string()) return json::parse(pulled.as_string()) == tree;
  const bool both_nan =
      tree.kind() == json::Value::Kind::kDouble && pulled.kind() == json::Value::Kind::kDouble &&
      tree.as_double() != tree.as_double() && pulled.as_double() != pulled.as_double();
  return both_nan || pulled == tree;
}

// A deliberate consumer too: integers, skips and raw values.
void skim(std::string_view text) {
  json::PullReader reader(text);
  if (reader.kind() != json::PullKind::kObject) {
    if (reader.kind() == json::PullKind::kNumber) {
      (void)reader.integer();
    } else {
      reader.skip();
    }
    return reader.finish();
  }
  reader.enter_object();
  for (std::string_view key; reader.next_field(key);) {
    if (key.size() % 3 == 0) continue;  // left alone: the next move skips it
    if (key.size() % 3 == 1) (void)reader.raw();
    if (key.size() % 3 == 2 && reader.is_integer()) (void)reader.unsigned_integer();
  }
  reader.finish();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  if (text.starts_with("\xEF\xBB\xBF")) return 0;  // the tree reader steps over a byte order mark
  (void)fuzz::accepts([&] { skim(text); });
  std::optional<json::Value> pulled;
  (void)fuzz::accepts([&] {
    json::PullReader reader(text, 128);
    json::Value value = read(reader);
    reader.finish();
    pulled = std::move(value);
  });
  std::optional<json::Value> tree;
  bool twice = false;
  try {
    json::ParseRules rules;
    rules.bare_non_finite = true;
    tree = json::parse(text, rules);
  } catch (const Error& error) {
    twice = std::string_view(error.what()).find("twice") != std::string_view::npos;
  }
  if (twice) return 0;  // a key that comes twice is the forward reader's caller's to notice
  fuzz::require(pulled.has_value() == tree.has_value(), "both readers take the same texts");
  if (pulled) fuzz::require(equal(*pulled, *tree), "both readers see the same");
  return 0;
}

}  // namespace slipway
