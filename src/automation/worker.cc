// SPDX-License-Identifier: Apache-2.0
#include "automation/worker.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

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

// One caller at a time in a lane; waits until it is free.
class Worker::LaneTurn {
 public:
  LaneTurn(Worker& worker, bool Worker::*lane, const GoOn& go_on) : worker_(worker), lane_(lane) {
    MutexLock lock(worker_.mutex_);
    while (worker_.*lane_ && go_on()) {
      worker_.turn_.wait_for(worker_.mutex_, std::chrono::milliseconds(kPollMs));
    }
    entered_ = !(worker_.*lane_);
    worker_.*lane_ = true;
  }
  ~LaneTurn() {
    if (!entered_) {
      return;
    }
    MutexLock lock(worker_.mutex_);
    worker_.*lane_ = false;
    worker_.turn_.notify_all();
  }
  LaneTurn(const LaneTurn&) = delete;
  LaneTurn& operator=(const LaneTurn&) = delete;
  bool entered() const { return entered_; }  // false: `go_on` said no

 private:
  Worker& worker_;
  bool Worker::*const lane_;
  bool entered_ = false;
};

// One of the settles that may be under way.
class Worker::SettleSeat {
 public:
  SettleSeat(Worker& worker, const std::string& endpoint) : worker_(worker), endpoint_(endpoint) {
    MutexLock lock(worker_.mutex_);
    if (worker_.settling_.size() >= kSettlesMax) {
      throw Error(Code::kUnavailable,
                  std::to_string(kSettlesMax) +
                      " settles are under way already, which is as many as there may be; try again "
                      "when one has ended");
    }
    worker_.settling_.insert(endpoint_);
    has_threads_ = worker_.threads_;
  }
  ~SettleSeat() {
    MutexLock lock(worker_.mutex_);
    worker_.settling_.erase(worker_.settling_.find(endpoint_));
  }
  SettleSeat(const SettleSeat&) = delete;
  SettleSeat& operator=(const SettleSeat&) = delete;
  bool has_threads() const { return has_threads_; }

 private:
  Worker& worker_;
  const std::string endpoint_;
  bool has_threads_ = false;
};

Worker::Worker(const Deps& deps)
    : deps_(deps), trainer_(deps, [this] { return stopping_.load(); }) {}

Worker::~Worker() { stop(); }

void Worker::start() {
  {
    const LaneTurn turn(*this, &Worker::training_, [this] { return !stopping_; });
    if (turn.entered()) {
      try {
        trainer_.recover();
      } catch (const Error& error) {
        // A full disk, say. Every look of the trainer begins with it, so nothing is trained before.
        log::error("automation: what a dead server left half done cannot be ended yet",
                   {{"reason", error.what()}});
      }
    }
  }
  MutexLock lock(mutex_);
  if (stopping_) {
    return;
  }
  threads_ = true;
  decider_ = std::thread([this] { run([this] { return decide_in_background(); }); });
  trainer_thread_ = std::thread([this] { run([this] { return train_in_background(); }); });
}

void Worker::request_stop() {
  stopping_ = true;
  wake();
  MutexLock lock(mutex_);
  turn_.notify_all();
}

void Worker::stop() {
  request_stop();
  if (decider_.joinable()) {
    decider_.join();
  }
  if (trainer_thread_.joinable()) {
    trainer_thread_.join();
  }
  MutexLock lock(mutex_);
  threads_ = false;
}

void Worker::wake() {
  MutexLock lock(mutex_);
  ++wakes_;
  woken_.notify_all();
}

// A thread's loop is an edge: what goes wrong is told and tried again at the next look.
void Worker::run(const std::function<bool()>& lane) {
  std::uint64_t seen = 0;
  while (!stopping_) {
    bool more = false;
    try {
      more = lane();
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

// An endpoint on event time that is being settled is left to whoever settles it, but for the
// trainings that are asked for.
Worker::Scope Worker::background_scope(const Endpoints& asked) {
  bool quiet = false;
  Endpoints settling;
  {
    MutexLock lock(mutex_);
    const std::int64_t position = deps_.log_position();
    const std::int64_t now = deps_.clock.ticks_ns();
    if (position != last_position_) {
      last_position_ = position;
      quiet_since_ns_ = now;
    }
    quiet = now - quiet_since_ns_ >= kEventClockQuiet * 1'000;
    settling = settling_;
  }
  std::map<std::string, bool> on_wall_time;
  deps_.database.read([&](storage::Session& session) {
    for (const serving::EndpointRow& row : serving::list_endpoints(session)) {
      on_wall_time[row.name] = row.clock == serving::EndpointClock::kWall;
    }
  });
  return [quiet, settling, asked, on_wall_time](const std::string& endpoint) {
    const auto found = on_wall_time.find(endpoint);
    if (found == on_wall_time.end() || found->second || asked.count(endpoint) != 0) {
      return true;
    }
    return quiet && settling.count(endpoint) == 0;
  };
}

bool Worker::work_once(const std::string& endpoint) {
  if (stopping_) {
    return false;
  }
  const Scope scope = [&](const std::string& name) { return endpoint.empty() || name == endpoint; };
  const GoOn go_on = [this] { return !stopping_; };
  bool changed = follow(scope, go_on);
  changed = decide(scope, go_on, false) || changed;
  changed = train(scope, go_on) || changed;
  return changed;
}

bool Worker::follow(const Scope& in_scope, const GoOn& go_on) {
  bool followed = false;
  for (int step = 0; step < kFollowStepsMax && go_on() && deps_.follow_labels(in_scope); ++step) {
    followed = true;
  }
  return followed;
}

bool Worker::decide_in_background() {
  const Scope scope = background_scope({});
  const std::int64_t position = deps_.log_position();
  // While requests come there is always more to follow: one step a look keeps up with them, and
  // its writes do not crowd theirs out.
  follow(scope, [&, first = true]() mutable {
    return !stopping_ && (std::exchange(first, false) || deps_.log_position() == position);
  });
  return decide(
      scope, [this] { return !stopping_; }, true);
}

bool Worker::train_in_background() {
  Endpoints asked;
  std::uint64_t questions = 0;
  {
    MutexLock lock(mutex_);
    asked = asked_;
    questions = questions_;
  }
  const bool found = train(background_scope(asked), [this] { return !stopping_; });
  MutexLock lock(mutex_);
  if (found) {
    ++trained_;
    asked_.clear();  // one training for one question
  } else {
    answered_ = questions;
  }
  turn_.notify_all();
  return found;
}

bool Worker::decide(const Scope& in_scope, const GoOn& go_on, bool patient) {
  const LaneTurn turn(*this, &Worker::deciding_, go_on);
  if (!turn.entered()) {
    return true;
  }
  bool changed = evaluate_triggers(in_scope);
  changed = judge_trained(in_scope, patient) || changed;
  changed = control_rollouts(in_scope) || changed;
  return changed;
}

bool Worker::train(const Scope& in_scope, const GoOn& go_on) {
  const LaneTurn turn(*this, &Worker::training_, go_on);
  return !turn.entered() || stopping_ || trainer_.train_once(in_scope);
}

// Asks the trainer's thread for one training at the endpoint and waits for it. False when there was
// none to do; `trained` is the count when the caller began to look.
bool Worker::await_training(const std::string& endpoint, std::uint64_t trained, const GoOn& go_on) {
  MutexLock lock(mutex_);
  asked_.insert(endpoint);
  const std::uint64_t question = ++questions_;
  ++wakes_;
  woken_.notify_all();
  while (trained_ == trained && answered_ < question && go_on()) {
    turn_.wait_for(mutex_, std::chrono::milliseconds(kPollMs));
  }
  if (const auto mine = asked_.find(endpoint); mine != asked_.end()) {
    asked_.erase(mine);
  }
  return trained_ != trained || answered_ < question;
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

bool Worker::judge_trained(const Scope& in_scope, bool patient) {
  const auto trained = deps_.database.read_returning<std::vector<Retraining>>(
      [](storage::Session& session) { return list_retrainings(session, "trained"); });
  bool changed = false;
  for (const Retraining& retraining : trained) {
    const bool busy = deps_.database.read_returning<bool>([&](storage::Session& session) {
      return serving::find_active_rollout(session, retraining.endpoint).has_value();
    });
    const auto retry = retries_.find(retraining.id);
    const bool waits =
        patient && retry != retries_.end() && deps_.clock.ticks_ns() < retry->second.at_ns;
    if (!in_scope(retraining.endpoint) || busy || waits) {
      continue;
    }
    if (judge_retraining(deps_, retraining)) {
      retries_.erase(retraining.id);
      changed = true;
    } else {
      Retry& next = retries_[retraining.id];
      next.pause = std::clamp(2 * next.pause, kGateRetryMin, kGateRetryMax);
      next.at_ns = deps_.clock.ticks_ns() + next.pause * 1'000;
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
  const SettleSeat seat(*this, endpoint);
  const std::int64_t start_ns = deps_.clock.ticks_ns();
  const std::int64_t first = newest_seq(deps_.database);
  const Scope scope = [&](const std::string& name) { return name == endpoint; };
  const GoOn in_time = [&] {
    return !stopping_ && deps_.clock.ticks_ns() - start_ns < timeout * 1'000;
  };
  Settled result;
  while (!result.settled && in_time()) {
    std::uint64_t trained = 0;
    {
      MutexLock lock(mutex_);
      trained = trained_;
    }
    deps_.flush_log();
    bool more = follow(scope, in_time);
    more = deps_.refresh_serving(endpoint) || more;
    more = decide(scope, in_time, false) || more;
    more =
        (seat.has_threads() ? await_training(endpoint, trained, in_time) : train(scope, in_time)) ||
        more;
    result.settled = !more;
  }
  result.events = newest_seq(deps_.database) - first;
  return result;
}

}  // namespace slipway::automation
