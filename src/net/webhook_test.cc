// SPDX-License-Identifier: Apache-2.0
#include "net/webhook.h"

#include <gtest/gtest.h>

#include "net/testing.h"

namespace slipway::net {
namespace {

std::string error_of(HttpClient& client, const std::string& url) {
  try {
    return "status " + std::to_string(post_json(client, url, "{}", 200));
  } catch (const Error& error) {
    return std::string(code_name(error.code())) + ": " + error.what();
  }
}

TEST(PostJson, PostsTheDocument) {
  ScriptedServer server([](const std::string&) { return "HTTP/1.1 204 No Content\r\n\r\n"; });
  CurlHttpClient client;
  EXPECT_EQ(post_json(client, server.url("/hook?key=1"), R"({"alarm":1})"), 204);
  const std::string sent = server.requests().at(0);
  EXPECT_TRUE(sent.starts_with("POST /hook?key=1 HTTP/1.1\r\n")) << sent;
  EXPECT_NE(sent.find("\r\nContent-Type: application/json\r\n"), std::string::npos);
  EXPECT_TRUE(sent.ends_with("\r\n\r\n{\"alarm\":1}"));
}

TEST(PostJson, ARedirectIsAStatus) {
  ScriptedServer server([](const std::string&) {
    return "HTTP/1.1 307 Temporary Redirect\r\nLocation: "
           "http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n";
  });
  CurlHttpClient client;
  EXPECT_EQ(post_json(client, server.url("/"), "{}"), 307);
  EXPECT_EQ(server.requests().size(), 1U);
}

TEST(PostJson, ConnectsToTheAddressThatWasChecked) {
  FakeHttpClient client;
  client.answer = [](const HttpRequest&) {
    return HttpResponse{.status = 200, .headers = {}, .body = {}};
  };
  EXPECT_EQ(post_json(client, "http://127.0.0.1:9/x", "{}"), 200);
  EXPECT_EQ(client.asked.at(0).address, "127.0.0.1");
  EXPECT_EQ(client.asked.at(0).timeout_ms, kWebhookTimeoutMs);
}

TEST(PostJson, AddressesThatAreNobodysHookAreRefused) {
  FakeHttpClient client;
  client.answer = [](const HttpRequest&) {
    return HttpResponse{.status = 200, .headers = {}, .body = {}};
  };
  for (const char* host : {"169.254.169.254", "0.0.0.0", "224.0.0.1", "255.255.255.255",
                           "[fe80::1]", "[ff02::1]", "[::]", "[::ffff:169.254.169.254]"}) {
    EXPECT_TRUE(error_of(client, "http://" + std::string(host) + "/")
                    .starts_with("permission_denied: the webhook's host `"))
        << host;
  }
  EXPECT_TRUE(client.asked.empty());
}

TEST(PostJson, ErrorsDoNotTellThePath) {
  CurlHttpClient client;
  const std::string port = std::to_string(closed_port());
  const std::string error = error_of(client, "http://127.0.0.1:" + port + "/services/SECRET");
  EXPECT_TRUE(
      error.starts_with("unavailable: webhook: cannot reach http://127.0.0.1:" + port + ": "))
      << error;
  ScriptedServer slow([](const std::string&) {
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    return "";
  });
  const std::string late = error_of(client, slow.url("/services/SECRET"));
  EXPECT_EQ(late, "deadline_exceeded: webhook: " + slow.url("") + " did not answer within 200 ms");
  EXPECT_TRUE(
      error_of(client, "http://no.such.host.invalid/")
          .starts_with("unavailable: cannot find the webhook's host `no.such.host.invalid`"));
}

}  // namespace
}  // namespace slipway::net
