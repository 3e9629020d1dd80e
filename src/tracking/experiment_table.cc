// SPDX-License-Identifier: Apache-2.0
#include "tracking/experiment_table.h"

#include <charconv>

#include "base/error.h"
#include "tracking/artifact_uri.h"
#include "tracking/key_rules.h"

namespace slipway::tracking {
namespace {

constexpr std::string_view kColumns =
    "id, name, artifact_location, deleted, created_at_ms, updated_at_ms";

void check_tag(std::string_view key, std::string_view value) {
  check_key_and_length(key, "key", "key");
  check_length(value, kExperimentTagValueCharactersMax, "value");
}

void put_tag(storage::Transaction& transaction, std::int64_t id, std::string_view key,
             std::string_view value) {
  transaction.execute(
      "INSERT INTO experiment_tag (experiment, key, value) VALUES (?1, ?2, ?3) "
      "ON CONFLICT (experiment, key) DO UPDATE SET value = excluded.value",
      id, key, value);
}

std::optional<Experiment> read_row(storage::Session& session, storage::Statement row) {
  if (!row.step()) return std::nullopt;
  Experiment experiment{row.int64(0), row.text(1),  row.text(2), row.int64(3) != 0,
                        row.int64(4), row.int64(5), {}};
  row.reset();
  auto tags = session.query(
      "SELECT key, value FROM experiment_tag WHERE experiment = ?1 ORDER BY key", experiment.id);
  while (tags.step()) experiment.tags.emplace_back(tags.text(0), tags.text(1));
  return experiment;
}

[[noreturn]] void not_found(std::int64_t id) {
  throw Error(Code::kNotFound, "No Experiment with id=" + std::to_string(id) + " exists");
}

void set_deleted(storage::Transaction& transaction, std::int64_t id, bool deleted,
                 std::int64_t now_ms) {
  if (transaction.execute(
          "UPDATE experiment SET deleted = ?2, updated_at_ms = ?3 WHERE id = ?1 AND deleted <> ?2",
          id, deleted, now_ms) == 0) {
    not_found(id);
  }
  std::optional<std::int64_t> deleted_at;
  if (deleted) deleted_at = now_ms;
  transaction.execute(
      "UPDATE run SET deleted = ?2, deleted_at_ms = ?3 WHERE experiment = ?1 AND deleted <> ?2", id,
      deleted, deleted_at);
}

[[noreturn]] void name_taken(const Experiment& holder) {
  throw Error(Code::kAlreadyExists,
              "Experiment(name=" + holder.name + ") already exists." +
                  (holder.deleted ? " It is in the 'deleted' state: restore experiment " +
                                        std::to_string(holder.id) + " or choose another name."
                                  : ""));
}

}  // namespace

std::int64_t parse_experiment_id(std::string_view text) {
  if (text.empty()) return 0;
  std::int64_t id = 0;
  const auto [stop, fault] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (fault != std::errc() || stop != text.data() + text.size()) {
    throw Error(Code::kInvalidArgument, "Invalid experiment ID '" + std::string(text) +
                                            "'. Experiment ID must be a valid integer.");
  }
  return id;
}

std::int64_t create_experiment(storage::Transaction& transaction, const NewExperiment& experiment,
                               std::int64_t now_ms) {
  check_experiment_name(experiment.name);
  check_artifact_location(experiment.artifact_location);
  for (const auto& [key, value] : experiment.tags) check_tag(key, value);
  if (const auto holder = find_experiment_by_name(transaction, experiment.name))
    name_taken(*holder);
  const std::int64_t id = transaction.insert_id(
      "INSERT INTO experiment (name, artifact_location, created_at_ms, updated_at_ms) VALUES (?1, "
      "?2, ?3, ?3) RETURNING id",
      experiment.name, experiment.artifact_location, now_ms);
  if (experiment.artifact_location.empty()) {
    transaction.execute("UPDATE experiment SET artifact_location = ?2 WHERE id = ?1", id,
                        std::string(kArtifactScheme) + std::to_string(id));
  }
  for (const auto& [key, value] : experiment.tags) put_tag(transaction, id, key, value);
  return id;
}

std::optional<Experiment> find_experiment(storage::Session& session, std::int64_t id) {
  return read_row(
      session,
      session.query("SELECT " + std::string(kColumns) + " FROM experiment WHERE id = ?1", id));
}

std::optional<Experiment> find_experiment_by_name(storage::Session& session,
                                                  std::string_view name) {
  return read_row(
      session,
      session.query("SELECT " + std::string(kColumns) + " FROM experiment WHERE name = ?1", name));
}

Experiment get_experiment(storage::Session& session, std::int64_t id) {
  auto experiment = find_experiment(session, id);
  if (!experiment) not_found(id);
  return std::move(*experiment);
}

Experiment get_active_experiment(storage::Session& session, std::int64_t id) {
  Experiment experiment = get_experiment(session, id);
  if (experiment.deleted) {
    throw Error(Code::kFailedPrecondition,
                "The experiment " + std::to_string(id) +
                    " must be in the 'active' state. Current state is deleted.");
  }
  return experiment;
}

void delete_experiment(storage::Transaction& transaction, std::int64_t id, std::int64_t now_ms) {
  set_deleted(transaction, id, true, now_ms);
}

void restore_experiment(storage::Transaction& transaction, std::int64_t id, std::int64_t now_ms) {
  set_deleted(transaction, id, false, now_ms);
}

void rename_experiment(storage::Transaction& transaction, std::int64_t id, std::string_view name,
                       std::int64_t now_ms) {
  check_experiment_name(name);
  if (get_experiment(transaction, id).deleted) {
    throw Error(Code::kFailedPrecondition, "Cannot rename a non-active experiment.");
  }
  const auto holder = find_experiment_by_name(transaction, name);
  if (holder && holder->id != id) name_taken(*holder);
  transaction.execute("UPDATE experiment SET name = ?2, updated_at_ms = ?3 WHERE id = ?1", id, name,
                      now_ms);
}

void set_experiment_tag(storage::Transaction& transaction, std::int64_t id, std::string_view key,
                        std::string_view value, std::int64_t now_ms) {
  check_tag(key, value);
  get_active_experiment(transaction, id);
  put_tag(transaction, id, key, value);
  transaction.execute("UPDATE experiment SET updated_at_ms = ?2 WHERE id = ?1", id, now_ms);
}

void delete_experiment_tag(storage::Transaction& transaction, std::int64_t id, std::string_view key,
                           std::int64_t now_ms) {
  get_active_experiment(transaction, id);
  if (transaction.execute("DELETE FROM experiment_tag WHERE experiment = ?1 AND key = ?2", id,
                          key) == 0) {
    throw Error(Code::kNotFound, "No tag with name: " + std::string(key) +
                                     " in experiment with id " + std::to_string(id));
  }
  transaction.execute("UPDATE experiment SET updated_at_ms = ?2 WHERE id = ?1", id, now_ms);
}

void date_default_experiment(storage::Transaction& transaction, std::int64_t now_ms) {
  transaction.execute(
      "UPDATE experiment SET created_at_ms = ?1, updated_at_ms = ?1 WHERE id = 0 AND created_at_ms "
      "= 0",
      now_ms);
}

}  // namespace slipway::tracking
