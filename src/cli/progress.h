// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <iosfwd>
#include <string>

namespace slipway::cli {

// How far a long command is, on stderr: on a terminal one line that is written over, at most ten
// times a second; else a plain line every ten seconds. One thread.
class Progress {
 public:
  Progress(std::ostream& err, bool terminal);

  void update(const std::string& line);  // where it is now
  void finish(const std::string& line);  // the last word, with the time it took

 private:
  std::ostream& err_;
  const bool terminal_;
  const std::chrono::steady_clock::time_point started_;
  std::chrono::steady_clock::time_point shown_;
};

}  // namespace slipway::cli
