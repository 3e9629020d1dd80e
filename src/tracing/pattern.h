// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bitset>
#include <cstdint>
#include <string_view>
#include <vector>

namespace slipway::tracing {

// A regular expression as RLIKE takes it, matched in time proportional to pattern × text, whatever
// both are: a client's filter must not stop the server. The syntax is the part of Python's `re`
// that has no memory: literals, . [] [^] \d \D \w \W \s \S, ^ $, ( ) (?: ), |, and after an atom
// * + ? {n} {n,} {n,m}, also with a ? behind (which changes nothing about whether it matches).
// \w, \d and \s know ASCII; a "." is one UTF-8 character, never a line feed.
class Pattern {
 public:
  // Throws kInvalidArgument "Invalid regular expression '…': …" for anything else, and beyond the
  // limits below.
  explicit Pattern(std::string_view text);

  // Whether it matches anywhere in the text. Thread-safe.
  bool found_in(std::string_view text) const;

 private:
  friend class PatternParser;
  enum class Step : std::uint8_t { kBytes, kJump, kSplit, kBegin, kEnd, kMatch };
  struct Instruction {
    Step step = Step::kMatch;
    std::size_t next = 0;
    std::size_t other = 0;   // of kSplit
    std::bitset<256> bytes;  // of kBytes
  };
  void add(std::size_t at, bool begin, bool end, std::vector<std::size_t>& list,
           std::vector<bool>& seen) const;

  std::vector<Instruction> program_;
};

inline constexpr std::size_t kPatternBytesMax = 1'000;
inline constexpr std::size_t kPatternSteps = 5'000;  // after {n,m} is written out
inline constexpr int kPatternDepthMax = 50;

}  // namespace slipway::tracing
