// SPDX-License-Identifier: Apache-2.0
#include "monitoring/follower.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "base/error.h"
#include "ledger/cursor.h"
#include "ledger/event.h"
#include "monitoring/closing.h"
#include "monitoring/label.h"
#include "monitoring/monitor_state.h"
#include "monitoring/prediction_lookup.h"
#include "monitoring/row_loss.h"
#include "serving/endpoint.h"

namespace slipway::monitoring {
namespace {

constexpr std::int64_t kRowsOfRequest = 1'000'000;  // rows of a request are fewer; for ordinals
constexpr const char* kLate = "late: its time had passed when its first row came";

struct Span {
  BlockKey key;
  TimeUs end = 0;
};

Span span_of(Block block, TimeUs time, std::int64_t position, std::int64_t row) {
  if (block == Block::kNone) return {{time, position * kRowsOfRequest + row}, time};
  const TimeUs length = block == Block::kHour ? 3'600 * kMicrosPerSecond : kMicrosPerDay;
  const TimeUs start = time - ((time % length) + length) % length;
  return {{start, 0}, start + length};
}

// Blocks that one write works on, read once and written once.
class BlockCache {
 public:
  BlockCache(storage::Transaction& transaction, const Monitor& monitor, const MonitorState& state)
      : transaction_(transaction), monitor_(monitor), state_(state) {}

  StoredBlock& at(const Span& span, std::int64_t position) {
    const auto key = std::make_pair(span.key.start, span.key.ordinal);
    const auto present = blocks_.find(key);
    if (present != blocks_.end()) return present->second;
    std::optional<StoredBlock> stored = find_block(transaction_, monitor_.key, span.key);
    if (!stored) stored = made(span, position);
    return blocks_.emplace(key, *std::move(stored)).first->second;
  }

  void save() {
    for (const auto& [key, block] : blocks_) save_block(transaction_, monitor_.key, block);
  }

 private:
  StoredBlock made(const Span& span, std::int64_t position) const {
    StoredBlock block;
    block.key = span.key;
    block.start = span.key.start;
    block.end = span.end;
    block.first_position = position;
    // Behind the watermark that blocks were closed by, nothing new is judged.
    if (state_.watermark > 0 && span.end + monitor_.spec.horizon <= state_.watermark) {
      block.closed = true;
      block.skipped = kLate;
    }
    return block;
  }

  storage::Transaction& transaction_;
  const Monitor& monitor_;
  const MonitorState& state_;
  std::map<std::pair<TimeUs, std::int64_t>, StoredBlock> blocks_;
};

// A move of what the endpoint serves, if that event is one.
std::optional<std::string> version_at_100(const serving::EndpointRow& endpoint,
                                          const ledger::StoredEvent& event) {
  const json::Value* version = event.body.find(endpoint.alias.empty() ? "version" : "to");
  if (version == nullptr || version->kind() != json::Value::Kind::kInt || version->as_int() < 1) {
    return std::nullopt;
  }
  if (!endpoint.alias.empty()) {
    const json::Value* alias = event.body.find("alias");
    if (alias == nullptr || !alias->is_string() || alias->as_string() != endpoint.alias) {
      return std::nullopt;
    }
  }
  return "version " + std::to_string(version->as_int()) + " at 100 %";
}

struct Move {
  ledger::StoredEvent event;
  bool repeat = false;  // of what was served before: no move after all
};

// What an event says was loaded.
std::string loaded_by(const ledger::StoredEvent& event) {
  const json::Value* model = event.body.find("model");
  const json::Value* version = event.body.find("version");
  return json::write(json::Array{model != nullptr ? *model : json::Value(),
                                 version != nullptr ? *version : json::Value()});
}

void mark_repeats(storage::Session& session, const std::string& subject, std::int64_t after,
                  std::vector<Move>& loads) {
  ledger::EventFilter filter;
  filter.type_prefix = "endpoint.loaded";
  filter.subject = subject;
  filter.limit = ledger::kEventPageMax;
  filter.newest_first = true;
  std::string last;
  for (const ledger::StoredEvent& earlier : ledger::list_events(session, filter)) {
    if (earlier.seq > after) continue;
    last = loaded_by(earlier);
    break;
  }
  for (Move& load : loads) {
    const std::string loaded = loaded_by(load.event);
    load.repeat = std::exchange(last, loaded) == loaded;
  }
}

// What moved the endpoint's version since the cursor, oldest first.
std::vector<Move> moves_after(storage::Session& session, const serving::EndpointRow& endpoint,
                              std::int64_t after) {
  ledger::EventFilter filter;
  filter.after_seq = after;
  filter.limit = kEventsPerStep;
  filter.type_prefix = endpoint.alias.empty() ? "endpoint.loaded" : "alias.moved";
  filter.subject = endpoint.alias.empty() ? "endpoint:" + endpoint.name : "model:" + endpoint.model;
  std::vector<Move> moves;
  for (ledger::StoredEvent& event : ledger::list_events(session, filter)) {
    moves.push_back({std::move(event), false});
  }
  if (endpoint.alias.empty() && !moves.empty()) mark_repeats(session, filter.subject, after, moves);
  return moves;
}

// Records of the prediction log that one step takes.
struct RecordPage {
  std::vector<serving::PredictionRecord> records;
  std::int64_t next = 0;  // position of what comes behind them
  bool last = false;      // there is no more now
};

RecordPage read_page(serving::PredictionLog& log, std::int64_t from) {
  RecordPage page;
  const std::int64_t end = log.end_position();
  if (log.synced_position() < end) log.flush();
  if (from < end) page.records = log.read_from(from, kPredictionsPerStep, false);
  std::erase_if(page.records, [&](const auto& record) { return record.position >= end; });
  page.last = static_cast<std::int64_t>(page.records.size()) < kPredictionsPerStep;
  page.next = page.last ? std::max(from, end) : page.records.back().position + 1;
  return page;
}

// Goes through the moves beside the records, each before the first record that is younger.
class MoveWalk {
 public:
  MoveWalk(const std::vector<Move>& moves, std::int64_t events_read)
      : moves_(moves), events_read_(events_read) {}

  // Notes as pending what moved until then. REQUIRES: the endpoint is there when a move is.
  void take_until(TimeUs recorded_by, const std::optional<serving::EndpointRow>& endpoint,
                  MonitorState& state) {
    for (; next_ < moves_.size() && moves_[next_].event.recorded_at <= recorded_by; ++next_) {
      const Move& move = moves_[next_];
      events_read_ = move.event.seq;
      if (move.repeat) continue;
      const std::optional<std::string> cause = version_at_100(*endpoint, move.event);
      const std::string& last =
          state.pending.empty() ? state.restart_cause : state.pending.back().cause;
      if (cause && *cause != last) state.pending.push_back({state.seen_through, *cause});
    }
  }

  std::int64_t events_read() const { return events_read_; }  // seq of the last that was taken

 private:
  const std::vector<Move>& moves_;
  std::size_t next_ = 0;
  std::int64_t events_read_;
};

void count(const serving::PredictionRecord& record, const Monitor& monitor, MonitorState& state,
           BlockCache& blocks) {
  state.seen_through = std::max(state.seen_through, record.event_time);
  state.rows_predicted += record.rows;
  if (monitor.spec.block == Block::kNone) return;
  StoredBlock& block = blocks.at(span_of(monitor.spec.block, record.event_time, record.position, 0),
                                 record.position);
  block.predictions += record.rows;
}

// What one label does to its block.
struct Effect {
  Label label;
  Span span;
  std::optional<double> loss;  // scaled; nullopt: the row has none
  bool corrects = false;
  std::optional<double> former_loss;
};

// Labels that one step takes.
struct LabelPage {
  std::vector<Effect> effects;  // without the losses: see take_losses
  std::int64_t read_to = 0;     // seq of the last; 0: there was none
  bool last = true;             // there are no more now
};

// Reads labels behind the cursor and asks for the losses they will need.
LabelPage read_page(storage::Session& session, const Monitor& monitor, std::int64_t from,
                    RowLosses& losses) {
  LabelPage page;
  auto labels = labels_after(session, monitor.spec.endpoint, from, kLabelsPerStep);
  page.last = static_cast<std::int64_t>(labels.size()) < kLabelsPerStep;
  for (Label& label : labels) {
    page.read_to = label.seq;
    if (label.orphan) continue;
    Effect effect;
    effect.span = span_of(monitor.spec.block, label.prediction_time, label.position,
                          serving::parse_prediction_row(label.prediction_id)->row);
    losses.want(label);
    if (const auto former = label_before(session, label.prediction_id, label.seq)) {
      effect.corrects = true;
      losses.want_former(label, *former);
    }
    effect.label = std::move(label);
    page.effects.push_back(std::move(effect));
  }
  return page;
}

// Fills in the losses, scaled; labels of direct calls have no effect.
void take_losses(const RowLosses& losses, double scale, std::vector<Effect>& effects) {
  std::erase_if(effects, [&](const Effect& effect) { return losses.is_direct(effect.label); });
  for (Effect& effect : effects) {
    if (const auto loss = losses.loss(effect.label)) effect.loss = *loss / scale;
    if (!effect.corrects) continue;
    if (const auto loss = losses.former_loss(effect.label)) effect.former_loss = *loss / scale;
  }
}

void apply(storage::Transaction& transaction, const Monitor& monitor, MonitorState& state,
           BlockCache& blocks, const Effect& effect) {
  StoredBlock& block = blocks.at(effect.span, effect.label.position);
  if (block.closed) {
    ++block.late_rows;
    ++state.late_rows;
    return;
  }
  const auto add = [&](const std::optional<double>& loss, int sign) {
    if (!loss) {
      block.unusable += sign;
      return;
    }
    block.loss_sum += sign * *loss;
    block.loss_sum_squares += sign * *loss * *loss;
    add_to_day(transaction, monitor.key, effect.label.prediction_time, sign, sign * *loss,
               sign * *loss * *loss);
  };
  if (effect.corrects) {
    add(effect.former_loss, -1);
  } else {
    ++block.labelled;
    ++state.rows_labelled;
  }
  add(effect.loss, 1);
}

}  // namespace

Follower::Follower(storage::Database& database, const Clock& clock, serving::PredictionLog& log)
    : database_(database), clock_(clock), log_(log) {
  // What an earlier process held, so that a monitor deleted since is let go of.
  const std::string prefix = "monitor:";
  for (const std::string& holder : log_.holders(prefix)) {
    retained_[holder.substr(prefix.size())] = -1;
  }
}

bool Follower::work_once(const Scope& in_scope) {
  const auto monitors = database_.read_returning<std::vector<Monitor>>(
      [](storage::Session& session) { return list_monitors(session); });
  bool worked = false;
  std::set<std::string> names;
  for (const Monitor& monitor : monitors) {
    names.insert(monitor.name);
    if ((!in_scope || in_scope(monitor.spec.endpoint)) && follow(monitor)) worked = true;
  }
  for (auto held = retained_.begin(); held != retained_.end();) {
    if (names.count(held->first) != 0) {
      ++held;
      continue;
    }
    log_.retain_from("monitor:" + held->first, INT64_MAX);
    held = retained_.erase(held);
  }
  return worked;
}

bool Follower::follow(const Monitor& monitor) {
  // First: what was posted before the watermark moved on is read below, and so counts before blocks
  // close.
  const TimeUs watermark = log_.watermark(monitor.spec.endpoint);
  const Progress predictions = read_predictions(monitor);
  Progress labels = Progress::kNone;
  bool closed = false;
  if (predictions != Progress::kPart) labels = read_labels(monitor);
  if (predictions != Progress::kPart && labels != Progress::kPart) {
    closed = close_blocks(monitor, watermark);
  }
  retain(monitor);
  return predictions != Progress::kNone || labels != Progress::kNone || closed;
}

Follower::Progress Follower::read_predictions(const Monitor& monitor) {
  const std::string cursor = cursor_name(monitor.key, Log::kPredictions);
  const std::string event_cursor = cursor_name(monitor.key, Log::kEvents);
  const auto [from, events_from] = database_.read_returning<std::pair<std::int64_t, std::int64_t>>(
      [&](storage::Session& session) {
        return std::make_pair(ledger::cursor(session, cursor),
                              ledger::cursor(session, event_cursor));
      });
  const RecordPage page = read_page(log_, from);
  // After the records, so that no move is missed that came before one of them.
  std::vector<Move> moves;
  std::optional<serving::EndpointRow> endpoint;
  database_.read([&, events_after = events_from](storage::Session& session) {
    endpoint = serving::find_endpoint(session, monitor.spec.endpoint);
    if (endpoint) moves = moves_after(session, *endpoint, events_after);
  });
  if (page.next == from && moves.empty()) return Progress::kNone;

  database_.write([&, events_after = events_from](storage::Transaction& transaction) {
    if (!find_monitor(transaction, monitor.name)) return;  // deleted meanwhile
    MonitorState state = load_state(transaction, monitor.key);
    BlockCache blocks(transaction, monitor, state);
    MoveWalk walk(moves, events_after);
    for (const serving::PredictionRecord& record : page.records) {
      if (record.endpoint != monitor.spec.endpoint || record.direct) continue;
      walk.take_until(record.recorded_at, endpoint, state);
      count(record, monitor, state, blocks);
    }
    if (page.last) walk.take_until(INT64_MAX, endpoint, state);
    blocks.save();
    save_state(transaction, monitor.key, state);
    ledger::move_cursor(transaction, cursor, page.next);
    ledger::move_cursor(transaction, event_cursor, walk.events_read());
  });
  const bool all = page.last && static_cast<std::int64_t>(moves.size()) < kEventsPerStep;
  return all ? Progress::kAll : Progress::kPart;
}

Follower::Progress Follower::read_labels(const Monitor& monitor) {
  const std::string cursor = cursor_name(monitor.key, Log::kLabels);
  LabelPage page;
  RowLosses losses(log_, monitor.spec.loss);
  database_.read([&](storage::Session& session) {
    page = read_page(session, monitor, ledger::cursor(session, cursor), losses);
  });
  if (page.read_to == 0) return Progress::kNone;
  losses.compute();
  take_losses(losses, loss_scale(monitor.spec.loss), page.effects);
  database_.write([&](storage::Transaction& transaction) {
    if (!find_monitor(transaction, monitor.name)) return;
    MonitorState state = load_state(transaction, monitor.key);
    BlockCache blocks(transaction, monitor, state);
    for (const Effect& effect : page.effects) apply(transaction, monitor, state, blocks, effect);
    blocks.save();
    save_state(transaction, monitor.key, state);
    ledger::move_cursor(transaction, cursor, page.read_to);
  });
  return page.last ? Progress::kAll : Progress::kPart;
}

bool Follower::close_blocks(const Monitor& monitor, TimeUs watermark) {
  const bool ready = database_.read_returning<bool>([&](storage::Session& session) {
    return has_ready_blocks(session, monitor, load_state(session, monitor.key), watermark);
  });
  if (!ready) return false;
  database_.write([&](storage::Transaction& transaction) {
    if (!find_monitor(transaction, monitor.name)) return;
    MonitorState state = load_state(transaction, monitor.key);
    if (close_ready_blocks(transaction, clock_, monitor, state, watermark, kBlocksPerStep)) {
      save_state(transaction, monitor.key, state);
    }
  });
  return true;
}

void Follower::retain(const Monitor& monitor) {
  const auto position = database_.read_returning<std::int64_t>([&](storage::Session& session) {
    const std::int64_t read = ledger::cursor(session, cursor_name(monitor.key, Log::kPredictions));
    return std::min(read, first_open_position(session, monitor.key).value_or(read));
  });
  const auto last = retained_.find(monitor.name);
  if (last != retained_.end() && last->second == position) return;
  log_.retain_from("monitor:" + monitor.name, position);
  retained_[monitor.name] = position;
}

}  // namespace slipway::monitoring
