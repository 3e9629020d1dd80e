// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "tracking/session.h"

namespace slipway::tracking {

// A run: one execution that somebody recorded. Nested runs are runs with the tag
// `mlflow.parentRunId`. Times are MLflow's milliseconds as the client gave them; no arithmetic is
// done on them here.

enum class RunStatus { kRunning = 1, kScheduled = 2, kFinished = 3, kFailed = 4, kKilled = 5 };
std::string_view status_name(RunStatus status);                // "RUNNING" …
std::optional<RunStatus> parse_status(std::string_view name);  // a name, or its number as text

inline constexpr std::string_view kParentTag = "mlflow.parentRunId";
inline constexpr std::string_view kRunNameTag = "mlflow.runName";

struct RunInfo {
  std::int64_t key = 0;  // internal; never on the wire
  std::string id;        // 32 hex
  std::int64_t experiment_id = 0;
  std::string name;
  std::string user_id;
  RunStatus status = RunStatus::kRunning;
  std::int64_t start_time_ms = 0;
  std::optional<std::int64_t> end_time_ms;
  std::string artifact_uri;  // "mlflow-artifacts:/0/ID/artifacts"
  bool deleted = false;
  bool operator==(const RunInfo&) const = default;
};

// The newest point of one metric: the greatest (step, time, value). NaN is a NaN here.
struct LatestMetric {
  std::string key;
  double value = 0;
  std::int64_t time_ms = 0;
  std::int64_t step = 0;
};

using Pairs = std::vector<std::pair<std::string, std::string>>;  // key, value; by key

struct DatasetInput {
  std::string name;
  std::string digest;
  std::string source_type;
  std::string source;
  std::string schema;
  std::string profile;
  Pairs tags;
};

struct ModelOutput {
  std::string model_id;
  std::int64_t step = 0;
};

// A run with all that is known of it.
struct Run {
  RunInfo info;
  std::vector<LatestMetric> metrics;  // by key
  Pairs params;
  Pairs tags;
  std::vector<DatasetInput> datasets;
  std::vector<std::string> model_inputs;  // logged model ids
  std::vector<ModelOutput> model_outputs;

  const std::string* tag(std::string_view key) const;    // null when absent
  const std::string* param(std::string_view key) const;  // likewise
};

struct NewRun {
  std::int64_t experiment_id = 0;
  std::string user_id;
  std::string name;  // "" = the tag mlflow.runName, else an invented one
  std::int64_t start_time_ms = 0;
  Pairs tags;
  std::string stage_run;  // the run whose stage token was used; becomes the parent unless the tags
                          // name one. "" = none
};

// Writes the run with its tags. kNotFound: no such experiment; kFailedPrecondition: the experiment
// is deleted, worded as MLflow does; kInvalidArgument: name and tag mlflow.runName differ, or a tag
// breaks the rules (tracking/key_rules.h).
RunInfo create_run(storage::Transaction& transaction, const NewRun& run);

struct RunChange {
  std::string run_id;
  std::optional<RunStatus> status;
  std::optional<std::int64_t> end_time_ms;
  std::optional<std::string> name;  // also sets the tag mlflow.runName
};
RunInfo update_run(storage::Transaction& transaction, const RunChange& change);

// Twice is no error. kNotFound: no such run.
void delete_run(storage::Transaction& transaction, std::string_view run_id, std::int64_t now_ms);
void restore_run(storage::Transaction& transaction, std::string_view run_id);

// nullopt when there is no such run; get_run throws kNotFound "Run with id=… not found" instead.
// Deleted runs are found.
std::optional<RunInfo> find_run_info(storage::Session& session, std::string_view run_id);
RunInfo get_run_info(storage::Session& session, std::string_view run_id);
std::optional<Run> find_run(storage::Session& session, std::string_view run_id);
Run get_run(storage::Session& session, std::string_view run_id);

// The run, checked for writing: kFailedPrecondition "The run ID must be in the 'active' state. …"
// when it is deleted.
RunInfo get_active_run(storage::Session& session, std::string_view run_id);

// Fills what belongs to a run's row.
Run load_run(storage::Session& session, RunInfo info);
// The same for a run that was created in this transaction: it has nothing but tags.
Run load_new_run(storage::Session& session, RunInfo info);
RunInfo load_run_info(storage::Session& session, std::int64_t run_key);

// Children by the tag mlflow.parentRunId, oldest first; deleted ones left out. At most `limit`.
std::vector<RunInfo> list_children(storage::Session& session, std::string_view run_id,
                                   std::int64_t limit = 1'000);

// Sets a tag as it stands: no rules, and the run keeps its name.
void put_run_tag(storage::Transaction& transaction, std::int64_t run_key, std::string_view key,
                 std::string_view value);

// The columns of table `run` in RunInfo's order, for statements that read them: "r.id, r.uuid, …";
// and one such row.
std::string_view run_columns();
RunInfo read_run_row(const storage::Statement& row);

// The run's tag mlflow.parentRunId followed upwards: parent first, at most 16 of them.
std::vector<RunInfo> list_ancestors(storage::Session& session, std::string_view run_id);

}  // namespace slipway::tracking
