// SPDX-License-Identifier: Apache-2.0
#include "registry/model_version.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "json/value.h"
#include "ledger/event.h"
#include "registry/alias.h"
#include "registry/provenance.h"
#include "registry/source.h"
#include "tracking/key_rules.h"
#include "tracking/logged_model.h"

namespace slipway::registry {
namespace {

constexpr std::array<std::string_view, 4> kStages = {"None", "Staging", "Production", "Archived"};
constexpr std::string_view kModelVersionsTag = "mlflow.modelVersions";

Error not_found(const std::string& model, std::int64_t version) {
  return {Code::kNotFound,
          "Model Version (name=" + model + ", version=" + std::to_string(version) + ") not found"};
}

Condition parse_condition(std::string_view text) {
  if (text == "servable") return Condition::kServable;
  if (text == "unservable") return Condition::kUnservable;
  return Condition::kUnchecked;
}

void touch(storage::Transaction& transaction, const Clock& clock, const ModelVersion& version) {
  const TimeUs now = clock.now();
  transaction.execute("UPDATE model_version SET updated_at = ?1 WHERE key = ?2", now, version.key);
  transaction.execute("UPDATE registered_model SET updated_at = ?1 WHERE name = ?2", now,
                      version.model);
}

void write_tag(storage::Transaction& transaction, std::int64_t key, const Tag& tag) {
  transaction.execute(
      "INSERT INTO model_version_tag (version, name, value) VALUES (?1, ?2, ?3) "
      "ON CONFLICT (version, name) DO UPDATE SET value = excluded.value",
      key, tag.key, tag.value);
}

// The logged model says which versions were made from it; MLflow's page and client read that.
void note_on_logged_model(storage::Transaction& transaction, const ModelVersion& version) {
  const auto logged = tracking::find_logged_model(transaction, version.model_id);
  if (!logged) return;
  json::Array list;
  for (const auto& [key, value] : logged->tags) {
    if (key != kModelVersionsTag) continue;
    json::Value old = json::parse(value);
    if (old.is_array()) list = old.as_array();
  }
  const json::Value entry(json::Object{{"name", version.model}, {"version", version.version}});
  if (std::find(list.begin(), list.end(), entry) == list.end()) list.push_back(entry);
  json::WriteRules rules;
  rules.python_separators = true;
  tracking::set_logged_model_tags(transaction, version.model_id,
                                  {{std::string(kModelVersionsTag), json::write(list, rules)}});
}

bool is_prompt(const std::vector<Tag>& tags) {
  return std::any_of(tags.begin(), tags.end(),
                     [](const Tag& tag) { return tag.key == kPromptTag && tag.value == "true"; });
}

void check_new(const NewVersion& version) {
  if (is_prompt(version.tags)) {
    for (const Tag& tag : version.tags) {
      if (tag.key != kPromptTextTag ||
          tracking::count_characters(tag.value) <= kPromptTextCharactersMax) {
        continue;
      }
      throw Error(Code::kInvalidArgument, "Prompt text exceeds max length of " +
                                              std::to_string(kPromptTextCharactersMax) +
                                              " characters.");
    }
  }
  check_tags(version.tags);
  check_description(version.description);
  tracking::check_length(version.run_link, kRunLinkCharactersMax, "run_link");
}

ModelVersion require(storage::Session& session, const std::string& model, std::int64_t version) {
  std::optional<ModelVersion> found = find_version(session, model, version);
  if (!found) throw not_found(model, version);
  return *std::move(found);
}

}  // namespace

std::string_view condition_name(Condition condition) {
  switch (condition) {
    case Condition::kServable: return "servable";
    case Condition::kUnservable: return "unservable";
    case Condition::kUnchecked: break;
  }
  return "unchecked";
}

std::string_view version_columns() {
  return "v.key, m.name, v.version, v.created_at, v.updated_at, v.user_id, v.stage, "
         "v.description, v.source, v.location, v.run_id, v.run_link, v.model_id, v.condition, "
         "v.condition_reason";
}

ModelVersion read_version_row(const storage::Statement& row) {
  ModelVersion version;
  version.key = row.int64(0);
  version.model = row.text(1);
  version.version = row.int64(2);
  version.created_at = row.int64(3);
  version.updated_at = row.int64(4);
  version.user_id = row.text(5);
  version.stage = row.text(6);
  version.description = row.text(7);
  version.source = row.text(8);
  version.location = row.text(9);
  version.run_id = row.text(10);
  version.run_link = row.text(11);
  version.model_id = row.text(12);
  version.condition = parse_condition(row.text_view(13));
  version.condition_reason = row.text(14);
  return version;
}

void load_version_lists(storage::Session& session, ModelVersion& version) {
  version.tags.clear();
  version.aliases.clear();
  storage::Statement tags = session.query(
      "SELECT name, value FROM model_version_tag WHERE version = ?1 ORDER BY name", version.key);
  while (tags.step()) version.tags.push_back({tags.text(0), tags.text(1)});
  storage::Statement aliases = session.query(
      "SELECT a.alias FROM model_alias a JOIN model_version v ON v.model = a.model AND "
      "v.version = a.version WHERE v.key = ?1 ORDER BY a.alias",
      version.key);
  while (aliases.step()) version.aliases.push_back(aliases.text(0));
}

ModelVersion create_version(storage::Transaction& transaction, const Clock& clock,
                            const NewVersion& version) {
  check_model_name(version.model);
  check_new(version);
  const RegisteredModel model = get_model(transaction, version.model);
  const ResolvedSource resolved = resolve_source(transaction, version.source, version.run_id,
                                                 version.model_id, is_prompt(version.tags));
  std::int64_t number = 0;
  {
    storage::Statement row = transaction.query(
        "SELECT COALESCE(MAX(version), 0) + 1 FROM model_version WHERE model = ?1", model.key);
    row.step();
    number = row.int64(0);
  }
  const TimeUs now = clock.now();
  const std::int64_t key = transaction.insert_id(
      "INSERT INTO model_version (model, version, created_at, updated_at, user_id, stage, "
      "description, source, location, run_id, run_link, model_id) "
      "VALUES (?1, ?2, ?3, ?3, ?4, 'None', ?5, ?6, ?7, ?8, ?9, ?10) RETURNING key",
      model.key, number, now, version.user_id, version.description, resolved.source,
      resolved.location, resolved.run_id, version.run_link, resolved.model_id);
  for (const Tag& tag : version.tags) write_tag(transaction, key, tag);
  transaction.execute("UPDATE registered_model SET updated_at = ?1 WHERE key = ?2", now, model.key);
  ModelVersion created = require(transaction, version.model, number);
  if (!created.model_id.empty()) note_on_logged_model(transaction, created);
  ledger::Event event;
  event.type = "model.version_created";
  event.subject = "model:" + created.model;
  event.actor = version.actor;
  event.body = {{"version", number}, {"run_id", created.run_id}, {"source", created.source}};
  event.evidence = {freeze_provenance(transaction, clock, created.model, number)};
  ledger::append(transaction, clock, event);
  return created;
}

std::optional<ModelVersion> find_version(storage::Session& session, const std::string& model,
                                         std::int64_t version) {
  std::optional<ModelVersion> found;
  {
    storage::Statement row =
        session.query("SELECT " + std::string(version_columns()) +
                          " FROM model_version v JOIN registered_model m ON m.key = v.model "
                          "WHERE m.name = ?1 AND v.version = ?2 AND v.deleted = 0",
                      model, version);
    if (!row.step()) return std::nullopt;
    found = read_version_row(row);
  }
  load_version_lists(session, *found);
  return found;
}

ModelVersion get_version(storage::Session& session, const std::string& model,
                         std::int64_t version) {
  return require(session, model, version);
}

std::vector<ModelVersion> list_versions(storage::Session& session, const std::string& model) {
  get_model(session, model);
  std::vector<ModelVersion> versions;
  {
    storage::Statement row =
        session.query("SELECT " + std::string(version_columns()) +
                          " FROM model_version v JOIN registered_model m ON m.key = v.model "
                          "WHERE m.name = ?1 AND v.deleted = 0 ORDER BY v.version",
                      model);
    while (row.step()) versions.push_back(read_version_row(row));
  }
  for (ModelVersion& version : versions) load_version_lists(session, version);
  return versions;
}

ModelVersion update_version(storage::Transaction& transaction, const Clock& clock,
                            const std::string& model, std::int64_t version,
                            const std::optional<std::string>& description) {
  check_description(description);
  const ModelVersion found = require(transaction, model, version);
  transaction.execute("UPDATE model_version SET description = ?1 WHERE key = ?2",
                      description.value_or(""), found.key);
  touch(transaction, clock, found);
  return require(transaction, model, version);
}

void delete_version(storage::Transaction& transaction, const Clock& clock, const std::string& model,
                    std::int64_t version, const std::string& actor) {
  const ModelVersion found = require(transaction, model, version);
  for (const std::string& alias : found.aliases) {
    if (const auto rule = find_alias_rule(transaction, model, alias)) {
      throw Error(Code::kPermissionDenied, "alias `" + alias + "` of model `" + model +
                                               "` points to version " + std::to_string(version) +
                                               " and is guarded by gate `" + rule->gate +
                                               "`; promote another version first");
    }
  }
  for (const std::string& alias : found.aliases) {
    AliasChange change;
    change.model = model;
    change.alias = alias;
    change.actor = actor;
    change.reason = "version " + std::to_string(version) + " was deleted";
    change.direct = true;
    move_alias(transaction, clock, change);
  }
  touch(transaction, clock, found);
  transaction.execute(
      "UPDATE model_version SET deleted = 1, stage = 'Deleted_Internal', description = '', "
      "user_id = '', source = 'REDACTED-SOURCE-PATH', location = '', run_id = 'REDACTED-RUN-ID', "
      "run_link = 'REDACTED-RUN-LINK' WHERE key = ?1",
      found.key);
  ledger::Event event;
  event.type = "model.version_deleted";
  event.subject = "model:" + model;
  event.actor = actor;
  event.body = {{"version", version}};
  ledger::append(transaction, clock, event);
}

void set_version_tag(storage::Transaction& transaction, const Clock& clock,
                     const std::string& model, std::int64_t version, const Tag& tag) {
  check_tag(tag);
  const ModelVersion found = require(transaction, model, version);
  write_tag(transaction, found.key, tag);
  touch(transaction, clock, found);
}

void delete_version_tag(storage::Transaction& transaction, const Clock& clock,
                        const std::string& model, std::int64_t version, const std::string& key) {
  tracking::check_key(key, "key");
  const ModelVersion found = require(transaction, model, version);
  transaction.execute("DELETE FROM model_version_tag WHERE version = ?1 AND name = ?2", found.key,
                      key);
  touch(transaction, clock, found);
}

std::string canonical_stage(std::string_view stage) {
  for (const std::string_view known : kStages) {
    if (std::equal(stage.begin(), stage.end(), known.begin(), known.end(), [](char a, char b) {
          return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) ==
                 (b >= 'A' && b <= 'Z' ? b - 'A' + 'a' : b);
        })) {
      return std::string(known);
    }
  }
  throw Error(Code::kInvalidArgument,
              "Invalid Model Version stage: " + std::string(stage) +
                  ". Value must be one of None, Staging, Production, Archived.");
}

ModelVersion transition_stage(storage::Transaction& transaction, const Clock& clock,
                              const std::string& model, std::int64_t version,
                              std::string_view stage, bool archive_existing) {
  const std::string target = canonical_stage(stage);
  if (archive_existing && target != "Staging" && target != "Production") {
    throw Error(Code::kInvalidArgument,
                "Model version transition cannot archive existing model versions because '" +
                    std::string(stage) +
                    "' is not an Active stage. Valid stages are ['Staging', 'Production']");
  }
  const ModelVersion found = require(transaction, model, version);
  if (archive_existing) {
    transaction.execute(
        "UPDATE model_version SET stage = 'Archived', updated_at = ?1 WHERE deleted = 0 AND "
        "stage = ?2 AND key <> ?3 AND model = (SELECT key FROM registered_model WHERE name = ?4)",
        clock.now(), target, found.key, model);
  }
  transaction.execute("UPDATE model_version SET stage = ?1 WHERE key = ?2", target, found.key);
  touch(transaction, clock, found);
  return require(transaction, model, version);
}

std::vector<ModelVersion> latest_versions(storage::Session& session, const std::string& model,
                                          const std::vector<std::string>& stages) {
  const std::int64_t key = get_model(session, model).key;
  std::vector<std::string> wanted;
  wanted.reserve(stages.size());
  for (const std::string& stage : stages) wanted.push_back(canonical_stage(stage));
  if (wanted.empty()) wanted.assign(kStages.begin(), kStages.end());
  std::vector<ModelVersion> newest;
  for (const std::string& stage : wanted) {
    storage::Statement row = session.query(
        "SELECT " + std::string(version_columns()) +
            " FROM model_version v JOIN registered_model m ON m.key = v.model WHERE v.key = "
            "(SELECT x.key FROM model_version x WHERE x.model = ?1 AND x.deleted = 0 AND x.stage = "
            "?2 ORDER BY x.version DESC LIMIT 1)",
        key, stage);
    if (row.step()) newest.push_back(read_version_row(row));
  }
  std::sort(newest.begin(), newest.end(),
            [](const ModelVersion& a, const ModelVersion& b) { return a.version < b.version; });
  const auto same = [](const ModelVersion& a, const ModelVersion& b) { return a.key == b.key; };
  newest.erase(std::unique(newest.begin(), newest.end(), same), newest.end());
  for (ModelVersion& version : newest) load_version_lists(session, version);
  return newest;
}

std::optional<ModelVersion> newest_version(storage::Session& session, const std::string& model) {
  const RegisteredModel found = get_model(session, model);
  std::int64_t number = 0;
  {
    storage::Statement row = session.query(
        "SELECT COALESCE(MAX(version), 0) FROM model_version WHERE model = ?1 AND deleted = 0",
        found.key);
    row.step();
    number = row.int64(0);
  }
  return find_version(session, model, number);
}

void set_condition(storage::Transaction& transaction, const std::string& model,
                   std::int64_t version, Condition condition, const std::string& reason) {
  const ModelVersion found = require(transaction, model, version);
  transaction.execute(
      "UPDATE model_version SET condition = ?1, condition_reason = ?2 WHERE key = ?3",
      condition_name(condition), condition == Condition::kUnservable ? reason : std::string(),
      found.key);
}

}  // namespace slipway::registry
