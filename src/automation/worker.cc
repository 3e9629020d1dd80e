// SPDX-License-Identifier: Apache-2.0
#include "automation/worker.h"

#include <chrono>

#include "automation/object.h"
#include "automation/promotion.h"
#include "automation/retraining.h"
#include "automation/rollout_controller.h"
#include "automation/trigger.h"
#include "base/error.h"
#include "base/log.h"
#include "ledger/event.h"
#include "serving/endpoint.h"

namespace slipway::automation {
namespace {

constexpr int kFollowStepsMax = 1'000'000;  // of one look; each is bounded itself

std::int64_t newest_seq(storage::Database& database) {
  return database.read_returning<std::int64_t>([](storage::Session& session) {
    ledger::EventFilter filter;
    filter.newest_first = true;
    filter.limit = 1;
    const auto events = ledger::list_events(session, filter);
    return events.empty() ? std::int64_t{0} : events.front().seq;
  });
}

}  // namespace

Worker::Worker(const Deps& deps)
    : deps_(deps), trainer_(deps, [this] { return stopping_.load(); }) {}

Worker::~Worker() { stop(); }

void Worker::start() {
  trainer_.recover();
  stopping_ = false;
  decider_ = std::thread([this] { run([this](const Scope& scope) { return decide(scope); }); });
  trainer_thread_ =
      std::thread([this] { run([this](const Scope& scope) { return train(scope); }); });
}

void Worker::stop() {
  stopping_ = true;
  wake();
  if (decider_.joinable()) {
    decider_.join();
  }
  if (trainer_thread_.joinable()) {
    trainer_thread_.join();
  }
}

void Worker::wake() {
  MutexLock lock(mutex_);
  ++wakes_;
  woken_.notify_all();
}

// A thread's loop is an edge: what goes wrong is told and tried again at the next look.
void Worker::run(const std::function<bool(const Scope&)>& lane) {
  std::uint64_t seen = 0;
  while (!stopping_) {
    bool more = false;
    try {
      more = lane(background_scope());
    } catch (const Error& error) {
      log::error("automation could not go on",
                 {{"code", std::string(code_name(error.code()))}, {"reason", error.what()}});
    } catch (const std::exception& error) {
      log::error("automation could not go on", {{"code", "internal"}, {"reason", error.what()}});
    }
    if (more) {
      continue;
    }
    MutexLock lock(mutex_);
    if (wakes_ == seen && !stopping_) {
      woken_.wait_for(mutex_, std::chrono::milliseconds(kPollMs));
    }
    seen = wakes_;
  }
}

Worker::Scope Worker::background_scope() {
  bool quiet = false;
  {
    MutexLock lock(mutex_);
    const std::int64_t position = deps_.log_position();
    const std::int64_t now = deps_.clock.ticks_ns();
    if (position != last_position_) {
      last_position_ = position;
      quiet_since_ns_ = now;
    }
    quiet = now - quiet_since_ns_ >= kEventClockQuiet * 1'000;
  }
  if (quiet) {
    return [](const std::string&) { return true; };
  }
  std::map<std::string, bool> on_wall_time;
  deps_.database.read([&](storage::Session& session) {
    for (const serving::EndpointRow& row : serving::list_endpoints(session)) {
      on_wall_time[row.name] = row.clock == serving::EndpointClock::kWall;
    }
  });
  return [on_wall_time](const std::string& endpoint) {
    const auto found = on_wall_time.find(endpoint);
    return found == on_wall_time.end() || found->second;
  };
}

bool Worker::work_once(const std::string& endpoint) {
  const Scope scope = [&](const std::string& name) { return endpoint.empty() || name == endpoint; };
  bool changed = decide(scope);
  changed = train(scope) || changed;
  return changed;
}

bool Worker::decide(const Scope& in_scope) {
  MutexLock lane(decide_lane_);
  bool changed = evaluate_triggers(in_scope);
  changed = judge_trained(in_scope) || changed;
  changed = control_rollouts(in_scope) || changed;
  return changed;
}

bool Worker::train(const Scope& in_scope) {
  MutexLock lane(train_lane_);
  return !stopping_ && trainer_.train_once(in_scope);
}

bool Worker::evaluate_triggers(const Scope& in_scope) {
  const auto triggers = deps_.database.read_returning<std::vector<Object>>(
      [](storage::Session& session) { return list_objects(session, "Trigger"); });
  bool changed = false;
  for (const Object& object : triggers) {
    const TriggerSpec spec = trigger_spec(object.spec);
    if (!in_scope(spec.endpoint)) {
      continue;
    }
    const TimeUs watermark = deps_.watermark(spec.endpoint);
    const bool due = deps_.database.read_returning<bool>([&](storage::Session& session) {
      return find_object(session, "Trigger", object.name).has_value() &&
             trigger_is_due(session, object.name, spec, watermark);
    });
    if (!due) {
      continue;
    }
    changed = deps_.database.write_returning<bool>([&](storage::Transaction& transaction) {
      // Read again: it may have been deleted since.
      return find_object(transaction, "Trigger", object.name).has_value() &&
             evaluate_trigger(transaction, deps_.clock, object.name, spec, watermark);
    }) || changed;
  }
  return changed;
}

bool Worker::judge_trained(const Scope& in_scope) {
  const auto trained = deps_.database.read_returning<std::vector<Retraining>>(
      [](storage::Session& session) { return list_retrainings(session, "trained"); });
  bool changed = false;
  for (const Retraining& retraining : trained) {
    const bool busy = deps_.database.read_returning<bool>([&](storage::Session& session) {
      return serving::find_active_rollout(session, retraining.endpoint).has_value();
    });
    if (in_scope(retraining.endpoint) && !busy) {
      changed = judge_retraining(deps_, retraining) || changed;
    }
  }
  return changed;
}

bool Worker::control_rollouts(const Scope& in_scope) {
  std::vector<serving::RolloutRow> open;
  deps_.database.read([&](storage::Session& session) {
    for (const serving::EndpointRow& endpoint : serving::list_endpoints(session)) {
      if (auto rollout = serving::find_active_rollout(session, endpoint.name);
          rollout && in_scope(endpoint.name)) {
        open.push_back(std::move(*rollout));
      }
    }
  });
  bool changed = false;
  for (const serving::RolloutRow& rollout : open) {
    changed = control_rollout(deps_, rollout) || changed;
  }
  return changed;
}

Worker::Settled Worker::settle(const std::string& endpoint, TimeUs timeout) {
  deps_.database.read([&](storage::Session& session) { serving::get_endpoint(session, endpoint); });
  const std::int64_t start_ns = deps_.clock.ticks_ns();
  const std::int64_t first = newest_seq(deps_.database);
  Settled result;
  const auto in_time = [&] {
    return !stopping_ && deps_.clock.ticks_ns() - start_ns < timeout * 1'000;
  };
  while (!result.settled && in_time()) {
    deps_.flush_log();
    bool more = false;
    for (int step = 0; step < kFollowStepsMax && in_time() && deps_.follow_labels(); ++step) {
      more = true;
    }
    more = deps_.refresh_serving() || more;
    more = work_once(endpoint) || more;
    result.settled = !more;
  }
  result.events = newest_seq(deps_.database) - first;
  return result;
}

}  // namespace slipway::automation
