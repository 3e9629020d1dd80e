// SPDX-License-Identifier: Apache-2.0
#include "json/pull.h"

#include <cassert>
#include <charconv>
#include <limits>
#include <simdjson.h>
#include <vector>

#include "base/error.h"
#include "base/text.h"

namespace slipway::json {
namespace ondemand = simdjson::ondemand;
namespace {

constexpr std::size_t kKeptBytesMax = 1U << 20;

// Within the text that is one list around what was given: so the root is an element like any other,
// scalars included, and whatever follows it is found by the same rule.
constexpr std::size_t kShift = 1;

struct Frame {
  bool is_object = false;
  bool started = false;
  ondemand::array_iterator elements;
  ondemand::object_iterator fields;
};

bool is_non_finite_start(const char* token) {
  return token[0] == 'N' || token[0] == 'I' || (token[0] == '-' && token[1] == 'I');
}

}  // namespace

std::string_view kind_name(PullKind kind) {
  switch (kind) {
    case PullKind::kNull: return "null";
    case PullKind::kBool: return "true or false";
    case PullKind::kNumber: return "a number";
    case PullKind::kString: return "a text";
    case PullKind::kArray: return "a list";
    case PullKind::kObject: return "an object";
  }
  return "nothing";
}

struct PullReader::State {
  ondemand::parser parser;
  ondemand::document document;
  std::string buffer;  // '[' text ']' and simdjson's padding
  std::size_t text_bytes = 0;
  std::vector<Frame> frames;  // the list around everything first
  ondemand::value current;
  bool pending = false;  // `current` was not read yet
  int depth_max = kPullDepthDefault;

  void open(std::string_view text, int depth) {
    depth_max = depth;
    text_bytes = text.size();
    pending = false;
    frames.clear();
    buffer.clear();
    buffer.reserve(text.size() + 2 * kShift + simdjson::SIMDJSON_PADDING);
    buffer.push_back('[');
    buffer += text;
    buffer.push_back(']');
    const simdjson::error_code fault =
        parser.iterate(buffer.data(), buffer.size(), buffer.capacity()).get(document);
    if (fault != simdjson::SUCCESS) fail_at(fault, 0);
    ondemand::array root;
    check(document.get_array().get(root));
    Frame& frame = frames.emplace_back();
    check(root.begin().get(frame.elements));
    if (!step()) fail("the text is empty", 0);
  }

  // Moves the innermost list or object one on; false at its end, which also leaves it.
  bool step() {
    Frame& frame = frames.back();
    bool more = false;
    if (frame.is_object) {
      if (frame.started) ++frame.fields;
      more = frame.fields != ondemand::object_iterator();
    } else {
      if (frame.started) ++frame.elements;
      more = frame.elements != ondemand::array_iterator();
    }
    frame.started = true;
    pending = false;
    if (!more) {
      frames.pop_back();
      return false;
    }
    if (!frame.is_object) check((*frame.elements).get(current));
    pending = !frame.is_object;
    return true;
  }

  bool next_field(std::string_view& key) {
    assert(frames.size() > 1 && frames.back().is_object);
    if (!step()) return false;
    ondemand::field field;
    check((*frames.back().fields).get(field));
    check(field.unescaped_key().get(key));
    current = field.value();
    pending = true;
    return true;
  }

  void push(bool is_object) {
    if (static_cast<int>(frames.size()) > depth_max) {
      fail("nested deeper than " + std::to_string(depth_max) + " levels", offset());
    }
    Frame frame;
    frame.is_object = is_object;
    if (is_object) {
      ondemand::object object;
      check(value().get_object().get(object));
      check(object.begin().get(frame.fields));
    } else {
      ondemand::array array;
      check(value().get_array().get(array));
      check(array.begin().get(frame.elements));
    }
    pending = false;
    frames.push_back(frame);
  }

  ondemand::value& value() {
    assert(pending && "the current value was read already");
    return current;
  }

  std::string_view token() { return value().raw_json_token(); }

  std::size_t offset() {
    if (pending) return within(current.raw_json_token().data());
    const char* location = nullptr;
    if (document.current_location().get(location) != simdjson::SUCCESS) return text_bytes;
    return within(location);
  }

  std::size_t within(const char* place) const {
    const std::size_t shifted = static_cast<std::size_t>(place - buffer.data());
    return shifted < kShift ? 0 : std::min(shifted - kShift, text_bytes);
  }

  void check(simdjson::error_code fault) {
    if (fault == simdjson::SUCCESS) return;
    fail_at(fault, offset_of_fault());
  }

  std::size_t offset_of_fault() {
    pending = false;
    return offset();
  }

  [[noreturn]] static void fail_at(simdjson::error_code fault, std::size_t at) {
    switch (fault) {
      case simdjson::UTF8_ERROR:
        throw Error(Code::kInvalidArgument, "not valid JSON: the text is not UTF-8");
      case simdjson::UNCLOSED_STRING: fail("a text is not closed", at);
      case simdjson::UNESCAPED_CHARS: fail("a control character stands unescaped in a text", at);
      case simdjson::STRING_ERROR: fail("a text holds an escape that does not exist", at);
      case simdjson::NUMBER_ERROR: fail("not a number that a double can hold", at);
      case simdjson::INCOMPLETE_ARRAY_OR_OBJECT: fail("a list or object is not closed", at);
      case simdjson::CAPACITY: fail("the text is too long", at);
      case simdjson::MEMALLOC: throw Error(Code::kUnavailable, "no memory for a JSON text");
      default: fail("unexpected text", at);
    }
  }
  [[noreturn]] static void fail(const std::string& what, std::size_t at) {
    throw Error(Code::kInvalidArgument,
                "not valid JSON: " + what + " at byte " + std::to_string(at));
  }
};

namespace {

// Parsers and buffers that the thread used before: a request then allocates nothing.
template <typename State>
std::unique_ptr<State>& spare() {
  thread_local std::unique_ptr<State> kept;
  return kept;
}

}  // namespace

PullReader::PullReader(std::string_view text, int depth_max) {
  assert(depth_max >= 1 && depth_max <= kPullDepthMax);
  state_ = std::move(spare<State>());
  if (!state_) state_ = std::make_unique<State>();
  state_->open(text, depth_max);
}

PullReader::~PullReader() {
  if (state_ && state_->buffer.capacity() <= kKeptBytesMax) spare<State>() = std::move(state_);
}

PullKind PullReader::kind() {
  const std::string_view token = state_->token();
  switch (token.front()) {
    case '{': return PullKind::kObject;
    case '[': return PullKind::kArray;
    case '"': return PullKind::kString;
    case 't':
    case 'f': return PullKind::kBool;
    case 'n': return PullKind::kNull;
    case '-':
    case 'N':
    case 'I': return PullKind::kNumber;
    default:
      if (token.front() >= '0' && token.front() <= '9') return PullKind::kNumber;
      // The bracket behind the text is ours, not the sender's.
      if (state_->offset() >= state_->text_bytes)
        State::fail("the text ends too early", state_->text_bytes);
      State::fail("unexpected `" + std::string(trimmed(token.substr(0, 20))) + "`",
                  state_->offset());
  }
}

namespace {

void expect(PullReader& reader, PullKind wanted) {
  const PullKind found = reader.kind();
  if (found == wanted) return;
  throw Error(Code::kInvalidArgument, "expected " + std::string(kind_name(wanted)) + " at byte " +
                                          std::to_string(reader.position()) + ", found " +
                                          std::string(kind_name(found)));
}

}  // namespace

void PullReader::enter_object() {
  expect(*this, PullKind::kObject);
  state_->push(true);
}

bool PullReader::next_field(std::string_view& key) {
  if (state_->pending) skip();
  return state_->next_field(key);
}

void PullReader::enter_array() {
  expect(*this, PullKind::kArray);
  state_->push(false);
}

bool PullReader::next_element() {
  if (state_->pending) skip();
  assert(state_->frames.size() > 1 && !state_->frames.back().is_object);
  return state_->step();
}

bool PullReader::boolean() {
  expect(*this, PullKind::kBool);
  bool value = false;
  state_->check(state_->value().get_bool().get(value));
  state_->pending = false;
  return value;
}

double PullReader::number() {
  const char* const token = state_->token().data();
  const char first = token[0];
  double value = 0;
  if (first >= '0' && first <= '9') {
    state_->check(state_->value().get_double().get(value));
  } else if (is_non_finite_start(token)) {
    const std::string_view name = trimmed(state_->token());
    if (name == "NaN") {
      value = std::numeric_limits<double>::quiet_NaN();
    } else if (name == "Infinity" || name == "-Infinity") {
      value = first == '-' ? -std::numeric_limits<double>::infinity()
                           : std::numeric_limits<double>::infinity();
    } else {
      State::fail("unexpected `" + std::string(name.substr(0, 20)) + "`", state_->offset());
    }
  } else {
    expect(*this, PullKind::kNumber);
    state_->check(state_->value().get_double().get(value));
  }
  state_->pending = false;
  return value;
}

bool PullReader::is_integer() {
  if (kind() != PullKind::kNumber) return false;
  const std::string_view token = trimmed(state_->token());
  return !is_non_finite_start(token.data()) && token.find_first_of(".eE") == std::string_view::npos;
}

std::int64_t PullReader::integer() {
  expect(*this, PullKind::kNumber);
  std::int64_t value = 0;
  if (state_->value().get_int64().get(value) != simdjson::SUCCESS) {
    State::fail("not a whole number of 64 bits", state_->offset());
  }
  state_->pending = false;
  return value;
}

std::uint64_t PullReader::unsigned_integer() {
  expect(*this, PullKind::kNumber);
  std::uint64_t value = 0;
  if (state_->value().get_uint64().get(value) != simdjson::SUCCESS) {
    State::fail("not a whole number of 64 bits, zero or more", state_->offset());
  }
  state_->pending = false;
  return value;
}

std::string_view PullReader::text() {
  expect(*this, PullKind::kString);
  std::string_view value;
  state_->check(state_->value().get_string().get(value));
  state_->pending = false;
  return value;
}

void PullReader::null() {
  expect(*this, PullKind::kNull);
  if (trimmed(state_->token()) != "null") State::fail("unexpected text", state_->offset());
  if (!state_->value().is_null()) State::fail("unexpected text", state_->offset());
  state_->pending = false;
}

void PullReader::skip() {
  const std::size_t outside = state_->frames.size();
  // Scalars are read so that a wrong one is found; lists and objects are walked without recursion.
  const auto take = [this] {
    switch (kind()) {
      case PullKind::kNull: null(); break;
      case PullKind::kBool: boolean(); break;
      case PullKind::kNumber: number(); break;
      case PullKind::kString: text(); break;
      case PullKind::kArray: enter_array(); break;
      case PullKind::kObject: enter_object(); break;
    }
  };
  take();
  std::string_view key;
  while (state_->frames.size() > outside) {
    const bool more = state_->frames.back().is_object ? next_field(key) : next_element();
    if (more) take();
  }
}

std::string_view PullReader::raw() {
  const char* const first = state_->token().data();
  const bool scalar = kind() != PullKind::kArray && kind() != PullKind::kObject;
  if (scalar) {
    const std::string_view token = trimmed(state_->token());
    skip();
    return token;
  }
  skip();
  const char* last = nullptr;
  state_->check(state_->document.current_location().get(last));
  return trimmed({first, static_cast<std::size_t>(last - first)});
}

void PullReader::finish() {
  if (state_->pending) skip();
  if (state_->frames.size() != 1)
    State::fail("a list or object was not read to its end", state_->offset());
  if (state_->step()) State::fail("more than one value", state_->offset());
  const char* location = nullptr;
  if (state_->document.current_location().get(location) == simdjson::SUCCESS) {
    State::fail("unexpected text after the value", state_->within(location));
  }
}

std::size_t PullReader::position() const { return state_->offset(); }

}  // namespace slipway::json
