// SPDX-License-Identifier: Apache-2.0
#include "api/mlflow/trace_json.h"
#include "api/mlflow/trace_routes.h"
#include "tracing/trace_link.h"
#include "tracing/trace_table.h"

namespace slipway::api::mlflow {
namespace {

std::vector<tracing::PromptVersion> read_prompts(const Parameters& parameters) {
  std::vector<tracing::PromptVersion> prompts;
  for (const Parameters& given : parameters.objects("prompt_versions"))
    prompts.push_back({given.text("name"), given.required_int64("version")});
  return prompts;
}

void add_tags(Routes& routes, Prefixes prefixes) {
  constexpr std::string_view kTags = "/mlflow/traces/{trace_id}/tags";
  routes.write(
      http::Method::kPatch, kTags, may::edit(By::kTrace),
      {field::required("key"), field::text("value")},
      [](const Parameters& parameters, const http::Request& request) -> Routes::Work {
        return [id = request.path_parameter("trace_id"), key = parameters.text("key"),
                value = parameters.text("value")](storage::Transaction& transaction) {
          tracing::set_trace_tag(transaction, id, key, value);
          return answer();
        };
      },
      "Sets a tag of a trace", prefixes);
  routes.write(
      http::Method::kDelete, kTags, may::edit(By::kTrace), {field::required("key")},
      [](const Parameters& parameters, const http::Request& request) -> Routes::Work {
        return [id = request.path_parameter("trace_id"),
                key = parameters.text("key")](storage::Transaction& transaction) {
          tracing::delete_trace_tag(transaction, id, key);
          return answer();
        };
      },
      "Removes a tag of a trace", prefixes);
}

}  // namespace

std::vector<http::Route> trace_tag_routes(const Deps& deps) {
  Routes routes(deps.database);
  add_tags(routes, Prefixes::kBoth2);
  add_tags(routes, Prefixes::kBoth3);
  routes.write(
      http::Method::kPost, "/mlflow/traces/link-to-run", may::edit(By::kTraces),
      {field::required("trace_ids", Field::Kind::kTexts), field::required("run_id")},
      [](const Parameters& parameters, const http::Request&) -> Routes::Work {
        return [ids = parameters.texts("trace_ids"),
                run = parameters.text("run_id")](storage::Transaction& transaction) {
          tracing::link_traces_to_run(transaction, ids, run);
          return answer();
        };
      },
      "Links traces to a run");
  routes.write(
      http::Method::kPost, "/mlflow/traces/link-prompts", may::edit(By::kTrace),
      {field::required("trace_id"), field::required("prompt_versions", Field::Kind::kList)},
      [](const Parameters& parameters, const http::Request&) -> Routes::Work {
        return [id = parameters.text("trace_id"),
                prompts = read_prompts(parameters)](storage::Transaction& transaction) {
          tracing::link_prompts(transaction, id, prompts);
          return answer();
        };
      },
      "Links prompt versions to a trace");
  return routes.take();
}

}  // namespace slipway::api::mlflow
