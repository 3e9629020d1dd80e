// SPDX-License-Identifier: Apache-2.0
#include "api/mlflow/redaction.h"

#include <algorithm>

#include "api/mlflow/resource.h"

namespace slipway::api::mlflow {

bool Redaction::may_read_run(const std::string& id) {
  const auto [place, is_new] = runs_.try_emplace(id, false);
  if (is_new) place->second = may_run(session_, caller_, http::Level::kRead, id);
  return place->second;
}

bool Redaction::may_read_model(const std::string& id) {
  const auto [place, is_new] = models_.try_emplace(id, false);
  if (is_new) place->second = may_logged_model(session_, caller_, http::Level::kRead, id);
  return place->second;
}

tracking::Run Redaction::of(tracking::Run run) {
  if (caller_.admin) return run;
  std::erase_if(run.model_inputs, [this](const std::string& id) { return !may_read_model(id); });
  std::erase_if(run.model_outputs, [this](const tracking::ModelOutput& output) {
    return !may_read_model(output.model_id);
  });
  return run;
}

tracking::LoggedModel Redaction::of(tracking::LoggedModel model) {
  if (caller_.admin) return model;
  if (!model.source_run_id.empty() && !may_read_run(model.source_run_id))
    model.source_run_id.clear();
  for (tracking::ModelMetric& metric : model.metrics)
    if (!metric.run_id.empty() && !may_read_run(metric.run_id)) metric.run_id.clear();
  return model;
}

registry::ModelVersion Redaction::of(registry::ModelVersion version) {
  if (caller_.admin || version.run_id.empty() || may_read_run(version.run_id)) return version;
  if (version.source.find(version.run_id) != std::string::npos) version.source.clear();
  version.run_id.clear();
  version.run_link.clear();
  return version;
}

}  // namespace slipway::api::mlflow
