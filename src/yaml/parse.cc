// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <map>
#include <yaml.h>

#include "base/error.h"
#include "base/file.h"
#include "yaml/node.h"
#include "yaml/scalar.h"

namespace slipway::yaml {
namespace {

constexpr std::string_view kTagPrefix = "tag:yaml.org,2002:";

std::string place(const std::string& file, const Mark& mark) {
  return file + ":" + std::to_string(mark.line) + ":" + std::to_string(mark.column) + ": ";
}

Mark mark_of(const yaml_mark_t& mark) {
  return {static_cast<int>(mark.line) + 1, static_cast<int>(mark.column) + 1};
}

std::string text_of(const yaml_char_t* text) {
  return text == nullptr ? std::string() : std::string(reinterpret_cast<const char*>(text));
}

Mark place_of(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const std::size_t line_start = before.rfind('\n') + 1;  // 0 when there is none
  const auto points = std::count_if(before.begin() + static_cast<std::ptrdiff_t>(line_start),
                                    before.end(), [](char c) { return (c & 0xC0) != 0x80; });
  return {static_cast<int>(std::count(before.begin(), before.end(), '\n')) + 1,
          static_cast<int>(points) + 1};
}

// Three characters are line breaks in YAML 1.1, and so to libyaml, but not in 1.2.
struct DoubtfulBreak {
  std::string_view bytes;
  std::string_view name;
};
constexpr std::array kDoubtfulBreaks = {DoubtfulBreak{"\xC2\x85", "U+0085"},
                                        DoubtfulBreak{"\xE2\x80\xA8", "U+2028"},
                                        DoubtfulBreak{"\xE2\x80\xA9", "U+2029"}};

void check_text(std::string_view text, const std::string& file_name) {
  if (text.size() > kTextBytesMax) {
    throw Error(Code::kInvalidArgument,
                file_name + ": is longer than " + std::to_string(kTextBytesMax) + " bytes");
  }
  if (!is_utf8(text)) throw Error(Code::kInvalidArgument, file_name + ": is not UTF-8");
  for (const DoubtfulBreak& one : kDoubtfulBreaks) {
    const std::size_t at = text.find(one.bytes);
    if (at == std::string_view::npos) continue;
    throw Error(Code::kInvalidArgument,
                place(file_name, place_of(text, at)) +
                    "is not valid YAML: " + std::string(one.name) +
                    " is a line break to some readers only: escape it in double quotes");
  }
}

}  // namespace

// Turns libyaml's events into nodes.
class Builder {
 public:
  Builder(std::string_view text, const std::string& file_name)
      : text_(text), file_(std::make_shared<const std::string>(file_name)) {
    check_text(text, file_name);
    if (yaml_parser_initialize(&parser_) == 0)
      throw Error(Code::kUnavailable, file_name + ": there is no memory to read it");
    yaml_parser_set_encoding(&parser_, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()),
                                 text.size());
  }
  ~Builder() { yaml_parser_delete(&parser_); }
  Builder(const Builder&) = delete;
  Builder& operator=(const Builder&) = delete;

  std::vector<Node> documents() {
    std::vector<Node> all;
    for (;;) {
      const Event event(*this);
      if (event->type == YAML_STREAM_END_EVENT) return all;
      if (event->type != YAML_DOCUMENT_START_EVENT) continue;
      check_directives(*event);
      if (all.size() >= kDocumentsMax) {
        throw Error(Code::kInvalidArgument,
                    *file_ + ": has more than " + std::to_string(kDocumentsMax) + " documents");
      }
      anchors_.clear();
      all.push_back(value(Event(*this), 0));
    }
  }

 private:
  // The next event of the parser; freed when it goes.
  class Event {
   public:
    explicit Event(Builder& builder) {
      if (yaml_parser_parse(&builder.parser_, &event_) == 0) builder.throw_problem();
    }
    ~Event() { yaml_event_delete(&event_); }
    Event(const Event&) = delete;
    Event& operator=(const Event&) = delete;
    const yaml_event_t* operator->() const { return &event_; }
    const yaml_event_t& operator*() const { return event_; }

   private:
    yaml_event_t event_{};
  };

  [[noreturn]] void throw_problem() const {
    if (parser_.error == YAML_MEMORY_ERROR)
      throw Error(Code::kUnavailable, *file_ + ": there is no memory to read it");
    const bool reader = parser_.error == YAML_READER_ERROR;  // knows an offset, not a place
    const Mark mark =
        reader ? place_of(text_, parser_.problem_offset) : mark_of(parser_.problem_mark);
    std::string message = parser_.problem == nullptr ? "syntax error" : parser_.problem;
    if (!reader && parser_.context != nullptr) {
      message += std::string(", ") + parser_.context;
      if (parser_.context_mark.line != parser_.problem_mark.line)
        message += " that begins at line " + std::to_string(parser_.context_mark.line + 1);
    }
    throw Error(Code::kInvalidArgument, place(*file_, mark) + "is not valid YAML: " + message);
  }

  [[noreturn]] void fail(const Mark& mark, const std::string& message) const {
    throw Error(Code::kInvalidArgument, place(*file_, mark) + message);
  }

  // YAML 1.1 means other things by the same text; handles of tags would hide what is refused.
  void check_directives(const yaml_event_t& event) const {
    const auto& start = event.data.document_start;
    if (start.version_directive != nullptr && start.version_directive->minor != 2) {
      fail(mark_of(event.start_mark), "directive `%YAML 1." +
                                          std::to_string(start.version_directive->minor) +
                                          "` is not supported, only `%YAML 1.2` is");
    }
    if (start.tag_directives.start != start.tag_directives.end)
      fail(mark_of(event.start_mark), "directive `%TAG` is not supported");
  }

  void count(const Mark& mark, std::size_t nodes) {
    nodes_ += nodes;
    if (nodes_ > kNodesMax) {
      fail(mark, "has more than " + std::to_string(kNodesMax) + " values, aliases expanded");
    }
  }

  static std::size_t size_of(const Node& node) {
    std::size_t size = 1;
    for (const Node& item : node.items_) size += size_of(item);
    for (const Entry& entry : node.entries_) size += 1 + size_of(entry.value);
    return size;
  }

  Node begin(Node::Kind kind, const Mark& mark) const {
    Node node;
    node.kind_ = kind;
    node.mark_ = mark;
    node.file_ = file_;
    return node;
  }

  void remember(const yaml_char_t* anchor, Node& node) {
    if (anchor == nullptr) return;
    if (!node.is_scalar()) node.shared_ = ++shared_count_;
    anchors_[text_of(anchor)] = {node, size_of(node)};
  }

  Node value(const Event& event, int depth) {
    const Mark mark = mark_of(event->start_mark);
    const bool collection =
        event->type == YAML_SEQUENCE_START_EVENT || event->type == YAML_MAPPING_START_EVENT;
    if (collection && depth >= kDepthMax) {
      fail(mark, "is nested deeper than " + std::to_string(kDepthMax) + " levels");
    }
    count(mark, 1);
    Node node;
    switch (event->type) {
      case YAML_ALIAS_EVENT: return alias(text_of(event->data.alias.anchor), mark);
      case YAML_SCALAR_EVENT:
        node = scalar(*event, mark);
        remember(event->data.scalar.anchor, node);
        return node;
      case YAML_SEQUENCE_START_EVENT:
        check_tag(text_of(event->data.sequence_start.tag), "seq", mark);
        node = sequence(mark, depth);
        remember(event->data.sequence_start.anchor, node);
        return node;
      case YAML_MAPPING_START_EVENT:
        check_tag(text_of(event->data.mapping_start.tag), "map", mark);
        node = mapping(mark, depth);
        remember(event->data.mapping_start.anchor, node);
        return node;
      default: fail(mark, "is not valid YAML");
    }
  }

  Node alias(const std::string& name, const Mark& mark) {
    const auto found = anchors_.find(name);
    if (found == anchors_.end()) fail(mark, "alias `*" + name + "` has no anchor before it");
    count(mark, found->second.size);
    Node node = found->second.node;
    node.mark_ = mark;
    return node;
  }

  Node sequence(const Mark& mark, int depth) {
    Node node = begin(Node::Kind::kSequence, mark);
    for (;;) {
      const Event item(*this);
      if (item->type == YAML_SEQUENCE_END_EVENT) return node;
      node.items_.push_back(value(item, depth + 1));
    }
  }

  Node mapping(const Mark& mark, int depth) {
    Node node = begin(Node::Kind::kMapping, mark);
    Members members;
    for (;;) {
      const Event item(*this);
      if (item->type == YAML_MAPPING_END_EVENT) break;
      const bool merge = is_merge(*item);
      Node key = value(item, depth + 1);
      add(members, std::move(key), value(Event(*this), depth + 1), merge);
    }
    node.entries_ = finish(std::move(members));
    return node;
  }

  static bool is_merge(const yaml_event_t& event) {
    return event.type == YAML_SCALAR_EVENT && event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           std::string_view(reinterpret_cast<const char*>(event.data.scalar.value),
                            event.data.scalar.length) == "<<";
  }

  Node scalar(const yaml_event_t& event, const Mark& mark) const {
    const auto& data = event.data.scalar;
    return scalar_node({reinterpret_cast<const char*>(data.value), data.length},
                       data.style == YAML_PLAIN_SCALAR_STYLE, text_of(data.tag), mark);
  }

  // What a mapping holds while it is read: its own entries, and those that `<<` brings.
  struct Members {
    Mapping own;
    std::map<std::string, Mark> seen;
    Mapping merged;
    std::map<std::string, std::size_t> merged_at;
  };

  void add(Members& members, Node key, Node content, bool merge) {
    if (merge) return add_merged(members, content);
    if (!key.is_scalar())
      fail(key.mark_, "a key must be a single value, found " + std::string(kind_name(key.kind_)));
    // Numbers and truth values that are equal in Python are one key there: 1, 1.0 and true.
    const auto [before, fresh] = members.seen.emplace(identity(key), key.mark_);
    if (!fresh) {
      fail(key.mark_, "key `" + key.scalar_text() + "` is there already, at line " +
                          std::to_string(before->second.line));
    }
    members.own.push_back({std::move(key), std::move(content)});
  }

  // Several sources: the first that has a key wins.
  void add_merged(Members& members, const Node& source) {
    if (source.is_sequence()) {
      for (const Node& item : source.items_) add_merged(members, item);
      return;
    }
    if (!source.is_mapping()) {
      fail(source.mark_, "`<<` takes a mapping or a list of mappings, found " +
                             std::string(kind_name(source.kind_)));
    }
    for (const Entry& entry : source.entries_) {
      if (members.merged_at.emplace(identity(entry.key), members.merged.size()).second)
        members.merged.push_back(entry);
    }
  }

  // The mapping's own keys win over merged ones, which stand first.
  static Mapping finish(Members members) {
    if (members.merged.empty()) return std::move(members.own);
    for (Entry& entry : members.own) {
      const auto present = members.merged_at.find(identity(entry.key));
      if (present == members.merged_at.end()) {
        members.merged.push_back(std::move(entry));
      } else {
        members.merged[present->second].value = std::move(entry.value);
      }
    }
    return std::move(members.merged);
  }

  static std::string identity(const Node& key) {
    if (key.is_string()) return "s" + key.text_;
    if (key.is_null()) return "n";
    if (key.is_bool()) return key.bool_ ? "i1" : "i0";
    if (key.is_int()) return "i" + key.scalar_text();
    const double value = key.double_;
    if (!std::isfinite(value) || value != std::trunc(value)) return "f" + key.scalar_text();
    char digits[400];  // the largest double has 309
    std::snprintf(digits, sizeof digits, "%.0f", value == 0 ? 0.0 : value);
    return std::string("i") + digits;
  }

  void check_tag(const std::string& tag, std::string_view expected, const Mark& mark) const {
    if (tag.empty() || tag == "!" || tag == std::string(kTagPrefix) + std::string(expected)) return;
    fail(mark, "tag `" + tag + "` is not supported");
  }

  Node scalar_node(const std::string& text, bool plain, const std::string& tag,
                   const Mark& mark) const {
    PlainKind kind = plain ? resolve_plain(text) : PlainKind::kString;
    if (!tag.empty()) kind = tagged_kind(tag, text, mark);
    Node node = begin(Node::Kind::kString, mark);
    switch (kind) {
      case PlainKind::kNull: node.kind_ = Node::Kind::kNull; break;
      case PlainKind::kBool:
        node.kind_ = Node::Kind::kBool;
        node.bool_ = text[0] == 't' || text[0] == 'T';
        break;
      case PlainKind::kInt: set_int(node, text); break;
      case PlainKind::kFloat:
        node.kind_ = Node::Kind::kFloat;
        node.double_ = float_of(text);
        break;
      case PlainKind::kDate: node.date_ = true; [[fallthrough]];
      case PlainKind::kMerge:
      case PlainKind::kString: node.text_ = text; break;
    }
    return node;
  }

  PlainKind tagged_kind(const std::string& tag, const std::string& text, const Mark& mark) const {
    const std::string_view name = tag.starts_with(kTagPrefix)
                                      ? std::string_view{tag}.substr(kTagPrefix.size())
                                      : std::string_view();
    if (tag == "!" || name == "str") return PlainKind::kString;
    const PlainKind kind = resolve_plain(text);
    if ((name == "null" && kind == PlainKind::kNull) ||
        (name == "bool" && kind == PlainKind::kBool) ||
        (name == "int" && kind == PlainKind::kInt) ||
        (name == "float" && kind == PlainKind::kFloat)) {
      return kind;
    }
    if (name == "float" && kind == PlainKind::kInt) return PlainKind::kFloat;
    fail(mark, "tag `" + tag + "` is not supported for `" + text + "`");
  }

  void set_int(Node& node, const std::string& text) const {
    node.kind_ = Node::Kind::kInt;
    std::string digits = canonical_int(text);
    if (digits.empty())
      fail(node.mark_, "`" + text + "` is not an integer; quote it if it is a text");
    const auto [end, fault] =
        std::from_chars(digits.data(), digits.data() + digits.size(), node.int_);
    (void)end;
    if (fault == std::errc()) return;
    node.fits_ = false;
    node.text_ = std::move(digits);
  }

  struct Anchor {
    Node node;
    std::size_t size = 0;
  };
  std::string_view text_;
  std::shared_ptr<const std::string> file_;
  yaml_parser_t parser_{};
  std::map<std::string, Anchor> anchors_;
  std::size_t nodes_ = 0;
  std::size_t shared_count_ = 0;
};

std::vector<Node> parse_documents(std::string_view text, const std::string& file_name) {
  return Builder(text, file_name).documents();
}

Node parse(std::string_view text, const std::string& file_name) {
  std::vector<Node> all = parse_documents(text, file_name);
  if (all.empty()) return Node();
  if (all.size() > 1) {
    throw Error(Code::kInvalidArgument,
                all[1].where() + ": one document expected, found " + std::to_string(all.size()));
  }
  return std::move(all.front());
}

}  // namespace slipway::yaml
