// SPDX-License-Identifier: Apache-2.0
#include "api/mlflow/plain_batch.h"

#include <cmath>
#include <gtest/gtest.h>
#include <random>

#include "api/mlflow/log_request.h"
#include "base/error.h"

namespace slipway::api::mlflow {
namespace {

std::optional<tracking::Batch> read_generally(const std::string& body) {
  http::Request request;
  request.method = http::Method::kPost;
  request.headers.emplace_back("Content-Type", "application/json");
  request.body = body;
  try {
    return read_batch(Parameters(request));
  } catch (const Error&) {
    return std::nullopt;
  }
}

bool same_number(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

void expect_same(const tracking::Batch& got, const tracking::Batch& want, const std::string& body) {
  EXPECT_EQ(got.run_id, want.run_id) << body;
  EXPECT_EQ(got.params, want.params) << body;
  EXPECT_EQ(got.tags, want.tags) << body;
  ASSERT_EQ(got.metrics.size(), want.metrics.size()) << body;
  for (std::size_t i = 0; i < got.metrics.size(); ++i) {
    const tracking::Metric& a = got.metrics[i];
    const tracking::Metric& b = want.metrics[i];
    EXPECT_EQ(a.key, b.key) << body;
    EXPECT_EQ(a.point.time_ms, b.point.time_ms) << body;
    EXPECT_EQ(a.point.step, b.point.step) << body;
    EXPECT_TRUE(same_number(a.point.value, b.point.value)) << body;
    EXPECT_EQ(a.model_id, b.model_id) << body;
    EXPECT_EQ(a.dataset_name, b.dataset_name) << body;
    EXPECT_EQ(a.dataset_digest, b.dataset_digest) << body;
  }
}

std::string with_metric(const std::string& metric) {
  return R"({"run_id":"r","metrics":[)" + metric + "]}";
}
std::string with_value(const std::string& value) {
  return with_metric(R"({"key":"k","value":)" + value + R"(,"timestamp":1,"step":2})");
}

TEST(PlainBatch, PlainBodiesAreReadAsTheGeneralReaderReadsThem) {
  const std::string bodies[] = {
      R"({"run_id":"r"})",
      R"( { "run_id" : "r" , "metrics" : [ ] , "params" : [ ] , "tags":[] } )",
      R"({"metrics":[{"timestamp":5,"value":1,"key":"a/b"}],"run_id":"r"})",
      R"({"run_id":"r","params":[{"key":"p","value":"v"},{"value":"","key":"q"}],"tags":[{"key":"t"}]})",
      with_metric(
          R"({"key":"k","value":1,"timestamp":2,"model_id":"m","dataset_name":"d","dataset_digest":"e"})"),
      with_metric("{\"key\":\"k\",\n\t\"value\":1,\r\n\"timestamp\":2}"),
      with_metric(R"({"key":"k","key":"l","value":1,"value":2,"timestamp":2})"),
      with_value("0"),
      with_value("-0"),
      with_value("-0.0"),
      with_value("1e3"),
      with_value("1E-3"),
      with_value("0.1234567890123456789"),
      with_value("5e-324"),
      with_value("1.7976931348623157e308"),
      with_value("123456789012345678901234567890"),
      with_value("NaN"),
      with_value("Infinity"),
      with_value("-Infinity"),
      with_value(R"("NaN")"),
      with_value(R"("Infinity")"),
      with_value(R"("-Infinity")"),
      with_metric(
          R"({"key":"k","value":1,"timestamp":9223372036854775807,"step":-9223372036854775808})"),
  };
  for (const std::string& body : bodies) {
    const auto plain = read_plain_batch(body);
    const auto general = read_generally(body);
    ASSERT_TRUE(plain.has_value()) << body;
    ASSERT_TRUE(general.has_value()) << body;
    expect_same(*plain, *general, body);
  }
}

TEST(PlainBatch, WhatIsNotPlainIsLeftToTheGeneralReader) {
  const std::string bodies[] = {
      "",
      "null",
      "[]",
      "{}",
      R"({"run_id":""})",
      R"({"run_id":null})",
      R"({"run_id":"r"}x)",
      R"({"run_id":"r",})",
      R"({"run_id":"r" "metrics":[]})",
      R"({"run_id":"\u0072"})",
      "{\"run_id\":\"\xc3\xa9\"}",
      "{\"run_id\":\"r\x01\"}",
      R"({"run_uuid":"r"})",
      R"({"runId":"r"})",
      R"({"run_id":"r","metrics":null})",
      R"({"run_id":"r","metrics":{}})",
      R"({"run_id":"r","metrics":[{"key":"a","value":1,"timestamp":1}],"metrics":[]})",
      R"({"run_id":"r","params":[{"key":"","value":"v"}]})",
      R"({"run_id":"r","params":[{"key":"p","value":5}]})",

      with_metric("{}"),
      with_metric("5"),
      with_metric(R"({"key":"k","value":1})"),
      with_metric(R"({"key":"","value":1,"timestamp":1})"),
      with_metric(R"({"key":"k","timestamp":1})"),
      with_metric(R"({"key":"k","value":1,"timestamp":"1"})"),
      with_metric(R"({"key":"k","value":1,"timestamp":1.0})"),
      with_metric(R"({"key":"k","value":1,"timestamp":1e3})"),
      with_metric(R"({"key":"k","value":1,"timestamp":9223372036854775808})"),
      with_metric(R"({"key":"k","value":1,"timestamp":1,"step":null})"),
      with_metric(R"({"key":"k","value":1,"timestamp":1,"other":2})"),
      with_value("true"),
      with_value("01"),
      with_value("1."),
      with_value(".5"),
      with_value("+1"),
      with_value("-"),
      with_value("1e"),
      with_value("1e999"),
      with_value("nan"),
      with_value("inf"),
      with_value("Infinityx"),
      with_value(R"("1")"),
      with_value("0x1"),
      with_value(""),
  };
  for (const std::string& body : bodies) EXPECT_FALSE(read_plain_batch(body).has_value()) << body;
}

// Whatever it takes, the general reader takes too, and reads the same.
TEST(PlainBatch, NeverTakesWhatTheGeneralReaderRefusesOrReadsOtherwise) {
  const std::string seeds[] = {
      R"({"run_id":"r1","metrics":[{"key":"a","value":0.5,"timestamp":17,"step":3},{"key":"b","value":-1e-7,"timestamp":18}]})",
      R"({"params":[{"key":"p","value":"v"}],"tags":[{"key":"t","value":"NaN"}],"run_id":"r"})",
      with_value("-Infinity"),
      with_value("\"NaN\""),
  };
  const std::string letters = "{}[]\",:\\ \n0123456789+-.eENaInfity\x01\xc3\xa9ktv/";
  std::mt19937_64 random(11);
  int taken = 0;
  for (int round = 0; round < 60'000; ++round) {
    std::string body = seeds[random() % std::size(seeds)];
    for (std::uint64_t edits = 1 + random() % 3; edits > 0; --edits) {
      const std::size_t at = random() % body.size();
      switch (random() % 4) {
        case 0: body[at] = letters[random() % letters.size()]; break;
        case 1: body.insert(at, 1, letters[random() % letters.size()]); break;
        case 2: body.erase(at, 1); break;
        default: body.insert(at, body.substr(random() % body.size(), random() % 12)); break;
      }
    }
    const auto plain = read_plain_batch(body);
    if (!plain) continue;
    ++taken;
    const auto general = read_generally(body);
    ASSERT_TRUE(general.has_value()) << body;
    expect_same(*plain, *general, body);
  }
  EXPECT_GT(taken, 1'000);
}

// What no batch may have is counted, for the message, and not kept.
TEST(PlainBatch, ItemsBeyondTheLimitsAreCountedAlone) {
  const auto items = [](const std::string& item, int count) {
    std::string list;
    for (int i = 0; i < count; ++i) list += (i == 0 ? "" : ",") + item;
    return list;
  };
  const std::string metric = R"({"key":"k","value":1,"timestamp":1})";
  const std::string pair = R"({"key":"p","value":"v"})";
  const std::string body = R"({"run_id":"r","metrics":[)" + items(metric, 1'234) +
                           R"(],"params":[)" + items(pair, 101) + R"(],"tags":[)" +
                           items(pair, 300) + "]}";
  for (const auto& read : {read_plain_batch, read_batch_quickly}) {
    const auto batch = read(body);
    ASSERT_TRUE(batch.has_value());
    EXPECT_EQ(batch->metrics.size(), 1'000U);
    EXPECT_EQ(batch->metrics_beyond, 234U);
    EXPECT_EQ(batch->params.size(), 100U);
    EXPECT_EQ(batch->params_beyond, 1U);
    EXPECT_EQ(batch->tags.size(), 100U);
    EXPECT_EQ(batch->tags_beyond, 200U);
    tracking::Batch checked = *batch;
    try {
      tracking::check_batch(checked);
      FAIL() << "a batch of 1,234 metrics was taken";
    } catch (const Error& error) {
      EXPECT_STREQ(error.what(),
                   "A batch logging request can contain at most 1000 metrics. Got 1234 metrics. "
                   "Please split up metrics across multiple requests and try again.");
    }
  }
  // As the general of the two quick readers sees it: with a text that is not plain.
  std::string other = body;
  other.replace(other.find("\"v\""), 3, "\"\xc3\xbc\"");
  const auto batch = read_batch_quickly(other);
  ASSERT_TRUE(batch.has_value());
  EXPECT_EQ(batch->metrics_beyond, 234U);
  EXPECT_EQ(batch->tags_beyond, 200U);
}

}  // namespace
}  // namespace slipway::api::mlflow
