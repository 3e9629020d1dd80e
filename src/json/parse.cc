// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "json/value.h"

namespace slipway::json {
namespace {

// A text in which every bare NaN, Infinity and -Infinity stands in quotes, since the library knows
// no such token, and which of its strings (keys counted) these are.
struct Quoted {
  std::string text;
  std::vector<std::size_t> strings;  // ascending
};

[[noreturn]] void fail(const std::string& what, std::size_t position) {
  throw Error(Code::kInvalidArgument,
              "not valid JSON: " + what + " at byte " + std::to_string(position));
}

// Builds a Value from the library's events, without its own tree in between.
class Builder final : public nlohmann::json_sax<nlohmann::json> {
 public:
  Builder(const ParseRules& rules, std::size_t bytes, const std::vector<std::size_t>& bare)
      : rules_(rules), bytes_(bytes), bare_(bare) {}

  bool null() override { return put(Value()); }
  bool boolean(bool value) override { return put(Value(value)); }
  bool number_integer(std::int64_t value) override { return put(Value(value)); }
  bool number_unsigned(std::uint64_t value) override { return put(Value(value)); }
  bool number_float(double value, const std::string&) override { return put(Value(value)); }
  bool binary(binary_t&) override { return false; }
  bool string(std::string& value) override {
    if (is_bare()) {
      const double infinity = std::numeric_limits<double>::infinity();
      if (value == "NaN") return put(Value(std::numeric_limits<double>::quiet_NaN()));
      return put(Value(value == "Infinity" ? infinity : -infinity));
    }
    return put(Value(std::move(value)));
  }
  bool start_object(std::size_t) override { return open(Value(Object())); }
  bool start_array(std::size_t) override { return open(Value(Array())); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(std::string& name) override {
    if (is_bare()) fail("unexpected `" + name + "`", bytes_);
    if (!rules_.duplicate_keys_last && open_.back().value.as_object().contains(name)) {
      fail("key \"" + name + "\" stands twice in one object", bytes_);
    }
    open_.back().key = std::move(name);
    return true;
  }
  bool parse_error(std::size_t position, const std::string& token,
                   const nlohmann::detail::exception&) override {
    fail("unexpected `" + token.substr(0, 40) + "`", position);
  }

  Value take() { return std::move(root_); }

 private:
  struct Open {
    Value value;
    std::string key;  // of the member that comes next, in an object
  };

  // Whether the string that came was no string in the text as it was sent.
  bool is_bare() {
    const std::size_t string = strings_++;
    if (bare_seen_ == bare_.size() || bare_[bare_seen_] != string) return false;
    ++bare_seen_;
    return true;
  }

  bool put(Value value) {
    if (open_.empty()) {
      root_ = std::move(value);
    } else if (open_.back().value.is_array()) {
      open_.back().value.as_array().push_back(std::move(value));
    } else {
      open_.back().value.as_object().set(open_.back().key, std::move(value));
    }
    return true;
  }
  bool open(Value value) {
    if (static_cast<int>(open_.size()) >= rules_.depth_max) {
      fail("nested deeper than " + std::to_string(rules_.depth_max) + " levels", bytes_);
    }
    open_.push_back({std::move(value), {}});
    return true;
  }
  bool close() {
    Value done = std::move(open_.back().value);
    open_.pop_back();
    return put(std::move(done));
  }

  const ParseRules& rules_;
  const std::size_t bytes_;
  const std::vector<std::size_t>& bare_;
  std::size_t strings_ = 0;
  std::size_t bare_seen_ = 0;
  std::vector<Open> open_;
  Value root_;
};

Quoted quote_non_finite(std::string_view text) {
  static constexpr std::string_view kNames[] = {"NaN", "Infinity", "-Infinity"};
  Quoted out;
  out.text.reserve(text.size());
  std::size_t strings = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"') {
      ++strings;
      const std::size_t start = i;
      for (++i; i < text.size() && text[i] != '"'; ++i) {
        if (text[i] == '\\') ++i;
      }
      out.text += text.substr(start, i + 1 - start);
      continue;
    }
    if (c != 'N' && c != 'I' && c != '-') {
      out.text += c;
      continue;
    }
    const auto name =
        std::find_if(std::begin(kNames), std::end(kNames),
                     [&](std::string_view known) { return text.substr(i, known.size()) == known; });
    if (name == std::end(kNames)) {
      out.text += c;
      continue;
    }
    out.strings.push_back(strings++);
    append_quoted(out.text, *name);
    i += name->size() - 1;
  }
  return out;
}

}  // namespace

Value parse(std::string_view text, const ParseRules& rules) {
  if (!is_utf8(text)) throw Error(Code::kInvalidArgument, "not valid JSON: the text is not UTF-8");
  // The library takes a NUL for the end and would not look at what stands behind it.
  if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos)
    fail("unexpected NUL", nul);
  const bool may_have_bare =
      rules.bare_non_finite && text.find_first_of("NI") != std::string_view::npos;
  const Quoted quoted = may_have_bare ? quote_non_finite(text) : Quoted();
  const std::string_view source = may_have_bare ? std::string_view{quoted.text} : text;
  Builder builder(rules, text.size(), quoted.strings);
  nlohmann::json::sax_parse(source.begin(), source.end(), &builder);
  return builder.take();
}

}  // namespace slipway::json
