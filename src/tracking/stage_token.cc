// SPDX-License-Identifier: Apache-2.0
#include "tracking/stage_token.h"

#include <array>
#include <cstdint>

#include "base/id.h"
#include "tracking/run_table.h"

namespace slipway::tracking {
namespace {
constexpr std::string_view kPrefix = "slst_";
constexpr std::size_t kTokenBytes = 32;
}  // namespace

std::string mint_stage_token(storage::Transaction& transaction, const Clock& clock,
                             std::string_view run_id) {
  const RunInfo run = get_run_info(transaction, run_id);
  std::array<std::uint8_t, kTokenBytes> random{};
  random_bytes(random);
  std::string token = std::string(kPrefix) + to_hex(random);
  transaction.execute("INSERT INTO stage_token (token_sha256, run, minted_at) VALUES (?1, ?2, ?3)",
                      sha256_hex(token), run.key, clock.now());
  return token;
}

std::optional<std::string> find_stage_run(storage::Session& session, std::string_view token) {
  if (!token.starts_with(kPrefix)) return std::nullopt;
  auto row = session.query(
      "SELECT r.uuid FROM stage_token t JOIN run r ON r.id = t.run WHERE t.token_sha256 = ?1 AND "
      "t.revoked_at IS NULL",
      sha256_hex(token));
  if (!row.step()) return std::nullopt;
  return row.text(0);
}

void revoke_stage_tokens(storage::Transaction& transaction, const Clock& clock,
                         std::string_view run_id) {
  transaction.execute(
      "UPDATE stage_token SET revoked_at = ?2 WHERE run = ?1 AND revoked_at IS NULL",
      get_run_info(transaction, run_id).key, clock.now());
}

}  // namespace slipway::tracking
