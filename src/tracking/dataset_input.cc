// SPDX-License-Identifier: Apache-2.0
#include "tracking/dataset_input.h"

#include "base/error.h"
#include "tracking/key_rules.h"

namespace slipway::tracking {
namespace {

void require(const std::string& value, const std::string& path) {
  if (value.empty())
    throw Error(Code::kInvalidArgument, "Missing value for required parameter '" + path + "'.");
}

std::int64_t find_or_create_dataset(storage::Transaction& transaction, std::int64_t experiment,
                                    const DatasetInput& input) {
  transaction.execute(
      "INSERT INTO dataset (experiment, name, digest, source_type, source, schema_json, "
      "profile_json) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (experiment, name, digest) DO NOTHING",
      experiment, input.name, input.digest, input.source_type, input.source, input.schema,
      input.profile);
  auto row = transaction.query(
      "SELECT id FROM dataset WHERE experiment = ?1 AND name = ?2 AND digest = ?3", experiment,
      input.name, input.digest);
  row.step();
  return row.int64(0);
}

}  // namespace

void check_dataset_inputs(const std::vector<DatasetInput>& inputs) {
  if (inputs.size() > kDatasetsPerCallMax) {
    throw Error(Code::kInvalidArgument, "A call can log at most " +
                                            std::to_string(kDatasetsPerCallMax) +
                                            " datasets, not " + std::to_string(inputs.size()));
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const DatasetInput& input = inputs[i];
    const std::string path = "datasets[" + std::to_string(i) + "].dataset.";
    require(input.name, path + "name");
    require(input.digest, path + "digest");
    require(input.source_type, path + "source_type");
    require(input.source, path + "source");
    check_length(input.name, kDatasetNameCharactersMax, path + "name");
    check_length(input.digest, kDatasetDigestCharactersMax, path + "digest");
    check_length(input.source, kDatasetSourceCharactersMax, path + "source");
    check_length(input.schema, kDatasetSchemaCharactersMax, path + "schema");
    check_length(input.profile, kDatasetProfileCharactersMax, path + "profile");
    for (const auto& [key, value] : input.tags) {
      require(key, "datasets[" + std::to_string(i) + "].tags.key");
      check_length(key, kInputTagKeyCharactersMax, "datasets[" + std::to_string(i) + "].tags.key");
      check_length(value, kInputTagValueCharactersMax,
                   "datasets[" + std::to_string(i) + "].tags.value");
    }
  }
}

void log_inputs(storage::Transaction& transaction, std::string_view run_id,
                const std::vector<DatasetInput>& datasets,
                const std::vector<std::string>& model_ids) {
  const RunInfo run = get_active_run(transaction, run_id);
  for (const DatasetInput& input : datasets) {
    const std::int64_t dataset = find_or_create_dataset(transaction, run.experiment_id, input);
    std::int64_t link = 0;
    {
      auto row = transaction.query(
          "INSERT INTO dataset_input (run, dataset) VALUES (?1, ?2) ON CONFLICT (run, dataset) DO "
          "NOTHING RETURNING id",
          run.key, dataset);
      if (!row.step()) continue;  // linked before
      link = row.int64(0);
    }
    for (const auto& [key, value] : input.tags) {
      transaction.execute(
          "INSERT INTO dataset_input_tag (input, key, value) VALUES (?1, ?2, ?3) "
          "ON CONFLICT (input, key) DO UPDATE SET value = excluded.value",
          link, key, value);
    }
  }
  for (const std::string& model : model_ids) {
    transaction.execute(
        "INSERT INTO run_model (run, output, model_id, step) VALUES (?1, 0, ?2, 0) ON CONFLICT DO "
        "NOTHING",
        run.key, model);
  }
}

void log_outputs(storage::Transaction& transaction, std::string_view run_id,
                 const std::vector<ModelOutput>& models) {
  const RunInfo run = get_active_run(transaction, run_id);
  for (const ModelOutput& model : models) {
    transaction.execute(
        "INSERT INTO run_model (run, output, model_id, step) VALUES (?1, 1, ?2, ?3) ON CONFLICT DO "
        "NOTHING",
        run.key, model.model_id, model.step);
  }
}

std::vector<DatasetInput> list_dataset_inputs(storage::Session& session, std::int64_t run_key) {
  std::vector<DatasetInput> inputs;
  std::vector<std::int64_t> links;
  {
    auto rows = session.query(
        "SELECT i.id, d.name, d.digest, d.source_type, d.source, d.schema_json, d.profile_json "
        "FROM dataset_input i "
        "JOIN dataset d ON d.id = i.dataset WHERE i.run = ?1 ORDER BY i.id",
        run_key);
    while (rows.step()) {
      links.push_back(rows.int64(0));
      inputs.push_back(
          {rows.text(1), rows.text(2), rows.text(3), rows.text(4), rows.text(5), rows.text(6), {}});
    }
  }
  for (std::size_t i = 0; i < links.size(); ++i) {
    auto tags = session.query(
        "SELECT key, value FROM dataset_input_tag WHERE input = ?1 ORDER BY key", links[i]);
    while (tags.step()) inputs[i].tags.emplace_back(tags.text(0), tags.text(1));
  }
  return inputs;
}

std::vector<DatasetSummary> summarize_datasets(storage::Session& session,
                                               const std::vector<std::int64_t>& experiment_ids) {
  if (experiment_ids.size() > kSummaryExperimentsMax) {
    throw Error(Code::kInvalidArgument,
                "experiment_ids cannot have more than " + std::to_string(kSummaryExperimentsMax) +
                    " entries, not " + std::to_string(experiment_ids.size()));
  }
  std::vector<DatasetSummary> summaries;
  for (const std::int64_t experiment : experiment_ids) {
    auto rows = session.query(
        "SELECT DISTINCT d.name, d.digest, COALESCE(t.value, '') FROM dataset d JOIN dataset_input "
        "i ON i.dataset = d.id "
        "JOIN run r ON r.id = i.run AND r.deleted = 0 "
        "LEFT JOIN dataset_input_tag t ON t.input = i.id AND t.key = ?2 WHERE d.experiment = ?1 "
        "ORDER BY 1, 2, 3 LIMIT ?3",
        experiment, kDatasetContextTag, kSummariesMax);
    while (rows.step()) summaries.push_back({experiment, rows.text(0), rows.text(1), rows.text(2)});
  }
  return summaries;
}

}  // namespace slipway::tracking
