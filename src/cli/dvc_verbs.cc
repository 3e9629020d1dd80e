// SPDX-License-Identifier: Apache-2.0
#include "cli/dvc_verbs.h"

#include <atomic>
#include <csignal>
#include <ostream>

#include "base/error.h"

namespace slipway::cli {
namespace {

// The one thing that a signal handler may touch.
std::atomic<bool> interruption_seen{false};

extern "C" void note_interruption(int) { interruption_seen = true; }

bool is_outside(const Error& error) {
  return error.code() == Code::kNotFound &&
         std::string_view(error.what()).starts_with("you are not inside of a DVC repository");
}

}  // namespace

int dvc_edge(Context& context, int code, const std::string& prefix,
             const std::function<int()>& verb) {
  try {
    return verb();
  } catch (const Error& error) {
    const bool outside = is_outside(error);
    context.err << "ERROR: " << (outside ? "" : prefix) << error.what() << '\n';
    if (!error.hint().empty()) context.err << "hint: " << error.hint() << '\n';
    if (interrupted()) return kDvcInterrupted;
    return outside ? kDvcNoRepository : code;
  }
}

DvcLines dvc_lines(Context& context, bool quiet) {
  DvcLines lines;
  lines.info = [&context, quiet](const std::string& line) {
    if (!quiet)
      context.out << line
                  << std::endl;  // flushed: a command's own output follows on the same stream
  };
  lines.warning = [&context, quiet](const std::string& line) {
    if (!quiet) context.err << "WARNING: " << line << std::endl;
  };
  return lines;
}

void interruptions_begin() {
  struct sigaction action {};
  action.sa_handler = note_interruption;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

bool interrupted() { return interruption_seen; }

}  // namespace slipway::cli
