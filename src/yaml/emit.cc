// SPDX-License-Identifier: Apache-2.0
#include "yaml/emit.h"

#include <algorithm>
#include <cstdio>
#include <map>

#include "base/text.h"
#include "yaml/scalar.h"

namespace slipway::yaml {
namespace {

constexpr std::size_t kWidth = 80;
constexpr std::size_t kIndent = 2;
constexpr std::size_t kSimpleKeyLengthMax =
    128;  // with the five characters of the tag that the original counts in
constexpr std::size_t kTagLength = 5;  // "!!str", "!!int" …

std::u32string to_code_points(std::string_view utf8) {
  std::u32string out;
  out.reserve(utf8.size());
  for (std::size_t i = 0; i < utf8.size();) {
    const auto lead = static_cast<unsigned char>(utf8[i]);
    const std::size_t more = lead < 0x80 ? 0 : lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
    char32_t point = more == 0 ? lead : lead & (0x3FU >> more);
    for (std::size_t k = 1; k <= more && i + k < utf8.size(); ++k) {
      point = (point << 6U) | (static_cast<unsigned char>(utf8[i + k]) & 0x3FU);
    }
    out += point;
    i += more + 1;
  }
  return out;
}

bool is_one_of(char32_t c, std::u32string_view set) {
  return set.find(c) != std::u32string_view::npos;
}
bool is_break(char32_t c) { return is_one_of(c, U"\n\x85\u2028\u2029"); }
bool is_blank_or_end(char32_t c) { return c == 0 || is_one_of(c, U" \t\r") || is_break(c); }

// Printed as it is; everything else needs an escape and so double quotes.
bool is_printable(char32_t c) {
  return (c >= 0x20 && c <= 0x7E) || c == 0x85 || (c >= 0xA0 && c <= 0xD7FF) ||
         (c >= 0xE000 && c <= 0xFFFD && c != 0xFEFF) || (c >= 0x10000 && c <= 0x10FFFF);
}

// What a text allows.
struct Analysis {
  bool plain = true;
  bool single = true;
  bool multiline = false;
};

Analysis analyse(const std::u32string& text) {
  Analysis result;
  if (text.empty()) return result;
  bool indicators = text.starts_with(U"---") || text.starts_with(U"...");
  bool special = false;
  bool space_before_break = false;
  bool break_before_space = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char32_t c = text[i];
    const char32_t next = i + 1 < text.size() ? text[i + 1] : U'\0';
    const bool blank_follows = is_blank_or_end(next);
    const bool blank_precedes = i == 0 || is_blank_or_end(text[i - 1]);
    if (i == 0) {
      indicators |= is_one_of(c, U"#,[]{}&*!|>'\"%@`") || (is_one_of(c, U"?:-") && blank_follows);
    } else {
      indicators |= (c == U':' && blank_follows) || (c == U'#' && blank_precedes);
    }
    result.multiline |= is_break(c);
    // U+0085, U+2028 and U+2029 as well, which DVC writes bare: readers differ about those.
    special |= c != U'\n' && (!is_printable(c) || is_break(c));
    if (i > 0) {
      space_before_break |= text[i - 1] == U' ' && is_break(c);
      break_before_space |= is_break(text[i - 1]) && c == U' ';
    }
  }
  const auto is_edge = [](char32_t c) { return c == U' ' || is_break(c); };
  const bool edges = is_edge(text.front()) || is_edge(text.back());
  result.single = !special && !space_before_break && !break_before_space;
  result.plain = result.single && !edges && !indicators && !result.multiline;
  return result;
}

enum class Style { kPlain, kSingle, kDouble };

// Knows the column; the rules are those of a state machine of flags, kept here as they are since
// folding depends on each of them.
class Writer {
 public:
  std::string write(const Node& root) {
    count_anchors(root);
    value(root, Place::kRoot);
    line_start(0);
    return std::move(out_);
  }

 private:
  enum class Place { kRoot, kItem, kValue, kKey };
  using Identity = std::pair<const std::string*, std::size_t>;

  // Collections that are reached a second time get a number then, in the order of these second
  // meetings.
  void count_anchors(const Node& node) {
    if (node.is_scalar()) return;
    if (const Node* first = find_seen(node)) {
      int& number = numbers_[first];
      if (number == 0) number = ++anchors_;
      return;
    }
    if (node.has_anchor()) seen_.push_back(&node);
    if (node.is_sequence()) {
      for (const Node& item : node.items()) count_anchors(item);
    } else {
      for (const Entry& entry : node.entries()) count_anchors(entry.value);
    }
  }

  const Node* find_seen(const Node& node) const {
    if (!node.has_anchor()) return nullptr;
    const auto found = std::find_if(seen_.begin(), seen_.end(),
                                    [&](const Node* other) { return other->same_anchor(node); });
    return found == seen_.end() ? nullptr : *found;
  }

  // True when an alias stands for the node.
  bool anchor(const Node& node) {
    const Node* first = find_seen(node);
    const auto number = first == nullptr ? numbers_.end() : numbers_.find(first);
    if (number == numbers_.end()) return false;
    char name[32];
    std::snprintf(name, sizeof name, "id%03d", number->second);
    const bool repeated = first != &node;
    indicator((repeated ? "*" : "&") + std::string(name), true);
    return repeated;
  }

  void value(const Node& node, Place place) {
    if (anchor(node)) return;
    switch (node.kind()) {
      case Node::Kind::kSequence:
        if (node.items().empty()) return empty("[]");
        return sequence(node, place);
      case Node::Kind::kMapping:
        if (node.entries().empty()) return empty("{}");
        return mapping(node, place);
      default: return scalar(node, place);
    }
  }

  void empty(const std::string& brackets) {
    indicator(brackets, true);
    line_break();
  }

  void deeper(bool same) {
    indents_.push_back(indent_);
    if (indent_ == kNone) {
      indent_ = 0;
    } else if (!same) {
      indent_ += kIndent;
    }
  }
  void shallower() {
    indent_ = indents_.back();
    indents_.pop_back();
  }

  void sequence(const Node& node, Place place) {
    const bool under_key = place == Place::kValue && !indention_;
    deeper(under_key);
    if (place == Place::kItem) indention_ = true;
    for (const Node& item : node.items()) {
      line_start(indent_);
      indicator("-", true, true);
      value(item, Place::kItem);
    }
    shallower();
  }

  void mapping(const Node& node, Place) {
    deeper(false);
    for (const Entry& entry : node.entries()) {
      line_start(indent_);
      if (is_simple_key(entry.key)) {
        value(entry.key, Place::kKey);
        indicator(":", false);
      } else {
        indicator("?", true, true);
        value(entry.key, Place::kValue);
        line_start(indent_);
        indicator(":", true, true);
      }
      value(entry.value, Place::kValue);
    }
    shallower();
  }

  static bool is_simple_key(const Node& key) {
    const std::u32string text = to_code_points(key.scalar_text());
    return text.size() + kTagLength < kSimpleKeyLengthMax && !analyse(text).multiline;
  }

  void scalar(const Node& node, Place place) {
    indents_.push_back(indent_);
    indent_ = indent_ == kNone ? kNone : indent_ + kIndent;
    const std::u32string text = to_code_points(node.scalar_text());
    const Style style = node.is_string() ? style_of(node.as_string(), text, place) : Style::kPlain;
    if (place == Place::kItem) line_start(indent_);
    // A text that is the whole document stays in one line: "---" could come to begin one of its
    // own.
    const bool split = place != Place::kKey && place != Place::kRoot;
    switch (style) {
      case Style::kPlain: plain(text, split); break;
      case Style::kSingle: single_quoted(text, split); break;
      case Style::kDouble: double_quoted(text, split); break;
    }
    shallower();
  }

  static Style style_of(const std::string& utf8, const std::u32string& text, Place place) {
    if (text.empty()) return Style::kSingle;
    const Analysis analysis = analyse(text);
    const bool reads_back = resolve_plain(utf8) == PlainKind::kString && utf8 != "=";
    if (reads_back && analysis.plain) return Style::kPlain;
    if (is_one_of(U'\'', text) || is_one_of(U'\n', text)) return Style::kDouble;
    if (analysis.single && !(place == Place::kKey && analysis.multiline)) return Style::kSingle;
    return Style::kDouble;
  }

  // --- lines and columns
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

  void put(const std::u32string& text, std::size_t from, std::size_t to) {
    for (std::size_t i = from; i < to; ++i) append_utf8(out_, text[i]);
    column_ += to - from;
  }

  void indicator(const std::string& mark, bool needs_blank, bool indention = false) {
    if (needs_blank && !whitespace_) {
      out_ += ' ';
      ++column_;
    }
    out_ += mark;
    column_ += mark.size();
    whitespace_ = false;
    indention_ = indention_ && indention;
  }

  void line_break() {
    out_ += '\n';
    whitespace_ = true;
    indention_ = true;
    column_ = 0;
  }

  void line_start(std::size_t indent) {
    if (indent == kNone) indent = 0;
    if (!indention_ || column_ > indent || (column_ == indent && !whitespace_)) line_break();
    if (column_ < indent) {
      whitespace_ = true;
      out_.append(indent - column_, ' ');
      column_ = indent;
    }
  }

  // --- scalars
  void plain(const std::u32string& text, bool split) {
    if (text.empty()) return;
    if (!whitespace_) {
      out_ += ' ';
      ++column_;
    }
    whitespace_ = false;
    indention_ = false;
    std::size_t start = 0;
    while (start < text.size()) {
      const bool blanks = text[start] == U' ';
      std::size_t end = start;
      while (end < text.size() && (text[end] == U' ') == blanks) ++end;
      if (blanks) {
        if (start + 1 == end && column_ >= kWidth && split) {
          line_start(indent_);
          whitespace_ = false;
          indention_ = false;
        } else {
          put(text, start, end);
        }
      } else {
        // A word longer than a line gets one of its own; the blank before it stays at the end of
        // the line.
        if (end - start + column_ > kWidth && indent_ != kNone && column_ > indent_)
          line_start(indent_);
        put(text, start, end);
      }
      start = end;
    }
  }

  void single_quoted(const std::u32string& text, bool split) {
    indicator("'", true);
    std::size_t start = 0;
    while (start < text.size()) {
      std::size_t end = start;
      if (text[start] == U' ') {
        while (end < text.size() && text[end] == U' ') ++end;
        if (start + 1 == end && column_ > kWidth && split && start != 0 && end != text.size()) {
          line_start(indent_);
        } else {
          put(text, start, end);
        }
      } else if (text[start] == U'\'') {
        out_ += "''";
        column_ += 2;
        ++end;
      } else {
        while (end < text.size() && text[end] != U' ' && text[end] != U'\'') ++end;
        put(text, start, end);
      }
      start = end;
    }
    indicator("'", false);
  }

  static std::string escape(char32_t c) {
    switch (c) {
      case 0x00: return "\\0";
      case 0x07: return "\\a";
      case 0x08: return "\\b";
      case 0x09: return "\\t";
      case 0x0A: return "\\n";
      case 0x0B: return "\\v";
      case 0x0C: return "\\f";
      case 0x0D: return "\\r";
      case 0x1B: return "\\e";
      case U'"': return "\\\"";
      case U'\\': return "\\\\";
      case 0x85: return "\\N";
      case 0xA0: return "\\_";
      case 0x2028: return "\\L";
      case 0x2029: return "\\P";
      default: break;
    }
    char buffer[16];
    const auto number = static_cast<unsigned>(c);
    std::snprintf(buffer, sizeof buffer,
                  c <= 0xFF     ? "\\x%02X"
                  : c <= 0xFFFF ? "\\u%04X"
                                : "\\U%08X",
                  number);
    return buffer;
  }

  static bool stays_in_double_quotes(char32_t c) {
    return is_printable(c) && !is_one_of(c, U"\"\\\x85\u2028\u2029");
  }

  // Whether the break at `end` must be escaped, because the reader would else make a blank of it or
  // lose one.
  static bool needs_backslash(const std::u32string& text, std::size_t start, std::size_t end) {
    std::size_t space = text.find(U' ', end);
    if (space == std::u32string::npos) return true;
    if (const std::size_t newline = text.find(U'\n', end); newline < space) space = newline;
    if (space + 1 >= text.size()) return true;
    const char32_t after = text[space + 1];
    if (text[space] == U'\n' && after != U' ') return true;
    const std::u32string_view word = std::u32string_view{text}.substr(end, space - end);
    const bool quotes = word.find(U'"') != std::u32string_view::npos ||
                        word.find(U'\'') != std::u32string_view::npos;
    const bool two_blanks = end > 0 && text[end - 1] == U' ' && text[end] == U' ';
    return quotes || after == U' ' || after == U'\n' || two_blanks || start == end;
  }

  void double_quoted(const std::u32string& text, bool split) {
    indicator("\"", true);
    std::size_t start = 0;
    for (std::size_t end = 0; end <= text.size(); ++end) {
      const bool at_end = end == text.size();
      const char32_t c = at_end ? U'\0' : text[end];
      if (at_end || !stays_in_double_quotes(c)) {
        if (start < end) {
          put(text, start, end);
          start = end;
        }
        if (!at_end) {
          const std::string escaped = escape(c);
          out_ += escaped;
          column_ += escaped.size();
          start = end + 1;
        }
      }
      if (end == 0 || end + 1 >= text.size() || (c != U' ' && start < end) || !split) continue;
      // `start` may be one ahead of `end` here; the length of what is pending is then -1.
      if (column_ + end < kWidth + start + 1) continue;
      fold_double_quoted(text, start, end);
    }
    indicator("\"", false);
  }

  void fold_double_quoted(const std::u32string& text, std::size_t& start, std::size_t end) {
    const bool backslash = needs_backslash(text, start, end);
    if (start < end) {
      put(text, start, end);
      start = end;
    }
    if (backslash) {
      out_ += '\\';
      ++column_;
    }
    line_start(indent_);
    whitespace_ = false;
    indention_ = false;
    if (text[start] != U' ') return;
    if (backslash) {
      out_ += '\\';
      ++column_;
    } else {
      ++start;  // the line break reads as this blank
    }
  }

  std::string out_;
  std::size_t column_ = 0;
  std::size_t indent_ = kNone;
  std::vector<std::size_t> indents_;
  bool whitespace_ = true;  // the last character was a blank, or none
  bool indention_ = true;   // the line holds blanks, '-' and '?' alone so far
  std::vector<const Node*> seen_;
  std::map<const Node*, int> numbers_;
  int anchors_ = 0;
};

}  // namespace

std::string emit(const Node& node) { return Writer().write(node); }

}  // namespace slipway::yaml
