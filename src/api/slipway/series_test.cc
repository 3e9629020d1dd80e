// SPDX-License-Identifier: Apache-2.0
#include "api/slipway/series.h"

#include <algorithm>
#include <cstring>
#include <gtest/gtest.h>
#include <memory>

#include "base/error.h"
#include "json/value.h"
#include "tracking/experiment_table.h"
#include "tracking/run_log.h"
#include "tracking/run_table.h"

namespace slipway::api {
namespace {

class SeriesTest : public testing::Test {
 protected:
  SeriesTest() {
    database_.write([this](storage::Transaction& transaction) {
      tracking::NewExperiment experiment;
      experiment.name = "flights";
      tracking::NewRun run;
      run.experiment_id = tracking::create_experiment(transaction, experiment, 1);
      run.start_time_ms = 1;
      run_ = tracking::create_run(transaction, run).id;
    });
  }

  void log(const std::vector<tracking::Metric>& metrics) {
    tracking::Batch batch;
    batch.run_id = run_;
    batch.metrics = metrics;
    database_.write(
        [&](storage::Transaction& transaction) { tracking::log_batch(transaction, batch); });
  }

  http::Response ask(std::vector<std::pair<std::string, std::string>> query) {
    http::Request request;
    request.path = "/api/slipway/v1/series";
    request.query = std::move(query);
    http::Response answer;
    struct Keep : http::Responder::Sink {
      http::Response* to = nullptr;
      void send(http::Response response) override { *to = std::move(response); }
    };
    auto sink = std::make_shared<Keep>();
    sink->to = &answer;
    routes_.front().handler(request, http::Responder(sink));
    return answer;
  }

  std::string refusal(std::vector<std::pair<std::string, std::string>> query) {
    try {
      ask(std::move(query));
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kInvalidArgument);
      return error.what();
    }
    return "";
  }

  static std::string header(const std::string& body) {
    std::uint32_t size = 0;
    std::memcpy(&size, body.data(), sizeof size);
    return body.substr(sizeof size, size);
  }

  static std::vector<double> columns(const std::string& body) {
    const std::size_t start = sizeof(std::uint32_t) + header(body).size();
    EXPECT_EQ(start % 8, 0U);
    std::vector<double> values((body.size() - start) / sizeof(double));
    if (!values.empty()) std::memcpy(values.data(), body.data() + start, body.size() - start);
    return values;
  }

  storage::Database database_{{.path = ":memory:"}};
  std::string run_;
  std::vector<http::Route> routes_ = series_routes({database_});
};

tracking::Metric point(std::int64_t step, double value) {
  tracking::Metric metric;
  metric.key = "loss";
  metric.point = {.time_ms = 1'000 + step, .step = step, .value = value};
  return metric;
}

TEST_F(SeriesTest, AnswersStepsThenValuesOfEachRun) {
  log({point(1, 0.5), point(2, 0.25), point(3, -1)});
  const http::Response answer = ask({{"runs", run_ + ",nobody"}, {"key", "loss"}});
  EXPECT_EQ(answer.content_type, "application/octet-stream");
  const json::Value head = json::parse(header(answer.body));
  EXPECT_EQ(json::write(head),
            R"({"key":"loss","series":[{"run":")" + run_ +
                R"(","points":3,"raw":3},{"run":"nobody","points":0,"raw":0}]})");
  EXPECT_EQ(columns(answer.body), (std::vector<double>{1, 2, 3, 0.5, 0.25, -1}));
}

TEST_F(SeriesTest, AFewColumnsKeepTheSpike) {
  std::vector<tracking::Metric> metrics;
  for (int step = 0; step < 900; ++step) metrics.push_back(point(step, step == 500 ? 9 : 1));
  log(metrics);
  const std::vector<double> found =
      columns(ask({{"runs", run_}, {"key", "loss"}, {"px", "10"}}).body);
  EXPECT_LE(found.size(), 80U);
  EXPECT_EQ(std::count(found.begin(), found.end(), 9.0), 1);
  EXPECT_EQ(std::count(found.begin(), found.end(), 500.0), 1);
}

TEST_F(SeriesTest, ARangeOfSteps) {
  log({point(1, 1), point(2, 2), point(3, 3), point(4, 4)});
  EXPECT_EQ(columns(ask({{"runs", run_}, {"key", "loss"}, {"x0", "2"}, {"x1", "3"}}).body),
            (std::vector<double>{2, 3, 2, 3}));
}

TEST_F(SeriesTest, RefusalsNameTheParameter) {
  EXPECT_EQ(refusal({{"key", "loss"}}), "`runs` must name at least one run");
  EXPECT_EQ(refusal({{"runs", ","}, {"key", "loss"}}), "`runs` must name at least one run");
  EXPECT_EQ(refusal({{"runs", "a"}}), "`key` must name a metric");
  EXPECT_EQ(refusal({{"runs", "a"}, {"key", "k"}, {"x0", "1"}}), "`x0` and `x1` go together");
  EXPECT_EQ(refusal({{"runs", "a"}, {"key", "k"}, {"x0", "2"}, {"x1", "1"}}),
            "`x0` must not be greater than `x1`");
  EXPECT_NE(refusal({{"runs", "a"}, {"key", "k"}, {"px", "0"}}), "");
  EXPECT_NE(refusal({{"runs", "a"}, {"key", "k"}, {"px", "8193"}}), "");
  std::string many = "a";
  for (std::size_t run = 0; run < kSeriesRunsMax; ++run) many += ",a";
  EXPECT_EQ(refusal({{"runs", many}, {"key", "k"}}), "`runs` names 101 runs; at most 100");
}

}  // namespace
}  // namespace slipway::api
