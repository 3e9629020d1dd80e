// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <limits>

#include "api/mlflow/run_writer.h"
#include "api/mlflow/tracking_routes.h"
#include "api/mlflow/wire.h"
#include "base/error.h"
#include "tracking/metric_history.h"

namespace slipway::api::mlflow {
namespace {

constexpr std::int64_t kHistoryPageMax = 1'000'000;
constexpr std::int64_t kBulkPointsMax = 25'000;
constexpr std::int64_t kIntervalPointsMax = 2'500;
constexpr std::size_t kBulkRunsMax = 100;

[[noreturn]] void refuse(const std::string& message) {
  throw Error(Code::kInvalidArgument, message);
}

http::Response text_answer(std::string body) {
  http::Response response;
  response.body = std::move(body);
  return response;
}

// A history that is too long for one piece. Each piece is a read of its own, so that a slow client
// holds neither memory nor a reader of the store; the token of a piece is where the next one goes
// on, as it is between pages.
class HistoryStream {
 public:
  HistoryStream(storage::Database& database, std::string run_id, std::string key,
                std::int64_t limit)
      : database_(database),
        run_id_(std::move(run_id)),
        key_(std::move(key)),
        left_(limit),
        line_(key_),
        piece_points_(static_cast<std::int64_t>(kPieceBytesMax / line_.point_bytes_max())) {}

  // The first piece; true if there is more.
  bool start(storage::Session& session, std::string_view page_token) {
    page_ =
        tracking::read_history(session, run_id_, key_, std::min(left_, piece_points_), page_token);
    left_ -= static_cast<std::int64_t>(page_.points.size());
    return left_ > 0 && !page_.next_page_token.empty();
  }
  const tracking::HistoryPage& page() const { return page_; }

  bool operator()(std::string& out) {
    line_.add(page_.points, out);
    bool more = left_ > 0 && !page_.next_page_token.empty();
    if (more) {
      database_.read([this](storage::Session& session) { start(session, page_.next_page_token); });
      more = !page_.points.empty();
    }
    if (!more) line_.finish(page_.next_page_token, out);
    return more;
  }

 private:
  static constexpr std::size_t kPieceBytesMax = 1U << 20;  // as http::BodySource asks

  storage::Database& database_;
  std::string run_id_;
  std::string key_;
  std::int64_t left_;  // points that may follow those of page_
  PointLine line_;
  std::int64_t piece_points_;
  tracking::HistoryPage page_;  // not written yet
};

http::Response history(storage::Database& database, storage::Session& session,
                       const Parameters& parameters) {
  const std::string run_id = parameters.required_text("run_id");
  const std::string key = parameters.required_text("metric_key");
  const std::int64_t limit = parameters.maybe_int64("max_results").value_or(kHistoryPageMax);
  if (limit < 1) {
    refuse("Invalid value " + std::to_string(limit) +
           " for parameter 'max_results' supplied. It must be a positive integer.");
  }
  HistoryStream stream(database, run_id, key, std::min(limit, kHistoryPageMax));
  http::Response response;
  if (stream.start(session, parameters.text("page_token"))) {
    response.source = std::move(stream);
    return response;
  }
  PointWriter writer;
  for (const tracking::Point& point : stream.page().points) writer.add(key, point, "");
  response.body = std::move(writer).finish(stream.page().next_page_token);
  return response;
}

// Hand-written by MLflow's server too: one line, NaN as a bare token, members by name.
http::Response history_bulk(storage::Session& session, const Parameters& parameters) {
  std::vector<std::string> run_ids = parameters.texts("run_id");
  const std::string count = std::to_string(run_ids.size());
  if (run_ids.empty()) refuse("GetMetricHistoryBulk request must specify at least one run_id.");
  if (run_ids.size() > kBulkRunsMax) {
    refuse("GetMetricHistoryBulk request cannot specify more than " + std::to_string(kBulkRunsMax) +
           " run_ids. Received " + count + " run_ids.");
  }
  const auto key_given = parameters.maybe_text("metric_key");
  if (!key_given) refuse("GetMetricHistoryBulk request must specify a metric_key.");
  const std::string& key = *key_given;
  std::sort(run_ids.begin(), run_ids.end());  // not in the request's order
  std::int64_t room =
      std::min(parameters.max_results(kBulkPointsMax, std::numeric_limits<std::int64_t>::max()),
               kBulkPointsMax);
  json::Array metrics;
  for (const std::string& run_id : run_ids) {
    if (room == 0) break;
    for (const tracking::Point& point :
         tracking::read_history(session, run_id, key, room, "").points) {
      metrics.emplace_back(json::Object{{"key", key},
                                        {"run_id", run_id},
                                        {"step", point.step},
                                        {"timestamp", point.time_ms},
                                        {"value", point.value}});
      --room;
    }
  }
  return text_answer(
      json::write(json::Object{{"metrics", std::move(metrics)}}, {.bare_non_finite = true}));
}

http::Response history_interval(storage::Session& session, const Parameters& parameters) {
  const std::vector<std::string> run_ids = parameters.texts("run_ids");
  if (run_ids.size() > kBulkRunsMax) {
    refuse("GetMetricHistoryBulkInterval request must specify at most " +
           std::to_string(kBulkRunsMax) + " run_ids. Received " + std::to_string(run_ids.size()) +
           " run_ids." + std::string(kSeeDocs));
  }
  const std::string key = parameters.required_text("metric_key");
  const std::int64_t limit = parameters.maybe_int64("max_results").value_or(kIntervalPointsMax);
  if (limit < 1 || limit > kIntervalPointsMax) {
    refuse("max_results must be between 1 and " + std::to_string(kIntervalPointsMax) + "." +
           std::string(kSeeDocs));
  }
  const auto first = parameters.maybe_int64("start_step");
  const auto last = parameters.maybe_int64("end_step");
  if (first.has_value() != last.has_value()) {
    throw Error(Code::kInvalidArgument,
                "If either start step or end step are specified, both must be specified.");
  }
  std::optional<tracking::StepRange> steps;
  if (first) {
    if (*first > *last) {
      throw Error(Code::kInvalidArgument,
                  "end_step must be greater than start_step. Found start_step=" +
                      std::to_string(*first) + " and end_step=" + std::to_string(*last) + ".");
    }
    steps = tracking::StepRange{*first, *last};
  }
  PointWriter writer;
  for (const std::string& run_id : run_ids) {
    for (const tracking::Point& point :
         tracking::sample_history(session, run_id, key, steps, limit)) {
      writer.add(key, point, run_id);
    }
  }
  return text_answer(std::move(writer).finish(""));
}

}  // namespace

std::vector<http::Route> metric_routes(const Deps& deps) {
  Routes routes(deps.database);
  const auto add = [&routes](std::string_view path, const Access& access, const Fields& fields,
                             http::Response (*handler)(storage::Session&, const Parameters&),
                             const std::string& summary, Prefixes prefixes) {
    routes.read(
        http::Method::kGet, path, access, fields,
        [handler](storage::Session& session, const Parameters& parameters, const http::Request&) {
          return handler(session, parameters);
        },
        summary, prefixes);
  };
  routes.read(
      http::Method::kGet, "/mlflow/metrics/get-history", may::read(By::kRun),
      {field::required("run_id"), field::required("metric_key"), field::text("page_token")},
      [&database = deps.database](storage::Session& session, const Parameters& parameters,
                                  const http::Request&) {
        return history(database, session, parameters);
      },
      "All points of a metric, in pages", Prefixes::kBoth2);
  add("/mlflow/metrics/get-history-bulk", may::read(By::kRuns), {}, history_bulk,
      "Points of one metric in several runs", Prefixes::kAjax2);
  add("/mlflow/metrics/get-history-bulk-interval", may::read(By::kRuns),
      {field::required("run_ids", Field::Kind::kTexts), field::required("metric_key"),
       field::integer("start_step"), field::integer("end_step"), field::integer("max_results")},
      history_interval, "Evenly sampled points of one metric in several runs", Prefixes::kBoth2);
  return routes.take();
}

}  // namespace slipway::api::mlflow
