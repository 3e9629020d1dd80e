// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>
#include <libfyaml.h>
#include <map>

#include "base/error.h"
#include "base/file.h"
#include "yaml/node.h"
#include "yaml/scalar.h"

namespace slipway::yaml {
namespace {

struct ParserDeleter {
  void operator()(fy_parser* parser) const { fy_parser_destroy(parser); }
};
struct DiagDeleter {
  void operator()(fy_diag* diag) const { fy_diag_destroy(diag); }
};

std::string text_of(fy_token* token) {
  std::size_t length = 0;
  const char* text = token == nullptr ? nullptr : fy_token_get_text(token, &length);
  return text == nullptr ? std::string() : std::string(text, length);
}

constexpr std::string_view kTagPrefix = "tag:yaml.org,2002:";
constexpr std::string_view kNullItemFault = "did not find expected node content";
constexpr int kNullItemsMax =
    1'000;  // empty items repaired in one file, each at the price of reading it again

// libfyaml 0.7.12 refuses an empty item of a list that is not indented under its key ("a:\n-\n-
// b"), which DVC writes. It stops at what follows; the line before then ends with the item's dash.
// Writes the null out there. False when that is not how the text looks.
bool write_null_item(std::string& text, int before_line) {
  std::vector<std::size_t> starts{0};
  for (std::size_t i = 0; i < text.size() && starts.size() < static_cast<std::size_t>(before_line);
       ++i) {
    if (text[i] == '\n') starts.push_back(i + 1);
  }
  for (std::size_t line = starts.size() - 1; line-- > 0;) {
    std::string_view content(text.data() + starts[line], starts[line + 1] - starts[line] - 1);
    if (const std::size_t comment = content.find('#');
        comment != std::string_view::npos && (comment == 0 || content[comment - 1] == ' ')) {
      content = content.substr(0, comment);
    }
    const std::size_t last = content.find_last_not_of(" \t\r");
    if (last == std::string_view::npos) continue;
    if (content[last] != '-' || (last > 0 && content[last - 1] != ' ')) return false;
    text.insert(starts[line] + last + 1, " ~");
    return true;
  }
  return false;
}

}  // namespace

// Turns libfyaml's events into nodes.
class Builder {
 public:
  Builder(std::string_view text, const std::string& file_name)
      : text_(text), file_(std::make_shared<const std::string>(file_name)) {
    if (text.size() > kTextBytesMax) {
      throw Error(Code::kResourceExhausted,
                  file_name + ": is longer than " + std::to_string(kTextBytesMax) + " bytes");
    }
    if (!is_utf8(text)) throw Error(Code::kInvalidArgument, file_name + ": is not UTF-8");
    fy_diag_cfg diag_config;
    fy_diag_cfg_default(&diag_config);
    diag_config.fp = nullptr;
    diag_.reset(fy_diag_create(&diag_config));
    fy_diag_set_collect_errors(diag_.get(), true);
    fy_parse_cfg config{};
    config.flags = static_cast<fy_parse_cfg_flags>(
        FYPCF_QUIET | FYPCF_COLLECT_DIAG | FYPCF_DISABLE_DEPTH_LIMIT | FYPCF_JSON_NONE |
        FYPCF_ALLOW_DUPLICATE_KEYS | FYPCF_DEFAULT_VERSION_1_2);
    config.diag = diag_.get();
    parser_.reset(fy_parser_create(&config));
    if (!parser_ || fy_parser_set_string(parser_.get(), text.data(), text.size()) != 0) {
      throw Error(Code::kInternal, file_name + ": the YAML reader could not start");
    }
  }

  // Set when documents() threw since the reader does not know an empty item (see
  // without_null_item).
  int null_item_before_line = 0;

  std::vector<Node> documents() {
    std::vector<Node> all;
    while (const Event event = next()) {
      if (event->type != FYET_DOCUMENT_START) continue;
      if (all.size() >= kDocumentsMax) {
        throw Error(Code::kResourceExhausted,
                    *file_ + ": has more than " + std::to_string(kDocumentsMax) + " documents");
      }
      anchors_.clear();
      all.push_back(value(next(), 0));
    }
    return all;
  }

 private:
  struct EventDeleter {
    fy_parser* parser;
    void operator()(fy_event* event) const { fy_parser_event_free(parser, event); }
  };
  using Event = std::unique_ptr<fy_event, EventDeleter>;

  Event next() {
    Event event(fy_parser_parse(parser_.get()), EventDeleter{parser_.get()});
    if (!event && (fy_parser_get_stream_error(parser_.get()) || fy_diag_got_error(diag_.get())))
      throw_diagnostic();
    return event;
  }

  [[noreturn]] void throw_diagnostic() {
    void* position = nullptr;
    const fy_diag_error* error = fy_diag_errors_iterate(diag_.get(), &position);
    if (error == nullptr) throw Error(Code::kInvalidArgument, *file_ + ": is not valid YAML");
    std::string message = error->msg == nullptr ? "syntax error" : error->msg;
    if (message.find(kNullItemFault) != std::string::npos) null_item_before_line = error->line;
    while (!message.empty() && (message.back() == '\n' || message.back() == '.'))
      message.pop_back();
    // Collected errors count from 1; the marks of tokens count from 0.
    throw Error(Code::kInvalidArgument, *file_ + ":" + std::to_string(error->line) + ":" +
                                            std::to_string(error->column) +
                                            ": is not valid YAML: " + message);
  }

  static Mark mark_of(fy_event* event) {
    const fy_mark* mark = fy_event_start_mark(event);
    return mark == nullptr ? Mark{} : Mark{mark->line + 1, mark->column + 1};
  }

  [[noreturn]] void fail(const Mark& mark, const std::string& message,
                         Code code = Code::kInvalidArgument) const {
    throw Error(code, *file_ + ":" + std::to_string(mark.line) + ":" + std::to_string(mark.column) +
                          ": " + message);
  }

  void count(const Mark& mark, std::size_t nodes) {
    nodes_ += nodes;
    if (nodes_ > kNodesMax) {
      fail(mark, "has more than " + std::to_string(kNodesMax) + " values, aliases expanded",
           Code::kResourceExhausted);
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

  void remember(fy_token* anchor, Node& node) {
    if (anchor == nullptr) return;
    if (!node.is_scalar()) node.shared_ = ++shared_count_;
    anchors_[text_of(anchor)] = {node, size_of(node)};
  }

  Node value(const Event& event, int depth) {
    if (!event) throw_diagnostic();
    const Mark mark = mark_of(event.get());
    const bool collection = event->type == FYET_SEQUENCE_START || event->type == FYET_MAPPING_START;
    if (collection && depth >= kDepthMax) {
      fail(mark, "is nested deeper than " + std::to_string(kDepthMax) + " levels",
           Code::kResourceExhausted);
    }
    count(mark, 1);
    switch (event->type) {
      case FYET_SCALAR: {
        Node node = scalar(event->scalar, mark);
        remember(event->scalar.anchor, node);
        return node;
      }
      case FYET_SEQUENCE_START: {
        check_tag(event->sequence_start.tag, "seq", mark);
        Node node = begin(Node::Kind::kSequence, mark);
        for (Event item = next(); item && item->type != FYET_SEQUENCE_END; item = next()) {
          node.items_.push_back(value(item, depth + 1));
        }
        remember(event->sequence_start.anchor, node);
        return node;
      }
      case FYET_MAPPING_START: {
        check_tag(event->mapping_start.tag, "map", mark);
        Node node = mapping(mark, depth);
        remember(event->mapping_start.anchor, node);
        return node;
      }
      case FYET_ALIAS: return alias(event->alias, mark);
      default: fail(mark, "is not valid YAML");
    }
  }

  // `after_star` is where libfyaml's token of an alias begins.
  Node alias(const fy_event_alias_data& data, const Mark& after_star) {
    const Mark mark{after_star.line, after_star.column - 1};
    const std::string name = text_of(data.anchor);
    const auto found = anchors_.find(name);
    if (found == anchors_.end()) fail(mark, "alias `*" + name + "` has no anchor before it");
    count(mark, found->second.size);
    Node node = found->second.node;
    node.mark_ = mark;
    return node;
  }

  Node mapping(const Mark& mark, int depth) {
    Node node = begin(Node::Kind::kMapping, mark);
    Mapping merged;
    std::map<std::string, Mark> seen;
    for (Event item = next(); item && item->type != FYET_MAPPING_END; item = next()) {
      const bool merge = is_merge(*item);
      Node key = value(item, depth + 1);
      Node content = value(next(), depth + 1);
      if (merge) {
        add_merged(merged, content);
        continue;
      }
      if (!key.is_scalar())
        fail(key.mark_, "a key must be a single value, found " + std::string(kind_name(key.kind_)));
      // Numbers and truth values that are equal in Python are one key there: 1, 1.0 and true.
      const auto [before, fresh] = seen.emplace(identity(key), key.mark_);
      if (!fresh) {
        fail(key.mark_, "key `" + key.scalar_text() + "` is there already, at line " +
                            std::to_string(before->second.line));
      }
      node.entries_.push_back({std::move(key), std::move(content)});
    }
    if (!merged.empty()) node.entries_ = overlay(std::move(merged), std::move(node.entries_));
    return node;
  }

  static std::string identity(const Node& key) {
    if (key.is_string()) return "s" + key.text_;
    if (key.is_null()) return "n";
    if (key.is_bool()) return key.bool_ ? "i1" : "i0";
    if (key.is_int()) return "i" + key.scalar_text();
    const double value = key.double_;
    if (value == static_cast<double>(static_cast<std::int64_t>(value)))
      return "i" + std::to_string(static_cast<std::int64_t>(value));
    return "f" + key.scalar_text();
  }

  bool is_merge(const fy_event& event) const {
    return event.type == FYET_SCALAR && fy_token_scalar_style(event.scalar.value) == FYSS_PLAIN &&
           text_of(event.scalar.value) == "<<";
  }

  // Several sources: the first that has a key wins.
  void add_merged(Mapping& merged, const Node& source) {
    if (source.is_sequence()) {
      for (const Node& item : source.items_) add_merged(merged, item);
      return;
    }
    if (!source.is_mapping()) {
      fail(source.mark_, "`<<` takes a mapping or a list of mappings, found " +
                             std::string(kind_name(source.kind_)));
    }
    for (const Entry& entry : source.entries_) {
      const bool present = std::any_of(merged.begin(), merged.end(),
                                       [&](const Entry& other) { return other.key == entry.key; });
      if (!present) merged.push_back(entry);
    }
  }

  // The mapping's own keys win over merged ones, which stand first.
  static Mapping overlay(Mapping merged, Mapping own) {
    for (Entry& entry : own) {
      const auto present = std::find_if(merged.begin(), merged.end(),
                                        [&](const Entry& other) { return other.key == entry.key; });
      if (present == merged.end()) {
        merged.push_back(std::move(entry));
      } else {
        present->value = std::move(entry.value);
      }
    }
    return merged;
  }

  void check_tag(fy_token* token, std::string_view expected, const Mark& mark) const {
    if (token == nullptr) return;
    const std::string tag = text_of(token);
    if (tag == "!" || tag == std::string(kTagPrefix) + std::string(expected)) return;
    fail(mark, "tag `" + tag + "` is not supported");
  }

  std::string content_of(fy_token* token, fy_scalar_style style, const Mark& mark) const {
    const fy_mark* start = fy_token_start_mark(token);
    const fy_mark* end = fy_token_end_mark(token);
    if (style != FYSS_DOUBLE_QUOTED || start == nullptr || end == nullptr ||
        start->line == end->line)
      return text_of(token);
    std::string text;
    const std::string_view source =
        text_.substr(start->input_pos, end->input_pos - start->input_pos);
    if (!decode_double_quoted(source, text))
      fail(mark, "is not valid YAML: malformed escape in a double-quoted text");
    return text;
  }

  Node scalar(const fy_event_scalar_data& data, const Mark& mark) const {
    const fy_scalar_style style =
        data.value == nullptr ? FYSS_PLAIN : fy_token_scalar_style(data.value);
    const bool plain = style == FYSS_PLAIN;
    const std::string text = plain ? text_of(data.value) : content_of(data.value, style, mark);
    // libfyaml 0.7.12 loses a line break where an empty line stands before a deeper one in a folded
    // text, and shows it by a NUL, which no YAML text can hold.
    if (style == FYSS_FOLDED && text.find('\0') != std::string::npos) {
      fail(mark, "this folded text (`>`) cannot be read; write it as a literal one (`|`)");
    }
    PlainKind kind = plain ? resolve_plain(text) : PlainKind::kString;
    if (data.tag != nullptr) kind = tagged_kind(text_of(data.tag), text, mark);
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
                                      ? std::string_view(tag).substr(kTagPrefix.size())
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
  std::unique_ptr<fy_diag, DiagDeleter> diag_;  // outlives the parser
  std::unique_ptr<fy_parser, ParserDeleter> parser_;
  std::map<std::string, Anchor> anchors_;
  std::size_t nodes_ = 0;
  std::size_t shared_count_ = 0;
};

std::vector<Node> parse_documents(std::string_view text, const std::string& file_name) {
  std::string repaired;
  for (int repairs = 0;; ++repairs) {
    Builder builder(repairs == 0 ? text : repaired, file_name);
    try {
      return builder.documents();
    } catch (const Error&) {
      if (builder.null_item_before_line == 0 || repairs == kNullItemsMax) throw;
    }
    if (repairs == 0) repaired = text;
    if (!write_null_item(repaired, builder.null_item_before_line)) {
      // Not an empty item: the reader's own message, from the text as it was.
      return Builder(text, file_name).documents();
    }
  }
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
