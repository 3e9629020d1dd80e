// SPDX-License-Identifier: Apache-2.0
#include "automation/live_object.h"

#include <cassert>
#include <cmath>

#include "automation/spec.h"
#include "automation/trigger.h"
#include "gate/gate.h"
#include "monitoring/monitor.h"
#include "monitoring/webhook.h"
#include "registry/alias.h"
#include "registry/registered_model.h"
#include "serving/endpoint.h"

namespace slipway::automation {
namespace {

// Keeps the keys that the kind's table knows: an owner's stored form may say more.
json::Object known_fields(const Kind& kind, const json::Value& stored) {
  json::Object kept;
  for (const Field& field : kind.fields) {
    if (const json::Value* value = stored.find(field.key); value != nullptr) {
      const bool unset = value->is_string() && value->as_string().empty() && !has_fallback(field) &&
                         !field.required;
      if (!unset) {
        kept.set(field.key, *value);
      }
    }
  }
  return kept;
}

std::optional<json::Object> live_model(storage::Session& session, const Object& object) {
  const std::optional<registry::RegisteredModel> model = registry::find_model(session, object.name);
  if (!model) {
    return std::nullopt;
  }
  json::Object live = object.spec;
  live.set("description", model->description.value_or(""));
  json::Object aliases;
  for (const auto& [alias, unused] : object.spec.find("aliases")->as_object()) {
    aliases.set(alias, json::Object());
  }
  for (const registry::AliasRule& rule : registry::list_alias_rules(session, object.name)) {
    aliases.set(rule.alias, json::Object{{"gate", rule.gate}});
  }
  live.set("aliases", std::move(aliases));
  return live;
}

void write_model(storage::Transaction& transaction, const Clock& clock, const Object& object,
                 const std::string& actor) {
  const std::string description = spec_text(object.spec, "description");
  const std::optional<registry::RegisteredModel> model =
      registry::find_model(transaction, object.name);
  if (!model) {
    registry::NewModel fresh;
    fresh.name = object.name;
    fresh.actor = actor;
    if (!description.empty()) {
      fresh.description = description;
    }
    registry::create_model(transaction, clock, fresh);
  } else if (model->description.value_or("") != description) {
    registry::update_model(transaction, clock, object.name, description);
  }
  const json::Object& aliases = object.spec.find("aliases")->as_object();
  for (const registry::AliasRule& rule : registry::list_alias_rules(transaction, object.name)) {
    const json::Value* wanted = aliases.find(rule.alias);
    if (wanted == nullptr || wanted->find("gate") == nullptr) {
      registry::clear_alias_rule(transaction, object.name, rule.alias);
    }
  }
  for (const auto& [alias, wanted] : aliases) {
    registry::check_alias_name(alias);
    if (const json::Value* gate = wanted.find("gate"); gate != nullptr) {
      registry::set_alias_rule(transaction, object.name, alias, gate->as_string());
    }
  }
}

std::optional<json::Object> live_endpoint(storage::Session& session, const Object& object) {
  const std::optional<serving::EndpointRow> row = serving::find_endpoint(session, object.name);
  if (!row) {
    return std::nullopt;
  }
  json::Object live{{"model", row->model}};
  if (!row->alias.empty()) {
    live.set("alias", row->alias);
  } else {
    live.set("version", row->version);
  }
  live.set("clock", serving::clock_name(row->clock));
  if (!row->canary.empty()) {
    live.set("rollout", json::parse(row->canary));
  }
  return live;
}

void write_endpoint(storage::Transaction& transaction, const Clock& clock, const Object& object,
                    const serving::Change& change) {
  serving::EndpointRow row;
  row.name = object.name;
  row.model = spec_text(object.spec, "model");
  row.alias = spec_text(object.spec, "alias");
  if (object.spec.contains("version")) {
    row.version = spec_integer(object.spec, "version");
  }
  row.clock = serving::find_clock(spec_text(object.spec, "clock")).value();
  if (const json::Value* rollout = object.spec.find("rollout"); rollout != nullptr) {
    row.canary = json::write(*rollout);
    row.latency_limit_us =
        std::llround(spec_number(rollout->as_object(), "latency_limit_ms") * 1'000);
  }
  serving::put_endpoint(transaction, clock, row, change);
}

}  // namespace

std::optional<json::Object> read_live(storage::Session& session, const Object& object) {
  const Kind* kind = find_kind(object.kind);
  assert(kind != nullptr);
  std::optional<json::Object> live;
  if (object.kind == "Model") {
    live = live_model(session, object);
  } else if (object.kind == "Endpoint") {
    live = live_endpoint(session, object);
  } else if (object.kind == "Monitor") {
    if (const auto monitor = monitoring::find_monitor(session, object.name)) {
      live = known_fields(*kind, monitor->spec_json);
    }
  } else if (object.kind == "Gate") {
    if (const auto gate = gate::find_gate(session, object.name)) {
      live = known_fields(*kind, gate::to_json(gate->spec));
    }
  } else if (object.kind == "Webhook") {
    if (const auto webhook = monitoring::find_webhook(session, object.name)) {
      live = json::Object{{"url", webhook->url}};
    }
  } else {
    live = object.spec;
  }
  return live ? std::optional<json::Object>(normalise(*kind, object.name, *live)) : std::nullopt;
}

void write_live(storage::Transaction& transaction, const Clock& clock, const Object& object,
                const std::string& actor, TimeUs event_time) {
  if (object.kind == "Model") {
    write_model(transaction, clock, object, actor);
  } else if (object.kind == "Endpoint") {
    write_endpoint(transaction, clock, object, {actor, "", event_time});
  } else if (object.kind == "Monitor") {
    monitoring::put_monitor(transaction, clock, object.name, object.spec);
  } else if (object.kind == "Gate") {
    gate::put_gate(transaction, object.name, object.spec);
  } else if (object.kind == "Webhook") {
    monitoring::put_webhook(transaction, object.name, object.spec);
  } else if (object.kind == "Trigger") {
    ensure_trigger_state(transaction, object.name);
  }
}

void remove_live(storage::Transaction& transaction, const Clock& clock, const Object& object,
                 const std::string& actor, TimeUs event_time) {
  if (object.kind == "Model") {
    for (const registry::AliasRule& rule : registry::list_alias_rules(transaction, object.name)) {
      registry::clear_alias_rule(transaction, object.name, rule.alias);
    }
  } else if (object.kind == "Endpoint") {
    if (serving::find_endpoint(transaction, object.name)) {
      serving::delete_endpoint(transaction, clock, object.name, {actor, "", event_time});
    }
  } else if (object.kind == "Monitor") {
    if (monitoring::find_monitor(transaction, object.name)) {
      monitoring::delete_monitor(transaction, object.name);
    }
  } else if (object.kind == "Gate") {
    if (gate::find_gate(transaction, object.name)) {
      gate::delete_gate(transaction, object.name);
    }
  } else if (object.kind == "Webhook") {
    if (monitoring::find_webhook(transaction, object.name)) {
      monitoring::delete_webhook(transaction, object.name);
    }
  } else if (object.kind == "Trigger") {
    delete_trigger_state(transaction, object.name);
  }
}

}  // namespace slipway::automation
