// SPDX-License-Identifier: Apache-2.0
#include "serving/prediction_log.h"

#include <atomic>
#include <cerrno>
#include <chrono>
#include <fstream>
#include <gtest/gtest.h>
#include <thread>

#include "base/error.h"
#include "base/file.h"
#include "serving/crc32c.h"
#include "serving/log_frame.h"
#include "serving/testing.h"

namespace slipway::serving {
namespace {

constexpr TimeUs kStart = 1'362'096'000'000'000;  // 2013-03-01

// The disk as it can be: full for a while, or torn in the middle of a write.
class FaultySink final : public SegmentSink {
 public:
  std::atomic<bool> full{false};
  void write(int fd, std::string_view bytes) override {
    if (full) {
      SegmentSink::write(fd, bytes.substr(0, bytes.size() / 2));
      throw errno_error(ENOSPC, "cannot write the prediction log");
    }
    SegmentSink::write(fd, bytes);
  }
};

PredictionRecord sample(const PredictionId& id) {
  PredictionRecord record;
  record.id = id;
  record.recorded_at = kStart + 7;
  record.event_time = kStart + id.seq * 1'000;
  record.endpoint = "late-arrival";
  record.model = "late-arrival";
  record.version = 3;
  record.run_id = "0123456789abcdef0123456789abcdef";
  record.client_id = "row " + std::to_string(id.seq);
  record.rows = 1;
  record.latency_us = 25;
  record.inputs = {floats("x", {1, 3}, {1, 2, static_cast<float>(id.seq)})};
  Tensor text = zeros("carrier", DataType::kBytes, {1});
  text.texts = {"UA"};
  record.inputs.push_back(text);
  record.outputs = {floats("p", {1, 2}, {0.25, 0.75})};
  return record;
}

class PredictionLogTest : public testing::Test {
 protected:
  std::unique_ptr<PredictionLog> open(const std::filesystem::path& folder,
                                      SegmentSink* sink = nullptr) {
    PredictionLog::Options options = options_;
    options.folder = folder;
    return std::make_unique<PredictionLog>(options, clock_, metrics_, sink);
  }
  std::unique_ptr<PredictionLog> open(SegmentSink* sink = nullptr) { return open(folder(), sink); }
  std::filesystem::path folder() const { return root_.path() / "predictions"; }

  static std::vector<PredictionRecord> append(
      PredictionLog& log, int count, const std::function<void(PredictionRecord&)>& change = {}) {
    std::vector<PredictionRecord> records;
    for (int i = 0; i < count; ++i) {
      PredictionRecord record = sample(log.next_id());
      if (change) change(record);
      records.push_back(record);
      records.back().position = log.end_position();
      log.append(record);
    }
    return records;
  }

  // The folder as kill -9 leaves it at this moment.
  std::filesystem::path killed_copy() {
    const std::filesystem::path copy = root_.path() / ("copy" + std::to_string(copies_++));
    std::filesystem::copy(folder(), copy);
    return copy;
  }

  static std::filesystem::path newest_segment(const std::filesystem::path& folder) {
    std::filesystem::path newest;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      if (entry.path().extension() == ".segment" && entry.path() > newest) newest = entry.path();
    }
    return newest;
  }
  static std::size_t segment_count(const std::filesystem::path& folder) {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder))
      count += entry.path().extension() == ".segment" ? 1U : 0U;
    return count;
  }

  TemporaryFolder root_;
  int copies_ = 0;
  FakeClock clock_{kStart};
  metrics::Registry metrics_;
  PredictionLog::Options options_;
};

TEST(Crc32c, AsInRfc3720) {
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAU);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62A8AB43U);
  EXPECT_EQ(crc32c("123456789"), 0xE3069283U);
  EXPECT_EQ(crc32c("456789", crc32c("123")), 0xE3069283U);
}

TEST(PredictionId, HasOneSpelling) {
  const PredictionId id{1, 42};
  EXPECT_EQ(to_text(id), "00000001-42");
  EXPECT_EQ(parse_prediction_row("00000001-42")->id, id);
  EXPECT_EQ(parse_prediction_row("00000001-42/7")->row, 7);
  for (const char* text : {"", "1-42", "00000001-042", "00000001-0", "00000001--1", "0000000A-1",
                           "00000001-42/", "00000001-42/-1", "00000001-42/x", "00000001-42x",
                           "00000001 42", "00000001-99999999999999999999"}) {
    EXPECT_FALSE(parse_prediction_row(text)) << text;
  }
}

TEST(ReadFrame, APlaceThatNoRecordCanHaveIsDamage) {
  const std::string body(1, static_cast<char>(FrameKind::kWatermark));
  const auto fault_at = [&](std::int64_t position) {
    std::string bytes;
    append_frame(bytes, body, crc32c(body), position);
    Frame frame;
    return read_frame(bytes, frame);
  };
  EXPECT_EQ(fault_at(0), FrameFault::kNone);
  EXPECT_EQ(fault_at(kPositionMax - 1), FrameFault::kNone);
  EXPECT_EQ(fault_at(kPositionMax), FrameFault::kDamaged);
  EXPECT_EQ(fault_at(-1), FrameFault::kDamaged);
  EXPECT_EQ(fault_at(INT64_MAX), FrameFault::kDamaged);
}

TEST_F(PredictionLogTest, KeepsEverythingOverARestart) {
  std::vector<PredictionRecord> written;
  {
    auto log = open();
    written = append(*log, 3);
    log->flush();
    EXPECT_EQ(log->read_from(1, 10), written);
    EXPECT_EQ(log->read_from(2, 1), std::vector<PredictionRecord>{written[1]});
    EXPECT_EQ(log->find({1, 2}), written[1]);
    EXPECT_EQ(log->find({1, 9}), std::nullopt);
    EXPECT_EQ(log->find({2, 1}), std::nullopt);
  }
  auto log = open();
  EXPECT_EQ(log->read_from(1, 10), written);
  EXPECT_EQ(log->next_id(), (PredictionId{1, 4}));
  EXPECT_EQ(log->watermark("late-arrival"), kStart + 3'000);
  EXPECT_EQ(log->baseline("late-arrival", 3).requests(Arm::kChampion), 3);
  EXPECT_TRUE(log->read_from(1, 10, false)[0].inputs.empty());
}

TEST_F(PredictionLogTest, ATornTailIsCutAtEveryByte) {
  auto log = open();
  append(*log, 3);
  log->flush();
  const std::uint64_t before = std::filesystem::file_size(newest_segment(folder()));
  append(*log, 1);
  log->flush();
  const std::string whole = read_file(newest_segment(folder()));
  ASSERT_GT(whole.size(), before + 50);
  for (std::size_t size = before; size < whole.size(); ++size) {
    const std::filesystem::path copy = killed_copy();
    std::filesystem::resize_file(newest_segment(copy), size);
    auto reopened = open(copy);
    ASSERT_EQ(reopened->read_from(1, 10).size(), 3U) << size;
    ASSERT_EQ(reopened->end_position(), 4) << size;
    // Another takes its place, and its number is new.
    const auto more = append(*reopened, 1);
    ASSERT_GT(more[0].id.seq, 4) << size;
    reopened->flush();
    const auto all = reopened->read_from(1, 10);
    ASSERT_EQ(all.size(), 4U) << size;
    ASSERT_EQ(all[3], more[0]) << size;
    reopened.reset();
    std::filesystem::remove_all(copy);
  }
}

TEST_F(PredictionLogTest, AWrongByteLosesOneRecordAlone) {
  {
    auto log = open();
    append(*log, 5);
    log->flush();
    const std::string whole = read_file(newest_segment(folder()));
    const std::size_t third = whole.find("row 3");
    ASSERT_NE(third, std::string::npos);
    const std::filesystem::path copy = killed_copy();
    std::string damaged = whole;
    damaged[third] = static_cast<char>(damaged[third] ^ 1);
    write_file_atomic(newest_segment(copy), damaged);
    auto reopened = open(copy);
    const auto left = reopened->read_from(1, 10);
    ASSERT_EQ(left.size(), 4U);
    EXPECT_EQ(left[1].id.seq, 2);
    EXPECT_EQ(left[2].id.seq, 4);
    EXPECT_EQ(left[2].position, 4);
    EXPECT_FALSE(reopened->find({1, 3}));
    EXPECT_TRUE(reopened->find({1, 5}));
  }
}

TEST_F(PredictionLogTest, EveryFlippedByteIsNoticed) {
  auto log = open();
  const auto written = append(*log, 1);
  log->flush();
  const std::filesystem::path copy = killed_copy();
  const std::string whole = read_file(newest_segment(copy));
  for (std::size_t at = whole.size() - 60; at < whole.size(); ++at) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    write_file_atomic(newest_segment(copy), damaged);
    auto reopened = open(copy);
    ASSERT_TRUE(reopened->read_from(1, 10).empty()) << at;
  }
}

TEST_F(PredictionLogTest, AFullDiskStopsRecordsButNotRequests) {
  FaultySink sink;
  auto log = open(&sink);
  auto written = append(*log, 2);
  log->flush();
  sink.full = true;
  for (const auto& record : append(*log, 3)) written.push_back(record);
  try {
    log->flush(300);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kResourceExhausted);
    EXPECT_STREQ(error.what(),
                 "the prediction log takes nothing: cannot write the prediction log: No space left "
                 "on device");
  }
  EXPECT_TRUE(log->trouble());
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_THROW(log->flush(60'000), Error);  // nobody waits so long for a disk that is known to fail
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(20));
  EXPECT_EQ(log->read_from(1, 10).size(), 2U);
  EXPECT_EQ(log->baseline("late-arrival", 3).requests(Arm::kChampion), 5);
  sink.full = false;
  log->flush();
  EXPECT_FALSE(log->trouble());
  EXPECT_EQ(log->read_from(1, 10), written);
  EXPECT_EQ(open(killed_copy())->read_from(1, 10), written);
}

TEST_F(PredictionLogTest, CountersOutliveADiskThatTakesNothing) {
  FaultySink sink;
  auto log = open(&sink);
  append(*log, 1);
  log->flush();
  sink.full = true;
  const auto many = static_cast<int>(PredictionLog::kQueueRecordsMax) + 500;
  for (int i = 0; i < many; ++i) {
    PredictionRecord record;
    record.id = log->next_id();
    record.endpoint = "e";
    record.version = 1;
    record.rollout = "01ROLLOUT";
    record.error = i % 10 == 0;
    record.arm = i % 2 == 0 ? Arm::kChampion : Arm::kChallenger;
    log->append(std::move(record));
  }
  const StepCounters live = log->counters("01ROLLOUT", 0);
  EXPECT_EQ(live.requests(Arm::kChampion) + live.requests(Arm::kChallenger), many);
  sink.full = false;
  log->flush();
  EXPECT_EQ(recount(*log, "01ROLLOUT", 1, 1)[0], live);
  // The batch at the disk when it failed comes on top of the queue's limit.
  std::int64_t kept = 0;
  log->each(1, log->end_position(), false, [&](const PredictionRecord& record) {
    kept += record.rollout.empty() ? 0 : 1;
    return true;
  });
  EXPECT_GE(kept, PredictionLog::kQueueRecordsMax);
  EXPECT_LT(kept, many + 1);
  EXPECT_EQ(open(killed_copy())->counters("01ROLLOUT", 0), live);
}

TEST_F(PredictionLogTest, UnderOverloadPayloadsAreLeftOutAndSaidSo) {
  FaultySink sink;
  options_.queue_bytes_max = 2'000;
  auto log = open(&sink);
  sink.full = true;
  const auto written = append(*log, 20);
  sink.full = false;
  log->flush();
  const auto read = log->read_from(1, 100);
  ASSERT_EQ(read.size(), 20U);
  EXPECT_FALSE(read.front().sampled);
  EXPECT_EQ(read.front().inputs, written.front().inputs);
  EXPECT_TRUE(read.back().sampled);
  EXPECT_TRUE(read.back().inputs.empty());
  EXPECT_EQ(read.back().client_id, "row 20");
  EXPECT_GT(log->payloads_left_out(), 0);
  EXPECT_EQ(log->baseline("late-arrival", 3).requests(Arm::kChampion), 20);
}

TEST_F(PredictionLogTest, SegmentsAreSealedDroppedAndRetained) {
  options_.segment_bytes_max = 4'000;
  options_.bytes_max = 12'000;
  auto log = open();
  log->retain_from("rollout:X", 1);
  for (int i = 0; i < 40; ++i) {
    append(*log, 3);
    log->flush();
  }
  EXPECT_GT(segment_count(folder()), 5U);
  EXPECT_EQ(log->first_position(), 1);
  EXPECT_EQ(log->read_from(1, 1'000).size(), 120U);
  EXPECT_EQ(log->find({1, 1})->client_id, "row 1");
  EXPECT_EQ(log->find({1, 77})->client_id, "row 77");

  // Kept over a restart, too: the holder comes back later than the log.
  log.reset();
  log = open();
  EXPECT_EQ(log->holders("rollout:"), (std::vector<std::string>{"rollout:X"}));
  EXPECT_TRUE(log->holders("monitor:").empty());
  for (int i = 0; i < 5; ++i) {
    append(*log, 3);
    log->flush();
  }
  EXPECT_EQ(log->first_position(), 1);

  log->retain_from("rollout:X", 100);
  for (int i = 0; i < 5; ++i) {
    append(*log, 3);
    log->flush();
  }
  EXPECT_GT(log->first_position(), 1);
  EXPECT_LE(log->first_position(), 100);
  log->retain_from("rollout:X", INT64_MAX);
  for (int i = 0; i < 10; ++i) {
    append(*log, 3);
    log->flush();
  }
  EXPECT_GT(log->first_position(), 100);
  EXPECT_LE(log->bytes(), 16'000U);
  EXPECT_FALSE(log->find({1, 1}));
  const std::int64_t first = log->first_position();
  EXPECT_EQ(log->read_from(1, 1).front().position, first);
  // What the dropped records added up to is still known.
  EXPECT_EQ(log->baseline("late-arrival", 3).requests(Arm::kChampion), 180);
}

TEST_F(PredictionLogTest, CountersComeFromTheLogAlone) {
  options_.segment_bytes_max = 20'000;
  auto log = open();
  append(*log, 5);
  const std::int64_t from = log->end_position();
  int n = 0;
  append(*log, 400, [&](PredictionRecord& record) {
    record.rollout = "01HROLLOUT";
    record.step = n < 150 ? 0 : 1;
    record.arm = n % 4 == 0 ? Arm::kChallenger : Arm::kChampion;
    record.error = n % 7 == 0;
    record.status = record.error ? 500 : 200;
    record.slow = n % 5 == 0;
    record.nan = n % 11 == 0;
    record.direct = n % 13 == 0;  // counts nowhere
    ++n;
  });
  StepCounters expected[2];
  for (int i = 0; i < 400; ++i) {
    if (i % 13 == 0) continue;
    expected[i < 150 ? 0 : 1].add(i % 4 == 0 ? Arm::kChallenger : Arm::kChampion, i % 7 == 0,
                                  i % 5 == 0, i % 11 == 0);
  }
  log->flush();
  const std::vector<StepCounters> both{expected[0], expected[1]};
  EXPECT_EQ(log->counters("01HROLLOUT", 0), expected[0]);
  EXPECT_EQ(log->counters("01HROLLOUT", 1), expected[1]);
  EXPECT_EQ(log->counters("01HROLLOUT", 2), StepCounters{});
  EXPECT_EQ(recount(*log, "01HROLLOUT", from, 2), both);
  EXPECT_EQ(recount(*log, "01HROLLOUT", 1, 2), both);
  EXPECT_EQ(log->baseline("late-arrival", 3).requests(Arm::kChampion), 5);
  // As kill -9 leaves it.
  auto reopened = open(killed_copy());
  EXPECT_EQ(reopened->counters("01HROLLOUT", 0), expected[0]);
  EXPECT_EQ(reopened->counters("01HROLLOUT", 1), expected[1]);
  EXPECT_EQ(recount(*reopened, "01HROLLOUT", from, 2), both);
}

TEST_F(PredictionLogTest, TheWatermarkNeverGoesBack) {
  auto log = open();
  EXPECT_EQ(log->watermark("e"), 0);
  EXPECT_EQ(log->advance_watermark("e", 500), 500);
  EXPECT_EQ(log->advance_watermark("e", 400), 500);
  append(*log, 1, [](PredictionRecord& record) {
    record.endpoint = "e";
    record.event_time = 300;
  });
  EXPECT_EQ(log->watermark("e"), 500);
  append(*log, 1, [](PredictionRecord& record) {
    record.endpoint = "e";
    record.event_time = 900;
  });
  EXPECT_EQ(log->watermark("e"), 900);
  EXPECT_EQ(log->watermark("other"), 0);
  log->flush();
  EXPECT_EQ(open(killed_copy())->watermark("e"), 900);
  EXPECT_EQ(log->read_from(1, 10).size(), 2U);  // moving the watermark is no prediction
}

TEST_F(PredictionLogTest, NumbersAreNotGivenTwice) {
  auto log = open();
  append(*log, 3);
  log->flush();
  const PredictionId unwritten = log->next_id();
  EXPECT_EQ(unwritten.seq, 4);
  auto killed = open(killed_copy());
  EXPECT_GE(killed->next_id().seq, 3 + PredictionLog::kSeqSkip);
  log.reset();
  EXPECT_EQ(open()->next_id().seq, 5);
}

TEST_F(PredictionLogTest, ALateRequestIsFoundInALaterSegment) {
  options_.segment_bytes_max = 2'000;
  auto log = open();
  const PredictionId late = log->next_id();
  for (int i = 0; i < 10; ++i) {
    append(*log, 3);
    log->flush();
  }
  ASSERT_GT(segment_count(folder()), 2U);
  log->append(sample(late));
  log->flush();
  EXPECT_EQ(log->find(late)->id, late);
  EXPECT_EQ(log->find(late)->position, 31);
}

TEST_F(PredictionLogTest, OneProcessAtATime) {
  auto log = open();
  try {
    open();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kUnavailable);
    EXPECT_EQ(std::string(error.what()),
              "the prediction log in `" + folder().string() + "` is open in another process");
  }
}

TEST_F(PredictionLogTest, AnotherWriterOrANewerFormatIsRefused) {
  open().reset();
  options_.writer = 2;
  try {
    open();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kFailedPrecondition);
  }
  write_file_atomic(folder() / "LOG", "slipway prediction log 2\nwriter 00000002\n");
  try {
    open();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()), "the prediction log in `" + folder().string() +
                                             "` was written by a newer program; update this one");
  }
}

TEST_F(PredictionLogTest, ASegmentThatWasNeverBegunIsRemoved) {
  {
    auto log = open();
    append(*log, 2);
  }
  write_file_atomic(folder() / "00000000000000000009.segment", "SLIPL");
  auto log = open();
  EXPECT_EQ(log->read_from(1, 10).size(), 2U);
  EXPECT_EQ(segment_count(folder()), 1U);
}

TEST_F(PredictionLogTest, ALogThatNobodyWroteToHasNoSegments) {
  open().reset();
  EXPECT_EQ(segment_count(folder()), 0U);
  EXPECT_EQ(open()->first_position(), 1);
}

TEST_F(PredictionLogTest, ReadersAndWritersAtOnce) {
  options_.segment_bytes_max = 50'000;
  auto log = open();
  std::vector<std::thread> writers;
  for (int t = 0; t < 3; ++t) {
    writers.emplace_back([&] { append(*log, 700); });
  }
  std::int64_t seen = 0;
  std::int64_t from = 1;
  while (seen < 2'100) {
    for (const PredictionRecord& record : log->read_from(from, 100)) {
      ASSERT_EQ(record.position, from);
      ASSERT_EQ(record.inputs.size(), 2U);
      from = record.position + 1;
      ++seen;
    }
  }
  for (std::thread& writer : writers) writer.join();
  log->flush();
  EXPECT_EQ(log->baseline("late-arrival", 3).requests(Arm::kChampion), 2'100);
}

TEST_F(PredictionLogTest, OldVersionsAndRolloutsAreForgottenInTheEnd) {
  auto log = open();
  for (std::int64_t version = 1; version <= 20; ++version) {
    append(*log, 1, [&](PredictionRecord& record) { record.version = version; });
  }
  EXPECT_EQ(log->baseline("late-arrival", 1).requests(Arm::kChampion), 0);
  EXPECT_EQ(log->baseline("late-arrival", 20).requests(Arm::kChampion), 1);
  for (int i = 0; i < 70; ++i) {
    append(*log, 1, [&](PredictionRecord& record) {
      record.rollout = "ROLLOUT" + std::to_string(1'000 + i);
    });
  }
  EXPECT_EQ(log->counters("ROLLOUT1000", 0), StepCounters{});
  EXPECT_EQ(log->counters("ROLLOUT1069", 0).requests(Arm::kChampion), 1);
}

TEST_F(PredictionLogTest, KnowsAnEndpointsFirstTimeFromAPositionOn) {
  const auto log = open();
  EXPECT_EQ(log->first_event_time("late-arrival", 1), 0);
  for (int i = 0; i < 3; ++i) {
    PredictionRecord record = sample(log->next_id());
    if (i == 0) record.endpoint = "other";
    log->append(std::move(record));
  }
  log->flush();
  EXPECT_EQ(log->first_event_time("late-arrival", 1), kStart + 2'000);
  EXPECT_EQ(log->first_event_time("late-arrival", 3), kStart + 3'000);
  EXPECT_EQ(log->first_event_time("late-arrival", 4), 0);
  EXPECT_EQ(log->first_event_time("other", 1), kStart + 1'000);
}

}  // namespace
}  // namespace slipway::serving
