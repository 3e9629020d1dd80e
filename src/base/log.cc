// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <atomic>
#include <memory>
#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>

#include "base/clock.h"
#include "base/file.h"

namespace slipway::log {
namespace {

std::atomic<Level> threshold{Level::kOff};

// The library's logger writes whole lines under its own lock, so that lines of two threads never
// mix. Made at the first line: a command that logs nothing does not pay for it.
spdlog::logger& sink() {
  static spdlog::logger logger = [] {
    spdlog::logger made("slipway", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made.set_pattern("%v");
    made.set_level(spdlog::level::trace);
    made.flush_on(spdlog::level::trace);
    return made;
  }();
  return logger;
}

std::string_view level_name(Level level) {
  switch (level) {
    case Level::kDebug: return "debug";
    case Level::kInfo: return "info";
    case Level::kWarning: return "warning";
    case Level::kError: return "error";
    case Level::kOff: break;
  }
  return "off";
}

// The text as a JSON string (RFC 8259 section 7). A text that is not UTF-8 loses its high bytes to
// U+FFFD: a log line is always one valid JSON document.
void append_json_string(std::string& out, std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  const bool utf8 = is_utf8(text);
  out += '"';
  for (const char character : text) {
    const auto byte = static_cast<unsigned char>(character);
    switch (character) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        if (byte < 0x20 || byte == 0x7f) {
          out += "\\u00";
          out += kHex[byte >> 4];
          out += kHex[byte & 15];
        } else if (byte >= 0x80 && !utf8) {
          out += "\\ufffd";
        } else {
          out += character;
        }
    }
  }
  out += '"';
}

void write(Level level, std::string_view message, Fields fields) {
  if (level < threshold.load(std::memory_order_relaxed)) return;
  std::string line = R"({"time":")";
  line += format_time(SystemClock().now());
  line += R"(","level":")";
  line += level_name(level);
  line += R"(","message":)";
  append_json_string(line, message);
  for (const auto& [name, value] : fields) {
    line += ',';
    append_json_string(line, name);
    line += ':';
    append_json_string(line, value);
  }
  line += '}';
  sink().log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace

void set_level(Level level) { threshold.store(level, std::memory_order_relaxed); }

void debug(std::string_view message, Fields fields) { write(Level::kDebug, message, fields); }
void info(std::string_view message, Fields fields) { write(Level::kInfo, message, fields); }
void warning(std::string_view message, Fields fields) { write(Level::kWarning, message, fields); }
void error(std::string_view message, Fields fields) { write(Level::kError, message, fields); }

}  // namespace slipway::log
