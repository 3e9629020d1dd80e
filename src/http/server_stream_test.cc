// SPDX-License-Identifier: Apache-2.0
// Answers that are more than a string: files, streams, server-sent events; and what stop() does to
// them.
#include <fcntl.h>
#include <filesystem>
#include <gtest/gtest.h>
#include <thread>
#include <unistd.h>

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

Route get(std::string pattern, Handler handler) {
  return route(Method::kGet, std::move(pattern), Access::anybody(), Execution::kPool,
               std::move(handler), "");
}

std::string request(std::string_view path) {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: x\r\n\r\n";
}

// A file of `bytes` bytes: 0, 1, … 250, 0, …
class TestFile {
 public:
  explicit TestFile(std::size_t bytes)
      : path_(std::filesystem::temp_directory_path() /
              ("slipway-http-test-" + std::to_string(getpid()))) {
    for (std::size_t i = 0; i < bytes; ++i) content_ += static_cast<char>(i % 251);
    write_file_atomic(path_, content_);
  }
  ~TestFile() { std::filesystem::remove(path_); }
  Response response(std::uint64_t offset, std::uint64_t bytes) const {
    Response response = text("");
    response.file_fd = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
    response.file_offset = offset;
    response.file_bytes = bytes;
    return response;
  }
  const std::string& content() const { return content_; }

 private:
  std::filesystem::path path_;
  std::string content_;
};

std::size_t open_files() {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd"))
    count += entry.path().empty() ? 0U : 1U;
  return count;
}

TEST(FileAnswer, WholeAndPart) {
  const TestFile file(3'000'000);
  TestServer server({get("/whole", [&](const Request&) { return file.response(0, 3'000'000); }),
                     get("/part", [&](const Request&) { return file.response(1'000, 500'000); }),
                     get("/empty", [&](const Request&) { return file.response(0, 0); })});
  RawClient client = server.connect();
  client.send(request("/whole") + request("/part") + request("/empty") + request("/whole"));
  EXPECT_EQ(body_of(client.read_response()), file.content());
  EXPECT_EQ(body_of(client.read_response()), file.content().substr(1'000, 500'000));
  EXPECT_EQ(body_of(client.read_response()), "");
  EXPECT_EQ(body_of(client.read_response()), file.content());
}

TEST(FileAnswer, IsClosedInEveryCase) {
  const TestFile file(3'000'000);
  TestServer server({get("/whole", [&](const Request&) { return file.response(0, 3'000'000); })});
  { server.ask(request("/whole")); }
  const std::size_t before = open_files();
  for (int i = 0; i < 5; ++i) {
    server.ask(request("/whole"));
    server.ask("HEAD /whole HTTP/1.1\r\nHost: x\r\n\r\n");
    RawClient client = server.connect();
    client.send(request("/whole"));
    client.read_bytes(1'000);
    client.vanish();
  }
  for (int i = 0; i < 500 && open_files() > before; ++i)
    std::this_thread::sleep_for(milliseconds(10));
  EXPECT_LE(open_files(), before);
}

TEST(FileAnswer, AFileThatIsTooShortCutsTheConnection) {
  const TestFile file(1'000);
  TestServer server({get("/short", [&](const Request&) { return file.response(0, 2'000); })});
  RawClient client = server.connect();
  client.send(request("/short"));
  EXPECT_EQ(body_of(client.read_response()).size(), 1'000U);
  EXPECT_EQ(client.read_to_end(), "");
}

TEST(Source, IsSentInChunks) {
  TestServer server({get("/count",
                         [](const Request&) {
                           Response response = text("");
                           response.source = [i = 0](std::string& out) mutable {
                             if (i % 3 != 2)
                               out = std::to_string(i) + " ";  // nothing yet every third time
                             return ++i < 6;
                           };
                           return response;
                         }),
                     get("/hello", [](const Request&) { return text("hello"); })});
  RawClient client = server.connect();
  client.send(request("/count") + request("/hello"));
  const std::string head = client.read_until("\r\n\r\n");
  EXPECT_NE(head.find("\r\nTransfer-Encoding: chunked\r\n"), std::string::npos);
  EXPECT_EQ(head.find("Content-Length"), std::string::npos);
  EXPECT_EQ(unchunk(client.read_until("\r\n0\r\n\r\n")), "0 1 3 4 ");
  EXPECT_EQ(body_of(client.read_response()), "hello");
  client.send("HEAD /count HTTP/1.1\r\nHost: x\r\n\r\n" + request("/hello"));
  EXPECT_NE(client.read_response(true).find("\r\nTransfer-Encoding: chunked\r\n"),
            std::string::npos);
  EXPECT_EQ(body_of(client.read_response()), "hello");
}

TEST(Source, Http10GetsItUntilTheEnd) {
  TestServer server({get("/one", [](const Request&) {
    Response response = text("");
    response.source = [](std::string& out) {
      out = "all of it";
      return false;
    };
    return response;
  })});
  EXPECT_EQ(body_of(server.ask("GET /one HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")),
            "all of it");
}

TEST(Source, AFailureIsSeenAsATruncatedBody) {
  TestServer server({get("/bad", [](const Request&) {
    Response response = text("");
    response.source = [i = 0](std::string& out) mutable {
      if (++i == 2) throw std::runtime_error("disk");
      out = "first";
      return true;
    };
    return response;
  })});
  EXPECT_EQ(body_of(server.ask(request("/bad"))), "5\r\nfirst\r\n");
}

TEST(Source, LargePiecesWaitForTheClient) {
  std::atomic<int> pieces{0};
  TestServer server({get("/large", [&](const Request&) {
    Response response = text("");
    response.source = [&](std::string& out) {
      out.assign(1U << 20, 'x');
      return ++pieces < 64;
    };
    return response;
  })});
  RawClient client = server.connect();
  client.send(request("/large"));
  std::this_thread::sleep_for(milliseconds(300));
  EXPECT_LT(pieces, 32);
  EXPECT_EQ(unchunk(body_of(client.read_until("\r\n0\r\n\r\n"))).size(), 64U << 20);
}

// Sends "data: 0", "data: 1", … as `news` grows; never ends by itself.
Route events(std::atomic<int>& news) {
  return get("/events", [&news](const Request&) {
    Response response = text("");
    response.content_type = "text/event-stream";
    response.source = [&news, sent = 0](std::string& out) mutable {
      for (; sent < news; ++sent) out += "data: " + std::to_string(sent) + "\n\n";
      return true;
    };
    return response;
  });
}

TEST(ServerSentEvents, ArriveAsTheyHappenAndHoldNoThread) {
  std::atomic<int> news{1};
  TestServer server({events(news), get("/hello", [](const Request&) { return text("hello"); })});
  std::vector<RawClient> clients;
  for (int i = 0; i < 20; ++i) {  // ten times as many as the pool has threads
    clients.push_back(server.connect());
    clients.back().send(request("/events"));
  }
  for (RawClient& client : clients) client.read_until("data: 0\n\n\r\n");
  EXPECT_EQ(body_of(server.ask(request("/hello"))), "hello");
  news = 3;
  for (RawClient& client : clients)
    EXPECT_EQ(client.read_until("data: 2\n\n\r\n"), "12\r\ndata: 1\n\ndata: 2\n\n\r\n");
}

TEST(ServerSentEvents, SilenceIsBrokenByACommentAndVanishedClientsAreNoticed) {
  std::atomic<int> news{1};
  ServerOptions options = TestServer::small();
  options.event_stream_silence_s = 1;
  TestServer server({events(news)}, options);
  RawClient client = server.connect();
  client.send(request("/events"));
  client.read_until("data: 0\n\n\r\n");
  EXPECT_EQ(client.read_until("\n\n\r\n"), "3\r\n:\n\n\r\n");
  client.vanish();
  std::string metrics;
  for (int i = 0; i < 500 && metrics.find("slipway_http_connections 0\n") == std::string::npos;
       ++i) {
    std::this_thread::sleep_for(milliseconds(10));
    metrics = server.metrics.text();
  }
  EXPECT_NE(metrics.find("slipway_http_connections 0\n"), std::string::npos);
}

TEST(ServerSentEvents, EndWhenTheServerStops) {
  std::atomic<int> news{1};
  TestServer server({events(news)});
  RawClient client = server.connect();
  client.send(request("/events"));
  client.read_until("data: 0\n\n\r\n");
  const auto begun = std::chrono::steady_clock::now();
  std::thread stopping([&] { server.server.stop(10'000); });
  EXPECT_EQ(client.read_to_end(), "0\r\n\r\n");
  stopping.join();
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(5));
}

TEST(Stop, LetsRequestsEndAndSaysClose) {
  std::atomic<bool> begun{false};
  TestServer server({get("/slow", [&](const Request&) {
    begun = true;
    std::this_thread::sleep_for(milliseconds(300));
    return text("done");
  })});
  RawClient idle = server.connect();
  RawClient client = server.connect();
  client.send(request("/slow"));
  while (!begun) std::this_thread::sleep_for(milliseconds(1));
  std::thread stopping([&] { server.server.stop(10'000); });
  const std::string response = client.read_to_end();
  EXPECT_EQ(body_of(response), "done");
  EXPECT_NE(response.find("\r\nConnection: close\r\n"), std::string::npos);
  EXPECT_EQ(idle.read_to_end(), "");
  stopping.join();
  EXPECT_THROW(server.connect(), std::runtime_error);
}

TEST(Stop, CutsWhatIsLeftAfterTheGrace) {
  TestServer server({get("/endless", [](const Request&) {
    Response response = text("");
    response.source = [](std::string& out) {
      out = "x";
      std::this_thread::sleep_for(milliseconds(5));
      return true;
    };
    return response;
  })});
  RawClient client = server.connect();
  client.send(request("/endless"));
  client.read_until("\r\n\r\n");
  const auto begun = std::chrono::steady_clock::now();
  server.server.stop(200);
  EXPECT_GE(std::chrono::steady_clock::now() - begun, milliseconds(200));
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(5));
  const std::string rest = client.read_to_end();
  EXPECT_FALSE(rest.ends_with("0\r\n\r\n")) << "a cut stream must not look complete";
}

TEST(Stop, WakesAHandlerThatReadsABody) {
  Route upload = route(
      Method::kPost, "/upload", Access::anybody(), Execution::kPool,
      [](const Request& request) {
        char byte = 0;
        while (request.body_reader->read(&byte, 1) > 0) {
        }
        return text("");
      },
      "");
  upload.stream_body = true;
  TestServer server({upload});
  RawClient client = server.connect();
  client.send("POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc");
  std::this_thread::sleep_for(milliseconds(50));
  server.server.stop(100);
  EXPECT_EQ(client.read_to_end(), "");
}

TEST(Stop, BeforeStartAndTwice) {
  Router router;
  metrics::Registry metrics;
  Server never_started(TestServer::small(), router, {}, metrics);
  never_started.stop(0);
  EXPECT_THROW(RawClient(never_started.port()), std::runtime_error);
  TestServer server({});
  server.server.stop(0);
  EXPECT_THROW(server.connect(), std::runtime_error);
  server.server.stop(0);
  EXPECT_THROW(server.connect(), std::runtime_error);
}

}  // namespace
}  // namespace slipway::http
