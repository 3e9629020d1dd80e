// SPDX-License-Identifier: Apache-2.0
#include "api/mlflow/registered_models.h"

#include <algorithm>
#include <string>
#include <utility>
#include <variant>

#include "access/role.h"
#include "api/mlflow/errors.h"
#include "api/mlflow/model_versions.h"
#include "api/mlflow/wire.h"
#include "base/error.h"
#include "registry/alias.h"
#include "registry/search.h"

namespace slipway::api::mlflow {
namespace {

constexpr const char* kNamedKinds[] = {"registered_model", "prompt"};

constexpr std::int64_t kSearchDefault = 100;
constexpr std::int64_t kSearchMax = 1'000;

json::Array tags_wire(const std::vector<registry::Tag>& tags) {
  json::Array list;
  for (const registry::Tag& tag : tags) {
    list.emplace_back(json::Object{{"key", tag.key}, {"value", tag.value}});
  }
  return list;
}

std::vector<registry::Tag> read_tags(const Parameters& parameters) {
  std::vector<registry::Tag> tags;
  for (const Parameters& tag : parameters.objects("tags")) {
    tags.push_back({tag.text("key"), tag.text("value")});
  }
  return tags;
}

json::Value model_answer(storage::Session& session, const registry::RegisteredModel& model,
                         const http::Caller& caller) {
  Redaction redaction(session, caller);
  return json::Object{{"registered_model", to_wire(session, model, redaction)}};
}

json::Value versions_answer(Redaction redaction,
                            const std::vector<registry::ModelVersion>& versions) {
  json::Array list;
  for (const registry::ModelVersion& version : versions)
    list.push_back(to_wire(redaction.of(version)));
  json::Object body;
  if (!list.empty()) body.set("model_versions", std::move(list));
  return body;
}

// Grants know a model by its name, and a later one of that name is another's.
void move_grants(storage::Transaction& transaction, const std::string& from,
                 const std::string& to) {
  for (const char* kind : kNamedKinds) access::rename_grants(transaction, kind, from, to);
}

void drop_grants(storage::Transaction& transaction, const std::string& name) {
  for (const char* kind : kNamedKinds) access::delete_grants(transaction, kind, name);
}

void add_model_writes(Routes& table, const Clock& clock) {
  table.write(
      http::Method::kPost, "/mlflow/registered-models/create", may::create(By::kNewModel),
      {field::required("name"), field::list("tags"), field::text("description")},
      [&clock](const Parameters& p, const http::Request& request) -> Routes::Work {
        registry::NewModel model{p.required_text("name"), p.maybe_text("description"), read_tags(p),
                                 actor_of(request)};
        return [&clock, model = std::move(model),
                caller = request.caller](storage::Transaction& transaction) {
          const registry::RegisteredModel made = registry::create_model(transaction, clock, model);
          give_to_maker(transaction, caller, model_kind(transaction, made.name), made.name);
          return answer(model_answer(transaction, made, caller));
        };
      },
      "Registers a model name");
  table.write(
      http::Method::kPost, "/mlflow/registered-models/rename", may::edit(By::kModel),
      {field::required("name"), field::required("new_name")},
      [&clock](const Parameters& p, const http::Request& request) -> Routes::Work {
        return [&clock, name = p.required_text("name"), next = p.required_text("new_name"),
                caller = request.caller,
                actor = actor_of(request)](storage::Transaction& transaction) {
          const registry::RegisteredModel model =
              registry::rename_model(transaction, clock, name, next, actor);
          if (name != next) move_grants(transaction, name, next);
          return answer(model_answer(transaction, model, caller));
        };
      },
      "Gives a registered model another name");
  table.write(
      http::Method::kPatch, "/mlflow/registered-models/update", may::edit(By::kModel),
      {field::required("name"), field::text("description")},
      [&clock](const Parameters& p, const http::Request& request) -> Routes::Work {
        return [&clock, name = p.required_text("name"), text = p.maybe_text("description"),
                caller = request.caller](storage::Transaction& transaction) {
          return answer(model_answer(
              transaction, registry::update_model(transaction, clock, name, text), caller));
        };
      },
      "Changes a registered model's description");
  table.write(
      http::Method::kDelete, "/mlflow/registered-models/delete", may::manage(By::kModel),
      {field::required("name")},
      [&clock](const Parameters& p, const http::Request& request) -> Routes::Work {
        return [&clock, name = p.required_text("name"),
                actor = actor_of(request)](storage::Transaction& transaction) {
          registry::delete_model(transaction, clock, name, actor);
          drop_grants(transaction, name);
          return answer();
        };
      },
      "Deletes a registered model with its versions");
}

void add_model_tags(Routes& table, const Clock& clock) {
  table.write(
      http::Method::kPost, "/mlflow/registered-models/set-tag", may::edit(By::kModel),
      {field::required("name"), field::required("key"), field::text("value")},
      [&clock](const Parameters& p, const http::Request&) -> Routes::Work {
        return [&clock, name = p.required_text("name"),
                tag = registry::Tag{p.required_text("key"), p.text("value")}](
                   storage::Transaction& transaction) {
          registry::set_model_tag(transaction, clock, name, tag);
          return answer();
        };
      },
      "Sets a tag of a registered model");
  table.write(
      http::Method::kDelete, "/mlflow/registered-models/delete-tag", may::edit(By::kModel),
      {field::required("name"), field::required("key")},
      [&clock](const Parameters& p, const http::Request&) -> Routes::Work {
        return [&clock, name = p.required_text("name"),
                key = p.required_text("key")](storage::Transaction& transaction) {
          registry::delete_model_tag(transaction, clock, name, key);
          return answer();
        };
      },
      "Deletes a tag of a registered model");
}

void add_model_reads(Routes& table) {
  table.read(
      http::Method::kGet, "/mlflow/registered-models/get", may::read(By::kModel),
      {field::required("name")},
      [](storage::Session& session, const Parameters& p, const http::Request& request) {
        return answer(model_answer(session, registry::get_model(session, p.required_text("name")),
                                   request.caller));
      },
      "A registered model");
  table.read(
      http::Method::kGet, "/mlflow/registered-models/search", may::search(),
      {field::text("filter"), field::integer("max_results", kSearchMax), field::texts("order_by"),
       field::text("page_token")},
      [](storage::Session& session, const Parameters& p, const http::Request& request) {
        const http::Caller& caller = request.caller;
        const registry::ModelPage page = registry::search_models(
            session,
            {p.text("filter"), p.texts("order_by"), p.max_results(kSearchDefault, kSearchMax),
             p.text("page_token"), scope_of(session, caller, "registered_model"),
             scope_of(session, caller, "prompt")});
        Redaction redaction(session, caller);
        json::Array list;
        for (const registry::RegisteredModel& model : page.models) {
          list.push_back(to_wire(session, model, redaction, LatestOrder::kStage));
        }
        json::Object body;
        if (!list.empty()) body.set("registered_models", std::move(list));
        if (!page.next_page_token.empty()) body.set("next_page_token", page.next_page_token);
        return answer(std::move(body));
      },
      "Registered models by filter, page by page");
  const Fields latest_fields = {field::required("name"), field::texts("stages")};
  const Routes::Read latest = [](storage::Session& session, const Parameters& p,
                                 const http::Request& request) {
    return answer(versions_answer(
        Redaction(session, request.caller),
        registry::latest_versions(session, p.required_text("name"), p.texts("stages"))));
  };
  table.read(http::Method::kGet, "/mlflow/registered-models/get-latest-versions",
             may::read(By::kModelVersion), latest_fields, latest,
             "The newest version of each stage");
  table.read(http::Method::kPost, "/mlflow/registered-models/get-latest-versions",
             may::read(By::kModelVersion), latest_fields, latest,
             "The newest version of each stage");
}

http::Response moved_or_refused(storage::Transaction& transaction, const Clock& clock,
                                const registry::AliasChange& change) {
  const auto outcome = registry::try_alias_move(transaction, clock, change);
  // Answered, not thrown: the refusal that this write recorded must be kept.
  if (const auto* refusal = std::get_if<registry::AliasRefusal>(&outcome)) {
    return error_response(Error(Code::kPermissionDenied, refusal->reason));
  }
  return answer();
}

registry::AliasChange direct_change(const Parameters& p, const http::Request& request) {
  registry::AliasChange change;
  change.model = p.required_text("name");
  change.alias = p.required_text("alias");
  change.actor = actor_of(request);
  change.direct = true;
  return change;
}

void add_aliases(Routes& table, const Clock& clock) {
  constexpr std::string_view kPath = "/mlflow/registered-models/alias";
  table.write(
      http::Method::kPost, kPath, may::edit(By::kModel),
      {field::required("name"), field::required("alias"), field::required("version")},
      [&clock](const Parameters& p, const http::Request& request) -> Routes::Work {
        registry::AliasChange change = direct_change(p, request);
        change.version = parse_version(p.text("version"));
        return [&clock, change = std::move(change)](storage::Transaction& transaction) {
          registry::get_version(transaction, change.model, *change.version);
          return moved_or_refused(transaction, clock, change);
        };
      },
      "Points an alias at a version; its rule decides");
  table.write(
      http::Method::kDelete, kPath, may::edit(By::kModel),
      {field::required("name"), field::required("alias")},
      [&clock](const Parameters& p, const http::Request& request) -> Routes::Work {
        return [&clock, change = direct_change(p, request)](storage::Transaction& transaction) {
          registry::get_model(transaction, change.model);
          if (!registry::find_alias(transaction, change.model, change.alias)) return answer();
          return moved_or_refused(transaction, clock, change);
        };
      },
      "Deletes an alias");
  table.read(
      http::Method::kGet, kPath, may::read(By::kModelVersion),
      {field::required("name"), field::required("alias")},
      [](storage::Session& session, const Parameters& p, const http::Request& request) {
        Redaction redaction(session, request.caller);
        const std::string name = p.required_text("name");
        const std::string alias = p.required_text("alias");
        registry::get_model(session, name);
        if (alias == "latest") {
          const auto newest = registry::newest_version(session, name);
          if (!newest) {
            throw Error(Code::kNotFound, "Latest version not found for model " + name + ".");
          }
          return answer(json::Object{{"model_version", to_wire(redaction.of(*newest))}});
        }
        const auto target = registry::find_alias(session, name, alias);
        if (!target) {
          throw Error(Code::kInvalidArgument, "Registered model alias " + alias + " not found.");
        }
        return answer(json::Object{{"model_version", to_wire(redaction.of(registry::get_version(
                                                         session, name, target->version)))}});
      },
      "The version that an alias points to");
}

}  // namespace

std::string actor_of(const http::Request& request) {
  return request.caller.account != 0 ? request.caller.actor() : "mlflow-client";
}

json::Value to_wire(const registry::ModelVersion& version) {
  json::Object body{{"name", version.model},
                    {"version", std::to_string(version.version)},
                    {"creation_timestamp", ms_of_us(version.created_at)},
                    {"last_updated_timestamp", ms_of_us(version.updated_at)},
                    {"current_stage", version.stage},
                    {"description", version.description},
                    {"source", version.source},
                    {"run_id", version.run_id},
                    {"status", "READY"}};
  if (!version.tags.empty()) body.set("tags", tags_wire(version.tags));
  body.set("run_link", version.run_link);
  if (!version.aliases.empty()) {
    json::Array aliases;
    for (const std::string& alias : version.aliases) aliases.emplace_back(alias);
    body.set("aliases", std::move(aliases));
  }
  return body;
}

json::Value to_wire(storage::Session& session, const registry::RegisteredModel& model,
                    Redaction& redaction, LatestOrder order) {
  json::Object body{{"name", model.name},
                    {"creation_timestamp", ms_of_us(model.created_at)},
                    {"last_updated_timestamp", ms_of_us(model.updated_at)}};
  if (model.description && !model.description->empty()) body.set("description", *model.description);
  std::vector<registry::ModelVersion> versions = registry::latest_versions(session, model.name, {});
  if (order == LatestOrder::kStage) {
    std::stable_sort(versions.begin(), versions.end(),
                     [](const auto& a, const auto& b) { return a.stage < b.stage; });
  }
  json::Array latest;
  for (registry::ModelVersion& version : versions) {
    version.aliases.clear();  // as the stock server: the model's own list has them
    latest.push_back(to_wire(redaction.of(version)));
  }
  if (!latest.empty()) body.set("latest_versions", std::move(latest));
  if (!model.tags.empty()) body.set("tags", tags_wire(model.tags));
  if (!model.aliases.empty()) {
    json::Array aliases;
    for (const registry::AliasName& alias : model.aliases) {
      aliases.emplace_back(
          json::Object{{"alias", alias.alias}, {"version", std::to_string(alias.version)}});
    }
    body.set("aliases", std::move(aliases));
  }
  return body;
}

std::vector<http::Route> registered_model_routes(const Deps& deps) {
  Routes table(deps.database);
  add_model_writes(table, deps.clock);
  add_model_tags(table, deps.clock);
  add_model_reads(table);
  add_aliases(table, deps.clock);
  return table.take();
}

}  // namespace slipway::api::mlflow
