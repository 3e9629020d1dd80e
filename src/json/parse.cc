// SPDX-License-Identifier: Apache-2.0
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/error.h"
#include "base/file.h"
#include "json/value.h"

namespace slipway::json {
namespace {

// Stands for a bare NaN or Infinity while the library, which knows no such token, reads the text.
constexpr std::string_view kNonFiniteMark{"\x01slipway-non-finite:", 20};

[[noreturn]] void fail(const std::string& what, std::size_t position) {
  throw Error(Code::kInvalidArgument,
              "not valid JSON: " + what + " at byte " + std::to_string(position));
}

// Builds a Value from the library's events, without its own tree in between.
class Builder final : public nlohmann::json_sax<nlohmann::json> {
 public:
  Builder(const ParseRules& rules, std::size_t bytes) : rules_(rules), bytes_(bytes) {}

  bool null() override { return put(Value()); }
  bool boolean(bool value) override { return put(Value(value)); }
  bool number_integer(std::int64_t value) override { return put(Value(value)); }
  bool number_unsigned(std::uint64_t value) override { return put(Value(value)); }
  bool number_float(double value, const std::string&) override { return put(Value(value)); }
  bool binary(binary_t&) override { return false; }
  bool string(std::string& value) override {
    if (rules_.bare_non_finite && std::string_view(value).starts_with(kNonFiniteMark)) {
      const std::string_view name = std::string_view(value).substr(kNonFiniteMark.size());
      if (name == "NaN") return put(Value(std::numeric_limits<double>::quiet_NaN()));
      const double infinity = std::numeric_limits<double>::infinity();
      return put(Value(name == "Infinity" ? infinity : -infinity));
    }
    return put(Value(std::move(value)));
  }
  bool start_object(std::size_t) override { return open(Value(Object())); }
  bool start_array(std::size_t) override { return open(Value(Array())); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(std::string& name) override {
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
  std::vector<Open> open_;
  Value root_;
};

// The text with every NaN, Infinity and -Infinity outside of strings replaced by a marked string.
std::string mark_non_finite(std::string_view text) {
  static constexpr std::string_view kNames[] = {"NaN", "Infinity", "-Infinity"};
  std::string out;
  out.reserve(text.size());
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      out.push_back(c);
      if (c == '\\' && i + 1 < text.size())
        out.push_back(text[++i]);
      else if (c == '"')
        quoted = false;
      continue;
    }
    if (c == '"') quoted = true;
    bool replaced = false;
    if (c == 'N' || c == 'I' || c == '-') {
      for (const std::string_view name : kNames) {
        if (text.substr(i, name.size()) != name) continue;
        std::string marked(kNonFiniteMark);
        marked += name;
        append_quoted(out, marked);
        i += name.size() - 1;
        replaced = true;
        break;
      }
    }
    if (!replaced) out.push_back(c);
  }
  return out;
}

}  // namespace

Value parse(std::string_view text, const ParseRules& rules) {
  if (!is_utf8(text)) throw Error(Code::kInvalidArgument, "not valid JSON: the text is not UTF-8");
  Builder builder(rules, text.size());
  const bool may_have_bare =
      rules.bare_non_finite && text.find_first_of("NI") != std::string_view::npos;
  const std::string marked = may_have_bare ? mark_non_finite(text) : std::string();
  const std::string_view source = may_have_bare ? std::string_view(marked) : text;
  nlohmann::json::sax_parse(source.begin(), source.end(), &builder);
  return builder.take();
}

}  // namespace slipway::json
