// SPDX-License-Identifier: Apache-2.0
#include "tracking/run_log.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <set>
#include <span>
#include <unordered_set>

#include "base/error.h"
#include "json/value.h"
#include "tracking/key_rules.h"
#include "tracking/logged_model.h"

namespace slipway::tracking {
namespace {

constexpr std::size_t kRunIdBytesMax = 256;
constexpr std::size_t kParamRows = 10;  // inserted by one statement
constexpr std::string_view kModelHistoryTag = "mlflow.log-model.history";

std::string item(const char* list, std::size_t index, const char* field, bool single) {
  if (single) return field;
  return std::string(list) + "[" + std::to_string(index) + "]." + field;
}

void check_count(std::size_t count, std::size_t most, const std::string& what) {
  if (count <= most) return;
  throw Error(Code::kInvalidArgument,
              "A batch logging request can contain at most " + std::to_string(most) + " " + what +
                  ". Got " + std::to_string(count) + " " + what + ". Please split up " + what +
                  " across multiple requests and try again.");
}

// A batch has a thousand points of a few keys: each key is checked once.
void check_metrics(const std::vector<Metric>& metrics, bool single) {
  std::unordered_set<std::string_view> good;
  for (std::size_t i = 0; i < metrics.size(); ++i) {
    const Metric& metric = metrics[i];
    const bool known = (i > 0 && metric.key == metrics[i - 1].key) || good.contains(metric.key);
    if (!known) check_key(metric.key, item("metrics", i, "name", single));
    if (metric.point.time_ms < 0) {
      check_metric_time(metric.point.time_ms, metric.key, metric.point.value,
                        item("metrics", i, "timestamp", single));
    }
    if (known) continue;
    check_length(metric.key, kKeyCharactersMax, "Metric name");
    good.insert(metric.key);
  }
}

void check_params_unique(const Pairs& params) {
  std::set<std::string_view> seen;
  std::string twice;
  for (const auto& [key, value] : params) {
    if (seen.insert(key).second) continue;
    twice += (twice.empty() ? "'" : ", '") + key + "'";
  }
  if (twice.empty()) return;
  throw Error(Code::kInvalidArgument,
              "Duplicate parameter keys have been submitted: [" + twice +
                  "]. Please ensure the request contains only one param value per param key.");
}

std::string read_param(storage::Session& session, std::int64_t run, std::string_view key) {
  auto row = session.query("SELECT value FROM param WHERE run = ?1 AND key = ?2", run, key);
  row.step();
  return row.text(0);
}

using PairSpan = std::span<const std::pair<std::string, std::string>>;

// Returns how many were new; the others are left as they are.
std::int64_t insert_params(storage::Transaction& transaction, std::int64_t run, PairSpan params) {
  std::string sql = "INSERT INTO param (run, key, value) VALUES (?1, ?2, ?3)";
  for (std::size_t i = 1; i < params.size(); ++i) {
    sql += ", (?1, ?" + std::to_string(2 * i + 2) + ", ?" + std::to_string(2 * i + 3) + ")";
  }
  auto insert = transaction.prepare(sql + " ON CONFLICT (run, key) DO NOTHING");
  insert.bind(1, run);
  int index = 1;
  for (const auto& [key, value] : params) {
    insert.bind(++index, key);
    insert.bind(++index, value);
  }
  insert.step();
  return transaction.changes();
}

void log_params(storage::Transaction& transaction, const RunInfo& run, const Pairs& params,
                bool single) {
  std::string conflicts;
  for (std::size_t from = 0; from < params.size();) {
    // Two lengths, so that two statements stay prepared.
    const std::size_t count = params.size() - from >= kParamRows ? kParamRows : 1;
    const PairSpan piece(params.data() + from, count);
    from += count;
    // Nearly all are new: only when one is not are they read.
    if (insert_params(transaction, run.key, piece) == static_cast<std::int64_t>(count)) continue;
    for (const auto& [key, value] : piece) {
      const std::string old = read_param(transaction, run.key, key);
      if (old == value) continue;
      if (single) {
        throw Error(Code::kInvalidArgument,
                    "Changing param values is not allowed. Param with key='" + key +
                        "' was already logged with value='" + old + "' for run ID='" + run.id +
                        "'. Attempted logging new value '" + value + "'.");
      }
      conflicts += std::string(conflicts.empty() ? "" : ", ") + "{'key': '" + key +
                   "', 'old_value': '" + old + "', 'new_value': '" + value + "'}";
    }
  }
  if (conflicts.empty()) return;
  throw Error(Code::kInvalidArgument,
              "Changing param values is not allowed. Params were already logged='[" + conflicts +
                  "]' for run ID='" + run.id + "'.");
}

void put_tag(storage::Transaction& transaction, const RunInfo& run, std::string_view key,
             std::string_view value) {
  put_run_tag(transaction, run.key, key, value);
  if (key == kRunNameTag && !value.empty()) {
    transaction.execute("UPDATE run SET name = ?2 WHERE id = ?1", run.key, value);
  }
}

}  // namespace

void check_run_id(std::string_view id) {
  const auto is_word = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' ||
           static_cast<unsigned char>(c) >= 0x80;
  };
  const bool good =
      !id.empty() && id.size() <= kRunIdBytesMax &&
      std::isalnum(static_cast<unsigned char>(id.front())) != 0 &&
      std::all_of(id.begin(), id.end(), [&](char c) { return is_word(c) || c == '-'; });
  if (good) return;
  throw Error(Code::kInvalidArgument,
              "Invalid value " + quoted(id) + " for parameter 'run_id' supplied.");
}

void check_batch(Batch& batch, bool single) {
  check_metrics(batch.metrics, single);
  for (std::size_t i = 0; i < batch.params.size(); ++i) {
    auto& [key, value] = batch.params[i];
    check_key_and_length(key, item("params", i, "key", single), "Param key");
    if (value.find('\0') != std::string::npos)
      check_text(value, item("params", i, "value", single));
    value.resize(cut_to_characters(value, kParamValueCharactersMax).size());
  }
  for (std::size_t i = 0; i < batch.tags.size(); ++i) {
    auto& [key, value] = batch.tags[i];
    const std::string path = item("tags", i, "key", single);
    check_key_and_length(key, path, path);
    if (value.find('\0') != std::string::npos) check_text(value, item("tags", i, "value", single));
    value.resize(cut_to_characters(value, kTagValueCharactersMax).size());
  }
  check_count(batch.metrics.size() + batch.metrics_beyond, kMetricsPerBatchMax, "metrics");
  check_count(batch.params.size() + batch.params_beyond, kParamsPerBatchMax, "params");
  check_count(batch.tags.size() + batch.tags_beyond, kTagsPerBatchMax, "tags");
  check_count(batch.metrics.size() + batch.params.size() + batch.tags.size(), kEntitiesPerBatchMax,
              "metrics, params, and tags");
  check_params_unique(batch.params);
}

void log_batch(storage::Transaction& transaction, const Batch& batch, bool single) {
  const RunInfo run = get_active_run(transaction, batch.run_id);
  log_params(transaction, run, batch.params, single);
  if (!batch.metrics.empty()) append_metrics(transaction, run, batch.metrics);
  for (const Metric& metric : batch.metrics) {
    if (metric.model_id.empty()) continue;
    log_logged_model_metric(
        transaction, metric.model_id,
        {metric.key, clamp_metric_value(metric.point.value), metric.point.time_ms,
         metric.point.step, run.id, metric.dataset_name, metric.dataset_digest});
  }
  for (const auto& [key, value] : batch.tags) put_tag(transaction, run, key, value);
}

void set_run_tag(storage::Transaction& transaction, std::string_view run_id, std::string_view key,
                 std::string_view value) {
  Batch batch;
  batch.run_id = run_id;
  batch.tags.emplace_back(key, value);
  check_batch(batch, true);
  log_batch(transaction, batch, true);
}

void delete_run_tag(storage::Transaction& transaction, std::string_view run_id,
                    std::string_view key) {
  const RunInfo run = get_active_run(transaction, run_id);
  if (transaction.execute("DELETE FROM tag WHERE run = ?1 AND key = ?2", run.key, key) == 0) {
    throw Error(Code::kNotFound,
                "No tag with name: " + std::string(key) + " in run with id " + std::string(run_id));
  }
}

namespace {

// The model's fields as MLflow's server keeps them: its own first, in their order.
json::Value read_model(std::string_view model_json) {
  json::Value given;
  try {
    given = json::parse(model_json, {.bare_non_finite = true, .duplicate_keys_last = true});
  } catch (const Error&) {
    throw Error(Code::kInvalidArgument,
                "Malformed model info. \n " + std::string(model_json) + " \n is not a valid JSON.");
  }
  std::string missing;
  for (const char* field : {"artifact_path", "flavors", "utc_time_created", "run_id"}) {
    if (given.find(field) == nullptr)
      missing += std::string(missing.empty() ? "'" : ", '") + field + "'";
  }
  if (!missing.empty()) {
    throw Error(Code::kInvalidArgument,
                "Model json is missing mandatory fields: {" + missing + "}");
  }
  json::Object model;
  for (const char* field : {"run_id", "artifact_path", "utc_time_created", "model_uuid"}) {
    const json::Value* value = given.find(field);
    model.set(field, value != nullptr ? *value : json::Value());
  }
  for (const auto& [name, value] : given.as_object()) model.set(name, value);
  return model;
}

}  // namespace

void record_model(storage::Transaction& transaction, std::string_view run_id,
                  std::string_view model_json) {
  const RunInfo run = get_active_run(transaction, run_id);
  const json::Value model = read_model(model_json);
  json::Array history;
  auto row = transaction.query("SELECT value FROM tag WHERE run = ?1 AND key = ?2", run.key,
                               kModelHistoryTag);
  if (row.step()) {
    json::Value stored = json::parse(row.text_view(0));
    if (stored.is_array()) history = std::move(stored.as_array());
  }
  row.reset();
  history.push_back(model);
  const std::string text =
      json::write(json::Value(std::move(history)), {.python_separators = true});
  // Cut, it would be JSON no more.
  check_length(text, kTagValueCharactersMax, std::string(kModelHistoryTag));
  put_tag(transaction, run, kModelHistoryTag, text);
}

}  // namespace slipway::tracking
