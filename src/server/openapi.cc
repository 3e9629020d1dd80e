// SPDX-License-Identifier: Apache-2.0
#include "server/openapi.h"

#include <algorithm>
#include <map>
#include <string>

namespace slipway::server {
namespace {

constexpr std::string_view kPrefix = "/api/slipway/v1/";

// "/a/{id...}" as OpenAPI writes it, "/a/{id}", and the names of its parameters.
std::string openapi_path(const std::string& pattern, json::Array& parameters) {
  std::string path;
  for (std::size_t at = 0; at < pattern.size();) {
    if (pattern[at] != '{') {
      path.push_back(pattern[at++]);
      continue;
    }
    const std::size_t end = pattern.find('}', at);
    std::string name = pattern.substr(at + 1, end - at - 1);
    if (name.ends_with("...")) name.resize(name.size() - 3);
    path += "{" + name + "}";
    parameters.push_back(json::Object{{"name", name},
                                      {"in", "path"},
                                      {"required", true},
                                      {"schema", json::Object{{"type", "string"}}}});
    at = end + 1;
  }
  return path;
}

std::string lower_name(http::Method method) {
  std::string name(http::method_name(method));
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return static_cast<char>(c | 0x20); });
  return name;
}

}  // namespace

json::Value openapi_document(const http::Router& router) {
  std::map<std::string, std::map<std::string, json::Object>>
      paths;  // sorted: same table, same text
  for (const http::Route& route : router.routes()) {
    if (!route.pattern.starts_with(kPrefix)) continue;
    json::Array parameters;
    const std::string path = openapi_path(route.pattern, parameters);
    json::Object operation{{"summary", route.summary}};
    if (!parameters.empty()) operation.set("parameters", parameters);
    operation.set(
        "responses",
        json::Object{
            {"200", json::Object{{"description", "done"}}},
            {"default",
             json::Object{
                 {"description", "an error"},
                 {"content",
                  json::Object{
                      {"application/json",
                       json::Object{
                           {"schema", json::Object{{"$ref", "#/components/schemas/Error"}}}}}}}}}});
    if (route.access.door == http::Door::kToken) {
      operation.set("security", json::Array{json::Object{{"token", json::Array()}}});
    }
    paths[path][lower_name(route.method)] = std::move(operation);
  }
  json::Object listed;
  for (auto& [path, operations] : paths) {
    json::Object methods;
    for (auto& [method, operation] : operations) methods.set(method, std::move(operation));
    listed.set(path, std::move(methods));
  }
  const json::Object text{{"type", "string"}};
  const json::Object error{
      {"type", "object"},
      {"properties",
       json::Object{{"error", json::Object{{"type", "object"},
                                           {"properties", json::Object{{"code", text},
                                                                       {"message", text},
                                                                       {"hint", text}}}}}}}};
  return json::Object{
      {"openapi", "3.1.0"},
      {"info", json::Object{{"title", "Slipway"}, {"version", "v1"}}},
      {"paths", std::move(listed)},
      {"components",
       json::Object{
           {"schemas", json::Object{{"Error", error}}},
           {"securitySchemes",
            json::Object{{"token", json::Object{{"type", "http"}, {"scheme", "bearer"}}}}}}}};
}

}  // namespace slipway::server
