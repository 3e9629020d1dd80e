// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace slipway::json {

enum class PullKind { kNull, kBool, kNumber, kString, kArray, kObject };

// The word for a kind as a user would say it, as kind_name(Value) does.
std::string_view kind_name(PullKind kind);

// How deep lists and objects may stand in each other unless the caller says otherwise, and at most.
inline constexpr int kPullDepthDefault = 64;
inline constexpr int kPullDepthMax = 512;

// Reads one JSON text from front to back without building a tree: ten times quicker than parse() on
// tensors. Over simdjson's on-demand parser; the text is checked to be UTF-8 at once and to be JSON
// as it is read (what is skipped is checked too). Beyond JSON it takes the bare tokens NaN,
// Infinity and -Infinity as numbers, as Python's json writes them. Duplicate keys are the caller's
// to notice: they come twice.
//
//   PullReader reader(text);
//   reader.enter_object();
//   for (std::string_view key; reader.next_field(key);) {
//     if (key == "shape") { reader.enter_array(); while (reader.next_element())
//     shape.push_back(reader.integer()); } else reader.skip();
//   }
//   reader.finish();
//
// There is always at most one current value: the whole text at first, then the one that
// next_field() or next_element() moved to. It is read, entered or skipped once; one left alone is
// skipped by the next move. next_* returns false at the closing bracket and leaves the list or
// object.
//
// Every fault throws kInvalidArgument: "not valid JSON: … at byte N", or "expected a number at byte
// N, found a text". One thread at a time; memory is kept per thread and used again for texts up to
// 1 MiB.
class PullReader {
 public:
  // The text is copied. depth_max in 1 … kPullDepthMax.
  explicit PullReader(std::string_view text, int depth_max = kPullDepthDefault);
  ~PullReader();
  PullReader(const PullReader&) = delete;
  PullReader& operator=(const PullReader&) = delete;

  PullKind kind();  // of the current value, by its first byte

  void enter_object();
  bool next_field(std::string_view& key);  // key: unescaped, valid as long as the reader
  void enter_array();
  bool next_element();

  bool boolean();
  double number();                   // any number, rounded to the nearest double; 1e999 is refused
  std::int64_t integer();            // exactly: no fraction, no exponent, within 64 bits signed
  std::uint64_t unsigned_integer();  // likewise, within 64 bits unsigned
  bool is_integer();  // the current value is a number without '.', 'e', NaN or Infinity; does not
                      // read it
  std::string_view text();  // a string, unescaped; valid as long as the reader
  void null();
  void skip();
  std::string_view
  raw();  // skips the value and returns its bytes as sent; valid as long as the reader

  // Throws unless everything was left again and nothing but blanks follows.
  void finish();

  std::size_t position() const;  // byte offset of the current value in the text, for messages

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace slipway::json
