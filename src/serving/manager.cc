// SPDX-License-Identifier: Apache-2.0
#include "serving/manager.h"

#include <algorithm>
#include <deque>
#include <functional>
#include <list>
#include <malloc.h>
#include <set>
#include <stop_token>
#include <thread>

#include "base/error.h"
#include "base/log.h"
#include "base/mutex.h"
#include "ledger/cursor.h"
#include "ledger/event.h"
#include "registry/alias.h"
#include "registry/model_version.h"
#include "serving/load_queue.h"

namespace slipway::serving {
namespace {

constexpr const char* kActor = "automation:serving";
constexpr const char* kLoaded = "endpoint.loaded";
constexpr const char* kVersionCursor = "serving.versions";
constexpr TimeUs kRetryUs = 30 * kMicrosPerSecond;
constexpr std::int64_t kVersionsPerLook = 100;
// A load that refresh_now waits for can be wanted no longer when it has ended, and another one be.
constexpr int kLooksMax = 8;
constexpr std::string_view kHolderPrefix = "rollout:";

using Key = VersionKey;
using Missing = WantedLoads;  // what routes want and memory has not, with who wants it

// What the database wants of an endpoint.
struct Wanted {
  EndpointRow endpoint;
  std::int64_t champion = 0;  // 0: nothing, and `problem` says why
  std::string problem;
  std::optional<RolloutRow> rollout;  // active, and not outrun by a newer move of the alias
};

struct WantedAll {
  std::vector<Wanted> endpoints;
  std::map<std::string, std::int64_t> open_rollouts;  // id -> log position
};

Wanted want(storage::Session& session, const EndpointRow& row, TimeUs now) {
  Wanted wanted;
  wanted.endpoint = row;
  std::int64_t move = 0;
  if (row.version > 0) {
    const auto hold = find_hold(session, row.name, now);
    wanted.champion = hold && hold->version > 0 ? hold->version : row.version;
  } else if (const auto target = registry::find_alias(session, row.model, row.alias)) {
    wanted.champion = target->version;
    move = target->move;
  } else {
    wanted.problem = "model `" + row.model + "` has no alias `" + row.alias + "` yet";
  }
  auto rollout = find_active_rollout(session, row.name);
  if (rollout && rollout->state == RolloutState::kActive &&
      (row.version > 0 || rollout->started_move == move))
    wanted.rollout = std::move(rollout);
  return wanted;
}

WantedAll want_all(storage::Database& database, TimeUs now) {
  WantedAll all;
  database.read([&](storage::Session& session) {
    for (const EndpointRow& row : list_endpoints(session)) {
      all.endpoints.push_back(want(session, row, now));
      if (const auto open = find_active_rollout(session, row.name))
        all.open_rollouts[open->id] = open->log_position;
    }
  });
  return all;
}

}  // namespace

struct Manager::State {
  explicit State(const Deps& given)
      : deps(given),
        loaded_gauge(
            given.metrics.gauge("slipway_serving_models_loaded", "Model versions in memory.")) {
    // Rollouts that ended while no server ran let go of the log at the first look.
    for (const std::string& holder : given.log.holders(kHolderPrefix))
      retained.insert(holder.substr(kHolderPrefix.size()));
  }

  const Deps deps;
  metrics::Gauge& loaded_gauge;
  Router router;

  // What a look has to tell the store: written once the routes stand, so that a full disk cannot
  // keep them from standing.
  struct Note {
    Key key;
    bool condition = false;             // of the version; else an event of the endpoint
    std::optional<std::string> reason;  // with a condition: why it is not servable
    std::string endpoint;
    const char* type = "";
    json::Object body;
  };

  // Held for a whole look, which loads nothing: a slow version holds up no other endpoint's route.
  Mutex work;
  struct Failure {
    std::string reason;
    TimeUs at = 0;
  };
  std::map<Key, Failure> failures GUARDED_BY(work);
  std::set<std::string> retained GUARDED_BY(work);
  std::deque<Note> notes GUARDED_BY(work);

  Mutex checking;  // held for a check of new versions
  Mutex asking;    // held for a load that nobody's route wants, one at a time

  mutable Mutex memory;
  std::map<Key, std::weak_ptr<const ServedVersion>> known GUARDED_BY(memory);
  std::list<std::shared_ptr<const ServedVersion>> spares
      GUARDED_BY(memory);  // most recently used first
  // Loaded for a route since the last look: kept for it, however many there are.
  std::vector<std::shared_ptr<const ServedVersion>> arrived GUARDED_BY(memory);

  Mutex wake_mutex;
  CondVar wake;
  bool asked_routes GUARDED_BY(wake_mutex) = false;
  bool asked_versions GUARDED_BY(wake_mutex) = false;
  bool stop GUARDED_BY(wake_mutex) = false;
  std::stop_source stopping;  // ends runs of checks
  std::thread route_thread;
  std::thread version_thread;
  LoadQueue loads{
      [this](const std::string& endpoint, const Key& key) { load_for_route(endpoint, key); },
      [this] { ask_for_routes(); }};

  std::shared_ptr<const ServedVersion> in_memory(const Key& key) const;
  void keep_spare(const std::shared_ptr<const ServedVersion>& version);
  std::variant<std::shared_ptr<const ServedVersion>, Unservable> load(const Key& key);
  void record_condition(storage::Transaction& transaction, const Key& key,
                        const std::optional<std::string>& reason);
  void note_condition(const Key& key, std::optional<std::string> reason) REQUIRES_LOCK(work);
  void note_event(const std::string& endpoint, const char* type, json::Object body)
      REQUIRES_LOCK(work);
  void write_note(storage::Transaction& transaction, const Note& note);
  void write_notes() REQUIRES_LOCK(work);
  std::shared_ptr<const ServedVersion> obtain(const std::string& endpoint, const Key& key,
                                              std::string& problem, Missing& missing)
      REQUIRES_LOCK(work);
  bool is_first_load(const std::string& endpoint, const Key& key, const Missing& missing) const
      REQUIRES_LOCK(work);
  void load_for_route(const std::string& endpoint, const Key& key) EXCLUDES_LOCK(work);
  void check_versions() EXCLUDES_LOCK(checking);
  void forget_replaced() REQUIRES_LOCK(work);
  std::shared_ptr<const Route> make_route(const Wanted& wanted,
                                          const std::shared_ptr<const Route>& before,
                                          Missing& missing) REQUIRES_LOCK(work);
  void retain(const std::map<std::string, std::int64_t>& open) REQUIRES_LOCK(work);
  bool look(Missing& missing) EXCLUDES_LOCK(work);
  void ask_for_routes();
  void run(bool State::*asked, const std::function<void()>& step);
};

std::shared_ptr<const ServedVersion> Manager::State::in_memory(const Key& key) const {
  const MutexLock lock(memory);
  const auto found = known.find(key);
  return found == known.end() ? nullptr : found->second.lock();
}

void Manager::State::keep_spare(const std::shared_ptr<const ServedVersion>& version) {
  std::shared_ptr<const ServedVersion> dropped;  // freed after the lock
  const MutexLock lock(memory);
  spares.remove(version);
  spares.push_front(version);
  if (spares.size() > kSpareVersionsMax) {
    dropped = spares.back();
    spares.pop_back();
  }
}

std::variant<std::shared_ptr<const ServedVersion>, Unservable> Manager::State::load(
    const Key& key) {
  if (auto present = in_memory(key)) {
    keep_spare(present);
    return present;
  }
  // Before the session of a large file is made for nobody.
  if (stopping.stop_requested()) throw Error(Code::kUnavailable, "the server is stopping");
  auto loaded = load_version(deps.database, deps.artifacts, deps.engine, deps.clock, key.first,
                             key.second, {deps.probe_limit, stopping.get_token()});
  if (auto* version = std::get_if<std::shared_ptr<const ServedVersion>>(&loaded)) {
    {
      const MutexLock lock(memory);
      // Somebody else may have loaded it meanwhile: one copy is enough.
      if (auto first = known[key].lock(); first && first->registry_key == (*version)->registry_key)
        version->swap(first);
      known[key] = *version;
      std::erase_if(known, [](const auto& entry) { return entry.second.expired(); });
      loaded_gauge.set(static_cast<double>(known.size()));
    }
    keep_spare(*version);
  }
  return loaded;
}

void Manager::State::record_condition(storage::Transaction& transaction, const Key& key,
                                      const std::optional<std::string>& reason) {
  const auto row = registry::find_version(transaction, key.first, key.second);
  const auto condition = reason ? registry::Condition::kUnservable : registry::Condition::kServable;
  if (row && (row->condition != condition || row->condition_reason != reason.value_or("")))
    registry::set_condition(transaction, key.first, key.second, condition, reason.value_or(""));
}

void Manager::State::note_condition(const Key& key, std::optional<std::string> reason) {
  Note note;
  note.key = key;
  note.condition = true;
  note.reason = std::move(reason);
  notes.push_back(std::move(note));
}

void Manager::State::note_event(const std::string& endpoint, const char* type, json::Object body) {
  Note note;
  note.endpoint = endpoint;
  note.type = type;
  note.body = std::move(body);
  notes.push_back(std::move(note));
}

void Manager::State::write_note(storage::Transaction& transaction, const Note& note) {
  if (note.condition) return record_condition(transaction, note.key, note.reason);
  ledger::Event event;
  event.type = note.type;
  event.subject = "endpoint:" + note.endpoint;
  event.actor = kActor;
  event.event_time = deps.log.watermark(note.endpoint);
  event.body = note.body;
  if (event.type == kLoaded) {
    // A restart loads what served before: no news.
    ledger::EventFilter filter;
    filter.type_prefix = kLoaded;
    filter.subject = event.subject;
    filter.limit = 1;
    filter.newest_first = true;
    const auto last = ledger::list_events(transaction, filter);
    if (!last.empty() && json::write(last.front().body) == json::write(event.body)) return;
  }
  ledger::append(transaction, deps.clock, event);
}

void Manager::State::write_notes() {
  if (notes.empty()) return;
  deps.database.write([&](storage::Transaction& transaction) REQUIRES_LOCK(work) {
    for (const Note& note : notes) write_note(transaction, note);
  });
  notes.clear();
}

// The version ready to answer; null, and why, when it is not. One that nobody has tried to load, or
// not for a while, is `missing`. `problem` begins with "version N".
std::shared_ptr<const ServedVersion> Manager::State::obtain(const std::string& endpoint,
                                                            const Key& key, std::string& problem,
                                                            Missing& missing) {
  const std::string label = "version " + std::to_string(key.second);
  if (auto present = in_memory(key)) return present;
  const auto failed = failures.find(key);
  if (failed != failures.end() && deps.clock.now() - failed->second.at < kRetryUs) {
    problem = label + " cannot be served: " + failed->second.reason;
    return nullptr;
  }
  missing.emplace(key, endpoint);
  problem = failed == failures.end()
                ? label + " is loading"
                : label + " is loading again; it could not be served: " + failed->second.reason;
  return nullptr;
}

// One that could not be served is no news that it is loading, while it is tried again.
bool Manager::State::is_first_load(const std::string& endpoint, const Key& key,
                                   const Missing& missing) const {
  return missing.contains({key, endpoint}) && !failures.contains(key);
}

// Loads it and notes how that went; the next look finds it in memory, or among the failures.
void Manager::State::load_for_route(const std::string& endpoint, const Key& key) {
  std::string reason;
  bool says_something = true;  // about the version, for its condition in the registry
  try {
    auto loaded = load(key);
    if (auto* version = std::get_if<std::shared_ptr<const ServedVersion>>(&loaded)) {
      {
        const MutexLock lock(memory);
        arrived.push_back(*version);
      }
      const MutexLock lock(work);
      failures.erase(key);
      return note_condition(key, std::nullopt);
    }
    reason = std::get<Unservable>(loaded).reason;
  } catch (const Error& error) {
    reason = error.what();
    says_something = false;
  } catch (const std::exception& fault) {
    reason = std::string("it cannot be loaded: ") + fault.what();
  }
  if (stopping.stop_requested()) return;  // given up, which says nothing about the version
  const MutexLock lock(work);
  if (says_something) note_condition(key, reason);
  const auto failed = failures.find(key);
  const bool news = failed == failures.end() || failed->second.reason != reason;
  failures[key] = {reason, deps.clock.now()};
  if (!news) return;
  const std::string label = "model " + key.first + "/" + std::to_string(key.second);
  log::warning("a model version cannot be served",
               {{"endpoint", endpoint}, {"version", label}, {"reason", reason}});
  note_event(endpoint, "endpoint.load_failed",
             json::Object{{"model", key.first}, {"version", key.second}, {"reason", reason}});
}

// MLflow's versions are READY at once; here is found out which ones can be served.
void Manager::State::check_versions() {
  const MutexLock lock(checking);
  const std::int64_t after = deps.database.read_returning<std::int64_t>(
      [](storage::Session& session) { return ledger::cursor(session, kVersionCursor); });
  ledger::EventFilter filter;
  filter.after_seq = after;
  filter.type_prefix = "model.version_created";
  filter.limit = kVersionsPerLook;
  const auto events = deps.database.read_returning<std::vector<ledger::StoredEvent>>(
      [&](storage::Session& session) { return ledger::list_events(session, filter); });
  for (const ledger::StoredEvent& event : events) {
    const json::Value* const number = event.body.find("version");
    if (!event.subject.starts_with("model:") || number == nullptr || !number->is_integer())
      continue;
    const Key key{event.subject.substr(6), number->as_int()};
    std::optional<std::string> reason;
    try {
      auto loaded = load(key);
      if (const auto* unservable = std::get_if<Unservable>(&loaded)) reason = unservable->reason;
    } catch (const Error& error) {
      if (error.code() == Code::kUnavailable)
        return;  // no engine, or the end: nothing is known about the version, try again later
      if (error.code() != Code::kNotFound) reason = error.what();
    } catch (const std::exception& fault) {
      reason = std::string("it cannot be loaded: ") + fault.what();
    }
    deps.database.write([&](storage::Transaction& transaction) {
      record_condition(transaction, key, reason);
      ledger::move_cursor(transaction, kVersionCursor, event.seq);
    });
  }
}

// A model that was deleted and made anew gives its numbers again.
void Manager::State::forget_replaced() {
  std::vector<std::shared_ptr<const ServedVersion>> present;
  {
    const MutexLock lock(memory);
    for (const auto& [key, weak] : known) {
      if (auto version = weak.lock()) present.push_back(std::move(version));
    }
  }
  deps.database.read([&](storage::Session& session) {
    std::erase_if(present, [&](const auto& version) {
      const auto row = registry::find_version(session, version->model, version->version);
      return !row || row->key == version->registry_key;
    });
  });
  const MutexLock lock(memory);
  for (const auto& version : present) {
    known.erase({version->model, version->version});
    spares.remove(version);
  }
}

std::shared_ptr<const Route> Manager::State::make_route(const Wanted& wanted,
                                                        const std::shared_ptr<const Route>& before,
                                                        Missing& missing) {
  auto route = std::make_shared<Route>();
  route->endpoint = wanted.endpoint;
  route->problem = wanted.problem;
  const std::string& model = wanted.endpoint.model;
  if (wanted.champion > 0) {
    const Key key{model, wanted.champion};
    route->champion = obtain(wanted.endpoint.name, key, route->problem, missing);
    route->loading = is_first_load(wanted.endpoint.name, key, missing);
  }
  // A version that does not load leaves the old one serving.
  if (!route->champion && wanted.champion > 0 && before && before->champion &&
      before->champion->model == model)
    route->champion = before->champion;
  const auto& old = before ? before->champion : nullptr;
  if (route->champion &&
      (!old || old->model != route->champion->model || old->version != route->champion->version)) {
    note_event(wanted.endpoint.name, kLoaded,
               json::Object{{"model", model}, {"version", route->champion->version}});
  }
  const bool as_wanted = route->champion && route->champion->version == wanted.champion;
  if (wanted.rollout && as_wanted && wanted.rollout->champion == wanted.champion) {
    const RolloutRow& rollout = *wanted.rollout;
    const Key key{rollout.model, rollout.challenger};
    std::string problem;
    route->challenger = obtain(wanted.endpoint.name, key, problem, missing);
    if (route->challenger) {
      route->rollout = rollout.id;
      route->step = rollout.step;
      route->weight = rollout.steps.at(static_cast<std::size_t>(rollout.step)).weight;
      route->seed = rollout.seed;
    } else {
      route->problem = problem.replace(0, std::string_view("version").size(), "challenger");
      route->loading = is_first_load(wanted.endpoint.name, key, missing);
    }
  }
  return route;
}

void Manager::State::retain(const std::map<std::string, std::int64_t>& open) {
  for (const auto& [id, position] : open) {
    if (retained.contains(id)) continue;
    deps.log.retain_from(std::string(kHolderPrefix) + id, position);
    retained.insert(id);
  }
  for (auto it = retained.begin(); it != retained.end();) {
    if (open.contains(*it)) {
      ++it;
      continue;
    }
    deps.log.retain_from(std::string(kHolderPrefix) + *it, INT64_MAX);
    it = retained.erase(it);
  }
}

bool Manager::State::look(Missing& missing) {
  const MutexLock lock(work);
  forget_replaced();
  std::vector<std::shared_ptr<const ServedVersion>> kept;  // until the routes hold them
  {
    const MutexLock memory_lock(memory);
    kept.swap(arrived);
  }
  const WantedAll wanted = want_all(deps.database, deps.clock.now());
  const auto before = router.table();
  auto table = std::make_shared<RoutingTable>();
  bool changed = wanted.endpoints.size() != before->size();
  for (const Wanted& endpoint : wanted.endpoints) {
    const auto old = before->find(endpoint.endpoint.name);
    const std::shared_ptr<const Route> old_route = old == before->end() ? nullptr : old->second;
    auto route = make_route(endpoint, old_route, missing);
    const bool same = old_route && old_route->endpoint == route->endpoint &&
                      old_route->champion == route->champion &&
                      old_route->challenger == route->challenger &&
                      old_route->rollout == route->rollout && old_route->step == route->step &&
                      old_route->problem == route->problem && old_route->loading == route->loading;
    changed = changed || !same;
    (*table)[endpoint.endpoint.name] = same ? old_route : route;
  }
  if (changed) {
    router.replace(std::move(table));
    ::malloc_trim(0);  // what a model took goes back to the system
  }
  try {
    retain(wanted.open_rollouts);
    write_notes();
  } catch (const Error& error) {
    log::error("serving: what the routes did cannot be recorded yet; the next look tries again",
               {{"reason", error.what()}});
  }
  return changed;
}

void Manager::State::run(bool State::*asked, const std::function<void()>& step) {
  while (true) {
    {
      const MutexLock lock(wake_mutex);
      if (!(this->*asked) && !stop) wake.wait_for(wake_mutex, std::chrono::milliseconds(kPollMs));
      if (stop) return;
      this->*asked = false;
    }
    try {
      step();
    } catch (const std::exception& fault) {
      log::error("serving: cannot follow the registry", {{"reason", fault.what()}});
    }
  }
}

Manager::Manager(const Deps& deps) : state_(std::make_unique<State>(deps)) {}

Manager::~Manager() { stop(); }

void Manager::stop() {
  state_->stopping.request_stop();
  {
    const MutexLock lock(state_->wake_mutex);
    state_->stop = true;
    state_->wake.notify_all();
  }
  if (state_->route_thread.joinable()) state_->route_thread.join();
  if (state_->version_thread.joinable()) state_->version_thread.join();
  state_->loads.stop();
}

void Manager::start() {
  State& state = *state_;
  state.loads.start(kLoadersMax);
  state.route_thread = std::thread([&state] {
    state.run(&State::asked_routes, [&state] {
      Missing missing;
      state.look(missing);
      state.loads.post(missing);
    });
  });
  state.version_thread = std::thread(
      [&state] { state.run(&State::asked_versions, [&state] { state.check_versions(); }); });
}

void Manager::refresh() {
  const MutexLock lock(state_->wake_mutex);
  state_->asked_routes = true;
  state_->asked_versions = true;
  state_->wake.notify_all();
}

void Manager::State::ask_for_routes() {
  const MutexLock lock(wake_mutex);
  asked_routes = true;
  wake.notify_all();
}

bool Manager::refresh_now(const std::string& endpoint) {
  bool changed = false;
  for (int look = 0; look < kLooksMax; ++look) {
    Missing missing;
    changed = state_->look(missing) || changed;
    std::vector<Key> own;
    std::erase_if(missing, [&](const auto& entry) {
      if (entry.second != endpoint) return false;
      own.push_back(entry.first);
      return true;
    });
    state_->loads.post(missing);
    if (own.empty() || state_->stopping.stop_requested()) break;
    for (const Key& key : own) state_->loads.load_now(endpoint, key);
  }
  return changed;
}

bool Manager::refresh_within(std::chrono::milliseconds limit) {
  State& state = *state_;
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (true) {
    Missing missing;
    state.look(missing);
    if (missing.empty()) return true;
    state.loads.post(missing);
    if (std::chrono::steady_clock::now() >= deadline || state.stopping.stop_requested())
      return false;
    state.loads.wait_until_idle(deadline);
  }
}

void Manager::check_versions() { state_->check_versions(); }

const Router& Manager::router() const { return state_->router; }

std::shared_ptr<const ServedVersion> Manager::version(const std::string& model,
                                                      std::int64_t version) {
  const Key key{model, version};
  if (auto present = state_->in_memory(key)) return present;
  const MutexLock lock(state_->asking);
  auto loaded = state_->load(key);
  if (auto* ready = std::get_if<std::shared_ptr<const ServedVersion>>(&loaded)) return *ready;
  throw Error(Code::kFailedPrecondition,
              "model " + model + "/" + std::to_string(version) +
                  " cannot be served: " + std::get<Unservable>(loaded).reason);
}

std::shared_ptr<const ServedVersion> Manager::version_in_memory(const std::string& model,
                                                                std::int64_t version) const {
  return state_->in_memory({model, version});
}

std::vector<std::shared_ptr<const ServedVersion>> Manager::loaded() const {
  std::vector<std::shared_ptr<const ServedVersion>> versions;
  const MutexLock lock(state_->memory);
  for (const auto& [key, weak] : state_->known) {
    if (auto version = weak.lock()) versions.push_back(std::move(version));
  }
  return versions;
}

}  // namespace slipway::serving
