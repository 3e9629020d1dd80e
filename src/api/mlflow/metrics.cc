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

void check_run_count(std::size_t count, const char* name) {
  if (count == 0) {
    throw Error(
        Code::kInvalidArgument,
        std::string("GetMetricHistoryBulk request must specify at least one ") + name + ".");
  }
  if (count > kBulkRunsMax) {
    throw Error(Code::kInvalidArgument, "GetMetricHistoryBulk request cannot specify more than " +
                                            std::to_string(kBulkRunsMax) + " " + name +
                                            "s. Received " + std::to_string(count) + " " + name +
                                            "s.");
  }
}

http::Response text_answer(std::string body) {
  http::Response response;
  response.body = std::move(body);
  return response;
}

http::Response history(storage::Session& session, const Parameters& parameters) {
  const std::string run_id = parameters.required_text("run_id");
  const std::string key = parameters.required_text("metric_key");
  const tracking::HistoryPage page = tracking::read_history(
      session, run_id, key, parameters.max_results(kHistoryPageMax, kHistoryPageMax),
      parameters.text("page_token"));
  PointWriter writer;
  for (const tracking::Point& point : page.points) writer.add(key, point, "");
  return text_answer(std::move(writer).finish(page.next_page_token));
}

// Hand-written by MLflow's server too: one line, NaN as a bare token, members by name.
http::Response history_bulk(storage::Session& session, const Parameters& parameters) {
  const std::vector<std::string> run_ids = parameters.texts("run_id");
  check_run_count(run_ids.size(), "run_id");
  const std::string key = parameters.required_text("metric_key");
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
  check_run_count(run_ids.size(), "run_id");
  const std::string key = parameters.required_text("metric_key");
  const std::int64_t limit = parameters.max_results(kIntervalPointsMax, kIntervalPointsMax);
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
  const auto add = [&routes](std::string_view path,
                             http::Response (*handler)(storage::Session&, const Parameters&),
                             std::string summary, Prefixes prefixes) {
    routes.read(
        http::Method::kGet, path,
        [handler](storage::Session& session, const Parameters& parameters, const http::Request&) {
          return handler(session, parameters);
        },
        std::move(summary), prefixes);
  };
  add("/mlflow/metrics/get-history", history, "All points of a metric, in pages", Prefixes::kBoth2);
  add("/mlflow/metrics/get-history-bulk", history_bulk, "Points of one metric in several runs",
      Prefixes::kAjax2);
  add("/mlflow/metrics/get-history-bulk-interval", history_interval,
      "Evenly sampled points of one metric in several runs", Prefixes::kBoth2);
  return routes.take();
}

}  // namespace slipway::api::mlflow
