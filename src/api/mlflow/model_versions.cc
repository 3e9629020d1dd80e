// SPDX-License-Identifier: Apache-2.0
#include "api/mlflow/model_versions.h"

#include <string>
#include <utility>

#include "api/mlflow/registered_models.h"
#include "api/mlflow/wire.h"
#include "registry/model_version.h"
#include "registry/search.h"

namespace slipway::api::mlflow {
namespace {

constexpr std::int64_t kSearchDefault = 10'000;
constexpr std::int64_t kSearchMax = 200'000;

json::Value version_answer(const registry::ModelVersion& version) {
  return json::Object{{"model_version", to_wire(version)}};
}

void add_create(Routes& table, const Clock& clock) {
  table.write(
      http::Method::kPost, "/mlflow/model-versions/create",
      [&clock](const Parameters& p, const http::Request&) -> Routes::Work {
        registry::NewVersion version;
        version.model = p.required_text("name");
        version.source = p.required_text("source");
        version.run_id = p.text("run_id");
        version.run_link = p.text("run_link");
        version.model_id = p.text("model_id");
        version.description = p.text("description");
        for (const Parameters& tag : p.objects("tags")) {
          version.tags.push_back({tag.required_text("key"), tag.text("value")});
        }
        version.actor = kMlflowActor;
        return [&clock, version = std::move(version)](storage::Transaction& transaction) {
          return answer(version_answer(registry::create_version(transaction, clock, version)));
        };
      },
      "Registers a version of a model");
}

void add_changes(Routes& table, const Clock& clock) {
  table.write(
      http::Method::kPatch, "/mlflow/model-versions/update",
      [&clock](const Parameters& p, const http::Request&) -> Routes::Work {
        return [&clock, name = p.required_text("name"), version = p.required_int64("version"),
                text = p.maybe_text("description")](storage::Transaction& transaction) {
          return answer(
              version_answer(registry::update_version(transaction, clock, name, version, text)));
        };
      },
      "Changes a version's description");
  table.write(
      http::Method::kPost, "/mlflow/model-versions/transition-stage",
      [&clock](const Parameters& p, const http::Request&) -> Routes::Work {
        return [&clock, name = p.required_text("name"), version = p.required_int64("version"),
                stage = p.required_text("stage"),
                archive = p.maybe_boolean("archive_existing_versions").value_or(false)](
                   storage::Transaction& transaction) {
          return answer(version_answer(
              registry::transition_stage(transaction, clock, name, version, stage, archive)));
        };
      },
      "Moves a version to one of MLflow's old stages");
  table.write(
      http::Method::kDelete, "/mlflow/model-versions/delete",
      [&clock](const Parameters& p, const http::Request&) -> Routes::Work {
        return [&clock, name = p.required_text("name"),
                version = p.required_int64("version")](storage::Transaction& transaction) {
          registry::delete_version(transaction, clock, name, version, kMlflowActor);
          return answer();
        };
      },
      "Deletes a version; its number stays taken");
}

void add_tags(Routes& table, const Clock& clock) {
  table.write(
      http::Method::kPost, "/mlflow/model-versions/set-tag",
      [&clock](const Parameters& p, const http::Request&) -> Routes::Work {
        return [&clock, name = p.required_text("name"), version = p.required_int64("version"),
                tag = registry::Tag{p.required_text("key"), p.text("value")}](
                   storage::Transaction& transaction) {
          registry::set_version_tag(transaction, clock, name, version, tag);
          return answer();
        };
      },
      "Sets a tag of a version");
  table.write(
      http::Method::kDelete, "/mlflow/model-versions/delete-tag",
      [&clock](const Parameters& p, const http::Request&) -> Routes::Work {
        return [&clock, name = p.required_text("name"), version = p.required_int64("version"),
                key = p.required_text("key")](storage::Transaction& transaction) {
          registry::delete_version_tag(transaction, clock, name, version, key);
          return answer();
        };
      },
      "Deletes a tag of a version");
}

void add_reads(Routes& table) {
  table.read(
      http::Method::kGet, "/mlflow/model-versions/get",
      [](storage::Session& session, const Parameters& p, const http::Request&) {
        return answer(version_answer(
            registry::get_version(session, p.required_text("name"), p.required_int64("version"))));
      },
      "A version of a model");
  table.read(
      http::Method::kGet, "/mlflow/model-versions/get-download-uri",
      [](storage::Session& session, const Parameters& p, const http::Request&) {
        const registry::ModelVersion version =
            registry::get_version(session, p.required_text("name"), p.required_int64("version"));
        // A run's artifact is named as it was registered, as the stock server does; all else by
        // where the files are.
        const bool of_run = version.source.rfind("runs:/", 0) == 0;
        return answer(json::Object{{"artifact_uri", of_run ? version.source : version.location}});
      },
      "Where a version's files can be had");
  table.read(
      http::Method::kGet, "/mlflow/model-versions/search",
      [](storage::Session& session, const Parameters& p, const http::Request&) {
        const registry::VersionPage page = registry::search_versions(
            session, {p.text("filter"), p.texts("order_by"),
                      p.max_results(kSearchDefault, kSearchMax), p.text("page_token")});
        json::Array list;
        for (const registry::ModelVersion& version : page.versions) {
          list.push_back(to_wire(version));
        }
        json::Object body;
        if (!list.empty()) body.set("model_versions", std::move(list));
        if (!page.next_page_token.empty()) body.set("next_page_token", page.next_page_token);
        return answer(std::move(body));
      },
      "Versions by filter, page by page");
}

}  // namespace

std::vector<http::Route> model_version_routes(const Deps& deps) {
  Routes table(deps.database);
  add_create(table, deps.clock);
  add_changes(table, deps.clock);
  add_tags(table, deps.clock);
  add_reads(table);
  return table.take();
}

}  // namespace slipway::api::mlflow
