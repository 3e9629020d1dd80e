// SPDX-License-Identifier: Apache-2.0
#include "registry/source.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <vector>

#include "base/error.h"
#include "registry/alias.h"
#include "registry/model_version.h"
#include "tracking/artifact_uri.h"
#include "tracking/key_rules.h"
#include "tracking/logged_model.h"
#include "tracking/run_table.h"

namespace slipway::registry {
namespace {

constexpr std::array<std::string_view, 9> kHostSchemes = {"http",   "https", "ftp", "sftp", "hdfs",
                                                          "viewfs", "r2",    "b2",  "abfss"};
constexpr std::array<std::string_view, 2> kPromptSources = {"prompt-template", "dummy-source"};
constexpr int kUnescapesMax = 16;  // nobody escapes a path that often to mean well

[[noreturn]] void refuse(std::string_view source, const std::string& why) {
  throw Error(Code::kInvalidArgument,
              "Invalid model version source: '" + std::string(source) + "'. " + why);
}

[[noreturn]] void refuse_owner(std::string_view source, std::string_view parameter) {
  refuse(source, "The " + std::string(parameter) +
                     " request parameter must identify the resource that contains the source.");
}

[[noreturn]] void refuse_relative(std::string_view source) {
  refuse(source,
         "If supplying a source as an http, https, local file path, ftp, objectstore, or "
         "mlflow-artifacts uri, an absolute path must be provided without relative path references "
         "present. Please provide an absolute path.");
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string unescape_once(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 &&
        hex_digit(text[i + 2]) >= 0) {
      out += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string unescape_fully(std::string_view source) {
  std::string text(source);
  for (int i = 0; i < kUnescapesMax; ++i) {
    std::string next = unescape_once(text);
    if (next == text) return text;
    text = std::move(next);
  }
  refuse_relative(source);
}

std::vector<std::string> components(std::string_view path) {
  std::vector<std::string> parts;
  std::size_t start = 0;
  while (start <= path.size()) {
    std::size_t end = path.find_first_of("/\\", start);
    if (end == std::string_view::npos) end = path.size();
    if (end > start) parts.emplace_back(path.substr(start, end - start));
    start = end + 1;
  }
  return parts;
}

// "s3" of "s3://bucket/x", lower case; "" for a path. One letter is a Windows drive, hence a path.
std::string scheme_of(std::string_view uri) {
  const std::size_t colon = uri.find(':');
  if (colon == std::string_view::npos || colon < 2) return "";
  std::string scheme;
  for (const char c : uri.substr(0, colon)) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool other = (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
    if (!letter && !(other && !scheme.empty())) return "";
    scheme += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return scheme;
}

// What stands between "//" and the next '/': "host:80" of "http://host:80/x"; "" where there is
// none.
std::string_view host_of(std::string_view uri) {
  const std::size_t colon = uri.find(':');
  std::string_view rest = uri.substr(colon == std::string_view::npos ? 0 : colon + 1);
  if (rest.substr(0, 2) != "//") return {};
  rest.remove_prefix(2);
  return rest.substr(0, rest.find('/'));
}

std::string_view path_of(std::string_view uri) {
  const std::string scheme = scheme_of(uri);
  if (scheme.empty()) return uri;
  std::string_view rest = uri.substr(scheme.size() + 1);
  if (rest.substr(0, 2) == "//") {
    const std::size_t slash = rest.find('/', 2);
    return slash == std::string_view::npos ? std::string_view() : rest.substr(slash);
  }
  return rest;
}

void check_no_relative_parts(std::string_view source) {
  const std::string plain = unescape_fully(source);
  if (plain.find('\0') != std::string::npos) refuse_relative(source);
  for (const std::string& part : components(plain)) {
    if (part == ".." || part == ".") refuse_relative(source);
  }
}

// "/x" of "file:///x": what a refusal shows.
std::string_view local_path(std::string_view uri) {
  return scheme_of(uri) == "file" ? path_of(uri) : uri;
}

bool is_local(std::string_view uri) {
  const std::string scheme = scheme_of(uri);
  return scheme.empty() || scheme == "file";
}

bool is_within(std::string_view uri, std::string_view root) {
  if (is_local(uri) != is_local(root)) return false;
  if (!is_local(uri) && (scheme_of(uri) != scheme_of(root) || host_of(uri) != host_of(root))) {
    return false;
  }
  if (is_local(uri) && (path_of(uri).substr(0, 1) != "/" || path_of(root).substr(0, 1) != "/")) {
    return false;
  }
  const std::vector<std::string> inner = components(unescape_fully(path_of(uri)));
  const std::vector<std::string> outer = components(unescape_fully(path_of(root)));
  return !outer.empty() && inner.size() >= outer.size() &&
         std::equal(outer.begin(), outer.end(), inner.begin());
}

std::optional<std::int64_t> parse_number(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 1) return std::nullopt;
  return number;
}

ModelVersion version_of(storage::Session& session, const ModelUri& uri, std::string_view source) {
  get_model(session, uri.name);
  if (!uri.alias.empty()) {
    const std::optional<AliasTarget> target = find_alias(session, uri.name, uri.alias);
    if (!target) {
      throw Error(Code::kInvalidArgument, "Registered model alias " + uri.alias + " not found.");
    }
    return get_version(session, uri.name, target->version);
  }
  if (const std::optional<std::int64_t> number = parse_number(uri.selector)) {
    return get_version(session, uri.name, *number);
  }
  std::vector<ModelVersion> found;
  if (uri.selector == "latest") {
    if (std::optional<ModelVersion> newest = newest_version(session, uri.name)) {
      found.push_back(*std::move(newest));
    }
  } else {
    found = latest_versions(session, uri.name, {uri.selector});
  }
  if (found.empty()) refuse(source, "No version of the model matches it.");
  return found.back();
}

ResolvedSource from_version(storage::Session& session, const std::string& source,
                            const ModelUri& uri, const std::string& run_id,
                            const std::string& model_id) {
  const ModelVersion version = version_of(session, uri, source);
  if ((!run_id.empty() && run_id != version.run_id) ||
      (!model_id.empty() && model_id != version.model_id)) {
    refuse(source,
           "The run_id and model_id request parameters must match the referenced model version.");
  }
  return {"models:/" + version.model + "/" + std::to_string(version.version), version.location,
          version.run_id, version.model_id};
}

std::string artifact_root(storage::Session& session, std::string_view source,
                          const std::string& run_id, const std::string& model_id) {
  if (!model_id.empty()) {
    const auto model = tracking::find_logged_model(session, model_id);
    if (!model) refuse_owner(source, "model_id");
    return model->artifact_uri;
  }
  if (run_id.empty()) return "";
  const auto run = tracking::find_run_info(session, run_id);
  if (!run) refuse_owner(source, "run_id");
  return run->artifact_uri;
}

ResolvedSource from_model(storage::Session& session, const std::string& source, const ModelUri& uri,
                          const std::string& run_id, const std::string& model_id) {
  if (uri.model_id != model_id) refuse_owner(source, "model_id");
  const auto model = tracking::find_logged_model(session, model_id);
  if (!model) refuse_owner(source, "model_id");
  return {source, model->artifact_uri, run_id.empty() ? model->source_run_id : run_id, model_id};
}

ResolvedSource from_run(storage::Session& session, const std::string& source,
                        const std::string& run_id, const std::string& model_id) {
  if (!host_of(source).empty()) refuse_owner(source, "run_id");
  if (!model_id.empty()) refuse_owner(source, "model_id");
  const std::vector<std::string> parts = components(path_of(source));
  if (parts.empty() || parts.front() != run_id) refuse_owner(source, "run_id");
  std::string location = source;
  // Where the run is ours, the files are pinned now: a later logged model of the same name must not
  // change the version.
  if (tracking::find_run_info(session, run_id)) {
    if (const auto path = tracking::resolve_artifacts(session, source)) {
      location = std::string(tracking::kArtifactScheme) + *path;
    }
  }
  return {source, location, run_id, model_id};
}

}  // namespace

ModelUri parse_model_uri(std::string_view uri) {
  ModelUri out;
  if (scheme_of(uri) != "models" || !host_of(uri).empty()) {
    refuse(uri, "Registered model sources must use the active model registry.");
  }
  const std::vector<std::string> parts = components(path_of(uri));
  if (parts.size() == 1 && parts[0].rfind("m-", 0) == 0 &&
      parts[0].find('@') == std::string::npos) {
    out.model_id = parts[0];
    return out;
  }
  if (parts.size() == 2) {
    out.name = parts[0];
    out.selector = parts[1];
    return out;
  }
  const std::size_t at = parts.size() == 1 ? parts[0].rfind('@') : std::string::npos;
  if (at == std::string::npos || at == 0 || at + 1 == parts[0].size()) {
    refuse(uri, "It must be models:/NAME/VERSION, models:/NAME@ALIAS or models:/m-ID.");
  }
  out.name = parts[0].substr(0, at);
  out.alias = parts[0].substr(at + 1);
  return out;
}

ResolvedSource resolve_source(storage::Session& session, const std::string& source,
                              const std::string& run_id, const std::string& model_id,
                              bool is_prompt) {
  if (source.empty()) {
    throw Error(Code::kInvalidArgument, "Missing value for required parameter 'source'.");
  }
  tracking::check_length(source, kSourceCharactersMax, "source");
  if (is_prompt) {
    if (std::find(kPromptSources.begin(), kPromptSources.end(), source) == kPromptSources.end()) {
      throw Error(Code::kInvalidArgument, "Invalid prompt source: '" + source +
                                              "'. Prompt sources must use an MLflow placeholder.");
    }
    return {source, source, run_id, model_id};
  }
  check_no_relative_parts(source);
  const std::string scheme = scheme_of(source);
  if (std::find(kHostSchemes.begin(), kHostSchemes.end(), scheme) != kHostSchemes.end()) {
    refuse(source, "The scheme '" + scheme + "' names a host, which this server does not allow.");
  }
  if (scheme == "models") {
    const ModelUri uri = parse_model_uri(source);
    return uri.model_id.empty() ? from_version(session, source, uri, run_id, model_id)
                                : from_model(session, source, uri, run_id, model_id);
  }
  if (scheme == "runs") return from_run(session, source, run_id, model_id);
  const std::string parameter = model_id.empty() ? "run_id" : "model_id";
  std::string run = run_id;
  if (run.empty() && !model_id.empty()) {
    const auto model = tracking::find_logged_model(session, model_id);
    if (!model) refuse_owner(source, "model_id");
    run = model->source_run_id;
  }
  if (scheme == "mlflow-artifacts") {
    if (!host_of(source).empty() ||
        !is_within(source, artifact_root(session, source, run_id, model_id))) {
      refuse_owner(source, parameter);
    }
  } else if (is_local(source) &&
             !is_within(source, artifact_root(session, source, run_id, model_id))) {
    refuse(local_path(source),
           "To use a local path as a model version source, the " + parameter +
               " request parameter has to be specified and the local path has to be "
               "contained within the artifact directory of the run specified by the " +
               parameter + ".");
  }
  return {source, source, run, model_id};
}

}  // namespace slipway::registry
