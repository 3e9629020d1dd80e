// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "http/message.h"
#include "tracking/artifact_store.h"

namespace slipway::api::mlflow {

// Files of the artifact store as HTTP answers: with type, name for saving, ETag, Last-Modified and
// one byte range (RFC 9110 §14), sent from the descriptor without passing through memory.

// The file at a path below the store's root. kNotFound "No such artifact: 'p'".
http::Response send_file(tracking::ArtifactStore& store, std::string_view path,
                         const http::Request& request);

// A path below an artifact URI of this server. kUnimplemented, naming the URI, if the artifacts are
// elsewhere.
http::Response send_artifact(tracking::ArtifactStore& store, std::string_view root_uri,
                             std::string_view path, const http::Request& request);

// {"root_uri", "files": [{"path" relative to the root, "is_dir", "file_size"}]}; a file or a
// missing folder has no files.
http::Response list_artifacts(tracking::ArtifactStore& store, std::string_view root_uri,
                              std::string_view path);

// The path below the store's root that `path` under `root_uri` means. Throws as send_artifact does.
std::string path_in_store(std::string_view root_uri, std::string_view path);

// By the name's ending: what reads as text is text/plain, as MLflow's page wants it;
// "application/octet-stream" when unknown.
std::string_view content_type_of(std::string_view name);

// One range of a "bytes=…" header within `size`.
struct ByteRange {
  std::uint64_t first = 0;
  std::uint64_t count = 0;
  bool operator==(const ByteRange&) const = default;
};
enum class RangeVerdict { kWhole, kPart, kUnsatisfiable };
// kWhole for a header that is absent, malformed or asks for several ranges, all of which a server
// may ignore.
RangeVerdict parse_range(std::string_view header, std::uint64_t size, ByteRange& range);

}  // namespace slipway::api::mlflow
