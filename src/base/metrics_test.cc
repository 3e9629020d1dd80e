// SPDX-License-Identifier: Apache-2.0
#include "base/metrics.h"

#include <gtest/gtest.h>
#include <thread>

namespace slipway::metrics {
namespace {

TEST(Metrics, AreWrittenAsPrometheusReadsThem) {
  Registry registry;
  registry.counter("slipway_calls_total", "Calls.", {{"method", "GET"}}).add();
  registry.counter("slipway_calls_total", "Calls.", {{"method", "GET"}}).add(2);
  registry.gauge("slipway_open", "Open things.").set(7);
  registry.gauge("slipway_open", "Open things.").add(-2);
  EXPECT_EQ(registry.text(),
            "# HELP slipway_calls_total Calls.\n"
            "# TYPE slipway_calls_total counter\n"
            "slipway_calls_total{method=\"GET\"} 3\n"
            "# HELP slipway_open Open things.\n"
            "# TYPE slipway_open gauge\n"
            "slipway_open 5\n");
}

TEST(Metrics, TheSameNameAndLabelsAreTheSameInstrument) {
  Registry registry;
  Counter& first = registry.counter("a_total", "A.", {{"x", "1"}, {"y", "2"}});
  EXPECT_EQ(&first, &registry.counter("a_total", "A.", {{"y", "2"}, {"x", "1"}}));
  EXPECT_NE(&first, &registry.counter("a_total", "A.", {{"x", "2"}, {"y", "2"}}));
}

TEST(Metrics, HistogramCountsCumulatively) {
  Registry registry;
  Histogram& histogram = registry.histogram("d_seconds", "D.", {0.5, 1});
  histogram.observe(0.25);
  histogram.observe(0.75);
  histogram.observe(2);
  EXPECT_EQ(registry.text(),
            "# HELP d_seconds D.\n"
            "# TYPE d_seconds histogram\n"
            "d_seconds_count 3\n"
            "d_seconds_sum 3\n"
            "d_seconds_bucket{le=\"0.5\"} 1\n"
            "d_seconds_bucket{le=\"1\"} 2\n"
            "d_seconds_bucket{le=\"+Inf\"} 3\n");
}

TEST(Metrics, LabelValuesAreEscaped) {
  Registry registry;
  registry.counter("a_total", "A.", {{"x", "a\"b\\c\nd"}}).add();
  EXPECT_NE(registry.text().find("a_total{x=\"a\\\"b\\\\c\\nd\"} 1\n"), std::string::npos)
      << registry.text();
}

TEST(Metrics, LatencyBoundsRiseFromATenthOfAMillisecondToAMinute) {
  const auto& bounds = latency_bounds_s();
  EXPECT_EQ(bounds.front(), 0.0001);
  EXPECT_EQ(bounds.back(), 60);
  EXPECT_TRUE(std::is_sorted(bounds.begin(), bounds.end()));
}

TEST(Metrics, CountsOfManyThreadsAddUp) {
  Registry registry;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&registry] {
      for (int k = 0; k < 10'000; ++k) registry.counter("a_total", "A.").add();
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(registry.counter("a_total", "A.").value(), 40'000);
}

}  // namespace
}  // namespace slipway::metrics
