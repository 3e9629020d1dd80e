// SPDX-License-Identifier: Apache-2.0
#include "tracing/pattern.h"

#include <optional>
#include <string>

#include "base/error.h"

namespace slipway::tracing {

// Recursive descent into a syntax tree, then code for a machine that walks all ways at once
// (Thompson 1968).
class PatternParser {
 public:
  PatternParser(std::string_view text, Pattern& pattern) : text_(text), pattern_(pattern) {}

  void run() {
    if (text_.size() > kPatternBytesMax)
      refuse("longer than " + std::to_string(kPatternBytesMax) + " bytes");
    const Node node = alternatives(0);
    if (at_ < text_.size()) refuse("unbalanced parenthesis");
    emit(node);
    push({Pattern::Step::kMatch, 0, 0, {}});
  }

 private:
  enum class Kind { kEmpty, kBytes, kBegin, kEnd, kSequence, kEither, kRepeat };
  struct Node {
    Kind kind = Kind::kEmpty;
    std::bitset<256> bytes;
    std::vector<Node> children;
    std::size_t least = 0;
    std::optional<std::size_t> most;
  };
  static constexpr std::size_t kRepeatMax = 1'000;

  [[noreturn]] void refuse(const std::string& why) const {
    throw Error(Code::kInvalidArgument,
                "Invalid regular expression '" + std::string(text_.substr(0, 200)) + "': " + why);
  }

  bool take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  Node alternatives(int depth) {
    if (depth > kPatternDepthMax) refuse("nested too deeply");
    Node either;
    either.kind = Kind::kEither;
    do {
      either.children.push_back(sequence(depth));
    } while (take('|'));
    if (either.children.size() == 1) return std::move(either.children.front());
    return either;
  }

  Node sequence(int depth) {
    Node all;
    all.kind = Kind::kSequence;
    while (at_ < text_.size() && text_[at_] != '|' && text_[at_] != ')') {
      Node item = atom(depth);
      while (repeats(item)) {
      }
      all.children.push_back(std::move(item));
    }
    return all;
  }

  // Wraps the item in the repetition that stands here; false if there is none.
  bool repeats(Node& item) {
    if (at_ >= text_.size()) return false;
    std::size_t least = 0;
    std::optional<std::size_t> most;
    if (take('*')) {
    } else if (take('+')) {
      least = 1;
    } else if (take('?')) {
      most = 1;
    } else if (!counted(least, most)) {
      return false;
    }
    take('?');
    Node repeat;
    repeat.kind = Kind::kRepeat;
    repeat.least = least;
    repeat.most = most;
    repeat.children.push_back(std::move(item));
    item = std::move(repeat);
    return true;
  }

  // {n}, {n,}, {,m}, {n,m}; anything else in braces is text.
  bool counted(std::size_t& least, std::optional<std::size_t>& most) {
    if (text_[at_] != '{') return false;
    const std::size_t close = text_.find('}', at_);
    if (close == std::string_view::npos) return false;
    const std::string_view inside = text_.substr(at_ + 1, close - at_ - 1);
    if (inside.empty() || inside == "," ||
        inside.find_first_not_of("0123456789,") != std::string_view::npos ||
        inside.find(',') != inside.rfind(','))
      return false;
    const std::size_t comma = inside.find(',');
    least = number(inside.substr(0, comma));
    if (comma == std::string_view::npos) {
      most = least;
    } else if (comma + 1 < inside.size()) {
      most = number(inside.substr(comma + 1));
      if (*most < least) refuse("min repeat greater than max repeat");
    }
    at_ = close + 1;
    return true;
  }

  std::size_t number(std::string_view digits) const {
    std::size_t value = 0;
    for (const char c : digits) {
      value = value * 10 + static_cast<std::size_t>(c - '0');
      if (value > kRepeatMax) refuse("repeats more than " + std::to_string(kRepeatMax) + " times");
    }
    return value;
  }

  Node atom(int depth) {
    const char c = text_[at_++];
    switch (c) {
      case '(': return group(depth);
      case '[': return set();
      case '.': return any();
      case '^': return edge(Kind::kBegin);
      case '$': return edge(Kind::kEnd);
      case '*':
      case '+':
      case '?': refuse("nothing to repeat");
      case '\\': return escaped();
      default: return one(static_cast<unsigned char>(c));
    }
  }

  static Node edge(Kind kind) {
    Node node;
    node.kind = kind;
    return node;
  }

  static Node one(unsigned char c) {
    Node node;
    node.kind = Kind::kBytes;
    node.bytes.set(c);
    return node;
  }

  static Node of(const std::bitset<256>& bytes) {
    Node node;
    node.kind = Kind::kBytes;
    node.bytes = bytes;
    return node;
  }

  Node group(int depth) {
    if (take('?') && !take(':')) refuse("only groups of the form (?: ) are known");
    Node inside = alternatives(depth + 1);
    if (!take(')')) refuse("missing ), unterminated subpattern");
    return inside;
  }

  // One character: a byte of ASCII, or a lead byte and what follows it.
  static Node character(std::bitset<256> ascii) {
    for (std::size_t c = 0x80; c < 256; ++c) ascii.reset(c);
    std::bitset<256> lead;
    std::bitset<256> more;
    for (std::size_t c = 0xC0; c < 256; ++c) lead.set(c);
    for (std::size_t c = 0x80; c < 0xC0; ++c) more.set(c);
    Node rest;
    rest.kind = Kind::kRepeat;
    rest.least = 1;
    rest.most = 3;
    rest.children.push_back(of(more));
    Node wide;
    wide.kind = Kind::kSequence;
    wide.children.push_back(of(lead));
    wide.children.push_back(std::move(rest));
    Node either;
    either.kind = Kind::kEither;
    either.children.push_back(of(ascii));
    either.children.push_back(std::move(wide));
    return either;
  }

  static Node any() {
    std::bitset<256> ascii;
    ascii.set();
    ascii.reset('\n');
    return character(ascii);
  }

  // The bytes of \d, \w, \s; nullopt for another letter.
  static std::optional<std::bitset<256>> class_of(char letter) {
    std::bitset<256> bytes;
    const auto range = [&](unsigned char first, unsigned char last) {
      for (std::size_t c = first; c <= last; ++c) bytes.set(c);
    };
    switch (letter) {
      case 'd':
      case 'D': range('0', '9'); return bytes;
      case 'w':
      case 'W':
        range('0', '9');
        range('a', 'z');
        range('A', 'Z');
        bytes.set('_');
        return bytes;
      case 's':
      case 'S':
        for (const char c : {' ', '\t', '\n', '\r', '\f', '\v'})
          bytes.set(static_cast<std::size_t>(c));
        return bytes;
      default: return std::nullopt;
    }
  }

  char plain_escape(char c) const {
    switch (c) {
      case 'n': return '\n';
      case 't': return '\t';
      case 'r': return '\r';
      case 'f': return '\f';
      case 'v': return '\v';
      default: break;
    }
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (letter) refuse(std::string("bad escape \\") + c);
    return c;
  }

  Node escaped() {
    if (at_ >= text_.size()) refuse("bad escape (end of pattern)");
    const char c = text_[at_++];
    const auto bytes = class_of(c);
    if (!bytes) return one(static_cast<unsigned char>(plain_escape(c)));
    const bool negated = c >= 'A' && c <= 'Z';
    return negated ? character(~*bytes) : of(*bytes);
  }

  // One member of [ ]: its bytes, and whether it may begin a range.
  unsigned char member(std::bitset<256>& bytes, bool& single) {
    char c = text_[at_++];
    single = true;
    if (c != '\\') return static_cast<unsigned char>(c);
    if (at_ >= text_.size()) refuse("unterminated character set");
    c = text_[at_++];
    if (const auto of_class = class_of(c)) {
      bytes |= c >= 'A' && c <= 'Z' ? ~*of_class : *of_class;
      single = false;
      return 0;
    }
    return static_cast<unsigned char>(plain_escape(c));
  }

  Node set() {
    std::bitset<256> bytes;
    const bool negated = take('^');
    bool first = true;
    for (; at_ < text_.size() && (first || text_[at_] != ']'); first = false) {
      bool single = true;
      const unsigned char low = member(bytes, single);
      if (!single) continue;
      if (low >= 0x80) refuse("a character set holds ASCII alone");
      unsigned char high = low;
      if (at_ + 1 < text_.size() && text_[at_] == '-' && text_[at_ + 1] != ']') {
        ++at_;
        high = member(bytes, single);
        if (!single || high < low) refuse("bad character range");
      }
      for (std::size_t c = low; c <= high; ++c) bytes.set(c);
    }
    if (!take(']')) refuse("unterminated character set");
    return negated ? character(~bytes) : of(bytes);
  }

  std::size_t push(Pattern::Instruction instruction) {
    if (pattern_.program_.size() >= kPatternSteps) refuse("too large");
    pattern_.program_.push_back(instruction);
    return pattern_.program_.size() - 1;
  }
  std::size_t here() const { return pattern_.program_.size(); }
  Pattern::Instruction& at(std::size_t i) { return pattern_.program_[i]; }

  void emit(const Node& node) {
    switch (node.kind) {
      case Kind::kEmpty: return;
      case Kind::kBytes: push({Pattern::Step::kBytes, here() + 1, 0, node.bytes}); return;
      case Kind::kBegin: push({Pattern::Step::kBegin, here() + 1, 0, {}}); return;
      case Kind::kEnd: push({Pattern::Step::kEnd, here() + 1, 0, {}}); return;
      case Kind::kSequence:
        for (const Node& child : node.children) emit(child);
        return;
      case Kind::kEither: emit_either(node); return;
      case Kind::kRepeat: emit_repeat(node); return;
    }
  }

  void emit_either(const Node& node) {
    std::vector<std::size_t> jumps;
    for (std::size_t i = 0; i + 1 < node.children.size(); ++i) {
      const std::size_t split = push({Pattern::Step::kSplit, here() + 1, 0, {}});
      emit(node.children[i]);
      jumps.push_back(push({Pattern::Step::kJump, 0, 0, {}}));
      at(split).other = here();
    }
    emit(node.children.back());
    for (const std::size_t jump : jumps) at(jump).next = here();
  }

  void emit_repeat(const Node& node) {
    const Node& child = node.children.front();
    // What takes no step takes none however often: `(){1000}{1000}` must not be counted out.
    for (std::size_t i = 0, before = here(); i < node.least; ++i, before = here()) {
      emit(child);
      if (here() == before) break;
    }
    if (!node.most) {
      const std::size_t split = push({Pattern::Step::kSplit, here() + 1, 0, {}});
      emit(child);
      push({Pattern::Step::kJump, split, 0, {}});
      at(split).other = here();
      return;
    }
    std::vector<std::size_t> splits;
    for (std::size_t i = node.least; i < *node.most; ++i) {
      splits.push_back(push({Pattern::Step::kSplit, here() + 1, 0, {}}));
      emit(child);
    }
    for (const std::size_t split : splits) at(split).other = here();
  }

  std::string_view text_;
  Pattern& pattern_;
  std::size_t at_ = 0;
};

Pattern::Pattern(std::string_view text) { PatternParser(text, *this).run(); }

// Follows what takes no byte. `seen` keeps a step from being listed twice, and loops from turning.
void Pattern::add(std::size_t at, bool begin, bool end, std::vector<std::size_t>& list,
                  std::vector<bool>& seen) const {
  std::vector<std::size_t> open{at};
  while (!open.empty()) {
    const std::size_t i = open.back();
    open.pop_back();
    if (seen[i]) continue;
    seen[i] = true;
    const Instruction& instruction = program_[i];
    switch (instruction.step) {
      case Step::kJump: open.push_back(instruction.next); break;
      case Step::kSplit:
        open.push_back(instruction.next);
        open.push_back(instruction.other);
        break;
      case Step::kBegin:
        if (begin) open.push_back(instruction.next);
        break;
      case Step::kEnd:
        if (end) open.push_back(instruction.next);
        break;
      case Step::kBytes:
      case Step::kMatch: list.push_back(i); break;
    }
  }
}

bool Pattern::found_in(std::string_view text) const {
  // "$" also matches before a line feed that ends the text.
  const bool last_feed = text.ends_with('\n');
  const auto at_end = [&](std::size_t i) {
    return i == text.size() || (last_feed && i + 1 == text.size());
  };
  std::vector<std::size_t> now;
  std::vector<std::size_t> next;
  std::vector<bool> seen(program_.size());
  for (std::size_t i = 0;; ++i) {
    add(0, i == 0, at_end(i), now, seen);  // it may begin anywhere
    for (const std::size_t step : now)
      if (program_[step].step == Step::kMatch) return true;
    if (i == text.size()) return false;
    seen.assign(program_.size(), false);
    next.clear();
    const auto byte = static_cast<unsigned char>(text[i]);
    for (const std::size_t step : now) {
      if (program_[step].bytes.test(byte))
        add(program_[step].next, false, at_end(i + 1), next, seen);
    }
    std::swap(now, next);
  }
}

}  // namespace slipway::tracing
