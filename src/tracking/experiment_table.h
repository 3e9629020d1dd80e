// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tracking/run_table.h"

namespace slipway::tracking {

// An experiment: a named set of runs. Number 0, "Default", is there from the start. The name of a
// deleted one stays taken.
struct Experiment {
  std::int64_t id = 0;
  std::string name;
  std::string artifact_location;  // "mlflow-artifacts:/ID" unless the client chose one
  bool deleted = false;
  std::int64_t created_at_ms = 0;
  std::int64_t updated_at_ms = 0;
  Pairs tags;  // by key
};

// The number in a text; "" means 0, the default experiment. kInvalidArgument "Invalid experiment ID
// 'x'. Experiment ID must be a valid integer." for anything else.
std::int64_t parse_experiment_id(std::string_view text);

struct NewExperiment {
  std::string name;
  std::string artifact_location;  // "" = the default
  Pairs tags;
};

// kInvalidArgument: name, location or a tag breaks the rules; kAlreadyExists: the name is taken, if
// only by a deleted experiment.
std::int64_t create_experiment(storage::Transaction& transaction, const NewExperiment& experiment,
                               std::int64_t now_ms);

// Deleted ones are found. get throws kNotFound "No Experiment with id=7 exists".
std::optional<Experiment> find_experiment(storage::Session& session, std::int64_t id);
std::optional<Experiment> find_experiment_by_name(storage::Session& session, std::string_view name);
Experiment get_experiment(storage::Session& session, std::int64_t id);

// The experiment, checked for writing: kFailedPrecondition when it is deleted.
Experiment get_active_experiment(storage::Session& session, std::int64_t id);

// With all its runs; kNotFound also when it is deleted already (or not deleted, when restoring).
void delete_experiment(storage::Transaction& transaction, std::int64_t id, std::int64_t now_ms);
void restore_experiment(storage::Transaction& transaction, std::int64_t id, std::int64_t now_ms);

void rename_experiment(storage::Transaction& transaction, std::int64_t id, std::string_view name,
                       std::int64_t now_ms);

void set_experiment_tag(storage::Transaction& transaction, std::int64_t id, std::string_view key,
                        std::string_view value, std::int64_t now_ms);
// kNotFound when the tag is not there.
void delete_experiment_tag(storage::Transaction& transaction, std::int64_t id, std::string_view key,
                           std::int64_t now_ms);

// The default experiment takes this as its time of creation if it has none yet: once, when a server
// first opens the store.
void date_default_experiment(storage::Transaction& transaction, std::int64_t now_ms);

}  // namespace slipway::tracking
