// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "tracking/artifact_store.h"
#include "tracking/session.h"

namespace slipway::tracking {

// What was received under each path of the artifact store: length and SHA-256, written after the
// file is in place and before the upload is acknowledged. A file without a row was put there by
// somebody else, or its upload was never acknowledged.
struct ArtifactDigest {
  std::uint64_t bytes = 0;
  std::string sha256;
  TimeUs stored_at = 0;
};

void record_artifact(storage::Transaction& transaction, std::string_view path,
                     const ArtifactStore::Stored& stored, TimeUs now);

// Forgets the path and everything below it.
void forget_artifacts(storage::Transaction& transaction, std::string_view path);

std::optional<ArtifactDigest> find_artifact(storage::Session& session, std::string_view path);

}  // namespace slipway::tracking
