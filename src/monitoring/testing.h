// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "json/value.h"
#include "ledger/event.h"
#include "monitoring/follower.h"
#include "monitoring/label.h"
#include "monitoring/monitor.h"
#include "registry/testing.h"
#include "serving/endpoint.h"
#include "serving/prediction_log.h"
#include "serving/testing.h"

namespace slipway::monitoring {

inline constexpr TimeUs kFirstDay = 1'362'096'000'000'000;  // 2013-03-01

// A store in memory, a prediction log in a temporary folder, and an endpoint "late" on event time
// that follows alias champion of model "late". What the tests of monitoring and gate begin with.
class MonitoringWorld : public registry::RegistryWorld {
 protected:
  MonitoringWorld() {
    open_log();
    make_model("late");
    make_version("late");
    make_version("late");
    write_void([&](storage::Transaction& tx) {
      serving::EndpointRow row;
      row.name = "late";
      row.model = "late";
      row.alias = "champion";
      row.clock = serving::EndpointClock::kEvent;
      serving::put_endpoint(tx, clock_, row, {"user:a", "", 0});
      row.name = "other";
      serving::put_endpoint(tx, clock_, row, {"user:a", "", 0});
    });
  }

  void open_log() {
    log_.reset();
    serving::PredictionLog::Options options;
    options.folder = folder_.path() / "log";
    log_ = std::make_unique<serving::PredictionLog>(options, clock_, metrics_);
  }

  serving::PredictionRecord record(TimeUs time, std::vector<float> probabilities) {
    serving::PredictionRecord record;
    record.id = log_->next_id();
    record.recorded_at = clock_.now();
    record.event_time = time;
    record.endpoint = "late";
    record.model = "late";
    record.version = 1;
    record.rows = static_cast<std::int64_t>(probabilities.size());
    record.inputs = {serving::floats("x", {record.rows, 1}, probabilities)};
    record.outputs = {serving::floats("p", {record.rows, 1}, probabilities)};
    return record;
  }
  std::string answer(serving::PredictionRecord record) {
    const std::string id = serving::to_text(record.id);
    log_->append(std::move(record));
    return id;
  }
  // One row with the probability of "1"; its id.
  std::string predict(TimeUs time, float probability) {
    return answer(record(time, {probability}));
  }

  LabelReceipt label(const std::string& id, const std::string& value, TimeUs time = 0) {
    ParsedLabels labels;
    labels.labels = {{*canonical_prediction_id(id), value, time, ""}};
    labels.lines = {1};
    return post_labels(database_, clock_, *log_, "late", labels);
  }

  void make_monitor(const std::string& spec) {
    write_void([&](storage::Transaction& tx) { put_monitor(tx, clock_, "m", json::parse(spec)); });
  }
  void follow() {
    Follower follower(database_, clock_, *log_);
    while (follower.work_once()) {
    }
  }
  MonitorStatus status() {
    return read<MonitorStatus>([](storage::Session& s) { return monitor_status(s, "m"); });
  }
  std::vector<BlockRow> blocks() {  // oldest first
    auto rows = read<std::vector<BlockRow>>(
        [](storage::Session& s) { return list_blocks(s, "m", 10'000); });
    std::reverse(rows.begin(), rows.end());
    return rows;
  }
  std::vector<ledger::StoredEvent> events(const std::string& type) {
    return read<std::vector<ledger::StoredEvent>>([&](storage::Session& session) {
      ledger::EventFilter filter;
      filter.type_prefix = type;
      filter.limit = 10'000;
      return ledger::list_events(session, filter);
    });
  }

  serving::TemporaryFolder folder_;
  metrics::Registry metrics_;
  std::unique_ptr<serving::PredictionLog> log_;
};

}  // namespace slipway::monitoring
