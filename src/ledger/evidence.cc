// SPDX-License-Identifier: Apache-2.0
#include "ledger/evidence.h"

#include "base/id.h"

namespace slipway::ledger {
namespace {

constexpr std::string_view kColumns = "hash, kind, subject, recorded_at, body";

Evidence row_to_evidence(const storage::Statement& row) {
  Evidence evidence;
  evidence.hash = row.text(0);
  evidence.kind = row.text(1);
  evidence.subject = row.text(2);
  evidence.recorded_at = row.int64(3);
  evidence.body = json::parse(row.text_view(4));
  return evidence;
}

}  // namespace

std::string put_evidence(storage::Transaction& transaction, const Clock& clock,
                         const std::string& kind, const std::string& subject,
                         const json::Value& body) {
  const std::string bytes = json::write(body);
  std::string hash = sha256_hex(bytes);
  // The ordinal, not the clock, says which is newest; storing the same document again makes it the
  // newest.
  transaction.execute(
      "INSERT INTO evidence (hash, kind, subject, recorded_at, ordinal, body)"
      " VALUES (?1, ?2, ?3, ?4, (SELECT coalesce(max(ordinal), 0) + 1 FROM evidence WHERE kind = "
      "?2 AND subject = ?3), ?5)"
      " ON CONFLICT (hash) DO UPDATE SET ordinal ="
      " (SELECT coalesce(max(e.ordinal), 0) + 1 FROM evidence e WHERE e.kind = evidence.kind AND "
      "e.subject = evidence.subject)",
      hash, kind, subject, clock.now(), bytes);
  return hash;
}

std::optional<Evidence> find_evidence(storage::Session& session, const std::string& hash) {
  auto rows =
      session.query("SELECT " + std::string(kColumns) + " FROM evidence WHERE hash = ?1", hash);
  if (!rows.step()) return std::nullopt;
  return row_to_evidence(rows);
}

std::optional<Evidence> latest_evidence(storage::Session& session, const std::string& kind,
                                        const std::string& subject) {
  auto rows = session.query(
      "SELECT " + std::string(kColumns) +
          " FROM evidence WHERE kind = ?1 AND subject = ?2 ORDER BY ordinal DESC LIMIT 1",
      kind, subject);
  if (!rows.step()) return std::nullopt;
  return row_to_evidence(rows);
}

}  // namespace slipway::ledger
