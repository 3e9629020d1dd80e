// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "tracking/session.h"

namespace slipway::tracking {

// Where artifacts are, as MLflow's clients write it. This server holds what lies under
// `mlflow-artifacts:/`; everything else (s3://…, file:…, a path of the client's machine) is the
// client's to read and is only remembered here.

inline constexpr std::string_view kArtifactScheme = "mlflow-artifacts:/";

// "mlflow-artifacts:/0/RUN/artifacts/model" -> "0/RUN/artifacts/model", the path below the
// ArtifactStore's root ("" is the root). nullopt for another scheme or a host
// ("mlflow-artifacts://host/…"). Throws kInvalidArgument for a path that is not safe.
std::optional<std::string> store_path(std::string_view uri);

// The same for any URI that leads to this server's files: `mlflow-artifacts:/…`, `runs:/RUN[/path]`
// (a logged model of that name and run where there is one, else below the run's artifacts) and
// `models:/m-ID[/path]`. kNotFound if the run or model does not exist; nullopt if the artifacts are
// not in this server's store. `models:/NAME/…` is the registry's to resolve first.
std::optional<std::string> resolve_artifacts(storage::Session& session, std::string_view uri);

// Checks an artifact location that a client gives to an experiment.
//   throws kInvalidArgument naming what is wrong: over 2,048 characters, fragment, parameters where
//   the scheme has them, ".." in the path or query (also escaped), runs:/ and models:/, a
//   host-addressed scheme (http, sftp, mlflow-artifacts://host …) source  MLflow 3.17.2, as asked
void check_artifact_location(std::string_view uri);

}  // namespace slipway::tracking
