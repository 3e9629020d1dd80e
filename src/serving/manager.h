// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "serving/engine.h"
#include "serving/prediction_log.h"
#include "serving/router.h"
#include "serving/version_loader.h"
#include "storage/database.h"
#include "tracking/artifact_store.h"

namespace slipway::serving {

// Makes the routing table follow endpoints, aliases, holds and rollouts: loads a version beside the
// old one, has it answer once, and only then swaps. Until then the old one serves; where there is
// none the endpoint is loading (Route::loading) and answers that it is. A version that fails to
// load leaves the old one serving; the route says why (endpoint.load_failed), and the version's
// condition in the registry becomes `unservable`. After registration it checks every version in the
// same way.
//
// Threads of its own: one that follows the routes and loads nothing, kLoadersMax that load what
// routes want, one that checks new versions; so a slow model delays no other endpoint's swap, and
// no start. All methods may be called from any thread but a database write.
class Manager {
 public:
  struct Deps {
    storage::Database& database;
    const tracking::ArtifactStore& artifacts;
    Engine& engine;
    PredictionLog& log;
    const Clock& clock;
    metrics::Registry& metrics;
    std::chrono::milliseconds probe_limit = kProbeLimit;  // for each run of a version's check
  };
  static constexpr int kPollMs = 500;    // looks by itself that often
  static constexpr int kLoadersMax = 4;  // versions that are loaded for routes at a time
  static constexpr std::size_t kSpareVersionsMax =
      16;  // kept in memory though no endpoint serves them

  explicit Manager(const Deps& deps);
  ~Manager();  // stop()
  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;

  void start();  // the threads; before that only refresh_now() and check_versions() load anything
  // Ends the threads and gives up checks that are under way, in any thread; nothing can be loaded
  // afterwards. A second call does nothing.
  void stop();
  void
  refresh();  // asks the threads to look now; returns at once. Safe in Transaction::after_commit.

  // Looks on the calling thread and returns when the route of `endpoint` is as the database says
  // (or says why not): loads what it misses on this thread, and nothing else. What other endpoints
  // miss is left to the threads, so that nobody waits for a version that is not theirs. True if the
  // table changed. What is to be recorded about it is written afterwards; if the store takes
  // nothing, at a later look.
  bool refresh_now(const std::string& endpoint);

  // Looks, has the threads load what is wanted, and waits no longer than `limit` for that; not at
  // all with 0. False: something is loading still, and is routed to when it is ready.
  bool refresh_within(std::chrono::milliseconds limit);

  // Loads what was registered since the last call and records which versions can be served.
  void check_versions();

  const Router& router() const;

  // A version by number, for URLs that name one, for the gate and for explain: from memory, or
  // loaded now (blocking). Throws kNotFound for an unknown version, kFailedPrecondition with the
  // reason for one that is not servable.
  std::shared_ptr<const ServedVersion> version(const std::string& model, std::int64_t version);

  // The same if it is in memory, else null; never blocks long.
  std::shared_ptr<const ServedVersion> version_in_memory(const std::string& model,
                                                         std::int64_t version) const;

  // Versions in memory, by model and number.
  std::vector<std::shared_ptr<const ServedVersion>> loaded() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace slipway::serving
