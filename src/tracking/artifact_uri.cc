// SPDX-License-Identifier: Apache-2.0
#include "tracking/artifact_uri.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "base/error.h"
#include "tracking/artifact_store.h"
#include "tracking/key_rules.h"
#include "tracking/logged_model.h"
#include "tracking/run_table.h"

namespace slipway::tracking {
namespace {

// Schemes that make a server talk to a host which the text names (server-side request forgery).
constexpr std::array<std::string_view, 9> kHostSchemes = {"http",   "https", "ftp", "sftp", "hdfs",
                                                          "viewfs", "r2",    "b2",  "abfss"};
// Schemes whose URLs have ";parameters".
constexpr std::array<std::string_view, 5> kParameterSchemes = {"http", "https", "ftp", "sftp",
                                                               "mlflow-artifacts"};
constexpr int kUnquoteRoundsMax = 10;

template <std::size_t N>
bool is_one_of(std::string_view text, const std::array<std::string_view, N>& list) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

std::string scheme_of(std::string_view uri) {
  const std::size_t colon = uri.find(':');
  if (colon == std::string_view::npos || colon == 0) return "";
  std::string scheme(uri.substr(0, colon));
  for (char& c : scheme) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '+' && c != '-' && c != '.')
      return "";
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return scheme;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string unquote_once(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
    if (low < 0) {
      out.push_back(text[i]);
      continue;
    }
    out.push_back(static_cast<char>(high * 16 + low));
    i += 2;
  }
  return out;
}

// Whatever it would be after decoding as often as anybody might.
std::string unquote_all(std::string text) {
  for (int round = 0; round < kUnquoteRoundsMax; ++round) {
    std::string next = unquote_once(text);
    if (next == text) break;
    text = std::move(next);
  }
  return text;
}

bool has_parent_step(std::string_view text) {
  for (std::size_t i = 0; i <= text.size();) {
    const std::size_t end = std::min(text.find_first_of("/\\?&=", i), text.size());
    if (text.substr(i, end - i) == "..") return true;
    i = end + 1;
  }
  return false;
}

[[noreturn]] void refuse(std::string_view uri, const std::string& why) {
  throw Error(Code::kInvalidArgument,
              "Invalid artifact location '" + std::string(uri.substr(0, 300)) + "': " + why);
}

}  // namespace

std::optional<std::string> store_path(std::string_view uri) {
  constexpr std::string_view kScheme = "mlflow-artifacts:";
  if (!uri.starts_with(kScheme)) return std::nullopt;
  std::string_view path = uri.substr(kScheme.size());
  if (path.starts_with("///")) {
    path.remove_prefix(3);
  } else if (path.starts_with("//")) {
    return std::nullopt;  // another server
  } else if (path.starts_with("/")) {
    path.remove_prefix(1);
  }
  while (path.ends_with('/')) path.remove_suffix(1);
  check_artifact_path(path, true);
  return std::string(path);
}

std::optional<std::string> resolve_artifacts(storage::Session& session, std::string_view uri) {
  if (uri.starts_with("runs:/")) {
    std::string_view rest = uri.substr(6);
    while (rest.starts_with('/')) rest.remove_prefix(1);
    const std::size_t slash = std::min(rest.find('/'), rest.size());
    const RunInfo run = get_run_info(session, rest.substr(0, slash));
    std::string_view path = rest.substr(std::min(slash + 1, rest.size()));
    while (path.ends_with('/')) path.remove_suffix(1);
    check_artifact_path(path, true);
    if (const auto model = find_model_of_run(session, run.id, path); model && !path.empty()) {
      return store_path(get_logged_model(session, *model).artifact_uri);
    }
    const auto root = store_path(run.artifact_uri);
    if (!root) return std::nullopt;
    return join_path(*root, path);
  }
  if (uri.starts_with("models:/m-")) {
    std::string_view rest = uri.substr(8);
    const std::size_t slash = std::min(rest.find('/'), rest.size());
    std::string_view path = rest.substr(std::min(slash + 1, rest.size()));
    while (path.ends_with('/')) path.remove_suffix(1);
    check_artifact_path(path, true);
    const auto root = store_path(get_logged_model(session, rest.substr(0, slash)).artifact_uri);
    if (!root) return std::nullopt;
    return join_path(*root, path);
  }
  return store_path(uri);
}

void check_artifact_location(std::string_view uri) {
  if (uri.empty()) return;
  check_length(uri, kArtifactLocationCharactersMax, "artifact_location");
  const std::string scheme = scheme_of(uri);
  if (scheme == "runs" || scheme == "models") {
    throw Error(Code::kInvalidArgument, "Artifact location cannot be a " + scheme +
                                            ":/ URI. Given: '" + std::string(uri) + "'");
  }
  if (std::any_of(uri.begin(), uri.end(),
                  [](char c) { return static_cast<unsigned char>(c) < 32; })) {
    refuse(uri, "it has a control character");
  }
  const bool has_parameters =
      uri.find(';') != std::string_view::npos && is_one_of(scheme, kParameterSchemes);
  if (has_parameters || uri.find('#') != std::string_view::npos) {
    throw Error(Code::kInvalidArgument,
                "'artifact_location' URL can't include fragments or params.");
  }
  const std::size_t query = uri.find('?');
  if (query != std::string_view::npos &&
      has_parent_step(unquote_all(std::string(uri.substr(query + 1))))) {
    throw Error(Code::kInvalidArgument, "Invalid query string");
  }
  if (is_one_of(scheme, kHostSchemes))
    refuse(uri, "locations on hosts that a client names are not used");
  if (has_parent_step(unquote_all(std::string(uri)))) refuse(uri, "it must not have '..'");
  if (scheme == "mlflow-artifacts" && !store_path(uri)) {
    refuse(uri, "it must be in this server's store: mlflow-artifacts:/PATH");
  }
}

}  // namespace slipway::tracking
