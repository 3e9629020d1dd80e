// SPDX-License-Identifier: Apache-2.0
#include "monitoring/monitor.h"

#include "base/error.h"
#include "monitoring/monitor_state.h"
#include "monitoring/spec_reader.h"

namespace slipway::monitoring {
namespace {

template <std::size_t size>
std::vector<std::string_view> list(const std::array<std::string_view, size>& names) {
  return {names.begin(), names.end()};
}

Block parse_block(const std::string& name) {
  if (name == "none") return Block::kNone;
  return name == "hour" ? Block::kHour : Block::kDay;
}

LossKind parse_loss(const std::string& name) {
  if (name == "zero_one") return LossKind::kZeroOne;
  return name == "squared" ? LossKind::kSquared : LossKind::kLogLoss;
}

Monitor read_row(const storage::Statement& row) {
  Monitor monitor;
  monitor.key = row.int64(0);
  monitor.name = row.text(1);
  monitor.spec_json = json::parse(row.text(2));
  monitor.spec = parse_monitor_spec(monitor.spec_json);
  return monitor;
}

// Whether what was found under `before` says nothing about `after`.
bool needs_new_start(const MonitorSpec& before, const MonitorSpec& after) {
  return before.endpoint != after.endpoint || !(before.loss == after.loss) ||
         before.block != after.block || before.bound != after.bound ||
         before.horizon != after.horizon;
}

}  // namespace

std::string_view block_name(Block block) {
  switch (block) {
    case Block::kNone: return "none";
    case Block::kHour: return "hour";
    case Block::kDay: break;
  }
  return "day";
}

MonitorSpec parse_monitor_spec(const json::Value& spec) {
  const SpecReader reader("Monitor", spec,
                          {"endpoint", "loss", "clip", "output", "positive", "block", "bound",
                           "budget", "horizon", "min_rows", "blind_after", "webhook"});
  MonitorSpec out;
  out.endpoint = reader.required_text("endpoint");
  out.loss.kind = parse_loss(reader.choice("loss", kLossDefault, list(kLossNames)));
  out.loss.clip = reader.number("clip", kLogLossClip, 0, kClipMax);
  if (out.loss.clip <= 0) reader.refuse("clip", "must be above 0");
  out.loss.output = reader.text("output", "");
  out.loss.positive = reader.text("positive", kPositiveDefault);
  if (out.loss.positive.empty()) reader.refuse("positive", "must not be empty");
  out.block = parse_block(reader.choice("block", kBlockDefault, list(kBlockNames)));
  out.bound = reader.maybe_number("bound", 0, kClipMax);
  if (out.bound && !(*out.bound > 0 && *out.bound < loss_scale(out.loss))) {
    reader.refuse("bound", "must be above 0 and below the largest loss (`clip`; 1 for zero_one)");
  }
  out.budget_blocks =
      reader.number("budget", kBudgetBlocksDefault, kBudgetBlocksMin, kBudgetBlocksMax);
  out.horizon = reader.duration("horizon", kHorizonDefault, 0, kHorizonMax);
  out.min_rows = reader.integer("min_rows", kMinRowsDefault, 1, kMinRowsMax);
  out.blind_after =
      reader.duration("blind_after", kBlindAfterDefault, kBlindAfterMin, kBlindAfterMax);
  out.webhook = reader.text("webhook", "");
  return out;
}

json::Value to_json(const MonitorSpec& spec) {
  json::Object object{
      {"endpoint", spec.endpoint}, {"loss", loss_name(spec.loss.kind)}, {"clip", spec.loss.clip}};
  if (!spec.loss.output.empty()) object.set("output", spec.loss.output);
  object.set("positive", spec.loss.positive);
  object.set("block", block_name(spec.block));
  if (spec.bound) object.set("bound", *spec.bound);
  object.set("budget", spec.budget_blocks);
  object.set("horizon", duration_text(spec.horizon));
  object.set("min_rows", spec.min_rows);
  object.set("blind_after", duration_text(spec.blind_after));
  if (!spec.webhook.empty()) object.set("webhook", spec.webhook);
  return object;
}

void put_monitor(storage::Transaction& transaction, const Clock&, const std::string& name,
                 const json::Value& spec) {
  if (name.empty()) throw Error(Code::kInvalidArgument, "a monitor needs a name");
  const MonitorSpec parsed = parse_monitor_spec(spec);
  const std::string text = json::write(to_json(parsed));
  const std::optional<Monitor> present = find_monitor(transaction, name);
  if (present) {
    transaction.execute("UPDATE monitor SET spec = ?1 WHERE key = ?2", text, present->key);
    if (needs_new_start(present->spec, parsed)) reset_monitor(transaction, present->key);
    return;
  }
  const std::int64_t key = transaction.insert_id(
      "INSERT INTO monitor (name, spec) VALUES (?1, ?2) RETURNING key", name, text);
  reset_monitor(transaction, key);
}

void delete_monitor(storage::Transaction& transaction, const std::string& name) {
  const Monitor monitor = get_monitor(transaction, name);
  clear_monitor(transaction, monitor.key);
  transaction.execute("DELETE FROM monitor_state WHERE monitor = ?1", monitor.key);
  transaction.execute("DELETE FROM monitor WHERE key = ?1", monitor.key);
}

std::optional<Monitor> find_monitor(storage::Session& session, const std::string& name) {
  storage::Statement row =
      session.query("SELECT key, name, spec FROM monitor WHERE name = ?1", name);
  if (!row.step()) return std::nullopt;
  return read_row(row);
}

Monitor get_monitor(storage::Session& session, const std::string& name) {
  std::optional<Monitor> monitor = find_monitor(session, name);
  if (!monitor) throw Error(Code::kNotFound, "there is no monitor `" + name + "`");
  return *std::move(monitor);
}

std::vector<Monitor> list_monitors(storage::Session& session) {
  std::vector<Monitor> monitors;
  storage::Statement row = session.query("SELECT key, name, spec FROM monitor ORDER BY name");
  while (row.step()) monitors.push_back(read_row(row));
  return monitors;
}

}  // namespace slipway::monitoring
