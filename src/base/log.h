// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace slipway::log {

// The program's own log: one JSON object a line on stderr, {"time","level","message",…fields}.
// Thread-safe. Never for what a command prints to its user (that is the CLI's), and never a secret
// or a request's payload.
enum class Level { kDebug, kInfo, kWarning, kError, kOff };

void set_level(Level level);
// Off until a server starts, so that the other commands stay quiet.

using Fields = std::initializer_list<std::pair<std::string_view, std::string>>;

void debug(std::string_view message, Fields fields = {});
void info(std::string_view message, Fields fields = {});
void warning(std::string_view message, Fields fields = {});
void error(std::string_view message, Fields fields = {});

}  // namespace slipway::log
