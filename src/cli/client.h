// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "json/value.h"
#include "net/http_client.h"

namespace slipway::cli {

// Where the server is: SLIPWAY_URL, else MLFLOW_TRACKING_URI where it is http(s), else the live
// server named in .slipway/server.json of this folder or one above it. Throws kUnavailable with a
// hint when there is none.
struct ServerAddress {
  std::string url;    // without a slash at the end
  std::string token;  // SLIPWAY_TOKEN, else MLFLOW_TRACKING_TOKEN, else the file .slipway/token
                      // beside server.json; may be empty
};
ServerAddress find_server();

// Talks to a server's own API for one command. Errors of the server come back as the Error that it
// threw: code, message, hint. kUnavailable when it cannot be reached. Not thread-safe; keeps its
// connection.
class Client {
 public:
  Client();  // find_server()
  explicit Client(ServerAddress address);
  ~Client();

  using Query = std::vector<std::pair<std::string, std::string>>;
  json::Value get(std::string_view path, const Query& query = {});
  json::Value post(std::string_view path, const json::Value& body, int timeout_ms = kTimeoutMs);
  json::Value remove(std::string_view path);                             // DELETE
  std::string get_text(std::string_view path, const Query& query = {});  // the body as it is
  json::Value post_text(std::string_view path, std::string_view content_type,
                        const std::string& body);

  // A list of MLflow's API to its end, 1,000 entries a request. Throws kResourceExhausted where 100
  // requests do not reach the end: part of a list looks like the whole one.
  json::Array get_pages(std::string_view path, Query query, std::string_view key);

  // Any request with the token set; no error is thrown for a status.
  net::HttpResponse send(const std::string& method, std::string_view path,
                         std::vector<std::pair<std::string, std::string>> headers, std::string body,
                         int timeout_ms = kTimeoutMs);

  const std::string& url() const { return address_.url; }

  static constexpr int kTimeoutMs = 60'000;

 private:
  ServerAddress address_;
  std::unique_ptr<net::HttpClient> http_;
};

// "/api/slipway/v1" + path with each {} replaced by an escaped part:
// api_path("/endpoints/{}/labels", {name}). kInvalidArgument for "." and "..", which a path cannot
// hold.
std::string api_path(std::string_view pattern, const std::vector<std::string>& parts = {});

}  // namespace slipway::cli
