// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace slipway::yaml {

// Limits of what is read; each is an error that names the file and the limit (tests reach them).
inline constexpr std::size_t kTextBytesMax = std::size_t{64} << 20;
inline constexpr int kDepthMax = 100;  // nested collections
inline constexpr std::size_t kNodesMax =
    5'000'000;  // with aliases expanded: stops "billion laughs"
inline constexpr std::size_t kDocumentsMax = 10'000;  // in one file

class Node;
struct Entry;
using Sequence = std::vector<Node>;
using Mapping = std::vector<Entry>;  // in the order of the file; keys are unique

// Where a node begins. Lines and columns count from 1; line 0 = made by a program, not read.
struct Mark {
  int line = 0;
  int column = 0;
};

// One YAML value, with aliases and merge keys expanded. A value type.
//
// Plain scalars are resolved as DVC's reader (ruamel.yaml, YAML 1.2) does: `yes`, `on`, `1:30` are
// texts, `0o17` is 15, `0x1F` 31, `0b11` 3, `010` 10, `1_000` 1000, `1e-5` a float, `~`, `null` and
// nothing are null. A plain `2013-03-01` is a text with looks_like_date() set, since DVC makes a
// date of it. Local tags (`!x`) are refused.
class Node {
 public:
  enum class Kind { kNull, kBool, kInt, kFloat, kString, kSequence, kMapping };

  Node() = default;  // null
  static Node boolean(bool value);
  static Node integer(std::int64_t value);
  static Node real(double value);
  static Node string(std::string value);
  static Node sequence(Sequence items);
  static Node mapping(Mapping entries);
  static Node sequence();  // without items
  static Node mapping();

  Kind kind() const { return kind_; }
  bool is_null() const { return kind_ == Kind::kNull; }
  bool is_bool() const { return kind_ == Kind::kBool; }
  bool is_int() const { return kind_ == Kind::kInt; }
  bool is_float() const { return kind_ == Kind::kFloat; }
  bool is_number() const { return is_int() || is_float(); }
  bool is_string() const { return kind_ == Kind::kString; }
  bool is_sequence() const { return kind_ == Kind::kSequence; }
  bool is_mapping() const { return kind_ == Kind::kMapping; }
  bool is_scalar() const { return !is_sequence() && !is_mapping(); }

  // Each throws kInvalidArgument "file:line:col: expected a text, found a list" when the node is of
  // another kind.
  bool as_bool() const;
  std::int64_t as_int() const;  // also when the integer does not fit 64 bits
  double as_double() const;     // of any number
  const std::string& as_string() const;
  const Sequence& items() const;
  Sequence& items();
  const Mapping& entries() const;
  Mapping& entries();

  // The value under a text key of a mapping; null when this is no mapping or has no such key.
  const Node* find(std::string_view key) const;
  Node* find(std::string_view key);
  // The same; throws kInvalidArgument "file:line:col: key `name` is missing".
  const Node& at(std::string_view key) const;
  // Replaces in place, else appends. REQUIRES: a mapping.
  void set(std::string_view key, Node value);
  bool erase(std::string_view key);

  // An integer's decimal digits (any length), a float as Python prints it, a text itself,
  // "true"/"false", "" for null.
  std::string scalar_text() const;
  bool looks_like_date() const { return date_; }
  bool fits_int64() const { return fits_; }

  const Mark& mark() const { return mark_; }
  // "params.yaml:3:7", for the head of a message; the file's name alone where the node was made by
  // a program.
  std::string where() const;
  const std::string& file() const;

  // The same collection seen through an anchor and its aliases: equal, non-empty ids in one file.
  // Only the writer asks (emit.h).
  bool same_anchor(const Node& other) const {
    return shared_ != 0 && shared_ == other.shared_ && file_ == other.file_;
  }
  bool has_anchor() const { return shared_ != 0; }

  // Same kind and value; 1 and 1.0 differ, NaN equals nothing, the order of a mapping's keys
  // counts. Marks do not.
  bool operator==(const Node& other) const;

 private:
  friend class Builder;
  Kind kind_ = Kind::kNull;
  bool bool_ = false;
  bool date_ = false;
  bool fits_ = true;
  std::size_t shared_ = 0;
  std::int64_t int_ = 0;
  double double_ = 0;
  std::string text_;  // of a string; of an integer that does not fit: its digits
  Sequence items_;
  Mapping entries_;
  Mark mark_;
  std::shared_ptr<const std::string> file_;
};

struct Entry {
  Node key;  // a scalar; DVC's parameters may have keys that are numbers
  Node value;
  bool operator==(const Entry& other) const { return key == other.key && value == other.value; }
};

// "null", "true or false", "an integer", "a number", "a text", "a list", "a mapping": a kind as a
// user would say it.
std::string_view kind_name(Node::Kind kind);

// Every document of the text, in order. An empty text, or comments alone, is no document; `---`
// with nothing after it is a null. Throws kInvalidArgument "file:line:col: …": not UTF-8, not YAML,
// a key twice in one mapping (naming both lines), an unknown alias, a tag that is not YAML's own, a
// limit above reached.
std::vector<Node> parse_documents(std::string_view text, const std::string& file_name);

// The one document of the text; a null node when there is none. More than one throws
// kInvalidArgument.
Node parse(std::string_view text, const std::string& file_name);

// The same value as a text in JSON (keys of mappings become texts; NaN and infinities bare), for
// json::parse with ParseRules::bare_non_finite: this folder does not know the JSON library.
std::string to_json_text(const Node& node);

// Throws kInvalidArgument for the first key of `mapping` that is not in `known`:
// "slipway.yaml:4:3: unknown key `follow` in endpoint, did you mean `follows`?" (without a near
// one: "… expected one of `a`, `b`").
void require_known_keys(const Node& mapping, const std::vector<std::string_view>& known,
                        std::string_view in_what);

}  // namespace slipway::yaml
