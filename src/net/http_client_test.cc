// SPDX-License-Identifier: Apache-2.0
#include "net/http_client.h"

#include <algorithm>
#include <cstring>
#include <gtest/gtest.h>

#include "net/testing.h"

namespace slipway::net {
namespace {

std::string ok(const std::string& body) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\nX-One: 1\r\n\r\n" + body;
}

HttpRequest get(const std::string& url) {
  HttpRequest request;
  request.url = url;
  return request;
}

// The code and text of the Error that an exchange ends with.
std::string error_of(HttpClient& client, const HttpRequest& request) {
  try {
    const HttpResponse response = client.send(request);
    return "status " + std::to_string(response.status);
  } catch (const Error& error) {
    return std::string(code_name(error.code())) + ": " + error.what();
  }
}

// Gives `text` in pieces of three bytes.
std::function<std::size_t(char*, std::size_t)> source_of(std::string text) {
  return [text = std::move(text), at = std::size_t{0}](char* buffer, std::size_t size) mutable {
    const std::size_t bytes = std::min({size, std::size_t{3}, text.size() - at});
    std::memcpy(buffer, text.data() + at, bytes);
    at += bytes;
    return bytes;
  };
}

TEST(CurlHttpClient, SendsWhatItIsGiven) {
  ScriptedServer server([](const std::string&) { return ok("hello"); });
  CurlHttpClient client;
  HttpRequest request = get(server.url("/a%20b?x=1"));
  request.method = "POST";
  request.headers = {
      {"Content-Type", "application/json"}, {"Authorization", "Bearer t"}, {"X-Empty", ""}};
  request.body = std::string("{\0}", 3);
  const HttpResponse response = client.send(request);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "hello");
  EXPECT_EQ(response.header("x-one"), "1");
  EXPECT_EQ(response.header("x-two"), std::nullopt);
  const std::string sent = server.requests().at(0);
  EXPECT_TRUE(sent.starts_with("POST /a%20b?x=1 HTTP/1.1\r\nHost: 127.0.0.1:")) << sent;
  for (const char* line :
       {"\r\nContent-Type: application/json\r\n", "\r\nAuthorization: Bearer t\r\n",
        "\r\nX-Empty:\r\n", "\r\nContent-Length: 3\r\n", "\r\nUser-Agent: slipway\r\n"}) {
    EXPECT_NE(sent.find(line), std::string::npos) << line << sent;
  }
  EXPECT_TRUE(sent.ends_with(std::string("\r\n\r\n{\0}", 7)));
}

TEST(CurlHttpClient, EveryMethodArrivesAsItself) {
  ScriptedServer server([](const std::string& request) {
    return request.starts_with("HEAD") ? "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n" : ok("");
  });
  CurlHttpClient client;
  for (const char* method : {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "GET"}) {
    HttpRequest request = get(server.url("/x"));
    request.method = method;
    EXPECT_EQ(client.send(request).status, 200);
    EXPECT_TRUE(server.requests().back().starts_with(std::string(method) + " /x HTTP/1.1\r\n"));
    EXPECT_EQ(server.requests().back().find("Content-Type"), std::string::npos);
  }
  EXPECT_EQ(server.connections(), 1);
}

TEST(CurlHttpClient, KeepsItsConnection) {
  ScriptedServer server([](const std::string&) { return ok("x"); });
  CurlHttpClient client;
  for (int i = 0; i < 5; ++i) EXPECT_EQ(client.send(get(server.url("/"))).body, "x");
  EXPECT_EQ(server.connections(), 1);
}

TEST(CurlHttpClient, AConnectionThatTheServerClosedIsReplaced) {
  ScriptedServer server([](const std::string&) {
    return "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx";
  });
  CurlHttpClient client;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(client.send(get(server.url("/"))).body, "x");
  EXPECT_EQ(server.connections(), 3);
}

TEST(CurlHttpClient, StreamsABodyByLengthOrInChunks) {
  ScriptedServer server([](const std::string&) { return ok(""); });
  CurlHttpClient client;
  HttpRequest request = get(server.url("/"));
  request.method = "PUT";
  request.body_source = source_of("0123456789");
  request.body_bytes = 10;
  client.send(request);
  EXPECT_NE(server.requests().at(0).find("\r\nContent-Length: 10\r\n"), std::string::npos);
  EXPECT_TRUE(server.requests().at(0).ends_with("\r\n\r\n0123456789"));
  request.method = "POST";
  request.body_source = source_of("abc");
  request.body_bytes.reset();
  client.send(request);
  EXPECT_TRUE(server.requests().at(1).starts_with("POST / "));
  EXPECT_TRUE(server.requests().at(1).ends_with("\r\n\r\n3\r\nabc\r\n0\r\n\r\n"))
      << server.requests().at(1);
}

TEST(CurlHttpClient, LargeBodiesAndAnswers) {
  const std::string large(5'000'000, 'x');
  ScriptedServer server([&](const std::string& request) {
    return ok(std::to_string(request.size() > large.size()) + large);
  });
  CurlHttpClient client;
  HttpRequest request = get(server.url("/"));
  request.method = "POST";
  request.body = large;
  EXPECT_EQ(client.send(request).body, "1" + large);
}

TEST(CurlHttpClient, AnyStatusIsAnAnswerAndRedirectsAreNotFollowed) {
  ScriptedServer server([](const std::string& request) {
    return request.starts_with("GET /moved")
               ? "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"
               : "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nbusy";
  });
  CurlHttpClient client;
  const HttpResponse moved = client.send(get(server.url("/moved")));
  EXPECT_EQ(moved.status, 302);
  EXPECT_EQ(moved.header("Location"), "/elsewhere");
  const HttpResponse busy = client.send(get(server.url("/busy")));
  EXPECT_EQ(busy.status, 503);
  EXPECT_EQ(busy.body, "busy");
  EXPECT_EQ(server.requests().size(), 2U);
}

TEST(CurlHttpClient, ASinkTakesGoodAnswersOnly) {
  ScriptedServer server([](const std::string& request) {
    return request.starts_with("GET /good")
               ? ok("to the sink")
               : "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno";
  });
  CurlHttpClient client;
  std::string taken;
  HttpRequest request = get(server.url("/good"));
  request.sink = [&](std::string_view bytes) { taken += bytes; };
  request.response_bytes_max = 1;
  EXPECT_EQ(client.send(request).body, "");
  EXPECT_EQ(taken, "to the sink");
  request.url = server.url("/bad");
  request.response_bytes_max = 10;
  EXPECT_EQ(client.send(request).body, "no");
  EXPECT_EQ(taken, "to the sink");
}

TEST(CurlHttpClient, ErrorsOfCallbacksComeOut) {
  ScriptedServer server([](const std::string&) { return ok("x"); });
  CurlHttpClient client;
  HttpRequest request = get(server.url("/"));
  request.sink = [](std::string_view) {
    throw Error(Code::kResourceExhausted, "the disk is full");
  };
  EXPECT_EQ(error_of(client, request), "resource_exhausted: the disk is full");
  request.sink = nullptr;
  request.method = "PUT";
  request.body_source = [](char*, std::size_t) -> std::size_t {
    throw Error(Code::kDataLoss, "cannot read on");
  };
  EXPECT_EQ(error_of(client, request), "data_loss: cannot read on");
  EXPECT_EQ(error_of(client, get(server.url("/"))), "status 200");
}

TEST(CurlHttpClient, LongAnswersAreRefused) {
  ScriptedServer server([](const std::string&) { return ok("0123456789"); });
  CurlHttpClient client;
  HttpRequest request = get(server.url("/x"));
  request.response_bytes_max = 10;
  EXPECT_EQ(error_of(client, request), "status 200");
  request.response_bytes_max = 9;
  EXPECT_EQ(error_of(client, request),
            "resource_exhausted: the answer of " + request.url + " is longer than 9 bytes");
}

TEST(CurlHttpClient, NobodyThere) {
  CurlHttpClient client;
  const std::string url = "http://user:secret@127.0.0.1:" + std::to_string(closed_port()) + "/x";
  const std::string error = error_of(client, get(url));
  EXPECT_TRUE(error.starts_with("unavailable: cannot reach http://127.0.0.1:")) << error;
  EXPECT_EQ(error.find("secret"), std::string::npos);
}

TEST(CurlHttpClient, ABrokenAnswer) {
  ScriptedServer server([](const std::string& request) {
    if (request.starts_with("GET /none")) return std::string();
    return std::string("HTTP/1.1 200 OK\r\nContent-Length: 10\r\nConnection: close\r\n\r\nabc");
  });
  CurlHttpClient client;
  for (const char* target : {"/none", "/short"}) {
    const std::string error = error_of(client, get(server.url(target)));
    EXPECT_TRUE(error.starts_with("unavailable: cannot reach " + server.url(target))) << error;
  }
}

TEST(CurlHttpClient, TimeRunsOut) {
  ScriptedServer server([](const std::string&) {
    std::this_thread::sleep_for(std::chrono::milliseconds(400));
    return ok("late");
  });
  CurlHttpClient client;
  HttpRequest request = get(server.url("/x"));
  request.timeout_ms = 100;
  EXPECT_EQ(error_of(client, request),
            "deadline_exceeded: " + request.url + " did not answer within 100 ms");
}

TEST(CurlHttpClient, HeadersCannotEndTheirLine) {
  ScriptedServer server([](const std::string&) { return ok(""); });
  CurlHttpClient client;
  HttpRequest request = get(server.url("/"));
  request.headers = {{"X-A", "b\r\nX-Evil: 1"}};
  EXPECT_EQ(error_of(client, request), "invalid_argument: a header field holds a line end: X-A");
  EXPECT_EQ(error_of(client, get("ftp://host/")),
            "invalid_argument: `ftp://host/` is not a usable URL: it starts with neither http:// "
            "nor https://");
}

TEST(CurlHttpClient, GoesToTheAddressItIsGiven) {
  ScriptedServer server([](const std::string&) { return ok("here"); });
  CurlHttpClient client;
  const std::string loopback = server.url("/");
  HttpRequest request = get("http://no.such.host.invalid" + loopback.substr(loopback.rfind(':')));
  request.address = "127.0.0.1";
  EXPECT_EQ(client.send(request).body, "here");
  EXPECT_NE(server.requests().at(0).find("\r\nHost: no.such.host.invalid:"), std::string::npos);
}

TEST(FakeHttpClient, BehavesAsTheRealOneDoes) {
  FakeHttpClient client;
  client.answer = [](const HttpRequest&) {
    HttpResponse response;
    response.status = 200;
    response.body = "0123456789";
    return response;
  };
  HttpRequest request = get("http://host/x");
  request.body_source = source_of("abcdef");
  EXPECT_EQ(client.send(request).body, "0123456789");
  EXPECT_EQ(client.asked.at(0).body, "abcdef");
  std::string taken;
  request.sink = [&](std::string_view bytes) { taken += bytes; };
  EXPECT_EQ(client.send(request).body, "");
  EXPECT_EQ(taken, "0123456789");
  request.sink = nullptr;
  request.response_bytes_max = 9;
  EXPECT_EQ(error_of(client, request),
            "resource_exhausted: the answer of http://host/x is longer than 9 bytes");
}

TEST(FaultyHttpClient, FailsBeforeOrAfterTheExchange) {
  FakeHttpClient inner;
  inner.answer = [](const HttpRequest&) {
    return HttpResponse{.status = 200, .headers = {}, .body = {}};
  };
  FaultyHttpClient client(inner);
  client.fault = [](const HttpRequest&) { return Error(Code::kUnavailable, "cut"); };
  EXPECT_EQ(error_of(client, get("http://host/")), "unavailable: cut");
  EXPECT_EQ(inner.asked.size(), 0U);
  client.after = true;
  EXPECT_EQ(error_of(client, get("http://host/")), "unavailable: cut");
  EXPECT_EQ(inner.asked.size(), 1U);
  client.fault = [](const HttpRequest&) { return std::nullopt; };
  EXPECT_EQ(error_of(client, get("http://host/")), "status 200");
}

}  // namespace
}  // namespace slipway::net
