// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "automation/object.h"
#include "automation/trigger.h"
#include "base/clock.h"
#include "json/value.h"
#include "storage/database.h"

namespace slipway::automation {

// A retraining whose server died is begun again at most so often in all; then the firing is given
// up.
inline constexpr int kAttemptsMax = 3;

// One execution of a pipeline by a trigger. The state goes preparing -> running -> trained -> done,
// or to failed.
struct Retraining {
  std::string id;  // ULID
  std::string firing;
  std::string trigger;
  std::string endpoint;
  std::string model;
  std::string gate;
  std::string state;
  std::string outcome;  // of done: "promoted", "rollout", "refused", "nothing_new"; of failed:
                        // "exit", "timeout", "error", "interrupted"
  std::string reason;
  std::string commit;
  TimeUs watermark = 0;      // of the endpoint when it began: no later prediction is in its data
  std::string dataset_hash;  // SHA-256 of the exported labelled data; "" = none exported
  std::int64_t dataset_rows = 0;
  std::string folder;          // its worktree
  std::string log;             // path of its log
  std::int64_t after_seq = 0;  // ledger position at its start: its model version came later
  TimeUs started_at = 0;       // wall clock
  std::optional<TimeUs> finished_at;
  std::optional<std::int64_t> exit_code;
  std::optional<std::int64_t> version;  // the challenger
  std::string run_id;
  std::string evidence;  // hash: kind "retraining", with dvc.lock
  std::string rollout;
  std::string event_id;  // of its newest event, the cause of what follows
};
json::Object to_json(const Retraining& retraining);

void insert_retraining(storage::Transaction& transaction, const Retraining& retraining);
void save_retraining(storage::Transaction& transaction,
                     const Retraining& retraining);  // by id; every field
std::optional<Retraining> find_retraining(storage::Session& session, const std::string& id);
Retraining get_retraining(storage::Session& session, const std::string& id);  // kNotFound
std::vector<Retraining> list_retrainings(storage::Session& session,
                                         const std::string& state);  // oldest first
std::vector<Retraining> retrainings_of(storage::Session& session, const std::string& trigger,
                                       std::int64_t limit);  // newest first; "" = all
std::optional<Retraining> retraining_of_rollout(storage::Session& session,
                                                const std::string& rollout);

// How a training failed, as retraining.failed and the trigger's pause tell it.
struct TrainingFailure {
  std::string outcome;  // as Retraining::outcome
  std::string reason;
  std::optional<std::int64_t> exit_code;
};

// Ends it as failed: row, event, the trigger's count and, after pause_after_failures in a row, its
// pause. One that was interrupted does not count against the pipeline: its firing waits again until
// kAttemptsMax.
void fail_retraining(storage::Transaction& transaction, const Clock& clock, Retraining retraining,
                     const TriggerSpec& spec, const TrainingFailure& failure);

}  // namespace slipway::automation
