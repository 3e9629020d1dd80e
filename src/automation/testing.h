// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "automation/apply.h"
#include "automation/deps.h"
#include "automation/worker.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/process.h"
#include "ledger/event.h"
#include "serving/rollout.h"
#include "storage/database.h"
#include "storage/testing.h"

namespace slipway::automation {

// A server's world for tests of the loop: a real database in memory with the real tables of every
// folder, a clock that stands still, and scripts for what comes from outside: requests (counters,
// watermark), alarms, the pipeline and what the gate finds.
class TestWorld {
 public:
  TestWorld();
  ~TestWorld();

  // Applies kObjects (below), registers version 1 and makes it champion.
  void set_up_champion();
  Applied apply_text(const std::string& yaml, bool prune = false, std::int64_t allow_destroy = 0);
  PlanRequest request(const std::string& yaml) const;
  Plan plan(const std::string& yaml, bool prune = false, std::int64_t allow_destroy = 0);
  std::int64_t register_version(const std::string& retraining = {});

  void raise_alarm(const std::string& id);
  void at(const std::string& day);  // moves watermark and clock: "2013-03-15"
  void requests(std::int64_t champion, std::int64_t champion_bad, std::int64_t challenger,
                std::int64_t challenger_bad);  // of the rollout's step
  void work();                                 // until nothing changes
  std::unique_ptr<Worker> new_worker();        // as after a restart

  std::optional<std::int64_t> champion();
  serving::RolloutRow newest_rollout();
  std::vector<ledger::StoredEvent> events(const std::string& type);
  std::string types(std::int64_t after_seq);  // "trigger.fired retraining.started …"
  std::int64_t last_seq();

  FakeClock clock;
  storage::FreshStore store;
  storage::Database database;
  FakeProcessRunner processes;
  std::string folder;  // of this world's files
  TimeUs watermark = 0;
  TimeUs first_event = 0;  // of the endpoint's first request in the log
  std::int64_t log_position = 0;
  std::int64_t unsynced = 0;  // positions before it that a crash would take
  std::optional<double> traffic;
  std::map<std::pair<std::string, int>, serving::StepCounters> counters;
  serving::StepCounters baseline;
  std::string verdict = "pass";  // of the gate's next evaluations
  std::string gate_reason = "0.031 better (0.010 to 0.052), p = 0.003, 14 days";
  std::vector<std::int64_t> evaluated;  // challengers
  std::optional<Error> gate_error;      // thrown instead
  int exit_code = 0;                    // of the pipeline
  bool timed_out = false;
  bool registers = true;  // a successful pipeline makes a version
  std::string exported = "event_time,label\r\n2013-03-01T00:00:00Z,1\r\n";
  std::vector<monitoring::ExportOptions> exports;
  std::vector<std::pair<std::string, std::int64_t>> retained;
  std::string labelled_in_tree;  // what the pipeline found in data/labelled.csv
  std::function<void()> during_training;

  Deps deps;
  std::unique_ptr<Worker> worker;

  static const char* const kObjects;

 private:
  Outcome answer(const Command& command);
  Outcome run_pipeline(const Command& command);
  gate::Result evaluate(const Deps::GateQuestion& question);
};

}  // namespace slipway::automation
