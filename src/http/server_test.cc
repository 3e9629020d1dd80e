// SPDX-License-Identifier: Apache-2.0
#include "http/server.h"

#include <gtest/gtest.h>
#include <thread>

#include "base/mutex.h"
#include "http/testing.h"

namespace slipway::http {
namespace {

Response text(std::string body) {
  Response response;
  response.content_type = "text/plain";
  response.body = std::move(body);
  return response;
}

Route get(std::string pattern, Execution execution, Handler handler) {
  return route(Method::kGet, std::move(pattern), Access::anybody(), execution, std::move(handler),
               "");
}

Route post(std::string pattern, Execution execution, Handler handler) {
  return route(Method::kPost, std::move(pattern), Access::anybody(), execution, std::move(handler),
               "");
}

std::vector<Route> basic_routes() {
  std::vector<Route> routes;
  routes.push_back(get("/hello", Execution::kInline, [](const Request&) { return text("hello"); }));
  routes.push_back(
      get("/pool", Execution::kPool, [](const Request&) { return text("from the pool"); }));
  routes.push_back(
      post("/echo", Execution::kPool, [](const Request& request) { return text(request.body); }));
  routes.push_back(post("/echo-inline", Execution::kInline,
                        [](const Request& request) { return text(request.body); }));
  routes.push_back(get("/path/{x}", Execution::kInline, [](const Request& request) {
    std::string body = request.path + "|" + request.path_parameter("x");
    for (const auto& [name, value] : request.query) body += "|" + name + "=" + value;
    return text(body);
  }));
  routes.push_back(get("/error", Execution::kPool, [](const Request&) -> Response {
    throw Error(Code::kFailedPrecondition, "the thing is deleted");
  }));
  routes.push_back(get("/crash", Execution::kInline, [](const Request&) -> Response {
    throw std::runtime_error("secret internals");
  }));
  routes.push_back(get("/none", Execution::kInline, [](const Request&) {
    Response response;
    response.status = 204;
    response.content_type = "";
    return response;
  }));
  routes.push_back(get("/split", Execution::kInline, [](const Request& request) {
    Response response = text("x");
    response.headers.emplace_back("X-Echo", std::string(request.query_value("v").value_or("")));
    return response;
  }));
  Route dropped{.method = Method::kGet,
                .pattern = "/dropped",
                .access = Access::anybody(),
                .execution = Execution::kInline,
                .handler = [](Request&, Responder) {},
                .summary = ""};
  routes.push_back(dropped);
  dropped.pattern = "/dropped-pool";
  dropped.execution = Execution::kPool;
  routes.push_back(dropped);
  return routes;
}

std::string without_date(std::string response) {
  const std::size_t at = response.find("Date: ");
  if (at != std::string::npos) response.erase(at, response.find("\r\n", at) + 2 - at);
  return response;
}

TEST(Server, AnswersAGet) {
  TestServer server(basic_routes());
  EXPECT_EQ(without_date(server.ask("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n")),
            "HTTP/1.1 200 OK\r\nX-Content-Type-Options: nosniff\r\nX-Frame-Options: SAMEORIGIN\r\n"
            "Content-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello");
}

TEST(Server, DatesItsAnswers) {
  TestServer server(basic_routes());
  const std::string response = server.ask("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
  const std::size_t at = response.find("\r\nDate: ");
  ASSERT_NE(at, std::string::npos);
  const std::string date = response.substr(at + 8, 29);
  EXPECT_EQ(date.substr(3, 2), ", ");
  EXPECT_EQ(date.substr(25), " GMT");
}

TEST(Server, KeepsTheConnection) {
  TestServer server(basic_routes());
  RawClient client = server.connect();
  for (int i = 0; i < 3; ++i) {
    client.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_EQ(body_of(client.read_response()), "hello");
    client.send("GET /pool HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_EQ(body_of(client.read_response()), "from the pool");
  }
}

TEST(Server, ClosesWhenAsked) {
  TestServer server(basic_routes());
  RawClient client = server.connect();
  client.send("GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const std::string response = client.read_to_end();
  EXPECT_NE(response.find("\r\nConnection: close\r\n"), std::string::npos);
  EXPECT_EQ(body_of(response), "hello");
}

TEST(Server, Http10ClosesUnlessAskedToKeep) {
  TestServer server(basic_routes());
  RawClient first = server.connect();
  first.send("GET /hello HTTP/1.0\r\n\r\n");
  EXPECT_NE(first.read_to_end().find("\r\nConnection: close\r\n"), std::string::npos);
  RawClient second = server.connect();
  second.send("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_NE(second.read_response().find("\r\nConnection: keep-alive\r\n"), std::string::npos);
  second.send("GET /pool HTTP/1.0\r\n\r\n");
  EXPECT_EQ(body_of(second.read_to_end()), "from the pool");
}

TEST(Server, PipelinedRequestsAreAnsweredInOrder) {
  TestServer server(basic_routes());
  RawClient client = server.connect();
  std::string requests;
  for (int i = 0; i < 200; ++i) {
    requests += i % 3 == 0 ? "GET /pool HTTP/1.1\r\nHost: x\r\n\r\n"
                           : "POST /echo-inline HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n" +
                                 std::to_string(100 + i);
  }
  client.send(requests);
  for (int i = 0; i < 200; ++i) {
    EXPECT_EQ(body_of(client.read_response()),
              i % 3 == 0 ? "from the pool" : std::to_string(100 + i));
  }
}

TEST(Server, AHalfClosedClientIsStillAnswered) {
  TestServer server(basic_routes());
  RawClient client = server.connect();
  client.send("GET /pool HTTP/1.1\r\nHost: x\r\n\r\n");
  client.half_close();
  EXPECT_EQ(body_of(client.read_to_end()), "from the pool");
}

TEST(Server, HeadHasTheLengthAndNoBody) {
  TestServer server(basic_routes());
  RawClient client = server.connect();
  client.send("HEAD /hello HTTP/1.1\r\nHost: x\r\n\r\nGET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_NE(client.read_response(true).find("\r\nContent-Length: 5\r\n"), std::string::npos);
  EXPECT_EQ(body_of(client.read_response()), "hello");
}

TEST(Server, NoContentHasNoLength) {
  TestServer server(basic_routes());
  EXPECT_EQ(without_date(server.ask("GET /none HTTP/1.1\r\nHost: x\r\n\r\n")),
            "HTTP/1.1 204 No Content\r\nX-Content-Type-Options: nosniff\r\nX-Frame-Options: "
            "SAMEORIGIN\r\n\r\n");
}

TEST(Server, PathAndQueryArriveDecoded) {
  TestServer server(basic_routes());
  EXPECT_EQ(body_of(server.ask("GET //path/a%20b?q=1+2&r=%C3%A4 HTTP/1.1\r\nHost: x\r\n\r\n")),
            "/path/a b|a b|q=1 2|r=\xc3\xa4");
}

TEST(Server, TricksWithEscapesAreRefused) {
  TestServer server(basic_routes());
  for (const char* path : {"/path/%2e%2e", "/path/..", "/path/%00", "/path/%", "/path/%zz",
                           "/path/%ff", "/path/a?x=%00", "/path/%2e%2e%2f", "nopath", "/a#b"}) {
    const std::string response =
        server.ask(std::string("GET ") + path + " HTTP/1.1\r\nHost: x\r\n\r\n");
    const bool dots_inside =
        std::string_view(path) == "/path/%2e%2e%2f";  // one segment "../", for the handler to judge
    EXPECT_EQ(status_of_response(response), dots_inside ? 200 : 400) << path << "\n" << response;
  }
}

TEST(Server, UnknownPathsAndMethods) {
  TestServer server(basic_routes());
  EXPECT_EQ(body_of(server.ask("GET /nope HTTP/1.1\r\nHost: x\r\n\r\n")),
            "not_found 404: no such path: /nope");
  const std::string response = server.ask("DELETE /hello HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(status_of_response(response), 405);
  EXPECT_NE(response.find("\r\nAllow: GET, HEAD\r\n"), std::string::npos) << response;
}

TEST(Server, ARefusedPostKeepsTheConnection) {
  TestServer server(basic_routes());
  RawClient client = server.connect();
  client.send(
      "POST /nope HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabcdePOST /echo "
      "HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nok");
  EXPECT_EQ(status_of_response(client.read_response()), 404);
  EXPECT_EQ(body_of(client.read_response()), "ok");
}

TEST(Server, ErrorsOfHandlersHaveTheirStatus) {
  TestServer server(basic_routes());
  EXPECT_EQ(body_of(server.ask("GET /error HTTP/1.1\r\nHost: x\r\n\r\n")),
            "failed_precondition 409: the thing is deleted");
}

TEST(Server, OtherExceptionsTellNothingButAnId) {
  TestServer server(basic_routes());
  const std::string body = body_of(server.ask("GET /crash HTTP/1.1\r\nHost: x\r\n\r\n"));
  EXPECT_EQ(body.substr(0, 29), "internal 500: internal error ");
  EXPECT_EQ(body.substr(37), ": the server's log has more under this id");
}

TEST(Server, ARequestThatNobodyAnswersGets500) {
  TestServer server(basic_routes());
  for (const char* path : {"/dropped", "/dropped-pool"}) {
    EXPECT_EQ(body_of(server.ask(std::string("GET ") + path + " HTTP/1.1\r\nHost: x\r\n\r\n")),
              "internal 500: the request's handler gave no answer");
  }
}

TEST(Server, HeaderValuesCannotEndTheirLine) {
  TestServer server(basic_routes());
  const std::string response =
      server.ask("GET /split?v=a%0d%0aSet-Cookie:x HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_NE(response.find("\r\nX-Echo: a  Set-Cookie:x\r\n"), std::string::npos) << response;
}

TEST(Server, AnswersFromAnotherThreadAndLate) {
  std::vector<Responder> kept;
  Mutex mutex;
  Route parked{.method = Method::kGet,
               .pattern = "/parked",
               .access = Access::anybody(),
               .execution = Execution::kInline,
               .handler =
                   [&](Request&, Responder responder) {
                     const MutexLock lock(mutex);
                     kept.push_back(std::move(responder));
                   },
               .summary = ""};
  {
    TestServer server({parked});
    RawClient client = server.connect();
    client.send("GET /parked HTTP/1.1\r\nHost: x\r\n\r\n");
    std::optional<Responder> responder;
    while (!responder) {
      const MutexLock lock(mutex);
      if (!kept.empty()) responder = kept.back();
    }
    std::thread([&] {
      responder->send(text("late"));
      responder->send(text("twice is ignored"));
    }).join();
    EXPECT_EQ(body_of(client.read_response()), "late");
    RawClient second = server.connect();
    second.send("GET /parked HTTP/1.1\r\nHost: x\r\n\r\n");
    for (std::size_t count = 0; count < 2;) {
      const MutexLock lock(mutex);
      count = kept.size();
    }
  }
  kept.back().send(text("the server is gone"));  // does nothing
}

TEST(Server, CountsRequestsByMethodAndCode) {
  TestServer server(basic_routes());
  server.ask("GET /hello HTTP/1.1\r\nHost: x\r\n\r\nGET /nope HTTP/1.1\r\nHost: x\r\n\r\n");
  const std::string text = server.metrics.text();
  EXPECT_NE(text.find("slipway_http_requests_total{code=\"200\",method=\"GET\"} 1\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("slipway_http_requests_total{code=\"404\",method=\"GET\"} 1\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("slipway_http_request_duration_seconds_count 2\n"), std::string::npos)
      << text;
  EXPECT_NE(text.find("slipway_http_connections "), std::string::npos) << text;
}

TEST(Server, ExtraHeadersAreOnEveryAnswer) {
  ServerOptions options = TestServer::small();
  options.headers = {{"Vary", "Origin"}};
  TestServer server(basic_routes(), options);
  for (const char* path : {"/hello", "/nope"}) {
    EXPECT_NE(server.ask(std::string("GET ") + path + " HTTP/1.1\r\nHost: x\r\n\r\n")
                  .find("\r\nVary: Origin\r\n"),
              std::string::npos);
  }
}

TEST(Server, TheAdmissionHookDecidesBeforeTheHandler) {
  Router router;
  router.add(basic_routes());
  metrics::Registry metrics;
  ServerHooks hooks;
  hooks.admit = [](const Request& request, const Route& route) -> std::optional<Response> {
    EXPECT_EQ(request.peer, "127.0.0.1");
    EXPECT_TRUE(request.peer_is_loopback);
    if (request.header("Authorization") == "fault")
      throw Error(Code::kUnauthenticated, "no such token");
    if (request.header("Authorization") == "good") return std::nullopt;
    Response response = text("not " + route.pattern);
    response.status = 403;
    return response;
  };
  Server server(TestServer::small(), router, hooks, metrics);
  server.start();
  RawClient client(server.port());
  const auto ask = [&](const std::string& token) {
    client.send("GET /path/x HTTP/1.1\r\nHost: x\r\nAuthorization: " + token + "\r\n\r\n");
    const std::string response = client.read_response();
    return std::to_string(status_of_response(response)) + " " + body_of(response);
  };
  EXPECT_EQ(ask("bad"), "403 not /path/{x}");
  EXPECT_EQ(ask("good"), "200 /path/x|x");
  EXPECT_EQ(ask("fault"), "401 no such token\n");  // no refuse hook: plain text
}

TEST(Server, APortInUseIsNamed) {
  TestServer server(basic_routes());
  ServerOptions options = TestServer::small();
  options.port = server.port();
  try {
    const Server second(options, server.router, {}, server.metrics);
    FAIL() << "two servers on one port";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kUnavailable);
    EXPECT_EQ(std::string(error.what()),
              "cannot listen on 127.0.0.1:" + std::to_string(server.port()) +
                  ": Address already in use; another program has this port, choose another one or "
                  "port 0");
  }
}

TEST(Server, AHostThatIsNotOursIsNamed) {
  Router router;
  metrics::Registry metrics;
  ServerOptions options;
  options.host = "no.such.host.invalid";
  EXPECT_THROW(Server(options, router, {}, metrics), Error);
}

TEST(Server, ListensOnIpv6) {
  ServerOptions options = TestServer::small();
  options.host = "::1";
  Router router;
  metrics::Registry metrics;
  Server server(options, router, {}, metrics);
  server.start();
  EXPECT_GT(server.port(), 0);
}

}  // namespace
}  // namespace slipway::http
