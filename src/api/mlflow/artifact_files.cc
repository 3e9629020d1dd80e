// SPDX-License-Identifier: Apache-2.0
#include "api/mlflow/artifact_files.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <ctime>

#include "api/mlflow/wire.h"
#include "base/error.h"
#include "tracking/artifact_uri.h"

namespace slipway::api::mlflow {
namespace {

struct Type {
  std::string_view ending;
  std::string_view type;
};
constexpr std::array kTypes = {Type{"png", "image/png"},
                               Type{"jpg", "image/jpeg"},
                               Type{"jpeg", "image/jpeg"},
                               Type{"gif", "image/gif"},
                               Type{"svg", "image/svg+xml"},
                               Type{"webp", "image/webp"},
                               Type{"bmp", "image/bmp"},
                               Type{"html", "text/html"},
                               Type{"htm", "text/html"},
                               Type{"css", "text/css"},
                               Type{"pdf", "application/pdf"},
                               Type{"zip", "application/zip"},
                               Type{"gz", "application/gzip"},
                               Type{"tar", "application/x-tar"},
                               Type{"mp4", "video/mp4"},
                               Type{"mp3", "audio/mpeg"},
                               Type{"wav", "audio/x-wav"},
                               Type{"geojson", "application/geo+json"},
                               Type{"parquet", "application/octet-stream"}};
constexpr std::array<std::string_view, 26> kTextEndings = {
    "txt",  "log",   "err",  "cfg",  "conf", "cnf",   "cf",      "ini",      "properties",
    "prop", "hocon", "toml", "yaml", "yml",  "xml",   "json",    "js",       "py",
    "py3",  "csv",   "tsv",  "md",   "rst",  "ipynb", "MLmodel", "MLproject"};

std::string http_date(TimeUs time) {
  const std::time_t seconds = time / kMicrosPerSecond;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  static constexpr std::array kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  char text[64];
  std::snprintf(text, sizeof text, "%s, %02d %s %04d %02d:%02d:%02d GMT",
                kDays[static_cast<std::size_t>(parts.tm_wday)], parts.tm_mday,
                kMonths[static_cast<std::size_t>(parts.tm_mon)], parts.tm_year + 1900,
                parts.tm_hour, parts.tm_min, parts.tm_sec);
  return text;
}

bool is_token(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

bool is_printable_ascii(std::string_view name) {
  return std::all_of(name.begin(), name.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

// RFC 6266: plain where the name is a token, in quotes where it is ASCII, else percent-encoded
// UTF-8.
std::string disposition(std::string_view name) {
  if (is_token(name)) return "attachment; filename=" + std::string(name);
  if (is_printable_ascii(name)) {
    std::string quoted;
    for (const char c : name) {
      if (c == '"' || c == '\\') quoted += '\\';
      quoted += c;
    }
    return "attachment; filename=\"" + quoted + "\"";
  }
  return "attachment; filename*=UTF-8''" + http::percent_encode(name);
}

std::string_view base_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

std::string_view content_type_of(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  const std::string_view ending =
      dot == std::string_view::npos || dot == 0 ? name : name.substr(dot + 1);
  if (std::find(kTextEndings.begin(), kTextEndings.end(), ending) != kTextEndings.end())
    return "text/plain";
  const auto* type =
      std::find_if(kTypes.begin(), kTypes.end(), [&](const Type& t) { return t.ending == ending; });
  return type != kTypes.end() ? type->type : "application/octet-stream";
}

RangeVerdict parse_range(std::string_view header, std::uint64_t size, ByteRange& range) {
  constexpr std::string_view kUnit = "bytes=";
  if (!header.starts_with(kUnit) || header.find(',') != std::string_view::npos)
    return RangeVerdict::kWhole;
  header.remove_prefix(kUnit.size());
  const std::size_t dash = header.find('-');
  if (dash == std::string_view::npos) return RangeVerdict::kWhole;
  const auto number = [](std::string_view text, std::uint64_t& value) {
    const auto [stop, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
    return !text.empty() && fault == std::errc() && stop == text.data() + text.size();
  };
  std::uint64_t first = 0;
  std::uint64_t last = size == 0 ? 0 : size - 1;
  const std::string_view from = header.substr(0, dash);
  const std::string_view to = header.substr(dash + 1);
  if (from.empty()) {
    std::uint64_t suffix = 0;
    if (!number(to, suffix)) return RangeVerdict::kWhole;
    if (suffix == 0) return RangeVerdict::kUnsatisfiable;
    first = suffix >= size ? 0 : size - suffix;
  } else {
    if (!number(from, first)) return RangeVerdict::kWhole;
    std::uint64_t end = 0;
    if (!to.empty()) {
      if (!number(to, end) || end < first) return RangeVerdict::kWhole;
      last = std::min(last, end);
    }
  }
  if (size == 0 || first >= size) return RangeVerdict::kUnsatisfiable;
  range = {first, last - first + 1};
  return RangeVerdict::kPart;
}

http::Response send_file(tracking::ArtifactStore& store, std::string_view path,
                         const http::Request& request) {
  std::optional<tracking::ArtifactStore::File> file = store.open(path);
  if (!file) throw Error(Code::kNotFound, "No such artifact: '" + std::string(path) + "'");
  http::Response response;
  response.content_type = content_type_of(base_name(path));
  const std::string tag =
      "\"" + std::to_string(file->modified_at) + "-" + std::to_string(file->bytes) + "\"";
  const std::string modified = http_date(file->modified_at);
  response.headers = {{"Content-Disposition", disposition(base_name(path))},
                      {"Accept-Ranges", "bytes"},
                      {"Last-Modified", modified},
                      {"ETag", tag}};
  response.file_bytes = file->bytes;
  const auto condition = request.header("If-Range");
  const bool ranged = !condition || *condition == tag || *condition == modified;
  ByteRange range;
  switch (ranged ? parse_range(request.header("Range").value_or(""), file->bytes, range)
                 : RangeVerdict::kWhole) {
    case RangeVerdict::kWhole: break;
    case RangeVerdict::kPart:
      response.status = 206;
      response.headers.emplace_back("Content-Range",
                                    "bytes " + std::to_string(range.first) + "-" +
                                        std::to_string(range.first + range.count - 1) + "/" +
                                        std::to_string(file->bytes));
      response.file_offset = range.first;
      response.file_bytes = range.count;
      break;
    case RangeVerdict::kUnsatisfiable:
      response.status = 416;
      response.content_type = "text/plain; charset=utf-8";
      response.headers = {{"Content-Range", "bytes */" + std::to_string(file->bytes)}};
      response.file_bytes = 0;
      return response;
  }
  response.file_fd = file->fd.release();
  return response;
}

std::string path_in_store(std::string_view root_uri, std::string_view path) {
  while (path.ends_with('/')) path.remove_suffix(1);
  tracking::check_artifact_path(path, true);
  const auto root = tracking::store_path(root_uri);
  if (!root) {
    throw Error(Code::kUnimplemented,
                "the artifacts are at '" + std::string(root_uri) +
                    "', which this server does not serve: read them from there");
  }
  return tracking::join_path(*root, path);
}

http::Response send_artifact(tracking::ArtifactStore& store, std::string_view root_uri,
                             std::string_view path, const http::Request& request) {
  return send_file(store, path_in_store(root_uri, path), request);
}

http::Response list_artifacts(tracking::ArtifactStore& store, std::string_view root_uri,
                              std::string_view path) {
  while (path.ends_with('/')) path.remove_suffix(1);
  json::Array files;
  for (const tracking::ArtifactStore::Entry& entry : store.list(path_in_store(root_uri, path))) {
    json::Object item{{"path", tracking::join_path(path, entry.name)}, {"is_dir", entry.is_folder}};
    if (!entry.is_folder && entry.bytes > 0) item.set("file_size", entry.bytes);
    files.emplace_back(std::move(item));
  }
  json::Object body{{"root_uri", root_uri}};
  if (!files.empty()) body.set("files", std::move(files));
  return answer(body);
}

}  // namespace slipway::api::mlflow
