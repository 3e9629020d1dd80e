// SPDX-License-Identifier: Apache-2.0
#include "automation/trainer.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "automation/new_version.h"
#include "automation/spec.h"
#include "automation/worktree.h"
#include "base/error.h"
#include "base/file.h"
#include "base/id.h"
#include "base/log.h"
#include "ledger/event.h"
#include "ledger/evidence.h"
#include "serving/endpoint.h"

namespace slipway::automation {
namespace fs = std::filesystem;

struct Trainer::Job {
  Retraining retraining;
  TriggerSpec spec;
  Worktree worktree;
  std::string pipeline;  // folder of the pipeline below the repository's top
  std::vector<std::string> targets;
  json::Object params;
  TimeUs timeout = 0;

  std::string folder() const {
    return (fs::path(worktree.folder) / pipeline).lexically_normal().string();
  }
};

namespace {

constexpr std::uint64_t kLockBytesMax = 16ULL << 20;  // of dvc.lock, as evidence
constexpr std::uint64_t kLogTailBytes = 4'096;

// The last line that says anything: what a person looks at first.
std::string log_tail(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) {
    return "";
  }
  const auto size = static_cast<std::uint64_t>(file.tellg());
  const std::uint64_t from = size > kLogTailBytes ? size - kLogTailBytes : 0;
  file.seekg(static_cast<std::streamoff>(from));
  std::string text(static_cast<std::size_t>(size - from), '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  const std::size_t end = text.find_last_not_of("\r\n \t");
  if (end == std::string::npos) {
    return "";
  }
  const std::size_t begin = text.find_last_of('\n', end);
  const std::size_t start = begin == std::string::npos ? 0 : begin + 1;
  std::string line = text.substr(start, end - start + 1);
  return is_utf8(line) ? line : "";
}

std::int64_t newest_event(storage::Session& session) {
  ledger::EventFilter filter;
  filter.newest_first = true;
  filter.limit = 1;
  const auto events = ledger::list_events(session, filter);
  return events.empty() ? 0 : events.front().seq;
}

ledger::Event trigger_event(const Retraining& retraining, const std::string& type) {
  ledger::Event event;
  event.type = type;
  event.subject = "trigger:" + retraining.trigger;
  event.actor = "automation:trigger/" + retraining.trigger;
  event.cause = retraining.event_id;
  event.event_time = retraining.watermark;
  return event;
}

TrainingFailure failure_of(const Outcome& outcome, const Retraining& retraining, TimeUs timeout) {
  if (outcome.cancelled) {
    return {"interrupted", "the pipeline was ended", std::nullopt};
  }
  if (outcome.timed_out) {
    return {"timeout", "the pipeline ran longer than " + duration_text(timeout), std::nullopt};
  }
  const std::string tail = log_tail(retraining.log);
  return {"exit",
          "the pipeline ended with exit code " + std::to_string(outcome.exit_code) +
              (tail.empty() ? "" : ": " + tail),
          outcome.exit_code};
}

}  // namespace

std::string retraining_log_path(const Places& places, const std::string& id) {
  return (fs::path(places.log_folder) / ("retraining-" + id + ".log")).string();
}

Trainer::Trainer(const Deps& deps, std::function<bool()> stopping)
    : deps_(deps), stopping_(std::move(stopping)) {}

bool Trainer::may_begin(const Firing& firing, const TriggerSpec& spec) {
  const bool skipped = deps_.database.write_returning<bool>([&](storage::Transaction& transaction) {
    return skip_if_answered(transaction, deps_.clock, firing, spec, deps_.watermark(spec.endpoint));
  });
  if (skipped) {
    return false;
  }
  return deps_.database.read_returning<bool>([&](storage::Session& session) {
    return !get_trigger_state(session, firing.trigger).paused &&
           !serving::find_active_rollout(session, spec.endpoint) &&
           !serving::find_hold(session, spec.endpoint, deps_.clock.now());
  });
}

bool Trainer::train_once(const std::function<bool(const std::string& endpoint)>& in_scope) {
  recover();
  const auto waiting = deps_.database.read_returning<std::vector<Firing>>(
      [](storage::Session& session) { return list_firings(session, "queued"); });
  for (const Firing& firing : waiting) {
    const auto object = deps_.database.read_returning<std::optional<Object>>(
        [&](storage::Session& session) { return find_object(session, "Trigger", firing.trigger); });
    if (!object) {
      give_up(firing, "the trigger was deleted");
      return true;
    }
    const TriggerSpec spec = trigger_spec(object->spec);
    if (!in_scope(spec.endpoint) || !may_begin(firing, spec)) {
      continue;
    }
    Job job = begin(firing, spec);
    try {
      prepare(job);
      const Outcome outcome = run_pipeline(job);
      if (outcome.exit_code == 0 && !outcome.timed_out && !outcome.cancelled) {
        finish(job, outcome);
      } else {
        fail(job, failure_of(outcome, job.retraining, job.timeout));
      }
    } catch (const std::exception& error) {
      // The worker's edge: whatever could not be done for this retraining is its failure, and the
      // next one is tried all the same.
      fail(job, {"error", error.what(), std::nullopt});
    }
    remove_worktree(deps_.processes, job.worktree);
    return true;
  }
  return false;
}

Trainer::Job Trainer::begin(const Firing& firing, const TriggerSpec& spec) {
  const TimeUs watermark = deps_.watermark(spec.endpoint);
  return deps_.database.write_returning<Job>([&](storage::Transaction& transaction) {
    Job job;
    job.spec = spec;
    Retraining& retraining = job.retraining;
    retraining.id = new_ulid(deps_.clock.now());
    retraining.firing = firing.id;
    retraining.trigger = firing.trigger;
    retraining.endpoint = spec.endpoint;
    retraining.gate = spec.gate;
    retraining.state = "preparing";
    retraining.watermark = watermark;
    retraining.folder =
        (fs::path(deps_.places.work_folder) / ("retraining-" + retraining.id)).string();
    retraining.log = retraining_log_path(deps_.places, retraining.id);
    retraining.after_seq = newest_event(transaction);
    retraining.started_at = deps_.clock.now();
    retraining.event_id = firing.event_id;
    if (const auto endpoint = serving::find_endpoint(transaction, spec.endpoint)) {
      retraining.model = endpoint->model;
    }
    if (const auto pipeline = find_object(transaction, "Pipeline", spec.pipeline)) {
      retraining.commit = pipeline->source.commit;
      job.worktree = {pipeline->source.folder, retraining.folder, pipeline->source.commit};
      job.pipeline = spec_text(pipeline->spec, "repository");
      for (const json::Value& target : pipeline->spec.find("targets")->as_array()) {
        job.targets.push_back(target.as_string());
      }
      job.params = pipeline->spec.find("params")->as_object();
      job.timeout = spec_duration(pipeline->spec, "timeout");
    }
    for (const auto& [key, value] : spec.params) {
      job.params.set(key, value);
    }
    job.timeout = spec.timeout.value_or(job.timeout);
    insert_retraining(transaction, retraining);
    begin_firing_attempt(transaction, firing.id);
    TriggerState state = get_trigger_state(transaction, firing.trigger);
    state.last_started = watermark;
    save_trigger_state(transaction, state);
    return job;
  });
}

void Trainer::prepare(Job& job) {
  Retraining& retraining = job.retraining;
  fs::create_directories(deps_.places.log_folder);
  if (retraining.commit.empty() || job.worktree.repository.empty()) {
    throw Error(Code::kFailedPrecondition,
                "pipeline `" + job.spec.pipeline + "` was applied without a commit");
  }
  add_worktree(deps_.processes, job.worktree);
  const bool inside = job.pipeline == "." || is_safe_relative_path(job.pipeline);
  if (!inside) {
    throw Error(Code::kFailedPrecondition,
                "pipeline `" + job.spec.pipeline +
                    "`: `repository` must be a folder below the repository's top, not `" +
                    job.pipeline + "`");
  }
  share_cache(job.worktree, job.pipeline);
  set_params(job.folder(), job.params);
  if (job.spec.exports) {
    if (!is_safe_relative_path(job.spec.export_to)) {
      throw Error(
          Code::kFailedPrecondition,
          "`export.to` must be a path below the repository, not `" + job.spec.export_to + "`");
    }
    const fs::path path = fs::path(job.folder()) / job.spec.export_to;
    fs::create_directories(path.parent_path());
    // A link left by the checkout would be written through into the cache that all trees share.
    fs::remove(path);
    std::ofstream file(path, std::ios::binary);
    monitoring::ExportOptions options;
    options.until = retraining.watermark;
    options.leave_out_days = job.spec.leave_out_days.value_or(
        deps_.database.read_returning<std::int64_t>([&](storage::Session& session) {
          return gate::get_gate(session, job.spec.gate).spec.clusters;
        }));
    const monitoring::ExportSummary summary =
        deps_.export_labelled(job.spec.export_monitor, options, [&](std::string_view piece) {
          file.write(piece.data(), static_cast<std::streamsize>(piece.size()));
        });
    file.close();
    if (!file) {
      throw Error(Code::kResourceExhausted, "cannot write the labelled data to " + path.string());
    }
    retraining.dataset_hash = summary.sha256;
    retraining.dataset_rows = summary.rows;
  }
  deps_.database.write([&](storage::Transaction& transaction) {
    retraining.state = "running";
    ledger::Event event = trigger_event(retraining, "retraining.started");
    event.body = {{"retraining", retraining.id},
                  {"commit", retraining.commit},
                  {"watermark", ledger::time_or_null(retraining.watermark)},
                  {"dataset_hash", retraining.dataset_hash},
                  {"dataset_rows", retraining.dataset_rows},
                  {"folder", retraining.folder},
                  {"log", retraining.log}};
    retraining.event_id = ledger::append(transaction, deps_.clock, event).id;
    save_retraining(transaction, retraining);
  });
}

Outcome Trainer::run_pipeline(const Job& job) {
  Command command;
  command.argv = {deps_.places.program, "repro"};
  command.argv.insert(command.argv.end(), job.targets.begin(), job.targets.end());
  command.folder = job.folder();
  command.environment = {{"SLIPWAY_URL", deps_.places.url},
                         {"SLIPWAY_TOKEN", deps_.places.token},
                         {"SLIPWAY_RETRAINING", job.retraining.id},
                         {"NO_COLOR", "1"},
                         {"CI", "true"}};
  // The stages' runs belong to this server, whatever the shell that started it pointed at.
  command.environment_removed = {"MLFLOW_TRACKING_URI",
                                 "MLFLOW_REGISTRY_URI",
                                 "MLFLOW_TRACKING_TOKEN",
                                 "MLFLOW_RUN_ID",
                                 "MLFLOW_EXPERIMENT_ID",
                                 "MLFLOW_EXPERIMENT_NAME",
                                 "GIT_DIR",
                                 "GIT_WORK_TREE",
                                 "GIT_INDEX_FILE"};
  command.timeout_us = job.timeout;
  command.output_file = job.retraining.log;
  command.cancelled = stopping_;
  log::info("retraining started",
            {{"retraining", job.retraining.id}, {"trigger", job.retraining.trigger}});
  return deps_.processes.run(command);
}

void Trainer::finish(Job& job, const Outcome& outcome) {
  Retraining& retraining = job.retraining;
  std::string lock;
  const fs::path lock_path = fs::path(job.folder()) / "dvc.lock";
  if (fs::exists(lock_path)) {
    lock = read_file(lock_path, kLockBytesMax);
  }
  deps_.database.write([&](storage::Transaction& transaction) {
    const std::optional<NewVersion> made = find_new_version(transaction, retraining);
    retraining.state = made ? "trained" : "done";
    retraining.outcome = made ? "" : "nothing_new";
    retraining.reason =
        made ? "" : "the pipeline made no new version of model `" + retraining.model + "`";
    retraining.exit_code = 0;
    retraining.finished_at = deps_.clock.now();
    json::Object body{{"retraining", retraining.id},
                      {"trigger", retraining.trigger},
                      {"commit", retraining.commit},
                      {"watermark", ledger::time_or_null(retraining.watermark)},
                      {"dataset_hash", retraining.dataset_hash},
                      {"dataset_rows", retraining.dataset_rows},
                      {"params", job.params},
                      {"dvc_lock", lock},
                      {"log", retraining.log}};
    ledger::Event event = trigger_event(retraining, "retraining.finished");
    event.body = {{"retraining", retraining.id},
                  {"duration_s", static_cast<double>(outcome.duration_us) /
                                     static_cast<double>(kMicrosPerSecond)},
                  {"reason", retraining.reason},
                  {"log", retraining.log}};
    event.body.set("version", made ? json::Value(made->version) : json::Value());
    if (made) {
      retraining.version = made->version;
      retraining.run_id = made->run_id;
      body.set("version", made->version);
      body.set("run_id", made->run_id);
      event.body.set("run_id", made->run_id);
      event.body.set("stages_run", made->stages_run);
      event.body.set("stages_cached", made->stages_cached);
    }
    retraining.evidence = ledger::put_evidence(transaction, deps_.clock, "retraining",
                                               "retraining/" + retraining.id, std::move(body));
    event.evidence = {retraining.evidence};
    retraining.event_id = ledger::append(transaction, deps_.clock, event).id;
    save_retraining(transaction, retraining);
    if (!made) {
      set_firing_state(transaction, retraining.firing, "done");
    }
    // The trigger may have been deleted meanwhile; the version is made all the same.
    storage::Statement exists =
        transaction.query("SELECT 1 FROM trigger_state WHERE name = ?1", retraining.trigger);
    if (exists.step()) {
      TriggerState state = get_trigger_state(transaction, retraining.trigger);
      state.failures = 0;
      save_trigger_state(transaction, state);
    }
  });
}

void Trainer::fail(const Job& job, TrainingFailure failure) {
  if (stopping_()) {
    // A child loses its server, and perhaps is signalled with it, before it is cancelled.
    failure.outcome = "interrupted";
    failure.reason = "the server stopped: " + failure.reason;
  }
  log::warning("retraining failed",
               {{"retraining", job.retraining.id}, {"reason", failure.reason}});
  deps_.database.write([&](storage::Transaction& transaction) {
    fail_retraining(transaction, deps_.clock, job.retraining, job.spec, failure);
  });
}

void Trainer::give_up(const Firing& firing, const std::string& reason) {
  log::info("firing given up", {{"trigger", firing.trigger}, {"reason", reason}});
  deps_.database.write([&](storage::Transaction& transaction) {
    set_firing_state(transaction, firing.id, "skipped");
  });
}

int Trainer::recover() {
  std::vector<Retraining> left;
  deps_.database.read([&](storage::Session& session) {
    left = list_retrainings(session, "preparing");
    const std::vector<Retraining> running = list_retrainings(session, "running");
    left.insert(left.end(), running.begin(), running.end());
  });
  for (const Retraining& retraining : left) {
    std::string repository;
    deps_.database.write([&](storage::Transaction& transaction) {
      TriggerSpec spec;
      if (const auto trigger = find_object(transaction, "Trigger", retraining.trigger)) {
        spec = trigger_spec(trigger->spec);
        if (const auto pipeline = find_object(transaction, "Pipeline", spec.pipeline)) {
          repository = pipeline->source.folder;
        }
      }
      fail_retraining(transaction, deps_.clock, retraining, spec,
                      {"interrupted", "the server ended while it ran", std::nullopt});
    });
    if (!repository.empty()) {
      remove_worktree(deps_.processes, {repository, retraining.folder, retraining.commit});
    }
  }
  return static_cast<int>(left.size());
}

}  // namespace slipway::automation
