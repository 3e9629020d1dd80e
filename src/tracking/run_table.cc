// SPDX-License-Identifier: Apache-2.0
#include "tracking/run_table.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/error.h"
#include "base/id.h"
#include "tracking/artifact_store.h"
#include "tracking/dataset_input.h"
#include "tracking/experiment_table.h"
#include "tracking/key_rules.h"

namespace slipway::tracking {
namespace {

constexpr std::array<std::string_view, 5> kStatusNames = {"RUNNING", "SCHEDULED", "FINISHED",
                                                          "FAILED", "KILLED"};
constexpr int kAncestorsMax = 16;

const std::string* find_pair(const Pairs& pairs, std::string_view key) {
  for (const auto& [name, value] : pairs) {
    if (name == key) return &value;
  }
  return nullptr;
}

void read_pairs(storage::Statement rows, Pairs& out) {
  while (rows.step()) out.emplace_back(rows.text(0), rows.text(1));
}

// The run's name, and with it the tag that says the same.
std::string settle_name(const NewRun& run, Pairs& tags) {
  const std::string* tag = find_pair(tags, kRunNameTag);
  const bool tagged = tag != nullptr && !tag->empty();
  if (!run.name.empty() && tagged && run.name != *tag) {
    throw Error(Code::kInvalidArgument,
                "Both 'run_name' argument and 'mlflow.runName' tag are specified, but with "
                "different values (run_name='" +
                    run.name + "', mlflow.runName='" + *tag + "').");
  }
  std::string name = !run.name.empty() ? run.name : tagged ? *tag : invent_name();
  if (!tagged) tags.emplace_back(kRunNameTag, name);
  return name;
}

[[noreturn]] void not_found(std::string_view run_id) {
  throw Error(Code::kNotFound, "Run with id=" + std::string(run_id) + " not found");
}

void set_deleted(storage::Transaction& transaction, std::string_view run_id,
                 std::optional<std::int64_t> deleted_at_ms) {
  if (transaction.execute("UPDATE run SET deleted = ?2, deleted_at_ms = ?3 WHERE uuid = ?1", run_id,
                          deleted_at_ms.has_value(), deleted_at_ms) == 0) {
    not_found(run_id);
  }
}

}  // namespace

void put_run_tag(storage::Transaction& transaction, std::int64_t run_key, std::string_view key,
                 std::string_view value) {
  transaction.execute(
      "INSERT INTO tag (run, key, value) VALUES (?1, ?2, ?3) ON CONFLICT (run, key) DO UPDATE SET "
      "value = excluded.value",
      run_key, key, value);
}

std::string_view status_name(RunStatus status) {
  return kStatusNames[static_cast<std::size_t>(status) - 1];
}

std::optional<RunStatus> parse_status(std::string_view name) {
  for (std::size_t i = 0; i < kStatusNames.size(); ++i) {
    if (name == kStatusNames[i] || name == std::to_string(i + 1))
      return static_cast<RunStatus>(i + 1);
  }
  return std::nullopt;
}

const std::string* Run::tag(std::string_view key) const { return find_pair(tags, key); }
const std::string* Run::param(std::string_view key) const { return find_pair(params, key); }

std::string_view run_columns() {
  return "r.id, r.uuid, r.experiment, r.name, r.user_id, r.status, r.start_time_ms, r.end_time_ms, "
         "r.artifact_uri, r.deleted";
}

RunInfo read_run_row(const storage::Statement& row) {
  RunInfo info;
  info.key = row.int64(0);
  info.id = row.text(1);
  info.experiment_id = row.int64(2);
  info.name = row.text(3);
  info.user_id = row.text(4);
  info.status = static_cast<RunStatus>(row.int64(5));
  info.start_time_ms = row.int64(6);
  info.end_time_ms = row.maybe_int64(7);
  info.artifact_uri = row.text(8);
  info.deleted = row.int64(9) != 0;
  return info;
}

RunInfo create_run(storage::Transaction& transaction, const NewRun& run) {
  const Experiment experiment = get_active_experiment(transaction, run.experiment_id);
  Pairs tags = run.tags;
  RunInfo info;
  info.name = settle_name(run, tags);
  check_text(info.name, "run_name");
  check_text(run.user_id, "user_id");
  if (!run.stage_run.empty() && find_pair(tags, kParentTag) == nullptr)
    tags.emplace_back(kParentTag, run.stage_run);
  info.id = random_hex32();
  info.experiment_id = experiment.id;
  info.user_id = run.user_id;
  info.start_time_ms = run.start_time_ms;
  info.artifact_uri = experiment.artifact_location;
  if (!info.artifact_uri.ends_with('/')) info.artifact_uri += '/';
  info.artifact_uri += info.id + "/artifacts";
  info.key = transaction.insert_id(
      "INSERT INTO run (uuid, experiment, name, user_id, status, start_time_ms, artifact_uri) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) RETURNING id",
      info.id, info.experiment_id, info.name, info.user_id, static_cast<int>(info.status),
      info.start_time_ms, info.artifact_uri);
  for (std::size_t i = 0; i < tags.size(); ++i) {
    const std::string path = "tags[" + std::to_string(i) + "].key";
    check_key_and_length(tags[i].first, path, path);
    check_text(tags[i].second, "tags[" + std::to_string(i) + "].value");
    put_run_tag(transaction, info.key, tags[i].first,
                cut_to_characters(tags[i].second, kTagValueCharactersMax));
  }
  return info;
}

RunInfo update_run(storage::Transaction& transaction, const RunChange& change) {
  RunInfo info = get_active_run(transaction, change.run_id);
  if (change.status) info.status = *change.status;
  if (change.end_time_ms) info.end_time_ms = change.end_time_ms;
  if (change.name && !change.name->empty()) {
    check_text(*change.name, "run_name");
    info.name = *change.name;
    put_run_tag(transaction, info.key, kRunNameTag,
                cut_to_characters(info.name, kTagValueCharactersMax));
  }
  transaction.execute("UPDATE run SET status = ?2, end_time_ms = ?3, name = ?4 WHERE id = ?1",
                      info.key, static_cast<int>(info.status), info.end_time_ms, info.name);
  return info;
}

void delete_run(storage::Transaction& transaction, std::string_view run_id, std::int64_t now_ms) {
  set_deleted(transaction, run_id, now_ms);
}

void restore_run(storage::Transaction& transaction, std::string_view run_id) {
  set_deleted(transaction, run_id, std::nullopt);
}

std::optional<RunInfo> find_run_info(storage::Session& session, std::string_view run_id) {
  static const std::string sql =
      "SELECT " + std::string(run_columns()) + " FROM run r WHERE r.uuid = ?1";
  auto row = session.query(sql, run_id);
  if (!row.step()) return std::nullopt;
  return read_run_row(row);
}

RunInfo get_run_info(storage::Session& session, std::string_view run_id) {
  auto info = find_run_info(session, run_id);
  if (!info) not_found(run_id);
  return std::move(*info);
}

RunInfo get_active_run(storage::Session& session, std::string_view run_id) {
  RunInfo info = get_run_info(session, run_id);
  if (info.deleted) {
    throw Error(Code::kFailedPrecondition,
                "The run " + info.id + " must be in the 'active' state. Current state is deleted.");
  }
  return info;
}

RunInfo load_run_info(storage::Session& session, std::int64_t run_key) {
  auto row = session.query("SELECT " + std::string(run_columns()) + " FROM run r WHERE r.id = ?1",
                           run_key);
  if (!row.step())
    throw Error(Code::kDataLoss, "run " + std::to_string(run_key) + " is missing from the store");
  return read_run_row(row);
}

Run load_run(storage::Session& session, RunInfo info) {
  Run run;
  run.info = std::move(info);
  const std::int64_t key = run.info.key;
  {
    auto rows = session.query(
        "SELECT key, value, nan, time_ms, step FROM latest WHERE run = ?1 ORDER BY key", key);
    while (rows.step()) {
      run.metrics.push_back({rows.text(0), rows.int64(2) != 0 ? std::nan("") : rows.real(1),
                             rows.int64(3), rows.int64(4)});
    }
  }
  read_pairs(session.query("SELECT key, value FROM param WHERE run = ?1 ORDER BY key", key),
             run.params);
  read_pairs(session.query("SELECT key, value FROM tag WHERE run = ?1 ORDER BY key", key),
             run.tags);
  run.datasets = list_dataset_inputs(session, key);
  auto models = session.query(
      "SELECT output, model_id, step FROM run_model WHERE run = ?1 ORDER BY output, model_id", key);
  while (models.step()) {
    if (models.int64(0) == 0) {
      run.model_inputs.push_back(models.text(1));
    } else {
      run.model_outputs.push_back({models.text(1), models.int64(2)});
    }
  }
  return run;
}

Run load_new_run(storage::Session& session, RunInfo info) {
  Run run;
  run.info = std::move(info);
  read_pairs(session.query("SELECT key, value FROM tag WHERE run = ?1 ORDER BY key", run.info.key),
             run.tags);
  return run;
}

std::optional<Run> find_run(storage::Session& session, std::string_view run_id) {
  auto info = find_run_info(session, run_id);
  if (!info) return std::nullopt;
  return load_run(session, std::move(*info));
}

Run get_run(storage::Session& session, std::string_view run_id) {
  return load_run(session, get_run_info(session, run_id));
}

std::vector<RunInfo> list_children(storage::Session& session, std::string_view run_id,
                                   std::int64_t limit) {
  std::vector<RunInfo> children;
  auto rows =
      session.query("SELECT " + std::string(run_columns()) +
                        " FROM tag t JOIN run r ON r.id = t.run WHERE t.key = "
                        "'mlflow.parentRunId' AND t.value = ?1 AND substr(t.value, 1, 64) = "
                        "substr(?1, 1, 64) AND r.deleted = 0 "
                        "ORDER BY r.start_time_ms, r.id LIMIT ?2",
                    run_id, limit);
  while (rows.step()) children.push_back(read_run_row(rows));
  return children;
}

std::vector<RunInfo> list_ancestors(storage::Session& session, std::string_view run_id) {
  std::vector<RunInfo> ancestors;
  std::string child(run_id);
  while (static_cast<int>(ancestors.size()) < kAncestorsMax) {
    auto row = session.query(
        "SELECT t.value FROM tag t JOIN run r ON r.id = t.run WHERE r.uuid = ?1 AND t.key = "
        "'mlflow.parentRunId'",
        child);
    if (!row.step()) break;
    std::string parent = row.text(0);
    row.reset();
    auto info = find_run_info(session, parent);
    if (!info) break;
    ancestors.push_back(std::move(*info));
    child = std::move(parent);
  }
  return ancestors;
}

}  // namespace slipway::tracking
