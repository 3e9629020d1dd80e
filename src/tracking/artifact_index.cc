// SPDX-License-Identifier: Apache-2.0
#include "tracking/artifact_index.h"

namespace slipway::tracking {

void record_artifact(storage::Transaction& transaction, std::string_view path,
                     const ArtifactStore::Stored& stored, TimeUs now) {
  transaction.execute(
      "INSERT INTO artifact (path, size_bytes, sha256, stored_at) VALUES (?1, ?2, ?3, ?4) ON "
      "CONFLICT (path) DO UPDATE SET "
      "size_bytes = excluded.size_bytes, sha256 = excluded.sha256, stored_at = excluded.stored_at",
      path, static_cast<std::int64_t>(stored.bytes), stored.sha256, now);
}

void forget_artifacts(storage::Transaction& transaction, std::string_view path) {
  // '0' is the byte after '/': the range is all that begins with "path/".
  transaction.execute("DELETE FROM artifact WHERE path = ?1 OR (path > ?2 AND path < ?3)", path,
                      std::string(path) + "/", std::string(path) + "0");
}

std::optional<ArtifactDigest> find_artifact(storage::Session& session, std::string_view path) {
  auto row =
      session.query("SELECT size_bytes, sha256, stored_at FROM artifact WHERE path = ?1", path);
  if (!row.step()) return std::nullopt;
  return ArtifactDigest{static_cast<std::uint64_t>(row.int64(0)), row.text(1), row.int64(2)};
}

}  // namespace slipway::tracking
