// SPDX-License-Identifier: Apache-2.0
#include "automation/new_version.h"

#include "ledger/event.h"
#include "registry/model_version.h"
#include "tracking/run_table.h"

namespace slipway::automation {
namespace {

bool carries_tag(storage::Session& session, const std::string& run_id,
                 const std::string& retraining) {
  const std::optional<tracking::Run> run = tracking::find_run(session, run_id);
  const std::string* tag = run ? run->tag(kRetrainingTag) : nullptr;
  return tag != nullptr && *tag == retraining;
}

// The run itself or the nearest ancestor with the tag; "" when there is none.
std::string tagged_run(storage::Session& session, const std::string& run_id,
                       const std::string& retraining) {
  if (run_id.empty()) {
    return "";
  }
  if (carries_tag(session, run_id, retraining)) {
    return run_id;
  }
  for (const tracking::RunInfo& ancestor : tracking::list_ancestors(session, run_id)) {
    if (carries_tag(session, ancestor.id, retraining)) {
      return ancestor.id;
    }
  }
  return "";
}

void count_stages(storage::Session& session, const std::string& repro_run, NewVersion& made) {
  for (const tracking::RunInfo& child : tracking::list_children(session, repro_run)) {
    const std::optional<tracking::Run> run = tracking::find_run(session, child.id);
    if (!run || run->tag(kStageTag) == nullptr) {
      continue;
    }
    const std::string* cached = run->tag(kCachedTag);
    ++(cached != nullptr && *cached == "true" ? made.stages_cached : made.stages_run);
  }
}

}  // namespace

std::optional<NewVersion> find_new_version(storage::Session& session,
                                           const Retraining& retraining) {
  std::optional<NewVersion> made;
  std::string repro_run;
  ledger::EventFilter filter;
  filter.after_seq = retraining.after_seq;
  filter.type_prefix = "model.version_created";
  filter.subject = "model:" + retraining.model;
  for (const ledger::StoredEvent& event : ledger::list_events(session, filter)) {
    const json::Value* number = event.body.find("version");
    if (number == nullptr || number->kind() != json::Value::Kind::kInt) {
      continue;
    }
    const auto version = registry::find_version(session, retraining.model, number->as_int());
    if (!version) {
      continue;
    }
    const std::string run = tagged_run(session, version->run_id, retraining.id);
    if (!run.empty()) {
      made = NewVersion{version->version, version->run_id, 0, 0};
      repro_run = run;
    }
  }
  if (made) {
    count_stages(session, repro_run, *made);
  }
  return made;
}

}  // namespace slipway::automation
