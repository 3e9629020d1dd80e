// SPDX-License-Identifier: Apache-2.0
#include "automation/testing.h"

#include <algorithm>
#include <filesystem>
#include <stdlib.h>

#include "automation/promotion.h"
#include "automation/slipway_yaml.h"
#include "base/error.h"
#include "base/file.h"
#include "base/id.h"
#include "ledger/evidence.h"
#include "monitoring/alarm.h"
#include "registry/alias.h"
#include "registry/model_version.h"
#include "tracking/run_table.h"

namespace slipway::automation {
namespace fs = std::filesystem;

const char* const TestWorld::kObjects = R"(
kind: Model
name: late-arrival
spec: {description: "flights", aliases: {champion: {gate: late}}}
---
kind: Pipeline
name: train
spec: {params: {train.rounds: 100}, timeout: 30m}
---
kind: Endpoint
name: late-arrival
spec:
  model: late-arrival
  alias: champion
  clock: event
  rollout: {steps: [{weight: 0.25, requests: 2000}, {weight: 0.5}], max_duration: 10d}
---
kind: Monitor
name: late
spec: {endpoint: late-arrival, clip: 3, bound: 0.572, budget: 100}
---
kind: Gate
name: late
spec: {model: late-arrival, monitor: late, clusters: 14, alpha: 0.05}
---
kind: Trigger
name: retrain
spec:
  on: [{alarm: late}, {every: 14d}]
  pipeline: train
  export: {monitor: late, to: data/labelled.csv}
  gate: late
  endpoint: late-arrival
  pause_after_failures: 3
  timeout: 10m
)";

namespace {

std::string temporary_folder() {
  std::string pattern = (fs::temp_directory_path() / "slipway-automation-XXXXXX").string();
  return mkdtemp(pattern.data());
}

}  // namespace

TestWorld::TestWorld()
    : clock(parse_time("2013-03-01").value()),
      database(store.options()),
      folder(temporary_folder()),
      deps{.database = database,
           .clock = clock,
           .processes = processes,
           .places = {"/opt/slipway", folder + "/work", folder + "/logs", "http://127.0.0.1:5000",
                      "slp_token"},
           .watermark = [this](const std::string&) { return watermark; },
           .first_event_time = [this](const std::string&, std::int64_t) { return first_event; },
           .log_position = [this] { return log_position; },
           .synced_log_position = [this] { return log_position - unsynced; },
           .counters =
               [this](const std::string& rollout, int step) {
                 return counters[{rollout, step}];
               },
           .baseline = [this](const std::string&, std::int64_t) { return baseline; },
           .flush_log = [] {},
           .retain_log = [this](const std::string& holder,
                                std::int64_t position) { retained.emplace_back(holder, position); },
           .refresh_serving = [](const std::string&) { return false; },
           .follow_labels = [](const Deps::Scope&) { return false; },
           .export_labelled =
               [this](const std::string&, const monitoring::ExportOptions& options,
                      const std::function<void(std::string_view)>& write) {
                 exports.push_back(options);
                 write(exported);
                 monitoring::ExportSummary summary;
                 summary.rows = 1;
                 summary.sha256 = sha256_hex(exported);
                 return summary;
               },
           .evaluate_gate =
               [this](const Deps::GateQuestion& question) { return evaluate(question); },
           .requests_per_day = [this](storage::Session&, const std::string&) { return traffic; }} {
  processes.answer = [this](const Command& command) { return answer(command); };
  worker = new_worker();
}

TestWorld::~TestWorld() {
  worker.reset();
  std::error_code ignored;
  fs::remove_all(folder, ignored);
}

std::unique_ptr<Worker> TestWorld::new_worker() { return std::make_unique<Worker>(deps); }

PlanRequest TestWorld::request(const std::string& yaml) const {
  PlanRequest request;
  request.objects = read_objects(yaml, "slipway.yaml");
  request.source = {"first-commit", "slipway.yaml", folder + "/repository",
                    "c0ffee0000000000000000000000000000000000", false};
  return request;
}

Plan TestWorld::plan(const std::string& yaml, bool prune, std::int64_t allow_destroy) {
  PlanRequest wanted = request(yaml);
  wanted.prune = prune;
  wanted.allow_destroy = allow_destroy;
  return database.read_returning<Plan>([&](storage::Session& session) {
    return make_plan(session, clock, {deps.requests_per_day}, wanted);
  });
}

Applied TestWorld::apply_text(const std::string& yaml, bool prune, std::int64_t allow_destroy) {
  PlanRequest wanted = request(yaml);
  wanted.prune = prune;
  wanted.allow_destroy = allow_destroy;
  return database.write_returning<Applied>([&](storage::Transaction& transaction) {
    return apply(transaction, clock, {deps.requests_per_day, deps.watermark}, wanted, "user:test");
  });
}

std::int64_t TestWorld::register_version(const std::string& retraining) {
  clock.advance(kMicrosPerSecond);
  return database.write_returning<std::int64_t>([&](storage::Transaction& transaction) {
    tracking::NewRun repro;
    repro.start_time_ms = ms_of_us(clock.now());
    if (!retraining.empty()) {
      repro.tags = {{"slipway.retraining", retraining}};
    }
    const tracking::RunInfo parent = tracking::create_run(transaction, repro);
    tracking::NewRun stage;
    stage.start_time_ms = repro.start_time_ms;
    stage.tags = {{"mlflow.parentRunId", parent.id}, {"slipway.stage", "train"}};
    const tracking::RunInfo run = tracking::create_run(transaction, stage);
    registry::NewVersion version;
    version.model = "late-arrival";
    version.source = "s3://models/" + run.id;
    version.run_id = run.id;
    version.actor = "mlflow-client";
    return registry::create_version(transaction, clock, version).version;
  });
}

void TestWorld::set_up_champion() {
  fs::create_directories(folder + "/repository/.dvc");
  apply_text(kObjects);
  register_version();
  at("2013-03-01");
  PromotionRequest first;
  first.model = "late-arrival";
  first.version = 1;
  first.alias = "champion";
  first.actor = "user:test";
  first.reason = "first version";
  promote(deps, first);
}

void TestWorld::raise_alarm(const std::string& id) {
  database.write([&](storage::Transaction& transaction) {
    ledger::Event event;
    event.type = "alarm.raised";
    event.subject = "monitor:late";
    event.actor = "automation:monitor/late";
    event.event_time = watermark;
    event.body = {{"alarm", id},
                  {"endpoint", "late-arrival"},
                  {"value", 104.5},
                  {"threshold", 100.0},
                  {"budget_blocks", 100.0}};
    monitoring::Alarm alarm;
    alarm.bound = 0.1907;
    alarm.mean_loss = 0.623;
    alarm.loss_scale = 3;
    monitoring::set_losses(event.body, alarm);
    ledger::append(transaction, clock, event);
  });
}

void TestWorld::at(const std::string& day) {
  watermark = parse_time(day).value();
  clock.advance(std::max<TimeUs>(kMicrosPerSecond, watermark - clock.now()));
}

void TestWorld::requests(std::int64_t champion, std::int64_t champion_bad, std::int64_t challenger,
                         std::int64_t challenger_bad) {
  const serving::RolloutRow rollout = newest_rollout();
  serving::StepCounters& step = counters[{rollout.id, rollout.step}];
  for (const serving::Loss loss : serving::kAllLosses) {
    const bool errors = loss == serving::Loss::kError;
    step.at(loss, serving::Arm::kChampion).bad += errors ? champion_bad : 0;
    step.at(loss, serving::Arm::kChampion).good += champion - (errors ? champion_bad : 0);
    step.at(loss, serving::Arm::kChallenger).bad += errors ? challenger_bad : 0;
    step.at(loss, serving::Arm::kChallenger).good += challenger - (errors ? challenger_bad : 0);
  }
  log_position += champion + challenger;
}

void TestWorld::work() {
  constexpr int kLooksMax = 100;
  for (int look = 0; look < kLooksMax; ++look) {
    if (!worker->work_once()) {
      return;
    }
  }
  throw Error(Code::kInternal, "the worker does not come to rest");
}

std::optional<std::int64_t> TestWorld::champion() {
  return database.read_returning<std::optional<std::int64_t>>([](storage::Session& session) {
    const auto target = registry::find_alias(session, "late-arrival", "champion");
    return target ? std::optional<std::int64_t>(target->version) : std::nullopt;
  });
}

serving::RolloutRow TestWorld::newest_rollout() {
  return database.read_returning<serving::RolloutRow>(
      [](storage::Session& session) { return serving::list_rollouts(session, "", 1).at(0); });
}

std::vector<ledger::StoredEvent> TestWorld::events(const std::string& type) {
  return database.read_returning<std::vector<ledger::StoredEvent>>([&](storage::Session& session) {
    ledger::EventFilter filter;
    filter.type_prefix = type;
    return ledger::list_events(session, filter);
  });
}

std::int64_t TestWorld::last_seq() {
  const auto all = events("");
  return all.empty() ? 0 : all.back().seq;
}

std::string TestWorld::types(std::int64_t after_seq) {
  std::string text;
  for (const ledger::StoredEvent& event : events("")) {
    if (event.seq > after_seq) {
      text += (text.empty() ? "" : " ") + event.type;
    }
  }
  return text;
}

Outcome TestWorld::answer(const Command& command) {
  if (command.argv.front() != "git") {
    return run_pipeline(command);
  }
  Outcome outcome;
  if (command.argv.at(3) == "worktree" && command.argv.at(4) == "add") {
    const fs::path tree = command.argv.at(7);
    fs::create_directories(tree / "data");
    write_file_atomic(tree / "params.yaml", "train:\n  rounds: 20\n  rate: 0.1\n");
  } else if (command.argv.at(3) == "worktree" && command.argv.at(4) == "remove") {
    fs::remove_all(command.argv.back());
  }
  return outcome;
}

Outcome TestWorld::run_pipeline(const Command& command) {
  labelled_in_tree =
      read_file_if_exists(fs::path(command.folder) / "data" / "labelled.csv").value_or("");
  Outcome outcome;
  outcome.exit_code = exit_code;
  outcome.timed_out = timed_out;
  outcome.duration_us = 12 * kMicrosPerSecond;
  write_file_atomic(command.output_file, "Running stage train\nValueError: no rows\n");
  if (during_training) {
    during_training();
  }
  if (exit_code == 0 && !timed_out) {
    write_file_atomic(fs::path(command.folder) / "dvc.lock", "schema: '2.0'\n");
    if (registers) {
      register_version(command.environment.at("SLIPWAY_RETRAINING"));
    }
  }
  return outcome;
}

gate::Result TestWorld::evaluate(const Deps::GateQuestion& question) {
  if (gate_error) {
    throw Error(*gate_error);
  }
  evaluated.push_back(question.challenger);
  clock.advance(kMicrosPerSecond);
  gate::Result result;
  result.gate = question.gate;
  result.model = "late-arrival";
  result.challenger = question.challenger;
  result.champion = champion();
  result.reason = result.champion ? gate_reason : "there is no champion to compare with";
  const std::string found = result.champion ? verdict : "pass";
  result.verdict = found == "pass"   ? gate::Verdict::kPass
                   : found == "fail" ? gate::Verdict::kFail
                                     : gate::Verdict::kInsufficient;
  database.write([&](storage::Transaction& transaction) {
    json::Object body{{"gate", question.gate},
                      {"challenger", question.challenger},
                      {"verdict", found},
                      {"reason", result.reason}};
    result.evidence = ledger::put_evidence(
        transaction, clock, "gate",
        registry::gate_subject(question.gate, "late-arrival", question.challenger, result.champion),
        body);
    ledger::Event event;
    event.type = "gate.evaluated";
    event.subject = "gate:" + question.gate;
    event.actor = question.actor;
    event.cause = question.cause;
    event.event_time = question.event_time;
    event.body = {{"model", "late-arrival"},
                  {"challenger", question.challenger},
                  {"verdict", found},
                  {"reason", result.reason}};
    event.body.set("champion", result.champion ? json::Value(*result.champion) : json::Value());
    event.evidence = {result.evidence};
    ledger::append(transaction, clock, event);
    if (found != "pass") {
      event.type = "promotion.refused";
      event.subject = "model:late-arrival";
      event.body.set("by", "gate");
      ledger::append(transaction, clock, event);
    }
  });
  return result;
}

}  // namespace slipway::automation
