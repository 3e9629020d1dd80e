// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "automation/deps.h"
#include "automation/trainer.h"
#include "base/mutex.h"

namespace slipway::automation {

// An endpoint that runs on event time is looked at when somebody settles it, so that the same
// requests tell the same story on any machine; and, so that a loop whose client never settles is
// not dead, once no request has come for this long.
inline constexpr TimeUs kEventClockQuiet = 30 * kMicrosPerSecond;
inline constexpr int kPollMs = 200;

// The loop's worker: triggers, retrainings, gates and rollouts of every endpoint. Two lanes, so
// that a rollout is judged while a training runs: one decides (triggers, trained versions,
// rollouts; short), one trains (children; long). Each lane does one thing at a time, whoever calls
// it; no lane holds a database write while it evaluates a gate or runs a child.
//
// Everything that it knows is in the database: a restart in any state goes on (trainer.h,
// promotion.h).
class Worker {
 public:
  explicit Worker(const Deps& deps);  // `deps` outlives it; starts no thread
  ~Worker();                          // stop()
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Ends what a dead server left half done (Trainer::recover), then starts the two threads.
  void start();
  // Ends the threads; a child that runs gets TERM, then KILL, and its retraining is `interrupted`.
  // Idempotent.
  void stop();
  // Looks soon instead of at the next poll. Cheap, from any thread, also from after_commit.
  void wake();

  // One look at everything in scope, on the calling thread: both lanes. True if anything changed.
  // `endpoint` "" = all, whatever their clock.
  bool work_once(const std::string& endpoint = {});

  // Works on the calling thread until nothing is left to do at the endpoint for the requests,
  // labels and watermark that it has now: monitors have followed, triggers have looked, retrainings
  // have ended, gates have answered, rollouts are judged, and the routing table is what the
  // database says.
  struct Settled {
    bool settled = false;     // false: the time ran out; what was under way goes on
    std::int64_t events = 0;  // appended to the ledger meanwhile
  };
  // Throws kNotFound for an unknown endpoint.
  Settled settle(const std::string& endpoint, TimeUs timeout);

 private:
  using Scope = std::function<bool(const std::string& endpoint)>;
  bool decide(const Scope& in_scope);
  bool train(const Scope& in_scope);
  bool evaluate_triggers(const Scope& in_scope);
  bool judge_trained(const Scope& in_scope);
  bool control_rollouts(const Scope& in_scope);
  Scope background_scope();
  void run(const std::function<bool(const Scope&)>& lane);

  const Deps& deps_;
  std::atomic<bool> stopping_{false};
  Trainer trainer_;
  Mutex decide_lane_;
  Mutex train_lane_;

  Mutex mutex_;
  CondVar woken_;
  std::uint64_t wakes_ GUARDED_BY(mutex_) = 0;
  std::int64_t last_position_ GUARDED_BY(mutex_) = -1;
  std::int64_t quiet_since_ns_ GUARDED_BY(mutex_) = 0;
  std::thread decider_;
  std::thread trainer_thread_;
};

}  // namespace slipway::automation
