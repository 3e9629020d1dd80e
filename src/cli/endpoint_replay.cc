// SPDX-License-Identifier: Apache-2.0
// `slipway endpoint replay`: a recorded year in minutes. Requests go out one after the other in the
// order of the file, so that the request numbers, and with them the arms of a rollout, are the same
// on any machine.
#include <cerrno>
#include <deque>
#include <filesystem>
#include <fstream>
#include <ostream>

#include "base/clock.h"
#include "base/error.h"
#include "cli/client.h"
#include "cli/noun.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/verbs.h"
#include "net/url.h"

namespace slipway::cli {
namespace {

constexpr std::int64_t kSettleTimeoutDefaultS = 1'800;
constexpr std::int64_t kSettleTimeoutMaxS = 86'400;
constexpr std::size_t kLineBytesMax = 1U << 20;

struct Line {
  std::string id;
  TimeUs event_time = 0;
  json::Object inputs;
  json::Value label;  // null: never known
  TimeUs label_time = 0;
};

struct WaitingLabel {
  std::string prediction;
  TimeUs due = 0;
  json::Value value;
};

struct Totals {
  std::int64_t requests = 0;
  std::int64_t refused = 0;
  std::int64_t labels = 0;
  std::int64_t days = 0;
};

TimeUs day_of(TimeUs time) {
  return time - ((time % kMicrosPerDay) + kMicrosPerDay) % kMicrosPerDay;
}

TimeUs time_member(const json::Value& line, std::string_view key, const std::string& where) {
  const json::Value* const text = line.find(key);
  const auto time =
      text != nullptr && text->is_string() ? parse_time(text->as_string()) : std::nullopt;
  if (!time)
    throw Error(Code::kInvalidArgument,
                where + ": `" + std::string(key) + "` must be a time such as 2013-03-01T05:15:00Z");
  return *time;
}

Line parse_line(const std::string& text, const std::string& where) {
  if (text.size() > kLineBytesMax)
    throw Error(Code::kInvalidArgument, where + ": longer than 1 MiB");
  json::Value value;
  try {
    value = json::parse(text, {.bare_non_finite = true});
  } catch (const Error& error) {
    throw Error(Code::kInvalidArgument, where + ": " + error.what());
  }
  Line line;
  line.event_time = time_member(value, "event_time", where);
  const json::Value* const inputs = value.find("inputs");
  if (inputs == nullptr || !inputs->is_object())
    throw Error(Code::kInvalidArgument, where + ": `inputs` must be an object of columns");
  line.inputs = inputs->as_object();
  line.id = text_at(value, "id");
  if (const json::Value* const label = value.find("label"); label != nullptr && !label->is_null()) {
    line.label = *label;
    line.label_time = time_member(value, "label_time", where);
  }
  return line;
}

std::string parameter_time(const Arguments& arguments, std::string_view key) {
  const auto text = arguments.text(key);
  if (text && !parse_time(*text))
    throw Error(Code::kInvalidArgument,
                "`--" + std::string(key) + " " + *text + "` is no date or time");
  return text.value_or("");
}

// Drives one replay: what was sent, which labels wait for their day.
class Replay {
 public:
  Replay(Client& client, std::string endpoint, int settle_timeout_s)
      : client_(client), endpoint_(std::move(endpoint)), settle_timeout_s_(settle_timeout_s) {}

  void send(const Line& line);
  void end_day(
      TimeUs day);  // labels that became known in it, the watermark, and all that these caused
  bool labels_wait() const { return !waiting_.empty(); }
  const Totals& totals() const { return totals_; }

 private:
  void post_labels(TimeUs before);

  Client& client_;
  const std::string endpoint_;
  const int settle_timeout_s_;
  std::deque<WaitingLabel> waiting_;
  Totals totals_;
};

void Replay::send(const Line& line) {
  json::Array columns;
  json::Array row;
  for (const json::Member& member : line.inputs) {
    columns.emplace_back(member.first);
    row.push_back(member.second);
  }
  const json::Value body = json::Object{
      {"dataframe_split", json::Object{{"columns", columns}, {"data", json::Array{row}}}}};
  const net::HttpResponse answer =
      client_.send("POST", "/endpoints/" + net::percent_encode(endpoint_) + "/invocations",
                   {{"Content-Type", "application/json"},
                    {"X-Slipway-Event-Time", format_time(line.event_time)},
                    {"X-Slipway-Request-Id", line.id}},
                   json::write(body, {.bare_non_finite = true}));
  ++totals_.requests;
  if (answer.status != 200) {
    // A request that the model refuses is part of the story, unless nothing is served at all.
    if (++totals_.refused == totals_.requests) {
      throw Error(Code::kFailedPrecondition,
                  "endpoint `" + endpoint_ + "` answered " + std::to_string(answer.status) + ": " +
                      answer.body.substr(0, 300),
                  "slipway endpoint show " + endpoint_);
    }
    return;
  }
  if (line.label.is_null()) return;
  const auto prediction = answer.header("X-Slipway-Prediction-Id");
  if (!prediction)
    throw Error(Code::kInternal,
                "the server's answer names no prediction: is it a Slipway server?");
  waiting_.push_back({std::string(*prediction), line.label_time, line.label});
}

void Replay::post_labels(TimeUs before) {
  std::string lines;
  std::deque<WaitingLabel> later;
  for (const WaitingLabel& label : waiting_) {
    if (label.due >= before) {
      later.push_back(label);
      continue;
    }
    lines += json::write(json::Object{{"prediction", label.prediction},
                                      {"value", label.value},
                                      {"event_time", format_time(label.due)},
                                      {"source", "replay"}});
    lines += '\n';
    ++totals_.labels;
  }
  waiting_ = std::move(later);
  if (!lines.empty())
    client_.post_text(api_path("/endpoints/{}/labels", {endpoint_}), "application/x-ndjson", lines);
}

void Replay::end_day(TimeUs day) {
  const TimeUs end = day + kMicrosPerDay;
  post_labels(end);
  client_.post(api_path("/endpoints/{}/watermark", {endpoint_}),
               json::Object{{"event_time", format_time(end)}});
  const json::Value settled = client_.post(api_path("/endpoints/{}/settle", {endpoint_}),
                                           json::Object{{"timeout_s", settle_timeout_s_}},
                                           (settle_timeout_s_ + 30) * 1'000);
  if (const json::Value* const done = settled.find("settled");
      done != nullptr && done->is_bool() && !done->as_bool()) {
    throw Error(Code::kDeadlineExceeded,
                "the server did not finish what " + format_time(day).substr(0, 10) +
                    " caused within " + std::to_string(settle_timeout_s_) + " s",
                "slipway trigger list");
  }
  ++totals_.days;
}

std::ifstream open_lines(const std::string& file) {
  std::error_code fault;
  if (std::filesystem::is_directory(file, fault))
    throw Error(Code::kInvalidArgument, "`" + file + "` is a folder, not a file of JSON lines");
  std::ifstream stream(file);
  if (!stream) throw errno_error(errno, "cannot open `" + file + "`");
  return stream;
}

void report(const Totals& totals, Progress& progress, Context& context) {
  progress.finish("replayed " + std::to_string(totals.days) + " days: " +
                  std::to_string(totals.requests) + " requests, " + std::to_string(totals.refused) +
                  " refused, " + std::to_string(totals.labels) + " labels");
  if (!context.json) return;
  print_json(context, json::Object{{"days", totals.days},
                                   {"requests", totals.requests},
                                   {"refused", totals.refused},
                                   {"labels", totals.labels}});
}

}  // namespace

int endpoint_replay(const Arguments& arguments, Context& context) {
  const std::string file = *arguments.text("FILE");
  std::ifstream stream = open_lines(file);
  const std::string from = parameter_time(arguments, "from");
  const std::string until = parameter_time(arguments, "until");
  const auto settle_timeout_s = static_cast<int>(
      arguments.integer("settle-timeout", 1, kSettleTimeoutMaxS).value_or(kSettleTimeoutDefaultS));
  const std::string endpoint = *arguments.text("endpoint");
  Client client;
  get_one(client, kEndpoints, endpoint);  // before a day of it was sent anywhere
  Replay replay(client, endpoint, settle_timeout_s);
  Progress progress(context.err, context.err_is_terminal);

  TimeUs day = 0;
  TimeUs last = 0;
  std::int64_t number = 0;
  for (std::string text; std::getline(stream, text);) {
    ++number;
    if (text.empty()) continue;
    const std::string where = file + ":" + std::to_string(number);
    const Line line = parse_line(text, where);
    if (line.event_time < last)
      throw Error(Code::kInvalidArgument, where + ": event times go backwards",
                  "sort the file by event_time");
    last = line.event_time;
    if (!from.empty() && line.event_time < *parse_time(from)) continue;
    if (!until.empty() && line.event_time >= *parse_time(until)) break;
    if (day == 0) day = day_of(line.event_time);
    for (; line.event_time >= day + kMicrosPerDay; day += kMicrosPerDay) {
      replay.end_day(day);
      progress.update(format_time(day).substr(0, 10) + ": " +
                      std::to_string(replay.totals().requests) + " requests, " +
                      std::to_string(replay.totals().labels) + " labels");
    }
    replay.send(line);
  }
  if (replay.totals().requests == 0)
    throw Error(Code::kInvalidArgument, "`" + file + "` holds no request in that range of days");
  replay.end_day(day);
  for (int extra = 0; replay.labels_wait() && extra < 366; ++extra)
    replay.end_day(day += kMicrosPerDay);
  report(replay.totals(), progress, context);
  return kDone;
}

}  // namespace slipway::cli
