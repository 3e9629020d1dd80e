// SPDX-License-Identifier: Apache-2.0
#include "api/slipway/series.h"

#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "api/slipway/access.h"
#include "api/slipway/errors.h"
#include "base/error.h"
#include "json/value.h"
#include "tracking/metric_history.h"

namespace slipway::api {
namespace {

constexpr std::int64_t kStepMost = std::int64_t{1} << 53;  // exact as a double
constexpr std::size_t kAlignment = 8;

static_assert(std::endian::native == std::endian::little,
              "columns are written as they lie in memory");

struct Question {
  std::vector<std::string> runs;
  std::string key;
  int pixels = kSeriesPixelsDefault;
  std::optional<tracking::StepRange> steps;
};

std::vector<std::string> split_runs(std::string_view text) {
  std::vector<std::string> runs;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    if (comma != 0) runs.emplace_back(text.substr(0, comma));
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
  }
  return runs;
}

Question parse_question(const http::Request& request) {
  Question question;
  question.runs = split_runs(query_text(request, "runs"));
  if (question.runs.empty())
    throw Error(Code::kInvalidArgument, "`runs` must name at least one run");
  if (question.runs.size() > kSeriesRunsMax)
    throw Error(Code::kInvalidArgument, "`runs` names " + std::to_string(question.runs.size()) +
                                            " runs; at most " + std::to_string(kSeriesRunsMax));
  question.key = query_text(request, "key");
  if (question.key.empty()) throw Error(Code::kInvalidArgument, "`key` must name a metric");
  question.pixels =
      static_cast<int>(query_integer(request, "px", kSeriesPixelsDefault, 1, tracking::kPixelsMax));
  const bool from = request.query_value("x0").has_value();
  const bool to = request.query_value("x1").has_value();
  if (from != to) throw Error(Code::kInvalidArgument, "`x0` and `x1` go together");
  if (from) {
    question.steps = tracking::StepRange{query_integer(request, "x0", 0, -kStepMost, kStepMost),
                                         query_integer(request, "x1", 0, -kStepMost, kStepMost)};
    if (question.steps->first > question.steps->last)
      throw Error(Code::kInvalidArgument, "`x0` must not be greater than `x1`");
  }
  return question;
}

void append_bytes(std::string& out, const void* from, std::size_t size) {
  const std::size_t end = out.size();
  out.resize(end + size);
  std::memcpy(out.data() + end, from, size);
}

void append_columns(std::string& out, const std::vector<tracking::Point>& points) {
  for (const tracking::Point& point : points) {
    const auto step = static_cast<double>(point.step);
    append_bytes(out, &step, sizeof step);
  }
  for (const tracking::Point& point : points) append_bytes(out, &point.value, sizeof point.value);
}

std::string encode(storage::Session& session, const Question& question) {
  json::Array list;
  std::string columns;
  for (const std::string& run : question.runs) {
    const auto points =
        tracking::series_m4(session, run, question.key, question.steps, question.pixels);
    list.emplace_back(json::Object{{"run", run},
                                   {"points", static_cast<std::int64_t>(points.size())},
                                   {"raw", tracking::count_points(session, run, question.key)}});
    append_columns(columns, points);
  }
  std::string header =
      json::write(json::Object{{"key", question.key}, {"series", std::move(list)}});
  while ((sizeof(std::uint32_t) + header.size()) % kAlignment != 0) header += ' ';
  std::string out;
  out.reserve(sizeof(std::uint32_t) + header.size() + columns.size());
  const auto size = static_cast<std::uint32_t>(header.size());
  append_bytes(out, &size, sizeof size);
  out += header;
  out += columns;
  return out;
}

}  // namespace

std::vector<http::Route> series_routes(SeriesDeps deps) {
  storage::Database& database = deps.database;
  std::vector<http::Route> routes;
  routes.push_back(http::route(
      http::Method::kGet, "/api/slipway/v1/series", kSeeOperations, http::Execution::kPool,
      [&database](const http::Request& request) {
        const Question question = parse_question(request);
        http::Response response;
        response.content_type = "application/octet-stream";
        response.headers = {{"Cache-Control", "no-cache"}};
        response.body = database.read_returning<std::string>(
            [&question](storage::Session& session) { return encode(session, question); });
        return response;
      },
      "a metric of some runs as binary columns for a chart"));
  return routes;
}

}  // namespace slipway::api
