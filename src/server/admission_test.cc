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

http::Route route_of(const http::Access& access, std::string pattern = "/x",
                     http::Method method = http::Method::kGet) {
  return http::route(
      method, std::move(pattern), access, http::Execution::kInline,
      [](const http::Request&) { return http::Response(); }, "a test");
}

// 200: admitted.
int status(http::Request request,
           const http::Access& access = http::Access::signed_in(http::Door::kOpenOnLoopback)) {
  AdmissionRules rules;
  rules.headers.hosts_allowed = {"ml.example.org"};
  rules.headers.listen_host = "192.0.2.7";
  rules.headers.listen_port = 5000;
  rules.token = "secret-token";
  const http::Route route = route_of(access);
  const auto refused = admission_hooks(rules).admit(request, route);
  return refused ? refused->status : 200;
}

TEST(Admission, OpenOnLoopbackMeansThisMachine) {
  for (const char* host : {"", "127.0.0.1:5000", "localhost:5000", "LOCALHOST", "[::1]:5000"})
    EXPECT_EQ(status(plain(host)), 200) << host;
  http::Request remote = plain("localhost:5000");
  remote.peer_is_loopback = false;
  EXPECT_EQ(status(remote), 401);
  EXPECT_EQ(status(plain("localhost"), http::Access::signed_in(http::Door::kToken)), 401);
}

TEST(Admission, AProxyOnThisMachineIsNotThisMachine) {
  for (const char* name :
       {"X-Forwarded-For", "x-forwarded-for", "Forwarded", "X-Forwarded-Host", "X-Real-IP"}) {
    http::Request request = plain("localhost:5000");
    request.headers.emplace_back(name, "203.0.113.9");
    EXPECT_EQ(status(request), 401) << name;
    request.headers.emplace_back("Authorization", "Bearer secret-token");
    EXPECT_EQ(status(request), 200) << name;
    EXPECT_EQ(status(plain("localhost:5000"), http::Access::anybody()), 200);
  }
  // The proxy passes the name on by which the world asked.
  for (const char* host : {"ml.example.org", "192.0.2.7:5000"})
    EXPECT_EQ(status(plain(host)), 401) << host;
  EXPECT_EQ(status(plain("127.example.org")), 403);
}

TEST(Admission, ARequestThatIsLetInKnowsItsCaller) {
  AdmissionRules rules;
  rules.token = "secret-token";
  rules.is_stage_token = [](const std::string& token) { return token == "stage-token"; };
  const http::ServerHooks hooks = admission_hooks(rules);
  const auto actor = [&](http::Request request, const http::Access& access) {
    EXPECT_FALSE(hooks.admit(request, route_of(access)));
    if (request.unverified) {
      EXPECT_FALSE(hooks.verify(request, route_of(access)));
    }
    return request.caller.actor() + (request.caller.admin ? " admin" : "");
  };
  const http::Access open = http::Access::signed_in(http::Door::kOpenOnLoopback);
  EXPECT_EQ(actor(plain("localhost"), http::Access::anybody()), "nobody");
  EXPECT_EQ(actor(plain("localhost"), open), "local admin");
  http::Request holder = plain("localhost");
  holder.headers.emplace_back("Authorization", "Bearer secret-token");
  EXPECT_EQ(actor(holder, open), "token:server admin");
  http::Request stage = plain("localhost");
  stage.peer_is_loopback = false;
  stage.path = "/api/2.0/mlflow/runs/create";
  stage.headers.emplace_back("Authorization", "Bearer stage-token");
  EXPECT_EQ(actor(stage, open), "token:stage admin");
  http::Caller account{.kind = http::Caller::Kind::kPassword, .name = "ann", .account = 7};
  EXPECT_EQ(account.actor(), "user:ann");
}

std::string refusal_at_start(const http::Access& access) {
  http::Router router;
  router.add(route_of(http::Access::anybody(), "/health"));
  router.add(route_of(access, "/things/{name}", http::Method::kPost));
  try {
    check_access(router.routes());
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kFailedPrecondition);
    return error.what();
  }
  return "starts";
}

TEST(Admission, ARouteWhoseAccessNobodyCanDecideKeepsTheServerFromStarting) {
  using http::Access;
  using http::Door;
  using http::Level;
  EXPECT_EQ(refusal_at_start(Access::anybody()), "starts");
  EXPECT_EQ(refusal_at_start(Access::admin(Door::kToken)), "starts");
  EXPECT_EQ(refusal_at_start({Door::kToken, Level::kRead, "endpoint", "path:name"}), "starts");
  EXPECT_EQ(refusal_at_start({Door::kToken, Level::kRead, "operations", "*"}), "starts");
  EXPECT_EQ(refusal_at_start({Door::kOpenOnLoopback, Level::kEdit, "run", "run_id"}), "starts");
  const std::string route = "the route POST /things/{name} ";
  EXPECT_EQ(refusal_at_start({Door::kToken, Level::kRead, "", ""}),
            route + "asks for a permission but does not say on what");
  EXPECT_EQ(refusal_at_start({Door::kPublic, Level::kRead, "run", "run_id"}),
            route + "is behind a public door but asks for more than to be anybody");
  EXPECT_EQ(refusal_at_start({Door::kOpenOnLoopback, Level::kAnybody, "", ""}),
            route + "asks nothing of its caller and is behind a door that is not public");
  EXPECT_EQ(refusal_at_start({Door::kToken, Level::kRead, "gadget", "*"}),
            route + "asks for permission on `gadget`, a kind that nobody can be given");
  EXPECT_EQ(refusal_at_start({Door::kToken, Level::kRead, "endpoint", "path:id"}),
            route + "is about {id}, which its path does not have");
  EXPECT_EQ(refusal_at_start({Door::kToken, Level::kRead, "run", "gadget_id"}),
            route + "says that the thing is found by `gadget_id`, which nothing here can find");
}

http::Response refused(const std::string& path, Code code, int status, bool has_route = true) {
  http::Request request;
  request.path = path;
  static const http::Route route = route_of(http::Access::anybody());
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
