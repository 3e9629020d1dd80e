// SPDX-License-Identifier: Apache-2.0
#include "monitoring/export.h"

#include <cmath>
#include <gtest/gtest.h>

#include "base/id.h"
#include "monitoring/testing.h"
#include "tracking/run_table.h"

namespace slipway::monitoring {
namespace {

class ExportTest : public MonitoringWorld {
 protected:
  ExportTest() : artifacts_({.root = folder_.path() / "artifacts"}) {
    make_monitor(R"({"endpoint": "late"})");
  }
  std::string csv(const ExportOptions& options = {}) {
    std::string text;
    summary_ = export_labelled(database_, *log_, artifacts_, "m", options,
                               [&](std::string_view piece) { text += piece; });
    return text;
  }

  tracking::ArtifactStore artifacts_;
  ExportSummary summary_;
};

TEST_F(ExportTest, RowsComeInTheOrderOfTheLogWithTheNewestLabel) {
  const std::string first = predict(kFirstDay, 0.25F);
  const std::string second = predict(kFirstDay + 1, std::nanf(""));
  predict(kFirstDay + 2, 0.5F);  // never labelled
  label(second, "a \"b\", c");
  label(first, "0");
  label(first, "1");
  EXPECT_EQ(csv(), "prediction_id,event_time,version,x,p,label\r\n" + first +
                       "/0,2013-03-01T00:00:00.000000Z,1,0.25,0.25,1\r\n" + second +
                       "/0,2013-03-01T00:00:00.000001Z,1,,,\"a \"\"b\"\", c\"\r\n");
  EXPECT_EQ(summary_.rows, 2);
  EXPECT_EQ(summary_.sha256, sha256_hex(csv()));
  EXPECT_EQ(summary_.first_event_time, kFirstDay);
  EXPECT_EQ(summary_.last_event_time, kFirstDay + 1);
}

TEST_F(ExportTest, ShowsWhatWasKnownThen) {
  const std::string early = predict(kFirstDay, 0.25F);
  const std::string late = predict(kFirstDay + 100, 0.5F);
  label(early, "0", kFirstDay + 10);
  label(early, "1", kFirstDay + 50);
  label(late, "1", kFirstDay + 100);
  ExportOptions options;
  options.until = kFirstDay + 20;
  EXPECT_EQ(csv(options), "prediction_id,event_time,version,x,p,label\r\n" + early +
                              "/0,2013-03-01T00:00:00.000000Z,1,0.25,0.25,0\r\n");
  options.until = kFirstDay + 5;
  EXPECT_EQ(csv(options), "prediction_id,event_time,version,label\r\n");
}

TEST_F(ExportTest, KeepsTheNewestLabelledDaysBack) {
  for (int day = 0; day < 4; ++day) {
    const std::string id = predict(kFirstDay + day * kMicrosPerDay, 0.5F);
    if (day != 3) label(id, "1");
  }
  ExportOptions options;
  options.leave_out_days = 2;
  csv(options);
  EXPECT_EQ(summary_.rows, 1);
  EXPECT_EQ(summary_.last_event_time, kFirstDay);
  options.leave_out_days = -1;
  EXPECT_THROW(csv(options), Error);
}

TEST_F(ExportTest, LeavesOutFailedDirectAndForeignOnes) {
  serving::PredictionRecord failed = record(kFirstDay, {0.5F});
  failed.error = true;
  label(answer(failed), "1");
  serving::PredictionRecord direct = record(kFirstDay, {0.5F});
  direct.direct = true;
  label(answer(direct), "1");
  serving::PredictionRecord bare = record(kFirstDay, {0.5F});
  bare.sampled = true;
  bare.inputs.clear();
  bare.outputs.clear();
  label(answer(bare), "1");
  csv();
  EXPECT_EQ(summary_.rows, 0);
  EXPECT_EQ(summary_.without_payload, 1);
}

TEST_F(ExportTest, WideTensorsAreNumberedAndLaterVersionsFitTheHeader) {
  serving::PredictionRecord wide = record(kFirstDay, {0.5F});
  wide.inputs = {serving::floats("x", {1, 2}, {1.5F, 2}), serving::floats("y", {1}, {3})};
  label(answer(wide), "1");
  serving::PredictionRecord other = record(kFirstDay + 1, {0.5F});
  other.version = 2;
  other.inputs = {serving::floats("y", {1}, {4}), serving::floats("z", {1}, {5})};
  label(answer(other), "0");
  const std::string text = csv();
  EXPECT_EQ(text.substr(0, text.find('\r')), "prediction_id,event_time,version,x.0,x.1,y,p,label");
  EXPECT_NE(text.find(",1,1.5,2,3,0.5,1\r\n"), std::string::npos) << text;
  EXPECT_NE(text.find(",2,,,4,0.5,0\r\n"), std::string::npos) << text;
}

TEST_F(ExportTest, APredictionThatIsTooWideIsNoMatterOfTheDisk) {
  serving::PredictionRecord wide = record(kFirstDay, {0.5F});
  const auto width = static_cast<std::int64_t>(kExportColumnsMax) + 1;
  wide.inputs = {
      serving::floats("x", {1, width}, std::vector<float>(static_cast<std::size_t>(width)))};
  label(answer(wide), "1");
  try {
    csv();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kFailedPrecondition);
    EXPECT_EQ(std::string(error.what()), "a prediction has more than " +
                                             std::to_string(kExportColumnsMax) +
                                             " values; an export cannot hold them");
  }
}

TEST_F(ExportTest, ManyRowsComeInBoundedPieces) {
  ParsedLabels labels;
  for (int i = 0; i < 30; ++i) {
    const std::string id = answer(record(kFirstDay + i, std::vector<float>(200, 0.5F)));
    for (int row = 0; row < 200; ++row) {
      labels.labels.push_back({id + "/" + std::to_string(row), "1", 0, ""});
      labels.lines.push_back(1);
    }
  }
  post_labels(database_, clock_, *log_, "late", labels);
  LabelledExport data(database_, *log_, artifacts_, "m", {});
  std::string all;
  for (bool more = true; more;) {
    std::string piece;
    more = data.next(piece);
    EXPECT_LE(piece.size(), kExportPieceBytes + 1'000);
    all += piece;
  }
  EXPECT_EQ(data.summary().rows, 6'000);
  EXPECT_GT(all.size(), 3 * kExportPieceBytes);
  EXPECT_EQ(data.summary().sha256, sha256_hex(all));
}

TEST_F(ExportTest, NamesOfColumnsComeFromTheSignature) {
  const std::string run = write<std::string>([](storage::Transaction& tx) {
    tracking::NewRun wish;
    wish.start_time_ms = 1;
    return tracking::create_run(tx, wish).id;
  });
  const std::string root = "0/" + run + "/artifacts/model";
  artifacts_.put(root + "/model.onnx", "not looked into");
  artifacts_.put(root + "/MLmodel",
                 "flavors:\n  onnx:\n    data: model.onnx\nsignature:\n"
                 "  inputs: '[{\"type\": \"float\", \"name\": \"carrier\"}, {\"type\": \"float\", "
                 "\"name\": \"temp\"}]'\n  outputs: '[{\"type\": \"float\", \"name\": "
                 "\"late_probability\"}]'\n");
  const std::int64_t version = write<std::int64_t>([&](storage::Transaction& tx) {
    registry::NewVersion wish;
    wish.model = "late";
    wish.source = "runs:/" + run + "/model";
    wish.run_id = run;
    return registry::create_version(tx, clock_, wish).version;
  });
  serving::PredictionRecord wide = record(kFirstDay, {0.5F});
  wide.version = version;
  wide.inputs = {serving::floats("features", {1, 2}, {1, 2})};
  label(answer(wide), "1");
  const std::string text = csv();
  EXPECT_EQ(text.substr(0, text.find('\r')),
            "prediction_id,event_time,version,carrier,temp,late_probability,label");
}

}  // namespace
}  // namespace slipway::monitoring
