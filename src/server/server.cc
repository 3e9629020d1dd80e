// SPDX-License-Identifier: Apache-2.0
#include "server/server.h"

#include <chrono>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "access/audit.h"
#include "access/permission.h"
#include "access/sign_in.h"
#include "api/inference/inference_routes.h"
#include "api/mlflow/access_routes.h"
#include "api/mlflow/model_versions.h"
#include "api/mlflow/registered_models.h"
#include "api/mlflow/trace_routes.h"
#include "api/mlflow/tracking_routes.h"
#include "api/otlp/otlp_routes.h"
#include "api/slipway/accounts.h"
#include "api/slipway/automation_api.h"
#include "api/slipway/endpoints.h"
#include "api/slipway/errors.h"
#include "api/slipway/events.h"
#include "api/slipway/gates.h"
#include "api/slipway/labels.h"
#include "api/slipway/models.h"
#include "api/slipway/monitors.h"
#include "api/slipway/plan.h"
#include "api/slipway/predictions.h"
#include "api/slipway/rollouts.h"
#include "api/slipway/series.h"
#include "api/slipway/stage_runs.h"
#include "api/slipway/story.h"
#include "api/slipway/triggers.h"
#include "automation/invariants.h"
#include "automation/wiring.h"
#include "automation/worker.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/process.h"
#include "gate/evaluate.h"
#include "http/server.h"
#include "monitoring/delivery.h"
#include "monitoring/follower.h"
#include "net/http_client.h"
#include "server/admission.h"
#include "server/audited.h"
#include "server/data_folder.h"
#include "server/openapi.h"
#include "server/operations.h"
#include "server/page.h"
#include "serving/inference_pool.h"
#include "serving/manager.h"
#include "serving/onnx_engine.h"
#include "serving/prediction_log.h"
#include "serving/predictor.h"
#include "tracking/artifact_store.h"
#include "tracking/experiment_table.h"
#include "tracking/stage_token.h"

namespace slipway::server {
namespace {

constexpr const char* kProgramVersion = "0.1.0";

std::string this_program() {
  std::error_code fault;
  const std::filesystem::path path = std::filesystem::read_symlink("/proc/self/exe", fault);
  return fault ? std::string("slipway") : path.string();
}

// What a start would like to write but does not need: on a full disk reads and inference go on
// without it, also after a restart.
void or_later(const char* consequence, const std::function<void()>& write) {
  try {
    write();
  } catch (const Error& error) {
    if (error.code() != Code::kResourceExhausted) throw;
    log::warning("the store takes nothing at the start",
                 {{"reason", error.what()}, {"consequence", consequence}});
  }
}

// A host as it stands in a URL; the any-address is reached over loopback.
std::string url_host(const std::string& host) {
  if (host == "0.0.0.0") return "127.0.0.1";
  if (host == "::") return "[::1]";
  return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

access::Permission read_default_permission(const Config& config) {
  const auto permission = access::parse_permission(config.default_permission);
  if (permission && *permission != access::Permission::kDeny) return *permission;
  throw Error(Code::kInvalidArgument,
              "the default permission is `" + config.default_permission +
                  "`: it must be NO_PERMISSIONS, READ, USE, EDIT or MANAGE");
}

}  // namespace

// Members stand in the order in which they are built; they end in reverse.
struct Server::World {
  explicit World(const Config& chosen)
      : config(chosen),
        folder(chosen.data_folder),
        database(
            {.path = chosen.store.empty() ? (folder.path() / "slipway.db").string() : chosen.store,
             .durability = chosen.durability}),
        artifacts({.root = folder.path() / "artifacts",
                   .sync = chosen.durability == storage::Durability::kPower}),
        log({.folder = folder.path() / "predictions"}, clock, metrics),
        manager({database, artifacts, engine, log, clock, metrics}),
        predictor(log, clock, metrics),
        follower(database, clock, log),
        deliveries(database, clock, http_client) {}

  void build();
  void add_routes();
  json::Value status();
  bool follow_labels(const automation::Deps::Scope& in_scope);
  gate::Deps gate_deps();
  gate::Result evaluate_gate(const automation::Deps::GateQuestion& question);

  const Config config;
  SystemClock clock;
  const TimeUs started_at = clock.now();
  metrics::Registry metrics;
  SystemProcessRunner processes;
  net::CurlHttpClient http_client;  // of the delivery thread alone
  DataFolder folder;
  serving::OnnxEngine engine;
  storage::Database database;
  tracking::ArtifactStore artifacts;
  serving::PredictionLog log;
  serving::Manager manager;
  serving::Predictor predictor;
  std::mutex follower_mutex;  // the follower takes one caller at a time
  monitoring::Follower follower;
  monitoring::DeliveryWorker deliveries;
  std::optional<automation::Deps> automation_deps;
  std::optional<automation::Worker> worker;
  http::Router router;
  const access::Permission default_permission = read_default_permission(config);
  access::SignIn sign_in{database, clock};
  access::Audit audit{database, clock};
  serving::InferencePool pool{{}};
  std::optional<http::Server> http;
  std::string url;
  std::jthread delivery_thread;
  bool started = false;
};

json::Value Server::World::status() {
  json::Array versions;
  for (const auto& version : manager.loaded()) {
    versions.push_back(json::Object{
        {"model", version->model}, {"version", version->version}, {"engine", version->engine}});
  }
  const auto trouble = log.trouble();
  return json::Object{
      {"version", kProgramVersion},
      {"url", url},
      {"data", folder.path().string()},
      {"durability", config.durability == storage::Durability::kPower ? "power" : "kill"},
      {"started_at", format_time(started_at)},
      {"writes_waiting", database.writes_waiting()},
      {"versions_loaded", versions},
      {"prediction_log",
       json::Object{{"predictions", log.end_position()},
                    {"bytes", log.bytes()},
                    {"trouble", trouble ? json::Value(*trouble) : json::Value()}}}};
}

bool Server::World::follow_labels(const automation::Deps::Scope& in_scope) {
  const std::lock_guard lock(follower_mutex);
  return follower.work_once(in_scope);
}

gate::Deps Server::World::gate_deps() {
  return {database, clock, log, [this](const std::string& model, std::int64_t version) {
            return manager.version(model, version);
          }};
}

gate::Result Server::World::evaluate_gate(const automation::Deps::GateQuestion& question) {
  return gate::evaluate(gate_deps(), {question.gate, question.challenger, question.actor,
                                      question.cause, question.event_time});
}

void Server::World::add_routes() {
  const api::mlflow::Deps mlflow{database, clock, artifacts};
  router.add(api::mlflow::tracking_routes(mlflow));
  router.add(api::mlflow::tracing_routes(mlflow));
  router.add(api::otlp::otlp_routes({database}));
  router.add(api::mlflow::registered_model_routes(mlflow));
  router.add(api::mlflow::model_version_routes(mlflow));
  router.add(api::mlflow::access_routes({database, clock, sign_in, default_permission}));
  const api::inference::Deps inference{database, manager, predictor,      pool,
                                       clock,    metrics, kProgramVersion};
  router.add(api::inference::oip_routes(inference));
  router.add(api::inference::scoring_routes(inference));

  const api::AutomationApi automation{*automation_deps, *worker, [this] { manager.refresh(); }};
  router.add(api::plan_routes(automation));
  router.add(api::model_routes(automation));
  router.add(api::rollout_routes(automation));
  router.add(api::trigger_routes(automation));
  router.add(api::event_routes(automation));
  router.add(api::story_routes(automation, automation::invariant_facts(log)));
  router.add(api::series_routes({database}));
  router.add(api::endpoint_routes({database, manager, log, clock}));
  router.add(api::prediction_routes({database, manager, log, clock}));
  router.add(api::label_routes({database, log, clock}));
  router.add(api::monitor_routes({database, log, artifacts}));
  router.add(api::gate_routes(gate_deps()));
  router.add(api::stage_run_routes({database, clock}));
  router.add(api::account_routes({database, clock, sign_in}));
  router.add(operation_routes(
      metrics, [this] { return status(); }, [this] { return database.is_healthy(); }));
  router.add(http::route(
      http::Method::kGet, "/api/slipway/v1/openapi.json", http::Access::anybody(),
      http::Execution::kPool,
      [this](const http::Request&) { return api::json_response(openapi_document(router)); },
      "this API as an OpenAPI document"));
  router.add(page_routes());
}

void Server::World::build() {
  const automation::Places places{.program = this_program(),
                                  .work_folder = (folder.path() / "work").string(),
                                  .log_folder = (folder.path() / "logs").string(),
                                  .url = {},
                                  .token = folder.token()};
  automation_deps.emplace(automation::wire(
      {database, clock, processes, places, log, artifacts, manager,
       [this](const automation::Deps::Scope& in_scope) { return follow_labels(in_scope); },
       [this](const automation::Deps::GateQuestion& question) {
         return evaluate_gate(question);
       }}));
  worker.emplace(*automation_deps);
  add_routes();
  check_access(router.routes());
  AdmissionRules rules;
  rules.headers = {config.hosts_allowed, config.host, config.port};
  rules.token = folder.token();
  rules.sign_in = &sign_in;
  rules.database = &database;
  rules.otherwise = default_permission;
  rules.is_stage_token = [this](const std::string& token) {
    return database.read_returning<bool>([&](storage::Session& session) {
      return tracking::find_stage_run(session, token).has_value();
    });
  };
  http::ServerOptions options;
  options.host = config.host;
  options.port = config.port;
  options.headers = {{"Vary", "Origin"}};
  http::ServerHooks hooks = admission_hooks(std::move(rules));
  hooks.answered = [this](const http::Request& request, const http::Route* route, int status) {
    note_answer(audit, request, route, status);
  };
  http.emplace(options, router, std::move(hooks), metrics);
  url = "http://" + url_host(config.host) + ":" + std::to_string(http->port());
  automation_deps->places.url = url;
}

Server::Server(const Config& config) : world_(std::make_unique<World>(config)) {
  // The schema makes MLflow's experiment 0; it was born when the store was.
  World& world = *world_;
  or_later("the default experiment has no date yet", [&world] {
    world.database.write([&world](storage::Transaction& transaction) {
      tracking::date_default_experiment(transaction, ms_of_us(world.clock.now()));
    });
  });
  world.build();
}

Server::~Server() { stop(0); }

namespace {

constexpr std::chrono::milliseconds kDeliveryPause{500};
constexpr std::chrono::milliseconds kLoadsAwaited{1'000};

// Webhooks have a thread of their own, so that a slow receiver delays nobody.
void deliver_webhooks(monitoring::DeliveryWorker& worker, const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    bool more = false;
    try {
      more = worker.work_once();
    } catch (const Error& error) {
      log::error("webhooks could not be delivered", {{"error", error.what()}});
    }
    if (!more) std::this_thread::sleep_for(kDeliveryPause);
  }
}

}  // namespace

void Server::start() {
  World& world = *world_;
  world.manager.start();
  // An ordinary model is ready for the first request; nobody waits for a slow one.
  world.manager.refresh_within(kLoadsAwaited);
  world.http->start();
  or_later("other commands on this machine do not find this server by its folder",
           [&world] { world.folder.announce(world.url); });
  if (world.config.automation) {
    world.worker->start();
    world.delivery_thread = std::jthread(
        [&world](const std::stop_token& stop) { deliver_webhooks(world.deliveries, stop); });
  }
  world.started = true;
  log::info("listening", {{"url", world.url}, {"data", world.folder.path().string()}});
}

void Server::stop(int grace_ms) {
  World& world = *world_;
  if (!world.started) return;
  world.started = false;
  // First, so that requests which wait for the worker end, and a training that ends with the server
  // is told from one that fails.
  world.worker->request_stop();
  // Requests drain while everything that answers them still works: one may name a version that has
  // to be loaded. With the grace that is over, and before the handlers and the worker's threads are
  // waited for: a gate that one of them evaluates may be loading and probing a version for many
  // times kProbeLimit, and nothing but the manager ends that. The gate's answer is then
  // `unavailable`, which is asked again after the restart, never a refusal.
  world.http->stop(grace_ms, [&world] { world.manager.stop(); });
  world.worker->stop();
  world.delivery_thread = {};
}

std::string Server::url() const { return world_->url; }
std::string Server::data_folder() const { return world_->folder.path().string(); }
const std::string& Server::token() const { return world_->folder.token(); }

}  // namespace slipway::server
