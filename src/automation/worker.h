// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
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
// Each holds a thread of the server's pool while it waits, and the trainings that they wait for
// need that pool themselves.
inline constexpr int kSettlesMax = 2;
// A trained version whose gate could not answer for a passing reason is asked about again after
// this long, twice as long each time.
inline constexpr TimeUs kGateRetryMin = kMicrosPerSecond;
inline constexpr TimeUs kGateRetryMax = 60 * kMicrosPerSecond;

// The loop's worker: monitors, triggers, retrainings, gates and rollouts of every endpoint. Two
// lanes, so that a rollout is judged while a training runs: one decides (triggers, trained
// versions, rollouts; short), one trains (children; long). Each lane does one thing at a time,
// whoever calls it; no lane holds a database write while it evaluates a gate or runs a child.
//
// Everything that it knows is in the database: a restart in any state goes on (trainer.h,
// promotion.h).
class Worker {
 public:
  explicit Worker(const Deps& deps);  // `deps` outlives it; starts no thread
  ~Worker();                          // stop()
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Ends what a dead server left half done (Trainer::recover), then starts the two threads; none
  // after request_stop. Where the store takes nothing, the trainer's looks try again.
  void start();
  // Asks everything under way to end, and does not wait: a child that runs gets TERM, then KILL,
  // and its retraining is `interrupted`; settles return. From any thread; for good.
  void request_stop();
  // request_stop, and waits for the threads. Idempotent.
  void stop();
  // Looks soon instead of at the next poll. Cheap, from any thread, also from after_commit.
  void wake();

  // One look at everything in scope, on the calling thread: both lanes. True if anything changed.
  // `endpoint` "" = all, whatever their clock.
  bool work_once(const std::string& endpoint = {});

  // Works until nothing is left to do at the endpoint for the requests, labels and watermark that
  // it has now: monitors have followed, triggers have looked, retrainings have ended, gates have
  // answered, rollouts are judged, and the routing table is what the database says. The calling
  // thread decides; trainings run on the worker's thread, one each time they are asked for, so that
  // the story is the same on any machine, or on the calling thread where the worker has none.
  struct Settled {
    bool settled = false;     // false: the time ran out; what was under way goes on
    std::int64_t events = 0;  // appended to the ledger meanwhile
  };
  // Throws kNotFound for an unknown endpoint, kUnavailable while kSettlesMax others are under way.
  Settled settle(const std::string& endpoint, TimeUs timeout);

 private:
  using Scope = Deps::Scope;
  using GoOn = std::function<bool()>;
  using Endpoints = std::multiset<std::string>;
  class LaneTurn;
  class SettleSeat;
  // These return true also when `go_on` ended them: then they cannot say that nothing is left.
  bool follow(const Scope& in_scope, const GoOn& go_on);
  bool decide(const Scope& in_scope, const GoOn& go_on, bool patient);
  bool train(const Scope& in_scope, const GoOn& go_on);
  bool await_training(const std::string& endpoint, std::uint64_t trained, const GoOn& go_on);

  bool evaluate_triggers(const Scope& in_scope);
  bool judge_trained(const Scope& in_scope, bool patient);
  bool control_rollouts(const Scope& in_scope);
  Scope background_scope(const Endpoints& asked);
  bool decide_in_background();
  bool train_in_background();
  void run(const std::function<bool()>& lane);

  const Deps& deps_;
  std::atomic<bool> stopping_{false};
  Trainer trainer_;
  struct Retry {
    std::int64_t at_ns = 0;
    TimeUs pause = 0;
  };
  std::map<std::string, Retry> retries_;  // by retraining; of the lane that decides

  Mutex mutex_;
  CondVar woken_;  // the threads wait here
  CondVar turn_;   // whoever waits for a lane or for a training, here
  bool threads_ GUARDED_BY(mutex_) = false;
  bool deciding_ GUARDED_BY(mutex_) = false;  // somebody is in that lane
  bool training_ GUARDED_BY(mutex_) = false;
  Endpoints settling_ GUARDED_BY(mutex_);
  Endpoints asked_ GUARDED_BY(mutex_);              // settles that wait for one training
  std::uint64_t questions_ GUARDED_BY(mutex_) = 0;  // that settles have asked of the trainer
  std::uint64_t answered_ GUARDED_BY(mutex_) = 0;   // up to here it found nothing to train
  std::uint64_t trained_ GUARDED_BY(mutex_) = 0;    // looks of the trainer that found something
  std::uint64_t wakes_ GUARDED_BY(mutex_) = 0;
  std::int64_t last_position_ GUARDED_BY(mutex_) = -1;
  std::int64_t quiet_since_ns_ GUARDED_BY(mutex_) = 0;
  std::thread decider_;
  std::thread trainer_thread_;
};

}  // namespace slipway::automation
