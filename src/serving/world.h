// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/metrics.h"
#include "registry/model_version.h"
#include "serving/manager.h"
#include "serving/onnx_engine.h"
#include "serving/prediction_log.h"
#include "serving/predictor.h"
#include "serving/testing.h"
#include "storage/database.h"
#include "storage/testing.h"
#include "tracking/artifact_store.h"

namespace slipway::serving {

// A server's inside without HTTP, for tests of this folder and above: store in memory, artifacts
// and log in a temporary folder, the real engine, a clock that stands still. Not thread-safe where
// Database::read on ":memory:" is not.
class ServingWorld {
 public:
  ServingWorld();
  ~ServingWorld();

  // Registers testdata/FILE as the next version of the model (made if need be) with a run of its
  // own; an MLmodel of onnx flavour stands beside it unless `mlmodel` is empty ("" = the bare
  // file). Further files: name -> text.
  registry::ModelVersion add_version(
      const std::string& model, const std::string& file,
      const std::map<std::string, std::string>& more = {},
      const std::string& mlmodel = "flavors:\n  onnx:\n    data: model.onnx\n");
  void set_alias(const std::string& model, const std::string& alias, std::int64_t version);
  EndpointRow add_endpoint(const EndpointRow& row);
  // Started and refreshed: so many shares of the requests of `endpoint` go to `challenger`.
  RolloutRow start(const std::string& endpoint, std::int64_t champion, std::int64_t challenger,
                   double weight);

  PredictionCall call(const std::string& endpoint, std::vector<Tensor> inputs) const;
  PredictionCall call(const std::string& endpoint) const;  // one row for testdata/classifier.onnx

  // What every endpoint wants is loaded, here, and served.
  void refresh();

  // Closes the log and everything on it and opens it again, as a restart does.
  void restart();

  FakeClock clock{1'362'096'000'000'000};  // 2013-03-01T00:00:00Z
  metrics::Registry metrics;
  TemporaryFolder folder;
  storage::FreshStore store;
  storage::Database database{store.options()};
  tracking::ArtifactStore artifacts;
  std::unique_ptr<PredictionLog> log;
  std::unique_ptr<Manager> manager;
  std::unique_ptr<Predictor> predictor;
};

}  // namespace slipway::serving
