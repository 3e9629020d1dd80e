// SPDX-License-Identifier: Apache-2.0
#include "json/value.h"

#include <cassert>
#include <charconv>
#include <cmath>
#include <limits>

namespace slipway::json {

Object::Object(std::initializer_list<Member> members) : members_(members) {}

Object::Object(std::vector<Member> members) : members_(std::move(members)) {}

const Value* Object::find(std::string_view key) const {
  for (const Member& member : members_) {
    if (member.first == key) return &member.second;
  }
  return nullptr;
}

Value* Object::find(std::string_view key) {
  return const_cast<Value*>(static_cast<const Object*>(this)->find(key));
}

void Object::set(std::string_view key, Value value) {
  if (Value* present = find(key)) {
    *present = std::move(value);
  } else {
    members_.emplace_back(std::string(key), std::move(value));
  }
}

bool Object::erase(std::string_view key) {
  for (auto it = members_.begin(); it != members_.end(); ++it) {
    if (it->first == key) {
      members_.erase(it);
      return true;
    }
  }
  return false;
}

bool Object::operator==(const Object& other) const { return members_ == other.members_; }

Value::Value(std::uint64_t value) {
  if (value <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    state_ = static_cast<std::int64_t>(value);
  } else {
    state_ = value;
  }
}

double Value::as_double() const {
  switch (kind()) {
    case Kind::kInt: return static_cast<double>(std::get<std::int64_t>(state_));
    case Kind::kUint: return static_cast<double>(std::get<std::uint64_t>(state_));
    default: return std::get<double>(state_);
  }
}

std::uint64_t Value::as_uint() const {
  if (kind() == Kind::kUint) return std::get<std::uint64_t>(state_);
  assert(as_int() >= 0);
  return static_cast<std::uint64_t>(as_int());
}

const Value* Value::find(std::string_view key) const {
  return is_object() ? as_object().find(key) : nullptr;
}

bool Value::operator==(const Value& other) const { return state_ == other.state_; }

std::string_view kind_name(const Value& value) {
  switch (value.kind()) {
    case Value::Kind::kNull: return "null";
    case Value::Kind::kBool: return "true or false";
    case Value::Kind::kInt:
    case Value::Kind::kUint:
    case Value::Kind::kDouble: return "a number";
    case Value::Kind::kString: return "a text";
    case Value::Kind::kArray: return "a list";
    case Value::Kind::kObject: return "an object";
  }
  return "nothing";
}

void append_number(std::string& out, double value) {
  assert(std::isfinite(value));
  char text[40];
  const auto [end, fault] = std::to_chars(text, text + sizeof text, value);
  assert(fault == std::errc{});
  const std::string_view digits(text, static_cast<std::size_t>(end - text));
  out += digits;
  if (digits.find_first_of(".e") == std::string_view::npos) out += ".0";
}

namespace {

void append_escape(std::string& out, std::uint32_t unit) {
  static constexpr char kDigits[] = "0123456789abcdef";
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) out.push_back(kDigits[(unit >> shift) & 15]);
}

// One UTF-8 sequence at `at` as a code point; moves past it. REQUIRES well-formed text.
std::uint32_t next_point(std::string_view text, std::size_t& at) {
  const auto lead = static_cast<unsigned char>(text[at++]);
  if (lead < 0x80) return lead;
  const int more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
  std::uint32_t point = lead & (0x3FU >> more);
  for (int i = 0; i < more && at < text.size(); ++i)
    point = (point << 6) | (static_cast<unsigned char>(text[at++]) & 0x3FU);
  return point;
}

void append_text(std::string& out, std::string_view text, bool ascii) {
  out.push_back('"');
  std::size_t clean = 0;
  for (std::size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 32 && c != '"' && c != '\\' && (c < 0x80 || !ascii)) {
      ++i;
      continue;
    }
    out += text.substr(clean, i - clean);
    switch (c) {
      case '"':
        out += "\\\"";
        ++i;
        break;
      case '\\':
        out += "\\\\";
        ++i;
        break;
      case '\n':
        out += "\\n";
        ++i;
        break;
      case '\r':
        out += "\\r";
        ++i;
        break;
      case '\t':
        out += "\\t";
        ++i;
        break;
      case '\b':
        out += "\\b";
        ++i;
        break;
      case '\f':
        out += "\\f";
        ++i;
        break;
      default: {
        const std::uint32_t point = next_point(text, i);
        if (point >= 0x10000) {
          append_escape(out, 0xD800 + ((point - 0x10000) >> 10));
          append_escape(out, 0xDC00 + ((point - 0x10000) & 0x3FF));
        } else {
          append_escape(out, point);
        }
      }
    }
    clean = i;
  }
  out += text.substr(clean);
  out.push_back('"');
}

class Writer {
 public:
  Writer(std::string& out, const WriteRules& rules) : out_(out), rules_(rules) {}

  void value(const Value& value, int depth) {
    switch (value.kind()) {
      case Value::Kind::kNull: out_ += "null"; break;
      case Value::Kind::kBool: out_ += value.as_bool() ? "true" : "false"; break;
      case Value::Kind::kInt: out_ += std::to_string(value.as_int()); break;
      case Value::Kind::kUint: {
        char text[24];
        const auto end = std::to_chars(text, text + sizeof text, value.as_uint()).ptr;
        out_.append(text, static_cast<std::size_t>(end - text));
        break;
      }
      case Value::Kind::kDouble: number(value.as_double()); break;
      case Value::Kind::kString:
        append_text(out_, value.as_string(), rules_.python_separators);
        break;
      case Value::Kind::kArray: array(value.as_array(), depth); break;
      case Value::Kind::kObject: object(value.as_object(), depth); break;
    }
  }

 private:
  void number(double number) {
    if (std::isfinite(number)) {
      append_number(out_, number);
      return;
    }
    const char* const name = std::isnan(number) ? "NaN" : number > 0 ? "Infinity" : "-Infinity";
    if (rules_.bare_non_finite)
      out_ += name;
    else
      append_text(out_, name, false);
  }

  void separate(bool first, int depth) {
    if (!first) out_ += rules_.python_separators && rules_.indent < 0 ? ", " : ",";
    if (rules_.indent >= 0) {
      out_.push_back('\n');
      out_.append(static_cast<std::size_t>(rules_.indent) * static_cast<std::size_t>(depth), ' ');
    }
  }

  void array(const Array& items, int depth) {
    out_.push_back('[');
    for (std::size_t i = 0; i < items.size(); ++i) {
      separate(i == 0, depth + 1);
      value(items[i], depth + 1);
    }
    close(items.empty(), depth);
    out_.push_back(']');
  }

  void object(const Object& members, int depth) {
    out_.push_back('{');
    bool first = true;
    for (const Member& member : members) {
      separate(first, depth + 1);
      first = false;
      append_text(out_, member.first, rules_.python_separators);
      out_ += rules_.indent >= 0 || rules_.python_separators ? ": " : ":";
      value(member.second, depth + 1);
    }
    close(members.empty(), depth);
    out_.push_back('}');
  }

  void close(bool empty, int depth) {
    if (empty || rules_.indent < 0) return;
    out_.push_back('\n');
    out_.append(static_cast<std::size_t>(rules_.indent) * static_cast<std::size_t>(depth), ' ');
  }

  std::string& out_;
  const WriteRules& rules_;
};

}  // namespace

void append_quoted(std::string& out, std::string_view text) { append_text(out, text, false); }

std::string write(const Value& value, const WriteRules& rules) {
  std::string out;
  Writer(out, rules).value(value, 0);
  return out;
}

}  // namespace slipway::json
