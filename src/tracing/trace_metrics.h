// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tracing/trace.h"
#include "tracking/session.h"

namespace slipway::tracing {

// Sums over many traces, spans or assessments, as MLflow's overview draws them.
enum class MetricView { kTraces, kSpans, kAssessments };
enum class Aggregation { kCount, kSum, kAverage, kPercentile, kMinimum, kMaximum };
std::string_view view_word(MetricView view);                 // "TRACES"
std::string_view aggregation_word(Aggregation aggregation);  // "COUNT"

struct MetricAggregation {
  Aggregation aggregation = Aggregation::kCount;
  double percentile = 0;  // of kPercentile: 0 to 100, interpolated (type 7 of Hyndman and Fan)
};

struct MetricQuery {
  std::vector<std::int64_t> experiment_ids;
  MetricView view = MetricView::kTraces;
  std::string metric_name;
  std::vector<MetricAggregation> aggregations;
  std::vector<std::string> dimensions;
  std::vector<std::string> filters;  // one comparison each: "trace.tag.k = 'v'"
  std::optional<std::int64_t> interval_s;
  std::optional<std::int64_t> start_ms;  // both ends count
  std::optional<std::int64_t> end_ms;
  std::int64_t limit = kMetricPointsMax;

  static constexpr std::int64_t kMetricPointsMax = 1'000;
};

struct MetricPoint {
  Pairs dimensions;                                    // a "time_bucket" first where asked for
  std::vector<std::pair<std::string, double>> values;  // "SUM", "P99.5" …
  bool operator==(const MetricPoint&) const = default;
};

// One point a group, by time and dimensions; a group without values has none. Throws
// kInvalidArgument in MLflow's words for what this view does not have.
//   source  MLflow 3.17.2 store/tracking/utils/sql_trace_metrics_utils.py, as asked
std::vector<MetricPoint> query_metrics(storage::Session& session, const MetricQuery& query);

// How two filters go together: normalised pointwise mutual information, −1 (never) to 1 (always),
// nullopt where it is not defined; smoothed with Jeffreys' prior.
struct FilterCorrelation {
  std::int64_t total = 0;
  std::int64_t first = 0;
  std::int64_t second = 0;
  std::int64_t joint = 0;
  std::optional<double> npmi;
  std::optional<double> npmi_smoothed;
};
// `base` narrows the traces that are looked at; "" = all of the experiments.
//   source  Bouma (2009), "Normalized (Pointwise) Mutual Information in Collocation Extraction"
FilterCorrelation correlate_filters(storage::Session& session,
                                    const std::vector<std::int64_t>& experiment_ids,
                                    const std::string& first, const std::string& second,
                                    const std::string& base);

// The formula alone: of the four counts of a 2 × 2 table (both, first alone, second alone,
// neither).
std::optional<double> npmi(double both, double first_only, double second_only, double neither,
                           double smoothing);

}  // namespace slipway::tracing
