// SPDX-License-Identifier: Apache-2.0
#include "tracing/trace_metrics.h"

#include <algorithm>
#include <cmath>
#include <span>

#include "base/clock.h"
#include "base/error.h"
#include "tracing/python_json.h"
#include "tracing/trace_metric_filter.h"
#include "tracking/search_message.h"

namespace slipway::tracing {
namespace {

using tracking::SearchSql;
using Names = std::span<const std::string_view>;

struct Dimension {
  std::string_view name;
  std::string_view column;
};
struct Metric {
  std::string_view name;
  std::string_view column;  // of the value that is aggregated
  std::span<const Aggregation> aggregations;
  std::span<const Dimension> dimensions;
};

constexpr Aggregation kCountOnly[] = {Aggregation::kCount};
constexpr Aggregation kNoSum[] = {Aggregation::kAverage, Aggregation::kMaximum,
                                  Aggregation::kMinimum, Aggregation::kPercentile};
constexpr Aggregation kAll[] = {Aggregation::kAverage, Aggregation::kMaximum, Aggregation::kMinimum,
                                Aggregation::kPercentile, Aggregation::kSum};

constexpr Dimension kTraceName[] = {{"trace_name", "t.name"}};
constexpr Dimension kTraceNameAndState[] = {{"trace_name", "t.name"}, {"trace_status", "t.state"}};
constexpr Dimension kSpanAll[] = {{"span_model_name", "s.model"},
                                  {"span_model_provider", "s.provider"},
                                  {"span_name", "s.name"},
                                  {"span_status", "s.status"},
                                  {"span_type", "s.type"}};
constexpr Dimension kSpanModel[] = {{"span_model_name", "s.model"},
                                    {"span_model_provider", "s.provider"}};
constexpr Dimension kSpanNameAndStatus[] = {{"span_name", "s.name"}, {"span_status", "s.status"}};
constexpr Dimension kAssessmentBoth[] = {{"assessment_name", "a.name"},
                                         {"assessment_value", "a.value"}};
constexpr Dimension kAssessmentName[] = {{"assessment_name", "a.name"}};

constexpr Metric kTraceMetrics[] = {
    {"trace_count", "1", kCountOnly, kTraceNameAndState},
    {"session_count", "t.session", kCountOnly, {}},
    {"latency", "t.duration_ms", kNoSum, kTraceName},
    {"input_tokens", "t.input_tokens", kAll, kTraceName},
    {"output_tokens", "t.output_tokens", kAll, kTraceName},
    {"total_tokens", "t.total_tokens", kAll, kTraceName},
    {"cache_read_input_tokens", "t.cache_read_input_tokens", kAll, kTraceName},
    {"cache_creation_input_tokens", "t.cache_creation_input_tokens", kAll, kTraceName}};
constexpr Metric kSpanMetrics[] = {
    {"span_count", "1", kCountOnly, kSpanAll},
    {"latency", "((s.end_ns - s.start_ns) / 1000000)", kNoSum, kSpanNameAndStatus},
    {"input_cost", "s.input_cost", kAll, kSpanModel},
    {"output_cost", "s.output_cost", kAll, kSpanModel},
    {"total_cost", "s.total_cost", kAll, kSpanModel}};
constexpr Metric kAssessmentMetrics[] = {{"assessment_count", "1", kCountOnly, kAssessmentBoth},
                                         {"assessment_value", "a.number", kNoSum, kAssessmentName}};

[[noreturn]] void refuse(const std::string& message) {
  throw Error(Code::kInvalidArgument, message);
}

std::string python_list(const std::vector<std::string_view>& names) {
  std::string list = tracking::python_set(names);
  list.front() = '[';
  list.back() = ']';
  return list;
}

std::span<const Metric> metrics_of(MetricView view) {
  switch (view) {
    case MetricView::kTraces: return kTraceMetrics;
    case MetricView::kSpans: return kSpanMetrics;
    case MetricView::kAssessments: return kAssessmentMetrics;
  }
  return {};
}

const Metric& find_metric(const MetricQuery& query) {
  std::vector<std::string_view> names;
  for (const Metric& metric : metrics_of(query.view)) {
    if (metric.name == query.metric_name) return metric;
    names.push_back(metric.name);
  }
  refuse("metric_name must be one of " + python_list(names) + ", got '" + query.metric_name + "'");
}

void check_aggregations(const MetricQuery& query, const Metric& metric) {
  std::vector<std::string_view> wrong;
  for (const MetricAggregation& asked : query.aggregations) {
    if (std::find(metric.aggregations.begin(), metric.aggregations.end(), asked.aggregation) ==
        metric.aggregations.end())
      wrong.push_back(aggregation_word(asked.aggregation));
  }
  if (wrong.empty()) return;
  std::sort(wrong.begin(), wrong.end());
  wrong.erase(std::unique(wrong.begin(), wrong.end()), wrong.end());
  std::vector<std::string_view> known;
  for (const Aggregation aggregation : metric.aggregations)
    known.push_back(aggregation_word(aggregation));
  refuse("Found invalid aggregation_type(s): " + python_list(wrong) +
         ". Supported aggregation types: " + python_list(known));
}

std::vector<Dimension> find_dimensions(const MetricQuery& query, const Metric& metric) {
  std::vector<Dimension> found;
  std::vector<std::string_view> wrong;
  for (const std::string& name : query.dimensions) {
    const auto known = std::find_if(metric.dimensions.begin(), metric.dimensions.end(),
                                    [&](const Dimension& d) { return d.name == name; });
    if (known == metric.dimensions.end()) {
      wrong.push_back(name);
    } else {
      found.push_back(*known);
    }
  }
  if (wrong.empty()) return found;
  std::sort(wrong.begin(), wrong.end());
  std::vector<std::string_view> known;
  for (const Dimension& dimension : metric.dimensions) known.push_back(dimension.name);
  refuse("Found invalid dimension(s): " + python_list(wrong) +
         ". Supported dimensions: " + python_list(known));
}

std::string_view from_clause(MetricView view) {
  switch (view) {
    case MetricView::kTraces: return "trace t";
    case MetricView::kSpans: return "trace t JOIN span s ON s.trace = t.id";
    case MetricView::kAssessments:
      return "trace t JOIN assessment a ON a.trace = t.id AND a.valid = 1";
  }
  return "";
}

// Costs count by when their span began, all else by when the trace did; buckets of spans by the
// span.
std::string bound_column(const MetricQuery& query) {
  const bool cost = query.view == MetricView::kSpans && query.metric_name.ends_with("_cost");
  return cost ? "(s.start_ns / 1000000)" : "t.request_time_ms";
}

// The start of a bucket, also before 1970.
std::string bucket_of(const MetricQuery& query, SearchSql& sql) {
  const std::string time =
      query.view == MetricView::kSpans ? "(s.start_ns / 1000000)" : "t.request_time_ms";
  const std::string size = sql.bind(*query.interval_s * 1'000);
  return "(" + time + " - ((" + time + " % " + size + " + " + size + ") % " + size + "))";
}

std::string bucket_text(std::int64_t ms) {
  std::string text = format_time(us_of_ms(ms));
  text.resize(std::string_view("2024-05-06T07:08:09").size());
  return text + "+00:00";
}

// What is known of one group; its values come in their order.
class Group {
 public:
  explicit Group(const MetricQuery& query) : query_(&query) {
    keeps_ = std::any_of(query.aggregations.begin(), query.aggregations.end(),
                         [](const auto& a) { return a.aggregation == Aggregation::kPercentile; });
  }

  void add(double value) {
    if (count_ == 0) minimum_ = value;
    maximum_ = value;
    sum_ += value;
    ++count_;
    if (keeps_) values_.push_back(value);
  }
  void count_one() { ++count_; }

  std::vector<std::pair<std::string, double>> values() const {
    std::vector<std::pair<std::string, double>> all;
    for (const MetricAggregation& asked : query_->aggregations) {
      if (count_ == 0 && asked.aggregation != Aggregation::kCount) continue;
      all.emplace_back(name_of(asked), value_of(asked));
    }
    return all;
  }

 private:
  static std::string name_of(const MetricAggregation& asked) {
    if (asked.aggregation != Aggregation::kPercentile)
      return std::string(aggregation_word(asked.aggregation));
    std::string name = "P";
    append_python_number(name, asked.percentile);
    return name;
  }

  double value_of(const MetricAggregation& asked) const {
    switch (asked.aggregation) {
      case Aggregation::kCount: return static_cast<double>(count_);
      case Aggregation::kSum: return sum_;
      case Aggregation::kAverage: return sum_ / static_cast<double>(count_);
      case Aggregation::kMinimum: return minimum_;
      case Aggregation::kMaximum: return maximum_;
      case Aggregation::kPercentile: return percentile(asked.percentile);
    }
    return 0;
  }

  double percentile(double percent) const {
    const double place = percent / 100 * static_cast<double>(values_.size() - 1);
    const auto below = static_cast<std::size_t>(std::floor(place));
    const std::size_t above = std::min(below + 1, values_.size() - 1);
    const double rest = place - std::floor(place);
    return values_[below] + (values_[above] - values_[below]) * rest;
  }

  const MetricQuery* query_;
  bool keeps_ = false;
  std::int64_t count_ = 0;
  double sum_ = 0;
  double minimum_ = 0;
  double maximum_ = 0;
  std::vector<double> values_;
};

// Rows of groups in order: dimensions, then the value.
SearchSql build(const MetricQuery& query, const Metric& metric,
                const std::vector<Dimension>& dimensions) {
  SearchSql sql;
  std::string columns;
  if (query.interval_s) columns += bucket_of(query, sql) + ", ";
  std::string present;
  for (const Dimension& dimension : dimensions) {
    columns += std::string(dimension.column) + ", ";
    present += " AND " + std::string(dimension.column) + " IS NOT NULL";
  }
  columns += metric.column;
  sql.text = "SELECT " + columns + " FROM " + std::string(from_clause(query.view)) +
             " WHERE 1 = 1" + metric_conditions(sql, query) + present;
  if (metric.column != "1") sql.text += " AND " + std::string(metric.column) + " IS NOT NULL";
  if (query.start_ms)
    sql.text += " AND " + bound_column(query) + " >= " + sql.bind(*query.start_ms);
  if (query.end_ms) sql.text += " AND " + bound_column(query) + " <= " + sql.bind(*query.end_ms);
  const std::size_t places = dimensions.size() + (query.interval_s ? 1 : 0);
  std::string order;
  for (std::size_t i = 1; i <= places; ++i) order += std::to_string(i) + ", ";
  if (metric.column != "1") order += std::to_string(places + 1) + ", ";
  if (!order.empty()) sql.text += " ORDER BY " + order.substr(0, order.size() - 2);
  return sql;
}

Pairs dimensions_of(const storage::Statement& row, const MetricQuery& query,
                    const std::vector<Dimension>& dimensions) {
  Pairs pairs;
  int column = 0;
  if (query.interval_s) pairs.emplace_back("time_bucket", bucket_text(row.int64(column++)));
  for (const Dimension& dimension : dimensions)
    pairs.emplace_back(dimension.name, row.text(column++));
  return pairs;
}

void check_query(const MetricQuery& query) {
  if (query.interval_s && !(query.start_ms && query.end_ms))
    refuse("start_time_ms and end_time_ms are required if time_interval_seconds is set");
  if (query.interval_s && (*query.interval_s < 1 || *query.interval_s > INT64_MAX / 1'000'000))
    refuse("time_interval_seconds must be positive, got " + std::to_string(*query.interval_s));
}

}  // namespace

std::string_view view_word(MetricView view) {
  switch (view) {
    case MetricView::kTraces: return "TRACES";
    case MetricView::kSpans: return "SPANS";
    case MetricView::kAssessments: return "ASSESSMENTS";
  }
  return "";
}

std::string_view aggregation_word(Aggregation aggregation) {
  switch (aggregation) {
    case Aggregation::kCount: return "COUNT";
    case Aggregation::kSum: return "SUM";
    case Aggregation::kAverage: return "AVG";
    case Aggregation::kPercentile: return "PERCENTILE";
    case Aggregation::kMinimum: return "MIN";
    case Aggregation::kMaximum: return "MAX";
  }
  return "";
}

std::vector<MetricPoint> query_metrics(storage::Session& session, const MetricQuery& query) {
  const Metric& metric = find_metric(query);
  check_aggregations(query, metric);
  const std::vector<Dimension> dimensions = find_dimensions(query, metric);
  check_query(query);
  const SearchSql sql = build(query, metric, dimensions);
  const int value = static_cast<int>(dimensions.size()) + (query.interval_s ? 1 : 0);
  const bool distinct = query.metric_name == "session_count";
  std::vector<MetricPoint> points;
  std::optional<Pairs> current;
  if (value == 0) current.emplace();  // one group of all
  Group group(query);
  std::string last;
  const auto close = [&] {
    MetricPoint point{*current, group.values()};
    if (!point.values.empty()) points.push_back(std::move(point));
  };
  auto rows = sql.open(session);
  while (static_cast<std::int64_t>(points.size()) < query.limit && rows.step()) {
    Pairs pairs = dimensions_of(rows, query, dimensions);
    if (current != pairs) {
      if (current) close();
      current = std::move(pairs);
      group = Group(query);
      last.clear();
    }
    if (!distinct) {
      group.add(rows.real(value));
    } else if (last.empty() || rows.text_view(value) != last) {
      last = rows.text(value);
      group.count_one();
    }
  }
  if (current && static_cast<std::int64_t>(points.size()) < query.limit) close();
  return points;
}

}  // namespace slipway::tracing
