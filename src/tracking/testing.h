// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <gtest/gtest.h>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "storage/testing.h"
#include "tracking/experiment_table.h"
#include "tracking/run_log.h"
#include "tracking/run_table.h"
#include "tracking/session.h"

namespace slipway::tracking {

// A store in memory with the whole schema, and short ways to what most tests need.
class TrackingTest : public ::testing::Test {
 protected:
  static constexpr std::int64_t kNowMs = 1'700'000'000'000;

  void write(const std::function<void(storage::Transaction&)>& work) { database_.write(work); }
  template <typename T>
  T read(const std::function<T(storage::Session&)>& work) {
    return database_.read_returning<T>(work);
  }

  // Experiment 0, started at `start_ms`.
  RunInfo make_run(std::string_view name = "r", std::int64_t start_ms = 1, const Pairs& tags = {},
                   std::int64_t experiment = 0) {
    return database_.write_returning<RunInfo>([&](storage::Transaction& transaction) {
      NewRun run;
      run.experiment_id = experiment;
      run.name = name;
      run.start_time_ms = start_ms;
      run.tags = tags;
      return create_run(transaction, run);
    });
  }
  std::int64_t make_experiment(std::string_view name) {
    return database_.write_returning<std::int64_t>([&](storage::Transaction& transaction) {
      return create_experiment(transaction, {std::string(name), "", {}}, kNowMs);
    });
  }
  tracking::Run load(const RunInfo& run) {
    return read<tracking::Run>([&](storage::Session& session) { return get_run(session, run.id); });
  }
  void log(const RunInfo& run, std::string_view key, const std::vector<Point>& points) {
    Batch batch;
    batch.run_id = run.id;
    for (const Point& point : points)
      batch.metrics.push_back({std::string(key), point, "", "", ""});
    write([&](storage::Transaction& transaction) { log_batch(transaction, batch); });
  }
  void log_pairs(const RunInfo& run, const Pairs& params, const Pairs& tags) {
    Batch batch;
    batch.run_id = run.id;
    batch.params = params;
    batch.tags = tags;
    check_batch(batch);
    write([&](storage::Transaction& transaction) { log_batch(transaction, batch); });
  }

  // What the write threw: "code: message"; "" if nothing.
  std::string refusal(const std::function<void(storage::Transaction&)>& work) {
    return refusal_of([&] { write(work); });
  }
  static std::string refusal_of(const std::function<void()>& work) {
    try {
      work();
    } catch (const Error& error) {
      return std::string(code_name(error.code())) + ": " + error.what();
    }
    return "";
  }

  storage::FreshStore store_;
  storage::Database database_{store_.options()};
  FakeClock clock_{us_of_ms(kNowMs)};
};

}  // namespace slipway::tracking
