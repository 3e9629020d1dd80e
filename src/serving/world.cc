// SPDX-License-Identifier: Apache-2.0
#include "serving/world.h"

#include <chrono>

#include "base/file.h"
#include "registry/alias.h"
#include "registry/registered_model.h"
#include "tracking/artifact_uri.h"
#include "tracking/experiment_table.h"
#include "tracking/run_table.h"

namespace slipway::serving {

ServingWorld::ServingWorld() : artifacts({.root = folder.path() / "artifacts"}) { restart(); }

ServingWorld::~ServingWorld() = default;

void ServingWorld::restart() {
  predictor.reset();
  manager.reset();
  log.reset();
  PredictionLog::Options options;
  options.folder = folder.path() / "predictions";
  log = std::make_unique<PredictionLog>(options, clock, metrics);
  manager = std::make_unique<Manager>(
      Manager::Deps{database, artifacts, test_engine(), *log, clock, metrics});
  predictor = std::make_unique<Predictor>(*log, clock, metrics);
  refresh();
}

void ServingWorld::refresh() {
  manager->refresh_within(std::chrono::milliseconds(0));
  const auto endpoints = database.read_returning<std::vector<EndpointRow>>(
      [](storage::Session& session) { return list_endpoints(session); });
  for (const EndpointRow& row : endpoints) manager->refresh_now(row.name);
}

registry::ModelVersion ServingWorld::add_version(const std::string& model, const std::string& file,
                                                 const std::map<std::string, std::string>& more,
                                                 const std::string& mlmodel) {
  const std::int64_t now_ms = ms_of_us(clock.now());
  return database.write_returning<registry::ModelVersion>([&](storage::Transaction& transaction) {
    if (!registry::find_model(transaction, model))
      registry::create_model(transaction, clock, {model, std::nullopt, {}, "user:test"});
    auto experiment = tracking::find_experiment_by_name(transaction, "serving-tests");
    if (!experiment) {
      tracking::NewExperiment made;
      made.name = "serving-tests";
      tracking::create_experiment(transaction, made, now_ms);
      experiment = tracking::find_experiment_by_name(transaction, "serving-tests");
    }
    tracking::NewRun run;
    run.experiment_id = experiment->id;
    run.start_time_ms = now_ms;
    const tracking::RunInfo info = tracking::create_run(transaction, run);
    const std::string uri = info.artifact_uri + "/model";
    const std::string path = tracking::store_path(uri).value();
    if (!file.empty())
      artifacts.put(tracking::join_path(path, "model.onnx"), read_file(testdata(file)));
    if (!mlmodel.empty()) artifacts.put(tracking::join_path(path, "MLmodel"), mlmodel);
    for (const auto& [name, text] : more) artifacts.put(tracking::join_path(path, name), text);
    registry::NewVersion version;
    version.model = model;
    version.source = uri;
    version.run_id = info.id;
    version.actor = "user:test";
    return registry::create_version(transaction, clock, version);
  });
}

void ServingWorld::set_alias(const std::string& model, const std::string& alias,
                             std::int64_t version) {
  database.write([&](storage::Transaction& transaction) {
    registry::AliasChange change;
    change.model = model;
    change.alias = alias;
    change.version = version;
    change.actor = "user:test";
    registry::move_alias(transaction, clock, change);
  });
  refresh();
}

EndpointRow ServingWorld::add_endpoint(const EndpointRow& row) {
  auto stored = database.write_returning<EndpointRow>([&](storage::Transaction& transaction) {
    return put_endpoint(transaction, clock, row, {"user:test", "", 0});
  });
  refresh();
  return stored;
}

RolloutRow ServingWorld::start(const std::string& endpoint, std::int64_t champion,
                               std::int64_t challenger, double weight) {
  auto row = database.write_returning<RolloutRow>([&](storage::Transaction& transaction) {
    const EndpointRow found = get_endpoint(transaction, endpoint);
    RolloutStart start;
    start.endpoint = endpoint;
    start.model = found.model;
    start.alias = found.alias;
    start.champion = champion;
    start.challenger = challenger;
    if (const auto target = registry::find_alias(transaction, found.model, found.alias))
      start.started_move = target->move;
    start.log_position = log->end_position();
    start.weights = {weight};
    start.delta = 0.02;
    start.alpha_promote = start.alpha_rollback = 0.05;
    return start_rollout(transaction, clock, start, {"user:test", "", 0});
  });
  refresh();
  return row;
}

PredictionCall ServingWorld::call(const std::string& endpoint, std::vector<Tensor> inputs) const {
  PredictionCall made;
  made.route = manager->router().find(endpoint);
  made.inputs = std::move(inputs);
  return made;
}

PredictionCall ServingWorld::call(const std::string& endpoint) const {
  return call(endpoint, {floats("x", {1, 3}, {1, -1, 2})});
}

}  // namespace slipway::serving
