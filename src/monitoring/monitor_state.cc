// SPDX-License-Identifier: Apache-2.0
#include "monitoring/monitor_state.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "ledger/cursor.h"

namespace slipway::monitoring {
namespace {

constexpr std::size_t kDetectorBytes = 96;  // twelve doubles; zeros are a new detector

constexpr const char* kBlockColumns =
    "start_at, ordinal, end_at, first_position, predictions, labelled, loss_sum, "
    "loss_sum_squares, unusable, late_rows, closed, judged, skipped, value";

StoredBlock read_block(const storage::Statement& row) {
  StoredBlock block;
  block.start = row.int64(0);
  block.key = {row.int64(0), row.int64(1)};
  block.end = row.int64(2);
  block.first_position = row.int64(3);
  block.predictions = row.int64(4);
  block.labelled = row.int64(5);
  block.loss_sum = row.real(6);
  block.loss_sum_squares = row.real(7);
  block.unusable = row.int64(8);
  block.late_rows = row.int64(9);
  block.closed = row.int64(10) != 0;
  block.judged = row.int64(11) != 0;
  block.skipped = row.text(12);
  block.value = row.real(13);
  return block;
}

std::vector<StoredBlock> read_blocks(storage::Statement row) {
  std::vector<StoredBlock> blocks;
  while (row.step()) blocks.push_back(read_block(row));
  return blocks;
}

// [[event time, cause], …]
std::string write_pending(const std::vector<Restart>& pending) {
  json::Array list;
  for (const Restart& restart : pending) list.emplace_back(json::Array{restart.at, restart.cause});
  return json::write(json::Value(std::move(list)));
}

std::vector<Restart> parse_pending(const std::string& text) {
  std::vector<Restart> pending;
  const json::Value list = json::parse(text);
  for (const json::Value& item : list.as_array()) {
    pending.push_back({item.as_array().at(0).as_int(), item.as_array().at(1).as_string()});
  }
  return pending;
}

std::string select(const char* rest) {
  std::string sql = "SELECT ";
  sql += kBlockColumns;
  sql += " FROM monitor_block WHERE monitor = ?1 ";
  sql += rest;
  return sql;
}

}  // namespace

MonitorState load_state(storage::Session& session, std::int64_t monitor) {
  storage::Statement row = session.query(
      "SELECT detector, bound, sighted, reason, watermark, not_before, restarted_at, "
      "restart_cause, closed_through, judged_through, blocks_closed, blocks_judged, "
      "blocks_since_restart, rows_predicted, rows_labelled, late_rows, alarms, "
      "seen_through, pending FROM monitor_state WHERE monitor = ?1",
      monitor);
  if (!row.step()) throw Error(Code::kDataLoss, "a monitor has lost its state");
  MonitorState state;
  state.detector = std::string(row.blob_view(0));
  if (!row.is_null(1)) state.bound = row.real(1);
  state.sighted = row.int64(2) != 0;
  state.reason = row.text(3);
  state.watermark = row.int64(4);
  state.not_before = row.int64(5);
  state.restarted_at = row.int64(6);
  state.restart_cause = row.text(7);
  state.closed_through = row.int64(8);
  state.judged_through = row.int64(9);
  state.blocks_closed = row.int64(10);
  state.blocks_judged = row.int64(11);
  state.blocks_since_restart = row.int64(12);
  state.rows_predicted = row.int64(13);
  state.rows_labelled = row.int64(14);
  state.late_rows = row.int64(15);
  state.alarms = row.int64(16);
  state.seen_through = row.int64(17);
  state.pending = parse_pending(row.text(18));
  return state;
}

void save_state(storage::Transaction& transaction, std::int64_t monitor,
                const MonitorState& state) {
  storage::Statement row = transaction.prepare(
      "INSERT INTO monitor_state (monitor, detector, bound, sighted, reason, watermark, "
      "not_before, restarted_at, restart_cause, closed_through, judged_through, blocks_closed, "
      "blocks_judged, blocks_since_restart, rows_predicted, rows_labelled, late_rows, alarms, "
      "seen_through, pending) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, "
      "?15, ?16, ?17, ?18, ?19, ?20) "
      "ON CONFLICT (monitor) DO UPDATE SET detector = excluded.detector, bound = excluded.bound, "
      "sighted = excluded.sighted, reason = excluded.reason, watermark = excluded.watermark, "
      "not_before = excluded.not_before, restarted_at = excluded.restarted_at, "
      "restart_cause = excluded.restart_cause, closed_through = excluded.closed_through, "
      "judged_through = excluded.judged_through, blocks_closed = excluded.blocks_closed, "
      "blocks_judged = excluded.blocks_judged, "
      "blocks_since_restart = excluded.blocks_since_restart, "
      "rows_predicted = excluded.rows_predicted, rows_labelled = excluded.rows_labelled, "
      "late_rows = excluded.late_rows, alarms = excluded.alarms, "
      "seen_through = excluded.seen_through, pending = excluded.pending");
  row.bind(1, monitor)
      .bind_blob(2, state.detector)
      .bind(3, state.bound)
      .bind(4, state.sighted)
      .bind(5, state.reason)
      .bind(6, state.watermark)
      .bind(7, state.not_before)
      .bind(8, state.restarted_at)
      .bind(9, state.restart_cause)
      .bind(10, state.closed_through)
      .bind(11, state.judged_through)
      .bind(12, state.blocks_closed)
      .bind(13, state.blocks_judged)
      .bind(14, state.blocks_since_restart)
      .bind(15, state.rows_predicted)
      .bind(16, state.rows_labelled)
      .bind(17, state.late_rows)
      .bind(18, state.alarms)
      .bind(19, state.seen_through)
      .bind(20, write_pending(state.pending));
  while (row.step()) {
  }
}

void clear_monitor(storage::Transaction& transaction, std::int64_t monitor) {
  transaction.execute("DELETE FROM monitor_block WHERE monitor = ?1", monitor);
  transaction.execute("DELETE FROM monitor_day WHERE monitor = ?1", monitor);
  for (const Log log : {Log::kPredictions, Log::kLabels, Log::kEvents}) {
    ledger::move_cursor(transaction, cursor_name(monitor, log), 0);
  }
}

void reset_monitor(storage::Transaction& transaction, std::int64_t monitor) {
  clear_monitor(transaction, monitor);
  MonitorState state;
  state.detector = std::string(kDetectorBytes, '\0');
  state.reason = "no block has been judged yet";
  save_state(transaction, monitor, state);
}

std::string cursor_name(std::int64_t monitor, Log log) {
  constexpr std::array<const char*, 3> kNames{"predictions", "labels", "events"};
  std::string name = "monitor:" + std::to_string(monitor);
  name += '/';
  name += kNames[static_cast<std::size_t>(log)];
  return name;
}

std::optional<StoredBlock> find_block(storage::Session& session, std::int64_t monitor,
                                      const BlockKey& key) {
  storage::Statement row =
      session.query(select("AND start_at = ?2 AND ordinal = ?3"), monitor, key.start, key.ordinal);
  if (!row.step()) return std::nullopt;
  return read_block(row);
}

void save_block(storage::Transaction& transaction, std::int64_t monitor, const StoredBlock& block) {
  transaction.execute(
      "INSERT INTO monitor_block (monitor, start_at, ordinal, end_at, first_position, predictions, "
      "labelled, loss_sum, loss_sum_squares, unusable, late_rows, closed, judged, skipped, value) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15) "
      "ON CONFLICT (monitor, start_at, ordinal) DO UPDATE SET "
      "first_position = excluded.first_position, predictions = excluded.predictions, "
      "labelled = excluded.labelled, loss_sum = excluded.loss_sum, "
      "loss_sum_squares = excluded.loss_sum_squares, unusable = excluded.unusable, "
      "late_rows = excluded.late_rows, closed = excluded.closed, judged = excluded.judged, "
      "skipped = excluded.skipped, value = excluded.value",
      monitor, block.key.start, block.key.ordinal, block.end, block.first_position,
      block.predictions, block.labelled, block.loss_sum, block.loss_sum_squares, block.unusable,
      block.late_rows, block.closed, block.judged, block.skipped, block.value);
}

std::vector<StoredBlock> open_blocks(storage::Session& session, std::int64_t monitor, TimeUs end,
                                     std::int64_t limit) {
  return read_blocks(session.query(
      select("AND closed = 0 AND end_at <= ?2 ORDER BY end_at, start_at, ordinal LIMIT ?3"),
      monitor, end, limit));
}

std::optional<std::int64_t> first_open_position(storage::Session& session, std::int64_t monitor) {
  storage::Statement row = session.query(
      "SELECT MIN(first_position) FROM monitor_block WHERE monitor = ?1 AND closed = 0", monitor);
  row.step();
  return row.maybe_int64(0);
}

std::vector<StoredBlock> judged_blocks(storage::Session& session, std::int64_t monitor,
                                       std::int64_t limit) {
  std::vector<StoredBlock> blocks = read_blocks(session.query(
      select("AND judged = 1 ORDER BY end_at DESC, start_at DESC, ordinal DESC LIMIT ?2"), monitor,
      limit));
  std::reverse(blocks.begin(), blocks.end());
  return blocks;
}

std::vector<StoredBlock> blocks_for_bound(storage::Session& session, std::int64_t monitor) {
  return read_blocks(
      session.query(select("AND skipped = ?2 ORDER BY end_at, start_at, ordinal LIMIT ?3"), monitor,
                    kForBound, kBoundBlocksMin));
}

void add_to_day(storage::Transaction& transaction, std::int64_t monitor, TimeUs time,
                std::int64_t labelled, double loss, double loss_squared) {
  transaction.execute(
      "INSERT INTO monitor_day (monitor, day, labelled, loss_sum, loss_sum_squares) "
      "VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (monitor, day) DO UPDATE SET "
      "labelled = monitor_day.labelled + excluded.labelled, "
      "loss_sum = monitor_day.loss_sum + excluded.loss_sum, "
      "loss_sum_squares = monitor_day.loss_sum_squares + excluded.loss_sum_squares",
      monitor, time / kMicrosPerDay, labelled, loss, loss_squared);
}

}  // namespace slipway::monitoring
