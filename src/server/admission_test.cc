// SPDX-License-Identifier: Apache-2.0
#include "server/admission.h"

#include <gtest/gtest.h>

namespace slipway::server {
namespace {

http::Request plain(const std::string& host) {
  http::Request request;
  request.method = http::Method::kGet;
  request.path = "/api/slipway/v1/status";
  request.peer = "127.0.0.1";
  request.peer_is_loopback = true;
  if (!host.empty()) request.headers.emplace_back("Host", host);
  return request;
}

// 200: admitted.
int status(const http::Request& request,
           http::Permission permission = http::Permission::kOpenOnLoopback) {
  AdmissionRules rules;
  rules.headers.hosts_allowed = {"ml.example.org"};
  rules.headers.listen_host = "192.0.2.7";
  rules.headers.listen_port = 5000;
  rules.token = "secret-token";
  http::Route route;
  route.permission = permission;
  const auto refused = admission_hooks(rules).admit(request, route);
  return refused ? refused->status : 200;
}

TEST(Admission, OpenOnLoopbackMeansThisMachine) {
  for (const char* host : {"", "127.0.0.1:5000", "localhost:5000", "LOCALHOST", "[::1]:5000"})
    EXPECT_EQ(status(plain(host)), 200) << host;
  http::Request remote = plain("localhost:5000");
  remote.peer_is_loopback = false;
  EXPECT_EQ(status(remote), 401);
  EXPECT_EQ(status(plain("localhost"), http::Permission::kToken), 401);
}

TEST(Admission, AProxyOnThisMachineIsNotThisMachine) {
  for (const char* name :
       {"X-Forwarded-For", "x-forwarded-for", "Forwarded", "X-Forwarded-Host", "X-Real-IP"}) {
    http::Request request = plain("localhost:5000");
    request.headers.emplace_back(name, "203.0.113.9");
    EXPECT_EQ(status(request), 401) << name;
    request.headers.emplace_back("Authorization", "Bearer secret-token");
    EXPECT_EQ(status(request), 200) << name;
    EXPECT_EQ(status(plain("localhost:5000"), http::Permission::kPublic), 200);
  }
  // The proxy passes the name on by which the world asked.
  for (const char* host : {"ml.example.org", "192.0.2.7:5000"})
    EXPECT_EQ(status(plain(host)), 401) << host;
  EXPECT_EQ(status(plain("127.example.org")), 403);
}

http::Response refused(const std::string& path, Code code, int status, bool has_route = true) {
  http::Request request;
  request.path = path;
  const http::Route route{};
  return admission_hooks({}).refuse(request, has_route ? &route : nullptr, Error(code, "no"),
                                    status);
}

TEST(Admission, WhatAHandlerThrowsHasTheStatusOfItsOwnApi) {
  const auto thrown = [](const std::string& path, Code code) {
    return refused(path, code, http::status_of(code)).status;
  };
  // A full disk: the same on both sides, and nothing that a client repeats for minutes.
  EXPECT_EQ(thrown("/api/slipway/v1/apply", Code::kResourceExhausted), 507);
  EXPECT_EQ(thrown("/api/2.0/mlflow/runs/create", Code::kResourceExhausted), 507);
  EXPECT_EQ(thrown("/v2/models/m/infer", Code::kResourceExhausted), 503);
  EXPECT_EQ(thrown("/api/slipway/v1/rollouts/R/pause", Code::kFailedPrecondition), 412);
  EXPECT_EQ(thrown("/v2/models/m/infer", Code::kFailedPrecondition), 503);
  EXPECT_EQ(thrown("/endpoints/e/invocations", Code::kNotFound), 404);
}

TEST(Admission, WhatTheServerRefusesItselfKeepsItsStatus) {
  EXPECT_EQ(refused("/api/slipway/v1/apply", Code::kResourceExhausted, 413).status, 413);
  EXPECT_EQ(refused("/api/slipway/v1/apply", Code::kInvalidArgument, 415).status, 415);
  EXPECT_EQ(refused("/api/slipway/v1/nope", Code::kNotFound, 404, false).status, 404);
  EXPECT_EQ(refused("/v2/nope", Code::kResourceExhausted, 429, false).status, 429);
}

}  // namespace
}  // namespace slipway::server
