// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

#include "http/access.h"
#include "registry/model_version.h"
#include "tracking/logged_model.h"
#include "tracking/run_table.h"
#include "tracking/session.h"

namespace slipway::api::mlflow {

// What one thing tells of another that the caller may not read: a version names its run, a run its
// models, a logged model its run. Those ids are left out. Callers with all rights get everything as
// it is. For the length of one answer; remembers what it looked up.
class Redaction {
 public:
  Redaction(storage::Session& session, const http::Caller& caller)
      : session_(session), caller_(caller) {}

  tracking::Run of(tracking::Run run);
  tracking::LoggedModel of(tracking::LoggedModel model);
  // The run's id and link; the source too where it names the run.
  registry::ModelVersion of(registry::ModelVersion version);

 private:
  bool may_read_run(const std::string& id);
  bool may_read_model(const std::string& id);

  storage::Session& session_;
  const http::Caller& caller_;
  std::map<std::string, bool> runs_;
  std::map<std::string, bool> models_;
};

}  // namespace slipway::api::mlflow
