// SPDX-License-Identifier: Apache-2.0
#include "cli/progress.h"

#include <cstdio>
#include <ostream>

#include "cli/environment.h"

namespace slipway::cli {
namespace {

constexpr std::chrono::milliseconds kTerminalPause{100};
constexpr std::chrono::seconds kPlainPause{10};

bool in_ci() { return !environment("CI").empty(); }

}  // namespace

Progress::Progress(std::ostream& err, bool terminal)
    : err_(err),
      terminal_(terminal && !in_ci()),
      started_(std::chrono::steady_clock::now()),
      shown_(started_) {}

void Progress::update(const std::string& line) {
  const auto now = std::chrono::steady_clock::now();
  if (now - shown_ < (terminal_ ? std::chrono::milliseconds(kTerminalPause)
                                : std::chrono::milliseconds(kPlainPause)))
    return;
  shown_ = now;
  if (terminal_)
    err_ << "\r\x1b[K" << line << std::flush;
  else
    err_ << line << std::endl;
}

void Progress::finish(const std::string& line) {
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count();
  char time[32];
  std::snprintf(time, sizeof time, " in %.1f s", seconds);
  err_ << (terminal_ ? "\r\x1b[K" : "") << line << time << std::endl;
}

}  // namespace slipway::cli
