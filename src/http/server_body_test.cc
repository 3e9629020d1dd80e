// SPDX-License-Identifier: Apache-2.0
// Request bodies: by length, in chunks, too long, too slow, streamed.
#include <fstream>
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

Route post(std::string pattern, Execution execution, Handler handler) {
  return route(Method::kPost, std::move(pattern), Access::anybody(), execution, std::move(handler),
               "");
}

// Reads the whole streamed body in pieces of 100,000 bytes and tells its length.
Response count_body(const Request& request) {
  std::string piece(100'000, '\0');
  std::uint64_t total = 0;
  while (const std::size_t got = request.body_reader->read(piece.data(), piece.size()))
    total += got;
  return text(std::to_string(total));
}

std::vector<Route> body_routes() {
  std::vector<Route> routes;
  routes.push_back(
      post("/echo", Execution::kInline, [](const Request& request) { return text(request.body); }));
  routes.push_back(post("/length", Execution::kPool, [](const Request& request) {
    return text(std::to_string(request.body.size()));
  }));
  Route small =
      post("/small", Execution::kInline, [](const Request& request) { return text(request.body); });
  small.body_bytes_max = 10;
  routes.push_back(small);
  Route stream = post("/stream", Execution::kPool, count_body);
  stream.stream_body = true;
  stream.body_bytes_max = 1ULL << 40;
  routes.push_back(stream);
  stream.pattern = "/stream-small";
  stream.body_bytes_max = 1'000;
  routes.push_back(stream);
  Route early = post("/early", Execution::kPool, [](const Request&) -> Response {
    throw Error(Code::kInvalidArgument, "not this");
  });
  early.stream_body = true;
  early.body_bytes_max = 1ULL << 40;
  routes.push_back(early);
  routes.push_back(route(
      Method::kGet, "/hello", Access::anybody(), Execution::kInline,
      [](const Request&) { return text("hello"); }, ""));
  return routes;
}

std::string with_length(std::string_view path, std::string_view body) {
  return "POST " + std::string(path) +
         " HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         std::string(body);
}

constexpr std::string_view kChunkedHead =
    " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";

std::uint64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t total = 0;
  std::uint64_t resident = 0;
  file >> total >> resident;
  return resident * 4'096;
}

TEST(Body, ByLength) {
  TestServer server(body_routes());
  EXPECT_EQ(body_of(server.ask(with_length("/echo", "abc"))), "abc");
  EXPECT_EQ(body_of(server.ask(with_length("/echo", ""))), "");
  EXPECT_EQ(body_of(server.ask(with_length("/length", std::string(5'000'000, 'x')))), "5000000");
}

TEST(Body, InChunks) {
  TestServer server(body_routes());
  EXPECT_EQ(
      body_of(server.ask("POST /echo" + std::string(kChunkedHead) +
                         "3\r\nabc\r\nA;name=value\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n")),
      "abc0123456789");
}

TEST(Body, InChunksByteByByte) {
  TestServer server(body_routes());
  for (const char* chunks : {"3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n", "0\r\n\r\n", "0\r\nA: b\r\n\r\n"}) {
    RawClient client = server.connect();
    for (const char c : "POST /echo" + std::string(kChunkedHead) + chunks) {
      client.send(std::string_view(&c, 1));
      std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
    EXPECT_EQ(body_of(client.read_response()), chunks[0] == '3' ? "abcd" : "") << chunks;
  }
}

TEST(Body, ManyTinyChunksAreQuick) {
  TestServer server(body_routes());
  std::string chunks;
  for (int i = 0; i < 200'000; ++i) chunks += "1\r\nx\r\n";
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_EQ(body_of(server.ask("POST /length" + std::string(kChunkedHead) + chunks + "0\r\n\r\n")),
            "200000");
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(5));
}

TEST(Body, MalformedChunksAreRefused) {
  TestServer server(body_routes());
  for (const char* chunks : {"x\r\nabc\r\n", "3\r\nabcdefg\r\n", "-3\r\nabc\r\n", "3 \nabc\r\n",
                             "fffffffffffffffff\r\n", "\r\n\r\n"}) {
    EXPECT_EQ(status_of_response(server.ask("POST /echo" + std::string(kChunkedHead) + chunks)),
              400)
        << chunks;
    EXPECT_EQ(status_of_response(server.ask("POST /stream" + std::string(kChunkedHead) + chunks)),
              400)
        << chunks;
  }
}

TEST(Body, AmbiguousFramingIsRefused) {
  TestServer server(body_routes());
  for (const char* fields :
       {"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", "Transfer-Encoding: gzip\r\n",
        "Transfer-Encoding: gzip, chunked\r\n", "Transfer-Encoding: chunked, gzip\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: 3\r\nContent-Length: 4\r\n", "Content-Length: -1\r\n",
        "Content-Length: 3x\r\n", "Content-Length: 99999999999999999999\r\n"}) {
    EXPECT_EQ(status_of_response(server.ask("POST /echo HTTP/1.1\r\nHost: x\r\n" +
                                            std::string(fields) + "\r\nabc")),
              400)
        << fields;
  }
  EXPECT_EQ(status_of_response(
                server.ask("POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")),
            400);
}

TEST(Body, LimitsAreNamed) {
  TestServer server(body_routes());
  EXPECT_EQ(body_of(server.ask(with_length("/small", "0123456789"))), "0123456789");
  const std::string expected =
      "resource_exhausted 413: the body is longer than the 10 bytes that this path takes";
  EXPECT_EQ(body_of(server.ask(with_length("/small", "0123456789a"))), expected);
  EXPECT_EQ(body_of(server.ask("POST /small" + std::string(kChunkedHead) +
                               "6\r\n012345\r\n5\r\n6789a\r\n0\r\n\r\n")),
            expected);
}

TEST(Body, ATooLongBodyIsAnsweredBeforeItArrives) {
  TestServer server(body_routes());
  RawClient client = server.connect();
  client.send("POST /small HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n");
  const std::string response = client.read_response();
  EXPECT_EQ(status_of_response(response), 413);
  EXPECT_NE(response.find("\r\nConnection: close\r\n"), std::string::npos);
}

TEST(Body, AShortRefusedBodyKeepsTheConnection) {
  TestServer server(body_routes());
  RawClient client = server.connect();
  client.send(with_length("/small", std::string(100'000, 'x')) + with_length("/small", "ok"));
  EXPECT_EQ(status_of_response(client.read_response()), 413);
  EXPECT_EQ(body_of(client.read_response()), "ok");
}

TEST(Body, Expect100Continue) {
  TestServer server(body_routes());
  RawClient client = server.connect();
  client.send(
      "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("abc");
  EXPECT_EQ(body_of(client.read_response()), "abc");
  client.send(
      "POST /small HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(status_of_response(client.read_response()), 413);
}

TEST(Body, MemoryOfAllBodiesTogetherIsLimited) {
  Mutex mutex;
  CondVar wake;
  bool held = false;
  bool go = false;
  std::vector<Route> routes = body_routes();
  routes.push_back(post("/hold", Execution::kPool, [&](const Request& request) {
    const MutexLock lock(mutex);
    held = true;
    wake.notify_all();
    while (!go) wake.wait(mutex);
    return text(std::to_string(request.body.size()));
  }));
  ServerOptions options = TestServer::small();
  options.buffered_bytes_max = 1'000'000;
  TestServer server(std::move(routes), options);
  RawClient holding = server.connect();
  holding.send(with_length("/hold", std::string(900'000, 'x')));
  {
    const MutexLock lock(mutex);
    while (!held) wake.wait(mutex);
  }
  EXPECT_EQ(body_of(server.ask(with_length("/length", std::string(200'000, 'x')))),
            "unavailable 503: too many request bodies are held in memory now; try again later");
  EXPECT_EQ(body_of(server.ask(with_length("/length", std::string(50'000, 'x')))), "50000");
  {
    const MutexLock lock(mutex);
    go = true;
  }
  wake.notify_all();
  EXPECT_EQ(body_of(holding.read_response()), "900000");
  EXPECT_EQ(body_of(server.ask(with_length("/length", std::string(200'000, 'x')))), "200000");
}

TEST(StreamedBody, ByLengthAndInChunks) {
  TestServer server(body_routes());
  RawClient client = server.connect();
  client.send(with_length("/stream", std::string(300'000, 'x')));
  EXPECT_EQ(body_of(client.read_response()), "300000");
  client.send("POST /stream" + std::string(kChunkedHead) + "3\r\nabc\r\n0\r\n\r\n");
  EXPECT_EQ(body_of(client.read_response()), "3");
  client.send(with_length("/stream", "") + with_length("/echo", "same connection"));
  EXPECT_EQ(status_of_response(client.read_response()), 200);
  EXPECT_EQ(body_of(client.read_response()), "same connection");
}

TEST(StreamedBody, SixtyFourMebibytesInConstantMemory) {
  TestServer server(body_routes());
  RawClient client = server.connect();
  const std::string piece(1U << 20, 'x');
  client.send("POST /stream HTTP/1.1\r\nHost: x\r\nContent-Length: 67108864\r\n\r\n" + piece);
  const std::uint64_t before = resident_bytes();
  for (int i = 1; i < 64; ++i) client.send(piece);
  EXPECT_EQ(body_of(client.read_response()), "67108864");
  EXPECT_LT(resident_bytes(), before + (8U << 20));
}

TEST(StreamedBody, ASlowReaderHoldsTheSenderBack) {
  Mutex mutex;
  bool go = false;
  CondVar wake;
  Route slow = post("/slow", Execution::kPool, [&](const Request& request) {
    {
      const MutexLock lock(mutex);
      while (!go) wake.wait(mutex);
    }
    return count_body(request);
  });
  slow.stream_body = true;
  slow.body_bytes_max = 1ULL << 40;
  TestServer server({slow});
  RawClient client = server.connect();
  const std::uint64_t before = resident_bytes();
  std::thread sender([&] {
    client.send("POST /slow HTTP/1.1\r\nHost: x\r\nContent-Length: 67108864\r\n\r\n");
    const std::string piece(1U << 20, 'x');
    for (int i = 0; i < 64; ++i) client.send(piece);
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  EXPECT_LT(resident_bytes(), before + (16U << 20));
  {
    const MutexLock lock(mutex);
    go = true;
  }
  wake.notify_all();
  sender.join();
  EXPECT_EQ(body_of(client.read_response()), "67108864");
}

TEST(StreamedBody, LimitsReachTheHandler) {
  TestServer server(body_routes());
  const std::string expected =
      "resource_exhausted 413: the body is longer than the 1000 bytes that this path takes";
  EXPECT_EQ(body_of(server.ask(with_length("/stream-small", std::string(1'001, 'x')))), expected);
  EXPECT_EQ(body_of(server.ask("POST /stream-small" + std::string(kChunkedHead) + "3e9\r\n" +
                               std::string(1'001, 'x') + "\r\n0\r\n\r\n")),
            expected);
}

TEST(StreamedBody, AHandlerMayFailEarly) {
  TestServer server(body_routes());
  RawClient client = server.connect();
  client.send("POST /early HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000\r\n\r\nabc");
  const std::string response = client.read_response();
  EXPECT_EQ(body_of(response), "invalid_argument 400: not this");
  EXPECT_NE(response.find("\r\nConnection: close\r\n"), std::string::npos);
  client.send(std::string(1'000'000, 'x'));  // dropped
  client.half_close();
  EXPECT_EQ(client.read_to_end(), "");
}

TEST(StreamedBody, AVanishedClientEndsTheHandlersRead) {
  std::atomic<int> failures{0};
  Route failing = post("/stream", Execution::kPool, [&](const Request& request) {
    try {
      return count_body(request);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kUnavailable);
      ++failures;
      throw;
    }
  });
  failing.stream_body = true;
  TestServer server({failing});
  for (int i = 0; i < 2; ++i) {
    RawClient client = server.connect();
    client.send("POST /stream HTTP/1.1\r\nHost: x\r\nContent-Length: 10000\r\n\r\nabc");
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    if (i == 0) client.vanish();
    if (i == 1) client.half_close();  // truncated
    for (int k = 0; k < 500 && failures <= i; ++k)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    EXPECT_EQ(failures, i + 1);
  }
}

TEST(Body, ATruncatedBodyIsNeverHandled) {
  std::atomic<int> handled{0};
  TestServer server({post("/x", Execution::kInline, [&](const Request&) {
    ++handled;
    return text("");
  })});
  EXPECT_EQ(server.ask("POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc"), "");
  EXPECT_EQ(server.ask("POST /x" + std::string(kChunkedHead) + "3\r\nabc\r\n"), "");
  EXPECT_EQ(handled, 0);
}

TEST(Body, SilenceIsAnswered408) {
  ServerOptions options = TestServer::small();
  options.body_timeout_s = 1;
  TestServer server(body_routes(), options);
  for (const char* path : {"/echo", "/stream"}) {
    RawClient client = server.connect();
    client.send("POST " + std::string(path) +
                " HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
    EXPECT_EQ(body_of(client.read_response()),
              "deadline_exceeded 408: no byte of the request's body arrived for 1 s")
        << path;
  }
}

}  // namespace
}  // namespace slipway::http
