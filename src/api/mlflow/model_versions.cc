// SPDX-License-Identifier: Apache-2.0
#include "api/mlflow/model_versions.h"

#include <charconv>
#include <string>
#include <utility>

#include "api/mlflow/registered_models.h"
#include "api/mlflow/wire.h"
#include "base/error.h"
#include "registry/model_version.h"
#include "registry/search.h"

namespace slipway::api::mlflow {
namespace {

constexpr std::int64_t kSearchDefault = 10'000;
constexpr std::int64_t kSearchMax = 200'000;

std::int64_t read_version(const Parameters& parameters) {
  return parse_version(parameters.text("version"));
}

// get-download-uri has no table of fields.
std::string named_model(const Parameters& parameters) {
  std::string name = parameters.text("name");
  registry::check_model_name(name);
  return name;
}

json::Value version_answer(storage::Session& session, const registry::ModelVersion& version,
                           const http::Caller& caller) {
  return json::Object{{"model_version", to_wire(Redaction(session, caller).of(version))}};
}

void add_create(Routes& table, const Clock& clock) {
  table.write(
      http::Method::kPost, "/mlflow/model-versions/create", may::edit(By::kModelOfNewVersion),
      {field::required("name"), field::required("source"), field::text("run_id"),
       field::list("tags"), field::text("run_link"), field::text("description"),
       field::text("model_id")},
      [&clock](const Parameters& p, const http::Request& request) -> Routes::Work {
        registry::NewVersion version;
        version.model = p.required_text("name");
        version.source = p.required_text("source");
        version.run_id = p.text("run_id");
        version.run_link = p.text("run_link");
        version.model_id = p.text("model_id");
        version.description = p.text("description");
        for (const Parameters& tag : p.objects("tags")) {
          version.tags.push_back({tag.text("key"), tag.text("value")});
        }
        version.actor = actor_of(request);
        return [&clock, version = std::move(version),
                caller = request.caller](storage::Transaction& transaction) {
          const registry::ModelVersion made = registry::create_version(transaction, clock, version);
          check_location(transaction, caller, made.location);
          return answer(version_answer(transaction, made, caller));
        };
      },
      "Registers a version of a model");
}

void add_changes(Routes& table, const Clock& clock) {
  table.write(
      http::Method::kPatch, "/mlflow/model-versions/update", may::edit(By::kModelVersion),
      {field::required("name"), field::required("version"), field::text("description")},
      [&clock](const Parameters& p, const http::Request& request) -> Routes::Work {
        return [&clock, name = p.required_text("name"), version = read_version(p),
                text = p.maybe_text("description"),
                caller = request.caller](storage::Transaction& transaction) {
          return answer(version_answer(
              transaction, registry::update_version(transaction, clock, name, version, text),
              caller));
        };
      },
      "Changes a version's description");
  table.write(
      http::Method::kPost, "/mlflow/model-versions/transition-stage", may::edit(By::kModelVersion),
      {field::required("name"), field::required("version"), field::required("stage"),
       field::boolean("archive_existing_versions")},
      [&clock](const Parameters& p, const http::Request& request) -> Routes::Work {
        return [&clock, name = p.required_text("name"), version = read_version(p),
                stage = p.required_text("stage"),
                archive = p.maybe_boolean("archive_existing_versions").value_or(false),
                caller = request.caller](storage::Transaction& transaction) {
          return answer(version_answer(
              transaction,
              registry::transition_stage(transaction, clock, name, version, stage, archive),
              caller));
        };
      },
      "Moves a version to one of MLflow's old stages");
  table.write(
      http::Method::kDelete, "/mlflow/model-versions/delete", may::manage(By::kModelVersion),
      {field::required("name"), field::required("version")},
      [&clock](const Parameters& p, const http::Request& request) -> Routes::Work {
        return [&clock, name = p.required_text("name"), version = read_version(p),
                actor = actor_of(request)](storage::Transaction& transaction) {
          registry::delete_version(transaction, clock, name, version, actor);
          return answer();
        };
      },
      "Deletes a version; its number stays taken");
}

void add_tags(Routes& table, const Clock& clock) {
  table.write(
      http::Method::kPost, "/mlflow/model-versions/set-tag", may::edit(By::kModelVersion),
      {field::required("name"), field::required("version"), field::required("key"),
       field::text("value")},
      [&clock](const Parameters& p, const http::Request&) -> Routes::Work {
        return [&clock, name = p.required_text("name"), version = read_version(p),
                tag = registry::Tag{p.required_text("key"), p.text("value")}](
                   storage::Transaction& transaction) {
          registry::set_version_tag(transaction, clock, name, version, tag);
          return answer();
        };
      },
      "Sets a tag of a version");
  table.write(
      http::Method::kDelete, "/mlflow/model-versions/delete-tag", may::manage(By::kModelVersion),
      {field::required("name"), field::required("version"), field::required("key")},
      [&clock](const Parameters& p, const http::Request&) -> Routes::Work {
        return [&clock, name = p.required_text("name"), version = read_version(p),
                key = p.required_text("key")](storage::Transaction& transaction) {
          registry::delete_version_tag(transaction, clock, name, version, key);
          return answer();
        };
      },
      "Deletes a tag of a version");
}

void add_reads(Routes& table) {
  table.read(
      http::Method::kGet, "/mlflow/model-versions/get", may::read(By::kModelVersion),
      {field::required("name"), field::required("version")},
      [](storage::Session& session, const Parameters& p, const http::Request& request) {
        return answer(version_answer(
            session, registry::get_version(session, p.required_text("name"), read_version(p)),
            request.caller));
      },
      "A version of a model");
  table.read(
      http::Method::kGet, "/mlflow/model-versions/get-download-uri", may::read(By::kModelVersion),
      {},
      [](storage::Session& session, const Parameters& p, const http::Request&) {
        const registry::ModelVersion version =
            registry::get_version(session, named_model(p), read_version(p));
        // A run's artifact is named as it was registered, as the stock server does; all else by
        // where the files are.
        const bool of_run = version.source.rfind("runs:/", 0) == 0;
        return answer(json::Object{{"artifact_uri", of_run ? version.source : version.location}});
      },
      "Where a version's files can be had");
  table.read(
      http::Method::kGet, "/mlflow/model-versions/search", may::search(),
      {field::text("filter"), field::integer("max_results", kSearchMax), field::texts("order_by"),
       field::text("page_token")},
      [](storage::Session& session, const Parameters& p, const http::Request& request) {
        const http::Caller& caller = request.caller;
        const std::int64_t limit = p.maybe_int64("max_results").value_or(kSearchDefault);
        if (limit < 1) {
          throw Error(Code::kInvalidArgument,
                      "Invalid value for max_results. It must be a positive integer, but got " +
                          std::to_string(limit));
        }
        const registry::VersionPage page = registry::search_versions(
            session,
            {p.text("filter"), p.texts("order_by"), limit, p.text("page_token"),
             scope_of(session, caller, "registered_model"), scope_of(session, caller, "prompt")});
        Redaction redaction(session, caller);
        json::Array list;
        for (const registry::ModelVersion& version : page.versions) {
          list.push_back(to_wire(redaction.of(version)));
        }
        json::Object body;
        if (!list.empty()) body.set("model_versions", std::move(list));
        if (!page.next_page_token.empty()) body.set("next_page_token", page.next_page_token);
        return answer(std::move(body));
      },
      "Versions by filter, page by page");
}

}  // namespace

std::int64_t parse_version(std::string_view text) {
  std::int64_t version = 0;
  const auto [stop, fault] = std::from_chars(text.data(), text.data() + text.size(), version);
  if (fault != std::errc() || stop != text.data() + text.size()) {
    throw Error(Code::kInvalidArgument,
                "Parameter 'version' must be an integer, got '" + std::string(text) + "'.");
  }
  return version;
}

std::vector<http::Route> model_version_routes(const Deps& deps) {
  Routes table(deps.database);
  add_create(table, deps.clock);
  add_changes(table, deps.clock);
  add_tags(table, deps.clock);
  add_reads(table);
  return table.take();
}

}  // namespace slipway::api::mlflow
