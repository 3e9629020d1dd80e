// SPDX-License-Identifier: Apache-2.0
#include "api/mlflow/artifact_files.h"
#include "api/mlflow/errors.h"
#include "api/mlflow/tracking_routes.h"
#include "api/mlflow/wire.h"
#include "base/error.h"
#include "tracking/artifact_index.h"
#include "tracking/artifact_uri.h"

namespace slipway::api::mlflow {
namespace {

// One file. Streamed, so the limit is for the disk's sake alone.
constexpr std::uint64_t kUploadBytesMax = std::uint64_t{1} << 40;

http::Response list(tracking::ArtifactStore& store, const http::Request& request) {
  std::string_view path = request.query_value("path").value_or("");
  while (path.ends_with('/')) path.remove_suffix(1);
  json::Array files;
  for (const tracking::ArtifactStore::Entry& entry : store.list(path)) {
    json::Object item{{"path", entry.name}, {"is_dir", entry.is_folder}};
    if (!entry.is_folder && entry.bytes > 0) item.set("file_size", entry.bytes);
    files.emplace_back(std::move(item));
  }
  json::Object body;
  if (!files.empty()) body.set("files", std::move(files));
  return answer(body);
}

// The file is in place before its digest is written, and the digest is committed before the client
// hears of it.
void put(const Deps& deps, http::Request& request, http::Responder responder) {
  const std::string path = request.path_parameter("path");
  tracking::check_artifact_path(path, false);
  const tracking::ArtifactStore::Stored stored =
      deps.artifacts.put(path, [&request](char* buffer, std::size_t size) {
        return request.body_reader->read(buffer, size);
      });
  submit(
      deps.database,
      [path, stored, now = deps.clock.now()](storage::Transaction& transaction) {
        tracking::record_artifact(transaction, path, stored, now);
        http::Response response;
        response.content_type.clear();
        return response;
      },
      std::move(responder));
}

void remove(const Deps& deps, http::Request& request, http::Responder responder) {
  const std::string& path = request.path_parameter("path");
  deps.artifacts.remove(path);
  submit(
      deps.database,
      [path](storage::Transaction& transaction) {
        tracking::forget_artifacts(transaction, path);
        return answer();
      },
      std::move(responder));
}

// What a request may do to the path that it names. Decided by the path as the store will take it:
// once decoded, and checked to hold nothing but names.
http::AsyncHandler guarded(const Deps& deps, const Access& access, http::AsyncHandler handler) {
  return [&database = deps.database, access, handler = std::move(handler)](
             http::Request& request, http::Responder responder) {
    if (!request.caller.admin) {
      const bool listing = request.path_parameters.empty();
      std::string path(listing ? request.query_value("path").value_or("")
                               : std::string_view(request.path_parameter("path")));
      while (path.ends_with('/')) path.pop_back();
      tracking::check_artifact_path(path, true);
      const bool allowed = database.read_returning<bool>([&](storage::Session& session) {
        return may_path(session, request.caller, access.level, path);
      });
      if (!allowed) return responder.send(forbidden_response());
    }
    handler(request, std::move(responder));
  };
}

http::Route proxy_route(const Deps& deps, http::Method method, std::string pattern,
                        const Access& access, http::AsyncHandler handler, std::string summary) {
  return {.method = method,
          .pattern = std::move(pattern),
          .access = declared(access),
          .execution = http::Execution::kPool,
          .handler = guarded(deps, access, std::move(handler)),
          .summary = std::move(summary)};
}

}  // namespace

std::vector<http::Route> proxy_routes(const Deps& deps) {
  std::vector<http::Route> routes;
  for (const std::string prefix : {"/api/2.0", "/ajax-api/2.0"}) {
    const std::string base = prefix + "/mlflow-artifacts/artifacts";
    routes.push_back(proxy_route(
        deps, http::Method::kGet, base, may::read(By::kArtifactPath),
        [deps](http::Request& request, const http::Responder& responder) {
          responder.send(list(deps.artifacts, request));
        },
        "Names below a path of the artifact store"));
    routes.push_back(proxy_route(
        deps, http::Method::kGet, base + "/{path...}", may::read(By::kArtifactPath),
        [deps](http::Request& request, const http::Responder& responder) {
          responder.send(send_file(deps.artifacts, request.path_parameter("path"), request));
        },
        "A file of the artifact store"));
    http::Route upload = proxy_route(
        deps, http::Method::kPut, base + "/{path...}", may::edit(By::kArtifactPath),
        [deps](http::Request& request, http::Responder responder) {
          put(deps, request, std::move(responder));
        },
        "Stores a file");
    upload.stream_body = true;
    upload.body_bytes_max = kUploadBytesMax;
    routes.push_back(std::move(upload));
    routes.push_back(proxy_route(
        deps, http::Method::kDelete, base + "/{path...}", may::manage(By::kArtifactPath),
        [deps](http::Request& request, http::Responder responder) {
          remove(deps, request, std::move(responder));
        },
        "Removes a file, or a folder with all it holds"));
  }
  return routes;
}

}  // namespace slipway::api::mlflow
