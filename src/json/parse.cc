// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <unordered_map>
#include <vector>

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
  bool start_object(std::size_t) override { return open(true); }
  bool start_array(std::size_t) override { return open(false); }
  bool end_object() override {
    Value done(Object(std::move(open_.back().members)));
    open_.pop_back();
    return put(std::move(done));
  }
  bool end_array() override {
    Value done(std::move(open_.back().items));
    open_.pop_back();
    return put(std::move(done));
  }
  bool key(std::string& name) override {
    if (is_bare()) fail("unexpected `" + name + "`", bytes_);
    if (!open_.back().begin_member(std::move(name)) && !rules_.duplicate_keys_last) {
      Open& object = open_.back();
      fail("key \"" + object.members[object.at].first + "\" stands twice in one object", bytes_);
    }
    return true;
  }
  bool parse_error(std::size_t position, const std::string& token,
                   const nlohmann::detail::exception&) override {
    fail("unexpected `" + token.substr(0, 40) + "`", position);
  }

  Value take() { return std::move(root_); }

 private:
  // An array or an object that is not complete yet.
  struct Open {
    bool object = false;
    Array items;
    std::vector<Member> members;
    std::size_t at = 0;                                   // the member whose value comes next
    std::unordered_map<std::string, std::size_t> places;  // of the members, once they are many

    // Makes room for the next member. False when its key is there already: its value is replaced.
    bool begin_member(std::string name) {
      at = place_of(name);
      if (at != members.size()) return false;
      if (members.size() >= kScannedMembersMax) {
        for (std::size_t i = places.size(); i < members.size(); ++i)
          places.emplace(members[i].first, i);
        places.emplace(name, at);
      }
      members.emplace_back(std::move(name), Value());
      return true;
    }

   private:
    // Few keys are compared one by one; many would take a time that grows with their square.
    std::size_t place_of(const std::string& name) const {
      if (members.size() <= kScannedMembersMax) {
        const auto found = std::find_if(members.begin(), members.end(),
                                        [&](const Member& member) { return member.first == name; });
        return static_cast<std::size_t>(found - members.begin());
      }
      const auto found = places.find(name);
      return found == places.end() ? members.size() : found->second;
    }
    static constexpr std::size_t kScannedMembersMax = 32;
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
    } else if (open_.back().object) {
      open_.back().members[open_.back().at].second = std::move(value);
    } else {
      open_.back().items.push_back(std::move(value));
    }
    return true;
  }
  bool open(bool object) {
    if (static_cast<int>(open_.size()) >= rules_.depth_max) {
      fail("nested deeper than " + std::to_string(rules_.depth_max) + " levels", bytes_);
    }
    open_.emplace_back().object = object;
    return true;
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
