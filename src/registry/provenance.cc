// SPDX-License-Identifier: Apache-2.0
#include "registry/provenance.h"

#include <algorithm>

#include "base/error.h"
#include "registry/model_version.h"
#include "tracking/run_table.h"

namespace slipway::registry {
namespace {

json::Object pairs_json(const tracking::Pairs& pairs) {
  json::Object object;
  for (const auto& [key, value] : pairs) object.set(key, value);
  return object;
}

json::Value run_json(const tracking::Run& run) {
  return json::Object{{"run_id", run.info.id},
                      {"experiment_id", std::to_string(run.info.experiment_id)},
                      {"name", run.info.name},
                      {"status", tracking::status_name(run.info.status)},
                      {"start_time", format_time(us_of_ms(run.info.start_time_ms))},
                      {"params", pairs_json(run.params)},
                      {"tags", pairs_json(run.tags)}};
}

struct Ancestry {
  json::Value run;
  json::Array parents;
  json::Array stages;
  bool truncated = false;
};

// The stages of the same repro that are not on the way up: what they read and wrote is where the
// version's own inputs came from.
void add_other_stages(storage::Session& session, const std::vector<tracking::RunInfo>& above,
                      Ancestry& ancestry) {
  if (above.empty()) return;
  for (const tracking::RunInfo& child :
       tracking::list_children(session, above.back().id, kProvenanceStagesMax)) {
    const bool on_the_way =
        std::any_of(above.begin(), above.end(),
                    [&](const tracking::RunInfo& info) { return info.id == child.id; });
    if (on_the_way) continue;
    const tracking::Run run = tracking::load_run(session, child);
    if (run.tag("slipway.stage") != nullptr) ancestry.stages.push_back(run_json(run));
  }
}

Ancestry read_ancestry(storage::Session& session, const std::string& run_id) {
  Ancestry ancestry;
  const std::optional<tracking::Run> run =
      run_id.empty() ? std::nullopt : tracking::find_run(session, run_id);
  if (!run) return ancestry;
  ancestry.run = run_json(*run);
  const std::vector<tracking::RunInfo> above = tracking::list_ancestors(session, run_id);
  const tracking::Run* last = &*run;
  std::optional<tracking::Run> parent;
  for (const tracking::RunInfo& info : above) {
    if (static_cast<int>(ancestry.parents.size()) == kProvenanceDepthMax) break;
    parent = tracking::load_run(session, info);
    ancestry.parents.push_back(run_json(*parent));
    last = &*parent;
  }
  const std::string* next = last->tag(tracking::kParentTag);
  add_other_stages(session, above, ancestry);
  ancestry.truncated = next != nullptr && tracking::find_run_info(session, *next).has_value();
  return ancestry;
}

}  // namespace

std::string provenance_subject(const std::string& model, std::int64_t version) {
  return "model/" + model + "/" + std::to_string(version);
}

std::string freeze_provenance(storage::Transaction& transaction, const Clock& clock,
                              const std::string& model, std::int64_t version) {
  const ModelVersion found = get_version(transaction, model, version);
  Ancestry ancestry = read_ancestry(transaction, found.run_id);
  json::Object body{{"model", model},
                    {"version", version},
                    {"source", found.source},
                    {"location", found.location},
                    {"model_id", found.model_id},
                    {"run_id", found.run_id},
                    {"created_at", format_time(found.created_at)},
                    {"run", std::move(ancestry.run)},
                    {"parents", std::move(ancestry.parents)},
                    {"stages", std::move(ancestry.stages)},
                    {"truncated", ancestry.truncated}};
  return ledger::put_evidence(transaction, clock, "provenance", provenance_subject(model, version),
                              json::Value(std::move(body)));
}

std::optional<ledger::Evidence> find_provenance(storage::Session& session, const std::string& model,
                                                std::int64_t version) {
  return ledger::latest_evidence(session, "provenance", provenance_subject(model, version));
}

std::string link_outputs(storage::Transaction& transaction, const Clock& clock,
                         const std::string& model, std::int64_t version, const std::string& run_id,
                         const json::Value& outs) {
  const std::optional<ledger::Evidence> first = find_provenance(transaction, model, version);
  if (!first) {
    throw Error(Code::kNotFound, "version " + std::to_string(version) + " of model `" + model +
                                     "` has no provenance document");
  }
  return ledger::put_evidence(
      transaction, clock, "provenance-outputs", provenance_subject(model, version),
      json::Object{{"provenance", first->hash}, {"run_id", run_id}, {"outs", outs}});
}

std::vector<std::string> link_outputs_of_run(storage::Transaction& transaction, const Clock& clock,
                                             const std::string& run_id, const json::Value& outs) {
  std::vector<std::string> runs{run_id};
  for (const tracking::RunInfo& child : tracking::list_children(transaction, run_id)) {
    runs.push_back(child.id);
  }
  std::vector<std::pair<std::string, std::int64_t>> versions;
  for (const std::string& run : runs) {
    storage::Statement row = transaction.query(
        "SELECT m.name, v.version FROM model_version v JOIN registered_model m ON m.key = v.model "
        "WHERE v.deleted = 0 AND v.run_id = ?1 ORDER BY m.name, v.version",
        run);
    while (row.step()) versions.emplace_back(row.text(0), row.int64(1));
  }
  std::vector<std::string> hashes;
  hashes.reserve(versions.size());
  for (const auto& [model, version] : versions) {
    hashes.push_back(link_outputs(transaction, clock, model, version, run_id, outs));
  }
  return hashes;
}

}  // namespace slipway::registry
