// SPDX-License-Identifier: Apache-2.0
#include "tracking/logged_model.h"

#include <array>
#include <cmath>

#include "base/error.h"
#include "base/id.h"
#include "tracking/experiment_table.h"
#include "tracking/key_rules.h"

namespace slipway::tracking {
namespace {

constexpr std::array<std::string_view, 4> kStatusNames = {
    "LOGGED_MODEL_STATUS_UNSPECIFIED", "LOGGED_MODEL_PENDING", "LOGGED_MODEL_READY",
    "LOGGED_MODEL_UPLOAD_FAILED"};

[[noreturn]] void not_found(std::string_view id) {
  throw Error(Code::kNotFound, "Logged model with ID '" + std::string(id) + "' not found.");
}

LoggedModel read_row(const storage::Statement& row) {
  LoggedModel model;
  model.key = row.int64(0);
  model.id = row.text(1);
  model.experiment_id = row.int64(2);
  model.name = row.text(3);
  model.artifact_uri = row.text(4);
  model.created_at_ms = row.int64(5);
  model.updated_at_ms = row.int64(6);
  model.status = static_cast<ModelStatus>(row.int64(7));
  model.model_type = row.text(8);
  model.source_run_id = row.text(9);
  model.status_message = row.text(10);
  model.deleted = row.int64(11) != 0;
  return model;
}

std::string select_where(std::string_view condition) {
  std::string sql =
      "SELECT id, model_id, experiment, name, artifact_uri, created_at_ms, updated_at_ms, status, "
      "model_type, source_run_id, "
      "status_message, deleted FROM logged_model WHERE ";
  sql += condition;
  return sql;
}

// The newest value of each metric on each dataset; (time, step) says which is newest.
void load_metrics(storage::Session& session, LoggedModel& model) {
  auto rows = session.query(
      "SELECT key, value, nan, time_ms, step, run_id, dataset_name, dataset_digest FROM "
      "logged_model_metric "
      "WHERE model = ?1 ORDER BY key, dataset_name, dataset_digest, run_id, time_ms, step",
      model.key);
  while (rows.step()) {
    ModelMetric metric{rows.text(0),  rows.int64(2) != 0 ? std::nan("") : rows.real(1),
                       rows.int64(3), rows.int64(4),
                       rows.text(5),  rows.text(6),
                       rows.text(7)};
    const bool same_series = !model.metrics.empty() && model.metrics.back().key == metric.key &&
                             model.metrics.back().dataset_name == metric.dataset_name &&
                             model.metrics.back().dataset_digest == metric.dataset_digest &&
                             model.metrics.back().run_id == metric.run_id;
    if (same_series) {
      model.metrics.back() = std::move(metric);
    } else {
      model.metrics.push_back(std::move(metric));
    }
  }
}

LoggedModel load_parts(storage::Session& session, LoggedModel model) {
  {
    auto rows = session.query(
        "SELECT key, value FROM logged_model_param WHERE model = ?1 ORDER BY key", model.key);
    while (rows.step()) model.params.emplace_back(rows.text(0), rows.text(1));
  }
  {
    auto rows = session.query(
        "SELECT key, value FROM logged_model_tag WHERE model = ?1 ORDER BY key", model.key);
    while (rows.step()) model.tags.emplace_back(rows.text(0), rows.text(1));
  }
  load_metrics(session, model);
  return model;
}

std::int64_t get_key(storage::Session& session, std::string_view id) {
  auto row = session.query("SELECT id FROM logged_model WHERE model_id = ?1", id);
  if (!row.step()) not_found(id);
  return row.int64(0);
}

void put_tags(storage::Transaction& transaction, std::int64_t key, const Pairs& tags) {
  for (const auto& [name, value] : tags) {
    check_key_and_length(name, "key", "key");
    transaction.execute(
        "INSERT INTO logged_model_tag (model, key, value) VALUES (?1, ?2, ?3) "
        "ON CONFLICT (model, key) DO UPDATE SET value = excluded.value",
        key, name, cut_to_characters(value, kTagValueCharactersMax));
  }
}

void put_params(storage::Transaction& transaction, std::int64_t key, std::string_view id,
                const Pairs& params) {
  for (const auto& [name, value] : params) {
    check_key_and_length(name, "key", "key");
    const std::string_view cut = cut_to_characters(value, kParamValueCharactersMax);
    if (transaction.execute("INSERT INTO logged_model_param (model, key, value) VALUES (?1, ?2, "
                            "?3) ON CONFLICT DO NOTHING",
                            key, name, cut) == 1) {
      continue;
    }
    auto row = transaction.query(
        "SELECT value FROM logged_model_param WHERE model = ?1 AND key = ?2", key, name);
    if (row.step() && row.text_view(0) != cut) {
      throw Error(Code::kInvalidArgument, "Changing param values is not allowed. Param with key='" +
                                              name + "' was already logged with value='" +
                                              row.text(0) + "' for model ID='" + std::string(id) +
                                              "'. Attempted logging new value '" + value + "'.");
    }
  }
}

}  // namespace

std::string_view status_name(ModelStatus status) {
  return kStatusNames[static_cast<std::size_t>(status)];
}

std::optional<ModelStatus> parse_model_status(std::string_view name) {
  for (std::size_t i = 0; i < kStatusNames.size(); ++i) {
    if (name == kStatusNames[i] || name == std::to_string(i)) return static_cast<ModelStatus>(i);
  }
  return std::nullopt;
}

LoggedModel create_logged_model(storage::Transaction& transaction, const NewLoggedModel& model,
                                std::int64_t now_ms) {
  check_logged_model_name(model.name);
  const Experiment experiment = get_active_experiment(transaction, model.experiment_id);
  const std::string id = "m-" + random_hex32();
  std::string uri = experiment.artifact_location;
  if (!uri.ends_with('/')) uri += '/';
  uri += "models/" + id + "/artifacts";
  const std::int64_t key = transaction.insert_id(
      "INSERT INTO logged_model (model_id, experiment, name, artifact_uri, created_at_ms, "
      "updated_at_ms, status, model_type, "
      "source_run_id, status_message) VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6, ?7, ?8, '') RETURNING id",
      id, experiment.id, model.name.empty() ? invent_name() : model.name, uri, now_ms,
      static_cast<int>(ModelStatus::kPending), model.model_type, model.source_run_id);
  put_params(transaction, key, id, model.params);
  put_tags(transaction, key, model.tags);
  return load_logged_model(transaction, key);
}

std::optional<LoggedModel> find_logged_model(storage::Session& session, std::string_view id,
                                             bool also_deleted) {
  auto row = session.query(select_where("model_id = ?1"), id);
  if (!row.step()) return std::nullopt;
  LoggedModel model = read_row(row);
  row.reset();
  if (model.deleted && !also_deleted) return std::nullopt;
  return load_parts(session, std::move(model));
}

LoggedModel get_logged_model(storage::Session& session, std::string_view id, bool also_deleted) {
  auto model = find_logged_model(session, id, also_deleted);
  if (!model) not_found(id);
  return std::move(*model);
}

LoggedModel load_logged_model(storage::Session& session, std::int64_t model_key) {
  auto row = session.query(select_where("id = ?1"), model_key);
  if (!row.step())
    throw Error(Code::kDataLoss,
                "logged model " + std::to_string(model_key) + " is missing from the store");
  LoggedModel model = read_row(row);
  row.reset();
  return load_parts(session, std::move(model));
}

LoggedModel finalize_logged_model(storage::Transaction& transaction, std::string_view id,
                                  ModelStatus status, std::int64_t now_ms) {
  const std::int64_t key = get_key(transaction, id);
  transaction.execute("UPDATE logged_model SET status = ?2, updated_at_ms = ?3 WHERE id = ?1", key,
                      static_cast<int>(status), now_ms);
  return load_logged_model(transaction, key);
}

void delete_logged_model(storage::Transaction& transaction, std::string_view id,
                         std::int64_t now_ms) {
  transaction.execute("UPDATE logged_model SET deleted = 1, updated_at_ms = ?2 WHERE id = ?1",
                      get_key(transaction, id), now_ms);
}

LoggedModel set_logged_model_tags(storage::Transaction& transaction, std::string_view id,
                                  const Pairs& tags) {
  const std::int64_t key = get_key(transaction, id);
  put_tags(transaction, key, tags);
  return load_logged_model(transaction, key);
}

void delete_logged_model_tag(storage::Transaction& transaction, std::string_view id,
                             std::string_view key) {
  const std::int64_t model = get_key(transaction, id);
  if (transaction.execute("DELETE FROM logged_model_tag WHERE model = ?1 AND key = ?2", model,
                          key) == 0) {
    throw Error(Code::kNotFound, "No tag with key '" + std::string(key) +
                                     "' found for model with ID '" + std::string(id) + "'.");
  }
}

void log_logged_model_params(storage::Transaction& transaction, std::string_view id,
                             const Pairs& params) {
  put_params(transaction, get_key(transaction, id), id, params);
}

void log_logged_model_metric(storage::Transaction& transaction, std::string_view id,
                             const ModelMetric& metric) {
  const bool nan = std::isnan(metric.value);
  transaction.execute(
      "INSERT INTO logged_model_metric (model, key, time_ms, step, run_id, value, nan, "
      "dataset_name, dataset_digest) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO NOTHING",
      get_key(transaction, id), metric.key, metric.time_ms, metric.step, metric.run_id,
      nan ? 0.0 : metric.value, nan, metric.dataset_name, metric.dataset_digest);
}

std::optional<std::string> find_model_of_run(storage::Session& session, std::string_view run_id,
                                             std::string_view name) {
  auto row = session.query(
      "SELECT model_id FROM logged_model WHERE source_run_id = ?1 AND name = ?2 AND deleted = 0 "
      "ORDER BY created_at_ms DESC, id DESC LIMIT 1",
      run_id, name);
  if (!row.step()) return std::nullopt;
  return row.text(0);
}

}  // namespace slipway::tracking
