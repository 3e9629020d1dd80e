// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>

#include "cli/command.h"

// DVC's verbs on the repository of the working folder. Texts, exit codes and files are DVC 3's
// (docs/formats/dvc.md): each verb prints its own errors, since DVC's codes differ by verb, and
// returns the code.
namespace slipway::cli {

// DVC's exit codes that are not 0 or 1.
inline constexpr int kDvcInterrupted = 252;
inline constexpr int kDvcNoRepository = 253;
inline constexpr int kDvcFailed = 255;

// Runs a verb; an Error becomes "ERROR: " and its text on stderr, and `code` (253 outside of a
// repository).
//   prefix  put before the message: "failed to commit - "
int dvc_edge(Context& context, int code, const std::string& prefix,
             const std::function<int()>& verb);

// The lines that DVC prints at its normal level go to `out` (none when `quiet`), warnings to `err`.
struct DvcLines {
  std::function<void(const std::string&)> info;
  std::function<void(const std::string&)> warning;
};
DvcLines dvc_lines(Context& context, bool quiet);

// True once SIGINT or SIGTERM came, after interruptions_begin(): a running stage is ended then, and
// its record stays as it was.
void interruptions_begin();
bool interrupted();

}  // namespace slipway::cli
