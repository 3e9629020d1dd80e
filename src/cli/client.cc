// SPDX-License-Identifier: Apache-2.0
#include "cli/client.h"

#include <algorithm>
#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "cli/environment.h"
#include "net/url.h"
#include "server/data_folder.h"

namespace slipway::cli {
namespace {

constexpr const char* kHowToFindOne = "slipway server   (or: export SLIPWAY_URL=http://HOST:PORT)";

std::string without_slash(std::string url) {
  while (!url.empty() && url.back() == '/') url.pop_back();
  return url;
}

bool is_http(const std::string& url) {
  return url.starts_with("http://") || url.starts_with("https://");
}

// .slipway of this folder or of one above it.
std::optional<std::filesystem::path> find_store() {
  std::error_code fault;
  for (std::filesystem::path folder = std::filesystem::current_path(fault); !fault;
       folder = folder.parent_path()) {
    if (std::filesystem::is_directory(folder / ".slipway", fault)) return folder / ".slipway";
    if (folder == folder.root_path()) break;
  }
  return std::nullopt;
}

std::string token_of(const std::optional<std::filesystem::path>& store) {
  for (const char* const name : {"SLIPWAY_TOKEN", "MLFLOW_TRACKING_TOKEN"}) {
    if (std::string token = environment(name); !token.empty()) return token;
  }
  if (!store) return {};
  std::string token = read_file_if_exists(*store / "token").value_or("");
  while (!token.empty() && (token.back() == '\n' || token.back() == ' ')) token.pop_back();
  return token;
}

Code code_of(std::string_view name, long status) {
  static constexpr Code kAll[] = {Code::kInvalidArgument,  Code::kNotFound,
                                  Code::kAlreadyExists,    Code::kFailedPrecondition,
                                  Code::kConflict,         Code::kUnauthenticated,
                                  Code::kPermissionDenied, Code::kResourceExhausted,
                                  Code::kUnavailable,      Code::kDeadlineExceeded,
                                  Code::kUnimplemented,    Code::kDataLoss,
                                  Code::kInternal};
  for (const Code code : kAll) {
    if (code_name(code) == name) return code;
  }
  if (status == 401) return Code::kUnauthenticated;
  if (status == 403) return Code::kPermissionDenied;
  if (status == 404) return Code::kNotFound;
  if (status == 400) return Code::kInvalidArgument;
  if (status == 409) return Code::kConflict;
  if (status == 412) return Code::kFailedPrecondition;
  if (status == 429 || status == 507) return Code::kResourceExhausted;
  if (status == 504) return Code::kDeadlineExceeded;
  return status == 503 ? Code::kUnavailable : Code::kInternal;
}

// The Error that the server's answer carries, in any of the forms that its APIs use.
Error error_of(const net::HttpResponse& response, const std::string& url) {
  try {
    const json::Value body = json::parse(response.body);
    if (const json::Value* const error = body.find("error");
        error != nullptr && error->is_object()) {
      const json::Value* const code = error->find("code");
      const json::Value* const message = error->find("message");
      const json::Value* const hint = error->find("hint");
      return Error(
          code_of(code != nullptr && code->is_string() ? code->as_string() : "", response.status),
          message != nullptr && message->is_string() ? message->as_string() : "the server refused",
          hint != nullptr && hint->is_string() ? hint->as_string() : "");
    }
    for (const char* const key : {"message", "error"}) {
      const json::Value* const text = body.find(key);
      if (text != nullptr && text->is_string())
        return Error(code_of("", response.status), text->as_string());
    }
  } catch (const Error&) {
    // Not JSON: what follows says what came instead.
  }
  // MLflow's routes refuse in plain words.
  if (response.status == 401)
    return Error(Code::kUnauthenticated, "the server does not know who asks",
                 "export SLIPWAY_TOKEN=…   (slipway token create makes one)");
  if (response.status == 403) return Error(Code::kPermissionDenied, "you may not do this");
  return Error(
      code_of("", response.status),
      "`" + url + "` answered " + std::to_string(response.status) + ", which no Slipway does here",
      "curl " + url + "/health");
}

}  // namespace

ServerAddress find_server() {
  const auto store = find_store();
  for (const char* const name : {"SLIPWAY_URL", "MLFLOW_TRACKING_URI"}) {
    const std::string url = environment(name);
    if (is_http(url)) return {without_slash(url), token_of(store)};
    if (!url.empty() && std::string_view(name) == "SLIPWAY_URL") {
      throw Error(Code::kInvalidArgument,
                  "SLIPWAY_URL is `" + url + "`, which is no http:// or https:// address");
    }
  }
  if (store) {
    if (const auto found = server::find_announcement(*store)) return {found->url, token_of(store)};
  }
  throw Error(
      Code::kUnavailable,
      "no server found: SLIPWAY_URL is not set and none runs on a .slipway folder here or above",
      kHowToFindOne);
}

Client::Client() : Client(find_server()) {}

Client::Client(ServerAddress address)
    : address_(std::move(address)), http_(std::make_unique<net::CurlHttpClient>()) {}

Client::~Client() = default;

net::HttpResponse Client::send(const std::string& method, std::string_view path,
                               std::vector<std::pair<std::string, std::string>> headers,
                               std::string body, int timeout_ms) {
  net::HttpRequest request;
  request.method = method;
  request.url = address_.url + std::string(path);
  request.headers = std::move(headers);
  if (!address_.token.empty())
    request.headers.emplace_back("Authorization", "Bearer " + address_.token);
  request.body = std::move(body);
  request.timeout_ms = timeout_ms;
  try {
    return http_->send(request);
  } catch (const Error& error) {
    if (error.code() != Code::kUnavailable || !error.hint().empty()) throw;
    throw Error(error.code(), error.what(), kHowToFindOne);
  }
}

namespace {

std::string with_query(std::string_view path, const Client::Query& query) {
  std::string target(path);
  char separator = '?';
  for (const auto& [name, value] : query) {
    if (value.empty()) continue;
    target += separator + name + "=" + net::percent_encode(value);
    separator = '&';
  }
  return target;
}

json::Value parsed(const net::HttpResponse& response, const std::string& url) {
  if (response.status < 200 || response.status > 299) throw error_of(response, url);
  return response.body.empty() ? json::Value(json::Object())
                               : json::parse(response.body, {.bare_non_finite = true});
}

}  // namespace

json::Value Client::get(std::string_view path, const Query& query) {
  return parsed(send("GET", with_query(path, query), {}, ""), url());
}

json::Value Client::post(std::string_view path, const json::Value& body, int timeout_ms) {
  return parsed(
      send("POST", path, {{"Content-Type", "application/json"}}, json::write(body), timeout_ms),
      url());
}

json::Value Client::remove(std::string_view path) {
  return parsed(send("DELETE", path, {}, ""), url());
}

json::Value Client::post_text(std::string_view path, std::string_view content_type,
                              const std::string& body) {
  return parsed(send("POST", path, {{"Content-Type", std::string(content_type)}}, body), url());
}

std::string Client::get_text(std::string_view path, const Query& query) {
  const net::HttpResponse response = send("GET", with_query(path, query), {}, "");
  if (response.status < 200 || response.status > 299) throw error_of(response, url());
  return response.body;
}

json::Array Client::get_pages(std::string_view path, Query query, std::string_view key) {
  constexpr int kPagesMax = 100;
  query.emplace_back("max_results", "1000");
  query.emplace_back("page_token", "");
  json::Array all;
  for (int page = 0; page < kPagesMax; ++page) {
    const json::Value answer = get(path, query);
    if (const json::Value* const list = answer.find(key); list != nullptr && list->is_array())
      all.insert(all.end(), list->as_array().begin(), list->as_array().end());
    const json::Value* const next = answer.find("next_page_token");
    if (next == nullptr || !next->is_string() || next->as_string().empty()) return all;
    query.back().second = next->as_string();
  }
  throw Error(Code::kResourceExhausted,
              "more than " + std::to_string(all.size()) + " " + std::string(key) +
                  ", the most that a command asks for: the rest would be missing");
}

std::string api_path(std::string_view pattern, const std::vector<std::string>& parts) {
  std::string path = "/api/slipway/v1";
  std::size_t used = 0;
  for (std::size_t at = 0; at < pattern.size();) {
    if (pattern.substr(at, 2) == "{}") {
      const std::string& part = parts.at(used++);
      // A path component that clients and proxies resolve before any server sees it.
      if (part == "." || part == "..")
        throw Error(Code::kInvalidArgument, "`" + part + "` names nothing here");
      path += net::percent_encode(part);
      at += 2;
    } else {
      path.push_back(pattern[at++]);
    }
  }
  return path;
}

}  // namespace slipway::cli
