// SPDX-License-Identifier: Apache-2.0
// What strangers send: heads too long or too slow, nonsense, many at once, clients that vanish.
#include <gtest/gtest.h>
#include <random>
#include <thread>

#include "base/mutex.h"
#include "http/testing.h"

namespace slipway::http {
namespace {

using std::chrono::milliseconds;

Response text(std::string body) {
  Response response;
  response.content_type = "text/plain";
  response.body = std::move(body);
  return response;
}

std::vector<Route> simple_routes() {
  Route stream = route(
      Method::kPut, "/stream/{path...}", Access::anybody(), Execution::kPool,
      [](const Request& request) {
        char piece[1'000];
        std::size_t total = 0;
        while (const std::size_t got = request.body_reader->read(piece, sizeof piece)) total += got;
        return text(std::to_string(total));
      },
      "");
  stream.stream_body = true;
  return {route(
              Method::kGet, "/hello", Access::anybody(), Execution::kInline,
              [](const Request&) { return text("hello"); }, ""),
          route(
              Method::kGet, "/pool", Access::anybody(), Execution::kPool,
              [](const Request&) { return text("hello"); }, ""),
          route(
              Method::kPost, "/echo/{name}", Access::anybody(), Execution::kPool,
              [](const Request& request) { return text(request.body); }, ""),
          stream};
}

constexpr std::string_view kHello = "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n";

TEST(Robust, MalformedRequestsAreAnswered400AndClosed) {
  TestServer server(simple_routes());
  for (const char* request :
       {"nonsense\r\n\r\n", "GET\r\n\r\n", "GET /hello\r\n\r\n",
        "GET /hello HTTP/1.1\r\nno colon\r\n\r\n", "GET /hello HTTP/1.1\nHost: x\n\n",
        "GET /hello HTTP/1.1\r\n: x\r\n\r\n", "GET /hello HTTP/1.1\r\nHost : x\r\n\r\n",
        "G@T /hello HTTP/1.1\r\nHost: x\r\n\r\n", "GET /hello HTTP/1.1\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET /he\x01llo HTTP/1.1\r\nHost: x\r\n\r\n", "\x16\x03\x01\x02 TLS hello\r\n\r\n"}) {
    const std::string response = server.ask(std::string(request) + std::string(kHello));
    EXPECT_EQ(status_of_response(response), 400) << request << response;
    EXPECT_NE(response.find("\r\nConnection: close\r\n"), std::string::npos);
    EXPECT_EQ(response.find("hello"), std::string::npos)
        << "what follows a malformed request is not a request";
  }
  EXPECT_EQ(status_of_response(server.ask("GET /hello HTTP/2.0\r\nHost: x\r\n\r\n")), 505);
}

TEST(Robust, EmptyLinesBeforeARequestAreSkipped) {
  TestServer server(simple_routes());
  EXPECT_EQ(body_of(server.ask("\r\n\r\n" + std::string(kHello))), "hello");
}

TEST(Robust, HeadsAreLimited) {
  ServerOptions options = TestServer::small();
  options.header_bytes_max = 4'096;
  TestServer server(simple_routes(), options);
  const auto with_field = [](std::size_t bytes) {
    return "GET /hello HTTP/1.1\r\nHost: x\r\nX: " + std::string(bytes, 'a') + "\r\n\r\n";
  };
  EXPECT_EQ(body_of(server.ask(with_field(3'900))), "hello");
  const std::string expected =
      "resource_exhausted 431: the request's head is longer than 4096 bytes or has more than 256 "
      "fields";
  EXPECT_EQ(body_of(server.ask(with_field(5'000))), expected);
  EXPECT_EQ(body_of(server.ask(with_field(1'000'000))), expected);
  EXPECT_EQ(status_of_response(server.ask("GET /" + std::string(100'000, 'a') + " HTTP/1.1\r\n")),
            431);
}

TEST(Robust, HeaderFieldsAreCounted) {
  TestServer server(simple_routes());
  const auto with_fields = [](int fields) {
    std::string request = "GET /hello HTTP/1.1\r\nHost: x\r\n";
    for (int i = 1; i < fields; ++i) request += "A: b\r\n";
    return request + "\r\n";
  };
  EXPECT_EQ(body_of(server.ask(with_fields(256))), "hello");
  EXPECT_EQ(status_of_response(server.ask(with_fields(257))), 431);
}

TEST(Robust, HeadsUpToTheDefaultLimitArrive) {
  TestServer server(simple_routes());
  EXPECT_EQ(body_of(server.ask("GET /hello HTTP/1.1\r\nHost: x\r\nX: " + std::string(60'000, 'a') +
                               "\r\n\r\n" + std::string(kHello)))
                .substr(0, 5),
            "hello");
}

TEST(Robust, ASlowHeadIsAnswered408) {
  ServerOptions options = TestServer::small();
  options.header_timeout_s = 1;
  TestServer server(simple_routes(), options);
  RawClient client = server.connect();
  const auto begun = std::chrono::steady_clock::now();
  std::thread dripping([&] {  // a byte now and then does not buy time
    for (int i = 0; i < 15 && client.try_send(i == 0 ? "G" : "E"); ++i)
      std::this_thread::sleep_for(milliseconds(100));
  });
  EXPECT_EQ(body_of(client.read_response()),
            "deadline_exceeded 408: the request's head did not arrive within 1 s");
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(3));
  dripping.join();
}

TEST(Robust, IdleConnectionsAreClosed) {
  ServerOptions options = TestServer::small();
  options.idle_timeout_s = 1;
  TestServer server(simple_routes(), options);
  RawClient client = server.connect();
  client.send(kHello);
  client.read_response();
  EXPECT_TRUE(client.ended_within(3'000));
}

TEST(Robust, AClientThatReadsNothingIsCutOff) {
  ServerOptions options = TestServer::small();
  options.write_timeout_s = 1;
  TestServer server({route(
                        Method::kGet, "/large", Access::anybody(), Execution::kPool,
                        [](const Request&) { return text(std::string(64U << 20, 'x')); }, "")},
                    options);
  RawClient client = server.connect();
  client.send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
  std::this_thread::sleep_for(milliseconds(2'500));
  EXPECT_LT(client.read_to_end().size(), 64U << 20);
}

TEST(Robust, TooManyConnectionsAreTurnedAway) {
  ServerOptions options = TestServer::small();
  options.connections_max = 3;
  TestServer server(simple_routes(), options);
  std::vector<RawClient> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(server.connect());
    clients.back().send(kHello);
    EXPECT_EQ(body_of(clients.back().read_response()), "hello");
  }
  EXPECT_EQ(status_of_response(server.connect().read_to_end()), 503);
  clients.pop_back();
  std::string response;
  for (int i = 0; i < 100 && status_of_response(response) != 200; ++i)
    response = server.ask(kHello);
  EXPECT_EQ(body_of(response), "hello");
}

TEST(Robust, AFullPoolAnswers503) {
  Mutex mutex;
  CondVar wake;
  bool go = false;
  std::atomic<int> running{0};
  ServerOptions options = TestServer::small();
  options.pool_queue_max = 2;
  TestServer server({route(
                        Method::kGet, "/wait", Access::anybody(), Execution::kPool,
                        [&](const Request&) {
                          ++running;
                          const MutexLock lock(mutex);
                          while (!go) wake.wait(mutex);
                          return text("done");
                        },
                        "")},
                    options);
  const std::string request = "GET /wait HTTP/1.1\r\nHost: x\r\n\r\n";
  std::vector<RawClient> clients;
  const auto ask = [&] {
    clients.push_back(server.connect());
    clients.back().send(request);
  };
  ask();
  ask();
  while (running < 2) std::this_thread::sleep_for(milliseconds(1));
  ask();
  ask();
  std::this_thread::sleep_for(milliseconds(50));
  RawClient refused = server.connect();
  refused.send(request);
  const std::string response = refused.read_response();
  EXPECT_EQ(body_of(response),
            "unavailable 503: the server is busy: 2 requests wait already; try again later");
  EXPECT_NE(response.find("\r\nRetry-After: 1\r\n"), std::string::npos);
  {
    const MutexLock lock(mutex);
    go = true;
  }
  wake.notify_all();
  for (RawClient& client : clients) EXPECT_EQ(body_of(client.read_response()), "done");
}

TEST(Robust, WhatAHandlerStillWaitsForIsGivenUpAfterTheGrace) {
  std::atomic<bool> running{false}, given_up{false}, returned{false};
  TestServer server({route(
      Method::kGet, "/wait", Access::anybody(), Execution::kPool,
      [&](const Request&) {
        running = true;
        while (!given_up) std::this_thread::sleep_for(milliseconds(1));
        returned = true;
        return text("done");
      },
      "")});
  RawClient client = server.connect();
  client.send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
  while (!running) std::this_thread::sleep_for(milliseconds(1));
  const auto begun = std::chrono::steady_clock::now();
  server.server.stop(100, [&] {
    EXPECT_GE(std::chrono::steady_clock::now() - begun, milliseconds(100));
    EXPECT_FALSE(returned);
    given_up = true;
  });
  EXPECT_TRUE(returned);
}

TEST(Robust, TwoHundredConnectionsOnTwoThreads) {
  ServerOptions options;
  options.io_threads = 2;
  options.pool_threads = 2;
  TestServer server(simple_routes(), options);
  std::vector<RawClient> clients;
  for (int i = 0; i < 200; ++i) clients.push_back(server.connect());
  for (int round = 0; round < 5; ++round) {
    for (std::size_t i = 0; i < clients.size(); ++i) {
      const std::string body(i * 10, static_cast<char>('a' + i % 26));
      clients[i].send("POST /echo/x HTTP/1.1\r\nHost: x\r\nContent-Length: " +
                      std::to_string(body.size()) + "\r\n\r\n" + body);
    }
    for (std::size_t i = 0; i < clients.size(); ++i) {
      EXPECT_EQ(body_of(clients[i].read_response()),
                std::string(i * 10, static_cast<char>('a' + i % 26)));
    }
  }
}

TEST(Robust, ClientsThatVanishLeaveNothingBehind) {
  TestServer server({route(
                         Method::kGet, "/large", Access::anybody(), Execution::kPool,
                         [](const Request&) { return text(std::string(8U << 20, 'x')); }, ""),
                     route(
                         Method::kGet, "/hello", Access::anybody(), Execution::kInline,
                         [](const Request&) { return text("hello"); }, ""),
                     route(
                         Method::kGet, "/slow", Access::anybody(), Execution::kPool,
                         [](const Request&) {
                           std::this_thread::sleep_for(milliseconds(20));
                           return text("slow");
                         },
                         "")});
  for (int i = 0; i < 30; ++i) {
    RawClient client = server.connect();
    client.send(i % 2 == 0 ? "GET /large HTTP/1.1\r\nHost: x\r\n\r\n"
                           : "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
    if (i % 4 == 0) client.read_bytes(1'000);
    client.vanish();
  }
  std::string metrics;
  for (int i = 0; i < 500; ++i) {
    metrics = server.metrics.text();
    if (metrics.find("slipway_http_connections 0\n") != std::string::npos) break;
    std::this_thread::sleep_for(milliseconds(10));
  }
  EXPECT_NE(metrics.find("slipway_http_connections 0\n"), std::string::npos);
  EXPECT_EQ(body_of(server.ask(kHello)), "hello");
}

// Valid requests with bytes changed, cut, doubled and inserted: whatever comes, the server answers
// or closes, and goes on.
TEST(Robust, MutatedRequestsDoNoHarm) {
  ServerOptions options = TestServer::small();
  options.body_timeout_s = 2;
  options.header_timeout_s = 2;
  TestServer server(simple_routes(), options);
  const std::vector<std::string> seeds = {
      std::string(kHello) + std::string(kHello),
      "POST /echo/a%20b?x=%41&y=+ HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\nhello world" +
          std::string(kHello),
      "POST /echo/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
      "chunked\r\n\r\n5;e=f\r\nhello\r\n0\r\nA: b\r\n\r\n" +
          std::string(kHello),
      "PUT /stream/a/b/c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nExpect: "
      "100-continue\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
      "HEAD http://x/hello HTTP/1.0\r\nConnection: keep-alive\r\n folded\r\n\r\n"};
  std::mt19937 random(20130101);
  const auto below = [&](std::size_t limit) {
    return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random);
  };
  constexpr std::string_view kNasty("\r\n\0\xff%:; \t0f,-+/\x7f", 17);
  int answered = 0;
  for (int i = 0; i < 1'500; ++i) {
    std::string request = seeds[below(seeds.size())];
    for (std::size_t change = below(4) + 1; change > 0 && !request.empty(); --change) {
      const std::size_t at = below(request.size());
      switch (below(5)) {
        case 0: request[at] = kNasty[below(kNasty.size())]; break;
        case 1: request[at] = static_cast<char>(below(256)); break;
        case 2: request.erase(at, below(20)); break;
        case 3: request.insert(at, std::string(below(3) + 1, kNasty[below(kNasty.size())])); break;
        default: request.insert(at, request.substr(at, below(40))); break;
      }
    }
    RawClient client = server.connect();
    const std::size_t cut = below(request.size() + 1);
    client.send(std::string_view(request).substr(0, cut));
    client.send(std::string_view(request).substr(cut));
    client.half_close();
    const std::string response = client.read_to_end();
    if (!response.empty()) {
      ++answered;
      EXPECT_TRUE(response.starts_with("HTTP/1.1 ")) << request << "\n---\n" << response;
    }
  }
  EXPECT_GT(answered, 500);
  EXPECT_EQ(body_of(server.ask(kHello)), "hello");
}

}  // namespace
}  // namespace slipway::http
