// SPDX-License-Identifier: Apache-2.0
#include "monitoring/label.h"

#include <gtest/gtest.h>

#include "monitoring/testing.h"

namespace slipway::monitoring {
namespace {

std::string parsed(const std::string& text) {
  const Result<NewLabel> label = parse_label(json::parse(text));
  if (!label.ok()) return label.error().what();
  const NewLabel& value = label.value();
  return value.prediction_id + " " + value.value + " " + std::to_string(value.event_time) + " " +
         value.source;
}

TEST(ParseLabelTest, ValuesAreCanonical) {
  EXPECT_EQ(parsed(R"({"prediction": "00000001-42", "value": 1})"), "00000001-42/0 1 0 ");
  EXPECT_EQ(parsed(R"({"id": "00000001-42/3", "value": 1.0})"), "00000001-42/3 1 0 ");
  EXPECT_EQ(parsed(R"({"id": "00000001-42", "value": true})"), "00000001-42/0 1 0 ");
  EXPECT_EQ(parsed(R"({"id": "00000001-42", "value": 0.25, "source": "erp"})"),
            "00000001-42/0 0.25 0 erp");
  EXPECT_EQ(
      parsed(R"({"id": "00000001-42", "value": "late", "event_time": "1970-01-01T00:00:01Z"})"),
      "00000001-42/0 late 1000000 ");
  EXPECT_EQ(parsed(R"({"id": "00000001-42", "value": "late", "event_time": 7})"),
            "00000001-42/0 late 7 ");
}

TEST(ParseLabelTest, FaultsNameTheField) {
  EXPECT_EQ(parsed("[]"), "a label must be an object, not a list");
  EXPECT_EQ(parsed(R"({"value": 1})"), "`prediction` is missing");
  EXPECT_EQ(parsed(R"({"id": "00000001-42"})"), "`value` is missing");
  EXPECT_EQ(parsed(R"({"id": 7, "value": 1})"), "`id` must be a text");
  EXPECT_EQ(parsed(R"({"id": "x", "value": 1})"),
            "`id` is not a prediction id; it looks like 00000001-42/0");
  EXPECT_EQ(parsed(R"({"id": "00000001-42", "prediction": "00000001-42", "value": 1})"),
            "`prediction` and `id` are both there; use one");
  EXPECT_EQ(parsed(R"({"id": "00000001-42", "value": null})"),
            "`value` must be a number, a text or true or false, not null");
  EXPECT_EQ(parsed(R"({"id": "00000001-42", "value": ""})"), "`value` is an empty text");
  EXPECT_EQ(parsed(R"({"id": "00000001-42", "value": ")" + std::string(257, 'x') + "\"}"),
            "`value` is longer than 256 bytes");
  EXPECT_EQ(
      parsed(R"({"id": "00000001-42", "value": 1, "source": ")" + std::string(129, 'x') + "\"}"),
      "`source` is longer than 128 bytes");
  EXPECT_EQ(parsed(R"({"id": "00000001-42", "value": 1, "event_time": "soon"})"),
            "`event_time` must be a time like 2013-03-01T05:00:00Z or microseconds since 1970");
  EXPECT_EQ(parsed(R"({"id": "00000001-42", "value": 1, "label": 1})"),
            "unknown key `label`; a label has prediction, value, event_time, source");
}

TEST(ParseLabelTest, ABadLineDoesNotSpoilTheOthers) {
  const ParsedLabels labels = parse_label_lines(
      "{\"id\": \"00000001-1\", \"value\": 1}\n\nnot json\n{\"id\": \"00000001-2\", \"value\": "
      "0}\r\n"
      "{\"id\": \"x\", \"value\": 0}");
  ASSERT_EQ(labels.labels.size(), 2U);
  EXPECT_EQ(labels.lines, (std::vector<std::int64_t>{1, 4}));
  EXPECT_EQ(labels.failed, 2);
  ASSERT_EQ(labels.errors.size(), 2U);
  EXPECT_EQ(labels.errors[0].line, 3);
  EXPECT_EQ(labels.errors[0].message.rfind("not valid JSON", 0), 0U);
  EXPECT_EQ(labels.errors[1].line, 5);
}

TEST(ParseLabelTest, ABatchHasLimits) {
  std::string lines;
  for (std::size_t i = 0; i < kLabelsBatchMax; ++i) lines += "x\n";
  const ParsedLabels labels = parse_label_lines(lines);
  EXPECT_EQ(labels.failed, static_cast<std::int64_t>(kLabelsBatchMax));
  EXPECT_EQ(labels.errors.size(), kLabelErrorsMax);
  try {
    parse_label_lines(lines + "x");
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "more than 50000 labels in one request; send them in several");
  }
}

class LabelTest : public MonitoringWorld {};

TEST_F(LabelTest, AreKeptOnceAndCorrectionsAreNewRows) {
  const std::string id = predict(kFirstDay, 0.5F);
  EXPECT_EQ(label(id, "1").accepted, 1);
  EXPECT_EQ(label(id, "1").duplicates, 1);
  EXPECT_EQ(label(id + "/0", "0").accepted, 1);
  read<int>([&](storage::Session& session) {
    EXPECT_EQ(find_label(session, id + "/0")->value, "0");
    EXPECT_EQ(labels_after(session, "late", 0, 10).size(), 2U);
    EXPECT_EQ(count_labels(session, "late").labels, 2);
    return 0;
  });
}

TEST_F(LabelTest, TakeTheWatermarkAsTimeAndKnowTheirPrediction) {
  const std::string id = predict(kFirstDay + 5, 0.5F);
  predict(kFirstDay + 9, 0.5F);
  label(id, "1");
  const auto found = read<std::optional<Label>>(
      [&](storage::Session& session) { return find_label(session, id + "/0"); });
  EXPECT_EQ(found->event_time, kFirstDay + 9);
  EXPECT_EQ(found->prediction_time, kFirstDay + 5);
  EXPECT_EQ(found->position, 1);
}

TEST_F(LabelTest, OfUnknownPredictionsAreOrphans) {
  const std::string id = predict(kFirstDay, 0.5F);
  EXPECT_EQ(label("00000001-999999", "1").orphans, 1);
  EXPECT_EQ(label("00000077-1", "1").orphans, 1);
  EXPECT_EQ(label(id + "/1", "1").orphans, 1);  // the request had one row
  read<int>([&](storage::Session& session) {
    EXPECT_EQ(count_labels(session, "late").orphans, 3);
    EXPECT_FALSE(find_label(session, "00000001-999999/0"));
    return 0;
  });
}

TEST_F(LabelTest, OfAnotherEndpointOrTheFutureAreErrorsOfTheirLine) {
  serving::PredictionRecord foreign = record(kFirstDay, {0.5F});
  foreign.endpoint = "other";
  const std::string other = answer(foreign);
  LabelReceipt receipt = label(other, "1");
  EXPECT_EQ(receipt.accepted, 0);
  ASSERT_EQ(receipt.failed, 1);
  EXPECT_EQ(receipt.errors[0].message,
            "prediction " + other + "/0 was answered by endpoint `other`, not `late`");
  receipt = label(predict(kFirstDay, 0.5F), "1", clock_.now() + kLabelAheadMax + 1);
  EXPECT_EQ(receipt.errors[0].message, "`event_time` is more than 5 minutes ahead of now");
  EXPECT_THROW(post_labels(database_, clock_, *log_, "nobody", {}), Error);
}

TEST_F(LabelTest, ALargeBatchFindsAllOfItsPredictions) {
  ParsedLabels labels;
  for (int i = 0; i < 3'000; ++i) {
    labels.labels.push_back({predict(kFirstDay + i, 0.5F) + "/0", "1", 0, ""});
    labels.lines.push_back(i + 1);
  }
  labels.labels.push_back({"00000001-888888/0", "1", 0, ""});
  labels.lines.push_back(3'001);
  const LabelReceipt receipt = post_labels(database_, clock_, *log_, "late", labels);
  EXPECT_EQ(receipt.accepted, 3'001);
  EXPECT_EQ(receipt.orphans, 1);
}

TEST_F(LabelTest, DaysAreCountedByTheirPredictions) {
  for (int day = 0; day < 3; ++day) {
    label(predict(kFirstDay + day * kMicrosPerDay, 0.5F), "1");
    label(predict(kFirstDay + day * kMicrosPerDay + 1, 0.5F), "1");
  }
  const auto days = read<std::vector<LabelledDay>>([](storage::Session& session) {
    return newest_labelled_days(session, "late", INT64_MAX, INT64_MAX, 2);
  });
  ASSERT_EQ(days.size(), 2U);
  EXPECT_EQ(days[0].day, kFirstDay / kMicrosPerDay + 2);
  EXPECT_EQ(days[0].rows, 2);
  EXPECT_EQ(days[1].first_position, 3);
  EXPECT_EQ(days[1].last_position, 4);
}

}  // namespace
}  // namespace slipway::monitoring
