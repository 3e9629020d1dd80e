// SPDX-License-Identifier: Apache-2.0
#include "registry/registered_model.h"

#include <algorithm>

#include "base/error.h"
#include "json/value.h"
#include "ledger/event.h"
#include "registry/alias.h"
#include "registry/model_version.h"
#include "tracking/key_rules.h"

namespace slipway::registry {
namespace {

Error not_found(const std::string& name) {
  return {Code::kNotFound, "Registered Model with name=" + name + " not found"};
}

bool is_prompt(const std::vector<Tag>& tags) {
  return std::any_of(tags.begin(), tags.end(),
                     [](const Tag& tag) { return tag.key == kPromptTag && tag.value == "true"; });
}

// Prompts and models share one space of names. `wants_prompt`: what the name was wanted for.
Error already_exists(const RegisteredModel& holder, bool wants_prompt) {
  const bool is = is_prompt(holder.tags);
  if (is == wants_prompt) {
    return {Code::kAlreadyExists, std::string(is ? "Prompt" : "Registered Model") +
                                      " (name=" + holder.name + ") already exists."};
  }
  const std::string words[] = {"registered model", "prompt"};
  return {Code::kAlreadyExists, "Tried to create a " + words[wants_prompt ? 1 : 0] +
                                    " with name '" + holder.name +
                                    "', but the name is already taken by a " + words[is ? 1 : 0] +
                                    ". MLflow does not allow creating a model and a prompt with "
                                    "the same name."};
}

void touch(storage::Transaction& transaction, const Clock& clock, std::int64_t key) {
  transaction.execute("UPDATE registered_model SET updated_at = ?1 WHERE key = ?2", clock.now(),
                      key);
}

void write_tag(storage::Transaction& transaction, std::int64_t model, const Tag& tag) {
  transaction.execute(
      "INSERT INTO registered_model_tag (model, name, value) VALUES (?1, ?2, ?3) "
      "ON CONFLICT (model, name) DO UPDATE SET value = excluded.value",
      model, tag.key, tag.value);
}

bool has_rule(storage::Session& session, const std::string& name) {
  return !list_alias_rules(session, name).empty();
}

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n\f\v") == std::string_view::npos;
}

void append_event(storage::Transaction& transaction, const Clock& clock, std::string type,
                  const std::string& name, const std::string& actor, json::Object body) {
  ledger::Event event;
  event.type = std::move(type);
  event.subject = "model:" + name;
  event.actor = actor;
  event.body = std::move(body);
  ledger::append(transaction, clock, event);
}

}  // namespace

void check_model_name(std::string_view name) {
  if (is_blank(name)) {
    throw Error(Code::kInvalidArgument, "Missing value for required parameter 'name'.");
  }
  if (name.find_first_of("/:") != std::string_view::npos) {
    throw Error(Code::kInvalidArgument,
                "Invalid model name '" + std::string(name) + "'. Names cannot contain '/' or ':'.");
  }
  if (name == "." || name == "..") {
    throw Error(Code::kInvalidArgument,
                "Invalid value " + tracking::quoted(name) +
                    " for parameter 'name' supplied: Names may be treated as files in certain "
                    "cases, and must not resolve to other names when treated as such. This name "
                    "would resolve to '" +
                    std::string(name) + "'");
  }
  tracking::check_length(name, kModelNameCharactersMax, "name");
}

void check_tag(const Tag& tag) {
  tracking::check_key(tag.key, "key");
  tracking::check_length(tag.key, kTagKeyCharactersMax, "key");
  tracking::check_length(tag.value, kTagValueCharactersMax, "value");
}

void check_description(const std::optional<std::string>& description) {
  if (description) tracking::check_length(*description, kDescriptionCharactersMax, "description");
}

RegisteredModel create_model(storage::Transaction& transaction, const Clock& clock,
                             const NewModel& model) {
  check_model_name(model.name);
  check_description(model.description);
  check_tags(model.tags);
  if (const auto holder = find_model(transaction, model.name))
    throw already_exists(*holder, is_prompt(model.tags));
  const TimeUs now = clock.now();
  const std::int64_t key = transaction.insert_id(
      "INSERT INTO registered_model (name, description, created_at, updated_at) "
      "VALUES (?1, ?2, ?3, ?3) RETURNING key",
      model.name, model.description, now);
  for (const Tag& tag : model.tags) write_tag(transaction, key, tag);
  append_event(transaction, clock, "model.created", model.name, model.actor, {});
  return get_model(transaction, model.name);
}

std::optional<RegisteredModel> find_model(storage::Session& session, const std::string& name) {
  RegisteredModel model;
  {
    storage::Statement row = session.query(
        "SELECT key, description, created_at, updated_at FROM registered_model WHERE name = ?1",
        name);
    if (!row.step()) return std::nullopt;
    model.key = row.int64(0);
    model.name = name;
    model.description = row.maybe_text(1);
    model.created_at = row.int64(2);
    model.updated_at = row.int64(3);
  }
  storage::Statement tags = session.query(
      "SELECT name, value FROM registered_model_tag WHERE model = ?1 ORDER BY name", model.key);
  while (tags.step()) model.tags.push_back({tags.text(0), tags.text(1)});
  storage::Statement aliases = session.query(
      "SELECT alias, version FROM model_alias WHERE model = ?1 ORDER BY alias", model.key);
  while (aliases.step()) model.aliases.push_back({aliases.text(0), aliases.int64(1)});
  return model;
}

RegisteredModel get_model(storage::Session& session, const std::string& name) {
  std::optional<RegisteredModel> model = find_model(session, name);
  if (!model) throw not_found(name);
  return *std::move(model);
}

bool is_prompt(storage::Session& session, const std::string& name) {
  auto row = session.query(
      "SELECT t.value FROM registered_model m JOIN registered_model_tag t ON t.model = m.key "
      "WHERE m.name = ?1 AND t.name = ?2",
      name, kPromptTag);
  return row.step() && row.text_view(0) == "true";
}

std::vector<std::string> list_model_names(storage::Session& session) {
  std::vector<std::string> names;
  storage::Statement row =
      session.query("SELECT name FROM registered_model WHERE name IS NOT NULL ORDER BY name");
  while (row.step()) names.push_back(row.text(0));
  return names;
}

RegisteredModel rename_model(storage::Transaction& transaction, const Clock& clock,
                             const std::string& name, const std::string& new_name,
                             const std::string& actor) {
  if (is_blank(new_name)) {
    throw Error(Code::kInvalidArgument, "Missing value for required parameter 'new_name'.");
  }
  check_model_name(new_name);
  RegisteredModel model = get_model(transaction, name);
  if (new_name == name) return model;
  if (const auto holder = find_model(transaction, new_name))
    throw already_exists(*holder, is_prompt(model.tags));
  if (has_rule(transaction, name) || has_rule(transaction, new_name)) {
    throw Error(Code::kPermissionDenied,
                "model `" + (has_rule(transaction, name) ? name : new_name) +
                    "` has an alias that a gate guards, so neither it nor a model that would take "
                    "its name can be renamed; remove the rule in slipway.yaml first");
  }
  const TimeUs now = clock.now();
  transaction.execute("UPDATE registered_model SET name = ?1, updated_at = ?2 WHERE key = ?3",
                      new_name, now, model.key);
  transaction.execute("UPDATE model_version SET updated_at = ?1 WHERE model = ?2 AND deleted = 0",
                      now, model.key);
  append_event(transaction, clock, "model.renamed", new_name, actor, {{"from", name}});
  return get_model(transaction, new_name);
}

RegisteredModel update_model(storage::Transaction& transaction, const Clock& clock,
                             const std::string& name,
                             const std::optional<std::string>& description) {
  check_description(description);
  const RegisteredModel model = get_model(transaction, name);
  transaction.execute(
      "UPDATE registered_model SET description = ?1, updated_at = ?2 WHERE key = ?3", description,
      clock.now(), model.key);
  return get_model(transaction, name);
}

void delete_model(storage::Transaction& transaction, const Clock& clock, const std::string& name,
                  const std::string& actor) {
  const RegisteredModel model = get_model(transaction, name);
  const std::vector<AliasRule> rules = list_alias_rules(transaction, name);
  if (!rules.empty()) {
    throw Error(Code::kPermissionDenied, "alias `" + rules.front().alias + "` of model `" + name +
                                             "` is guarded by gate `" + rules.front().gate +
                                             "`, so the model cannot be deleted; remove the rule "
                                             "in slipway.yaml first");
  }
  transaction.execute("DELETE FROM model_alias WHERE model = ?1", model.key);
  transaction.execute("DELETE FROM registered_model_tag WHERE model = ?1", model.key);
  transaction.execute("UPDATE model_version SET deleted = 1, updated_at = ?1 WHERE model = ?2",
                      clock.now(), model.key);
  transaction.execute(
      "UPDATE registered_model SET name = NULL, deleted_name = ?1, updated_at = ?2 WHERE key = ?3",
      name, clock.now(), model.key);
  append_event(transaction, clock, "model.deleted", name, actor, {});
}

void set_model_tag(storage::Transaction& transaction, const Clock& clock, const std::string& name,
                   const Tag& tag) {
  check_tag(tag);
  const RegisteredModel model = get_model(transaction, name);
  write_tag(transaction, model.key, tag);
  touch(transaction, clock, model.key);
}

void delete_model_tag(storage::Transaction& transaction, const Clock& clock,
                      const std::string& name, const std::string& key) {
  tracking::check_key(key, "key");
  const RegisteredModel model = get_model(transaction, name);
  transaction.execute("DELETE FROM registered_model_tag WHERE model = ?1 AND name = ?2", model.key,
                      key);
  touch(transaction, clock, model.key);
}

void check_tags(const std::vector<Tag>& tags) {
  if (tags.size() > kTagsMax) {
    throw Error(Code::kInvalidArgument, "'tags' holds " + std::to_string(tags.size()) +
                                            " tags; at most " + std::to_string(kTagsMax) +
                                            " can be set at once");
  }
  for (const Tag& tag : tags) check_tag(tag);
}

}  // namespace slipway::registry
