// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/process.h"
#include "gate/gate.h"
#include "monitoring/export.h"
#include "serving/rollout.h"
#include "storage/database.h"

namespace slipway::automation {

// Where a server keeps what retraining leaves behind, and how a child finds the server.
struct Places {
  std::string program;      // this very binary, for `slipway repro`
  std::string work_folder;  // worktrees, one a retraining; removed afterwards
  std::string log_folder;   // "retraining-ID.log", kept
  std::string url;          // of this server, for the child
  std::string token;        // that lets it write
};

// What automation asks of the rest of the server. The functions are called without a database write
// being held, from the worker's two threads and from requests, so each is thread-safe; wiring.h
// makes them from the real objects, tests from scripts. Everything referred to outlives it.
struct Deps {
  storage::Database& database;
  const Clock& clock;
  ProcessRunner& processes;
  Places places;

  // The largest event time that an endpoint has seen; 0 before any.
  std::function<TimeUs(const std::string& endpoint)> watermark;
  // The event time of an endpoint's first logged request at or behind a position of the log; 0 when
  // none is readable.
  std::function<TimeUs(const std::string& endpoint, std::int64_t from)> first_event_time;
  // How far the prediction log is, as a number that only grows: two equal answers mean that no
  // request came between.
  std::function<std::int64_t()> log_position;
  // The end of what a crash cannot take: positions from here on may be given again after one. What
  // is kept as "from here" must not lie beyond it.
  std::function<std::int64_t()> synced_log_position;
  // Live counters of a rollout's step, and of a version at 100 % outside rollouts.
  std::function<serving::StepCounters(const std::string& rollout, int step)> counters;
  std::function<serving::StepCounters(const std::string& endpoint, std::int64_t version)> baseline;
  // Waits until what was counted so far can be counted again from the log after a crash.
  std::function<void()> flush_log;
  // Keeps the log from `position` on for a holder; INT64_MAX lets go.
  std::function<void(const std::string& holder, std::int64_t position)> retain_log;
  // Makes the routing table what the database says, with the versions that `endpoint` wants loaded;
  // what others want may be loading still. True if it changed.
  std::function<bool(const std::string& endpoint)> refresh_serving;
  // One bounded step of the monitors on the endpoints in scope; false when they have seen
  // everything.
  using Scope = std::function<bool(const std::string& endpoint)>;
  std::function<bool(const Scope& in_scope)> follow_labels;
  std::function<monitoring::ExportSummary(const std::string& monitor,
                                          const monitoring::ExportOptions& options,
                                          const std::function<void(std::string_view)>& write)>
      export_labelled;
  struct GateQuestion {
    std::string gate;
    std::int64_t challenger = 0;
    std::string actor;
    std::string cause;
    TimeUs event_time = 0;
  };
  // Scores challenger and champion afresh, stores the evidence, appends gate.evaluated (and
  // promotion.refused unless it passed).
  std::function<gate::Result(const GateQuestion& question)> evaluate_gate;
  // Requests a day at an endpoint; nullopt where that is not known yet.
  std::function<std::optional<double>(storage::Session& session, const std::string& endpoint)>
      requests_per_day;
};

}  // namespace slipway::automation
