// SPDX-License-Identifier: Apache-2.0
// A plan as JSON and as text.
#include <algorithm>
#include <array>

#include "automation/plan.h"
#include "base/error.h"

namespace slipway::automation {
namespace {

json::Value or_null(const std::optional<json::Value>& value) {
  return value ? *value : json::Value();
}

json::Object change_json(const Change& change) {
  json::Array fields;
  for (const FieldChange& field : change.fields) {
    fields.emplace_back(json::Object{
        {"path", field.path}, {"before", or_null(field.before)}, {"after", or_null(field.after)}});
  }
  return {{"address", change.kind + "." + change.name},
          {"type", change.kind},
          {"name", change.name},
          {"section", change.action == Action::kNoOp ? "none"
                      : change.drift                 ? "drift"
                                                     : "change"},
          {"risk", change.action == Action::kNoOp ? "none" : risk_name(change.risk)},
          {"reason", change.reason},
          {"resource_version", change.resource_version},
          {"change", json::Object{{"actions", json::Array{action_name(change.action)}},
                                  {"before", change.before},
                                  {"after", change.after}}},
          {"fields", std::move(fields)}};
}

json::Array text_array(const std::vector<std::string>& texts) {
  return {texts.begin(), texts.end()};
}

const json::Array& array_at(const json::Object& body, std::string_view key) {
  const json::Value* value = body.find(key);
  if (value == nullptr || !value->is_array()) {
    throw Error(Code::kInvalidArgument, "`" + std::string(key) + "` must be a list");
  }
  return value->as_array();
}

std::string cell(const json::Value& value) {
  return value.is_null() ? "(none)" : json::write(value);
}

char symbol(const std::string& action) {
  return action == "create" ? '+' : action == "delete" ? '-' : '~';
}

void append_change(std::string& text, const json::Object& change) {
  const std::string action = change.find("change")->find("actions")->as_array().front().as_string();
  if (action == "no-op") {
    return;
  }
  const std::string risk = change.find("risk")->as_string();
  const std::string reason = change.find("reason")->as_string();
  text += std::string("  ") + symbol(action) + " " + change.find("address")->as_string();
  if (risk != "other") {
    text += " [" + risk + "]";
  }
  if (change.find("section")->as_string() == "drift") {
    text += " (drift)";
  }
  text += (reason.empty() ? "" : ": " + reason) + "\n";
  if (action == "delete") {
    return;
  }
  for (const json::Value& field : change.find("fields")->as_array()) {
    const std::string path = field.find("path")->as_string();
    text += "      " + path + ": ";
    if (!field.find("before")->is_null()) {
      text += cell(*field.find("before")) + " -> ";
    }
    text += cell(*field.find("after")) + "\n";
  }
}

void append_list(std::string& text, const json::Object& plan, std::string_view key,
                 const std::string& head) {
  for (const json::Value& line : plan.find(key)->as_array()) {
    text += head + line.as_string() + "\n";
  }
}

}  // namespace

PlanRequest plan_request_from_json(const json::Object& body) {
  static constexpr std::array<std::string_view, 4> kKeys = {"objects", "source", "prune",
                                                            "allow_destroy"};
  for (const auto& [key, unused] : body) {
    if (std::find(kKeys.begin(), kKeys.end(), key) == kKeys.end()) {
      throw Error(Code::kInvalidArgument,
                  "unknown key `" + key +
                      "` in a plan's request, expected objects, source, prune, allow_destroy");
    }
  }
  PlanRequest request;
  for (const json::Value& object : array_at(body, "objects")) {
    request.objects.push_back(declared_from_json(object));
  }
  const json::Value* source = body.find("source");
  if (source == nullptr) {
    throw Error(Code::kInvalidArgument, "`source` is required: {repo, path, folder, commit}");
  }
  request.source = source_from_json(*source);
  if (const json::Value* prune = body.find("prune"); prune != nullptr) {
    if (!prune->is_bool()) {
      throw Error(Code::kInvalidArgument, "`prune` must be true or false");
    }
    request.prune = prune->as_bool();
  }
  if (const json::Value* allowed = body.find("allow_destroy"); allowed != nullptr) {
    if (allowed->kind() != json::Value::Kind::kInt || allowed->as_int() < 0) {
      throw Error(Code::kInvalidArgument, "`allow_destroy` must be an integer, 0 or more");
    }
    request.allow_destroy = allowed->as_int();
  }
  return request;
}

json::Object to_json(const PlanRequest& request) {
  json::Array objects;
  for (const Declared& object : request.objects) {
    objects.emplace_back(to_json(object));
  }
  return {{"objects", std::move(objects)},
          {"source", to_json(request.source)},
          {"prune", request.prune},
          {"allow_destroy", request.allow_destroy}};
}

json::Object to_json(const Plan& plan) {
  json::Array changes;
  json::Array drift;
  std::array<std::int64_t, 4> counts{};
  std::int64_t drifted = 0;
  for (const Change& change : plan.changes) {
    json::Object entry = change_json(change);
    ++counts[static_cast<std::size_t>(change.action)];
    if (change.drift) {
      ++drifted;
      drift.emplace_back(entry);
    }
    changes.emplace_back(std::move(entry));
  }
  return {{"format_version", kPlanFormat},
          {"plan_id", plan.id},
          {"server_id", plan.store},
          {"created_at", format_time(plan.created_at)},
          {"errored", !plan.errors.empty()},
          {"resource_changes", std::move(changes)},
          {"resource_drift", std::move(drift)},
          {"unmanaged", plan.unmanaged},
          {"forecasts", plan.forecasts},
          {"notes", text_array(plan.notes)},
          {"errors", text_array(plan.errors)},
          {"summary", json::Object{{"create", counts[static_cast<std::size_t>(Action::kCreate)]},
                                   {"update", counts[static_cast<std::size_t>(Action::kUpdate)]},
                                   {"delete", counts[static_cast<std::size_t>(Action::kDelete)]},
                                   {"drift", drifted}}},
          {"request", to_json(plan.request)}};
}

std::string plan_text(const json::Object& plan) {
  std::string text;
  for (const json::Value& change : plan.find("resource_changes")->as_array()) {
    append_change(text, change.as_object());
  }
  text += text.empty() ? "" : "\n";
  append_list(text, plan, "notes", "note: ");
  append_list(text, plan, "errors", "error: ");
  const json::Value& summary = *plan.find("summary");
  const std::int64_t create = summary.find("create")->as_int();
  const std::int64_t update = summary.find("update")->as_int();
  const std::int64_t gone = summary.find("delete")->as_int();
  const std::int64_t drift = summary.find("drift")->as_int();
  if (create + update + gone == 0) {
    return text + "No changes. What runs is what the files say.\n";
  }
  text += "Plan: " + std::to_string(create) + " to create, " + std::to_string(update) +
          " to update, " + std::to_string(gone) + " to delete.";
  if (drift > 0) {
    text += " " + std::to_string(drift) +
            (drift == 1 ? " of them undoes a change" : " of them undo changes") +
            " made on the server.";
  }
  return text + "\n";
}

}  // namespace slipway::automation
