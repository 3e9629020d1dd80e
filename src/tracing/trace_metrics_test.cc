// SPDX-License-Identifier: Apache-2.0
#include "tracing/trace_metrics.h"

#include "tracing/assessment_table.h"
#include "tracing/testing.h"

namespace slipway::tracing {
namespace {

constexpr MetricAggregation kCount{Aggregation::kCount, 0};
constexpr MetricAggregation kSum{Aggregation::kSum, 0};
constexpr MetricAggregation kAverage{Aggregation::kAverage, 0};
constexpr MetricAggregation kMedian{Aggregation::kPercentile, 50};

class TraceMetrics : public TracingTest {
 protected:
  // Four traces: 1 and 3 are "alpha", 2 is "beta", 4 has no name.
  void SetUp() override {
    add('1', 1'000, 1'500, "alpha", "s1", 7);
    add('2', 31'000, 500, "beta", "s1", 30);
    add('3', 65'000, 4'000, "alpha", "s2", 0);
    add('4', 66'000, 0, "", "", 0);
  }
  void add(char id, std::int64_t ms, std::int64_t duration, const char* name, const char* session,
           int tokens) {
    TraceInfo info = make_info(trace_id(id), ms);
    info.duration_ms.reset();
    if (duration != 0) info.duration_ms = duration;
    if (*name != '\0') info.tags = {{"mlflow.traceName", name}, {"k", name}};
    if (*session != '\0') info.metadata.emplace_back(kSessionKey, session);
    if (tokens != 0)
      info.metadata.emplace_back(kUsageKey, "{\"total_tokens\": " + std::to_string(tokens) + "}");
    start(info);
  }
  static MetricQuery ask(MetricView view, const char* name,
                         std::vector<MetricAggregation> aggregations,
                         std::vector<std::string> dimensions = {}) {
    MetricQuery query;
    query.experiment_ids = {0};
    query.view = view;
    query.metric_name = name;
    query.aggregations = std::move(aggregations);
    query.dimensions = std::move(dimensions);
    return query;
  }
  std::vector<MetricPoint> points(const MetricQuery& query) {
    return read<std::vector<MetricPoint>>(
        [&](storage::Session& session) { return query_metrics(session, query); });
  }
  std::string refused(const MetricQuery& query) {
    return refusal_of([&] { points(query); });
  }
  using Points = std::vector<MetricPoint>;
};

TEST_F(TraceMetrics, CountsAndSums) {
  EXPECT_EQ(points(ask(MetricView::kTraces, "trace_count", {kCount})),
            (Points{{{}, {{"COUNT", 4}}}}));
  EXPECT_EQ(points(ask(MetricView::kTraces, "session_count", {kCount})),
            (Points{{{}, {{"COUNT", 2}}}}));
  EXPECT_EQ(points(ask(MetricView::kTraces, "trace_count", {kCount}, {"trace_name"})),
            (Points{{{{"trace_name", "alpha"}}, {{"COUNT", 2}}},
                    {{{"trace_name", "beta"}}, {{"COUNT", 1}}}}));
  EXPECT_EQ(points(ask(MetricView::kTraces, "latency", {kAverage, kMedian})),
            (Points{{{}, {{"AVG", 2'000}, {"P50.0", 1'500}}}}));
  EXPECT_EQ(points(ask(MetricView::kTraces, "total_tokens", {kSum})),
            (Points{{{}, {{"SUM", 37}}}}));
  EXPECT_EQ(points(ask(MetricView::kTraces, "cache_read_input_tokens", {kSum})), Points{});
}

TEST_F(TraceMetrics, PercentilesLieBetweenValues) {
  MetricQuery query = ask(MetricView::kTraces, "latency", {{Aggregation::kPercentile, 99.5}});
  EXPECT_EQ(points(query), (Points{{{}, {{"P99.5", 3'975}}}}));
  query.aggregations = {{Aggregation::kPercentile, 0}, {Aggregation::kPercentile, 100}};
  EXPECT_EQ(points(query), (Points{{{}, {{"P0.0", 500}, {"P100.0", 4'000}}}}));
}

TEST_F(TraceMetrics, Buckets) {
  MetricQuery query = ask(MetricView::kTraces, "trace_count", {kCount});
  query.interval_s = 60;
  EXPECT_EQ(refused(query),
            "invalid_argument: start_time_ms and end_time_ms are required if "
            "time_interval_seconds is set");
  query.start_ms = 0;
  query.end_ms = 65'000;
  EXPECT_EQ(points(query),
            (Points{{{{"time_bucket", "1970-01-01T00:00:00+00:00"}}, {{"COUNT", 2}}},
                    {{{"time_bucket", "1970-01-01T00:01:00+00:00"}}, {{"COUNT", 1}}}}));
  query.limit = 1;
  EXPECT_EQ(points(query).size(), 1U);
  query.limit = 0;
  EXPECT_EQ(points(query).size(), 0U);
  query.interval_s = 0;
  EXPECT_NE(refused(query), "");
}

TEST_F(TraceMetrics, FiltersAreOneEqualityEach) {
  const auto count = [&](std::vector<std::string> filters) {
    MetricQuery query = ask(MetricView::kTraces, "trace_count", {kCount});
    query.filters = std::move(filters);
    return points(query).at(0).values.at(0).second;
  };
  const auto refused_filter = [&](const char* filter) {
    MetricQuery query = ask(MetricView::kTraces, "trace_count", {kCount});
    query.filters = {filter};
    return refused(query);
  };
  EXPECT_EQ(count({"trace.tag.k = 'alpha'"}), 2);
  EXPECT_EQ(count({"trace.tag.`mlflow.traceName` = 'beta'"}), 1);
  EXPECT_EQ(count({"trace.metadata.`mlflow.trace.session` = 's1'", "trace.tag.k = 'alpha'"}), 1);
  EXPECT_EQ(count({"trace.status = 'OK'"}), 4);
  EXPECT_EQ(refused_filter("trace.status = 'OK' AND trace.tag.k = 'v'"),
            "invalid_argument: Invalid clause(s) in filter string: AND");
  EXPECT_EQ(refused_filter(""),
            "invalid_argument: Invalid filter: ''. Expected one filter clause.");
  EXPECT_EQ(
      refused_filter("span.name = 'x'"),
      "invalid_argument: Filtering by span is only supported for SPANS view type, got TRACES");
  EXPECT_EQ(refused_filter("trace.tag = 'x'"),
            "invalid_argument: Filtering by tag requires a key, e.g. 'trace.tag.<key> = <value>'");
}

TEST_F(TraceMetrics, SpansAndAssessments) {
  log({make_span('1', '1'),
       make_span('1', '2', '1',
                 {{"mlflow.llm.model", "m"}, {"mlflow.llm.cost", "{\"total_cost\": 0.5}"}})});
  EXPECT_EQ(points(ask(MetricView::kSpans, "span_count", {kCount}, {"span_model_name"})),
            (Points{{{{"span_model_name", "m"}}, {{"COUNT", 1}}}}));
  EXPECT_EQ(points(ask(MetricView::kSpans, "total_cost", {kSum})), (Points{{{}, {{"SUM", 0.5}}}}));
  EXPECT_EQ(points(ask(MetricView::kSpans, "latency", {kAverage})),
            (Points{{{}, {{"AVG", 1'000}}}}));
  write([&](storage::Transaction& transaction) {
    for (const bool value : {true, false, true}) {
      Assessment assessment;
      assessment.trace_id = trace_id('1');
      assessment.name = "good";
      assessment.value = value;
      assessment.source_type = "HUMAN";
      create_assessment(transaction, assessment, kNowMs);
    }
  });
  EXPECT_EQ(
      points(ask(MetricView::kAssessments, "assessment_count", {kCount},
                 {"assessment_name", "assessment_value"})),
      (Points{{{{"assessment_name", "good"}, {"assessment_value", "false"}}, {{"COUNT", 1}}},
              {{{"assessment_name", "good"}, {"assessment_value", "true"}}, {{"COUNT", 2}}}}));
  EXPECT_EQ(points(ask(MetricView::kAssessments, "assessment_value", {{Aggregation::kMaximum, 0}})),
            (Points{{{}, {{"MAX", 1}}}}));
}

TEST_F(TraceMetrics, RefusesInMlflowsWords) {
  EXPECT_EQ(refused(ask(MetricView::kAssessments, "foo", {kCount})),
            "invalid_argument: metric_name must be one of ['assessment_count', "
            "'assessment_value'], got 'foo'");
  EXPECT_EQ(refused(ask(MetricView::kTraces, "trace_count", {kSum, kCount, kSum})),
            "invalid_argument: Found invalid aggregation_type(s): ['SUM']. Supported aggregation "
            "types: ['COUNT']");
  EXPECT_EQ(refused(ask(MetricView::kTraces, "latency", {kAverage}, {"trace_status"})),
            "invalid_argument: Found invalid dimension(s): ['trace_status']. Supported "
            "dimensions: ['trace_name']");
}

TEST_F(TraceMetrics, FiltersGoTogether) {
  const auto correlate = [&](const char* first, const char* second, const char* base = "") {
    return read<FilterCorrelation>([&](storage::Session& session) {
      return correlate_filters(session, {0}, first, second, base);
    });
  };
  const FilterCorrelation never = correlate("name = 'alpha'", "name = 'beta'");
  EXPECT_EQ(never.total, 4);
  EXPECT_EQ(never.first, 2);
  EXPECT_EQ(never.second, 1);
  EXPECT_EQ(never.joint, 0);
  EXPECT_EQ(never.npmi, -1.0);
  // As MLflow 3.17.2 answers for these counts.
  EXPECT_NEAR(*never.npmi_smoothed, -0.27894294565112987, 1e-15);
  const FilterCorrelation none = correlate("name = 'gamma'", "name = 'beta'");
  EXPECT_EQ(none.npmi, std::nullopt);
  EXPECT_EQ(correlate("timestamp > 0", "timestamp > 0").npmi, 1.0);
  EXPECT_EQ(correlate("name = 'alpha'", "name = 'beta'", "timestamp > 40000").total, 2);
}

}  // namespace
}  // namespace slipway::tracing
