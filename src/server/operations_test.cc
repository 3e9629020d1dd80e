// SPDX-License-Identifier: Apache-2.0
#include "server/operations.h"

#include <gtest/gtest.h>
#include <memory>

namespace slipway::server {
namespace {

class Kept final : public http::Responder::Sink {
 public:
  void send(http::Response response) override { kept = std::move(response); }
  http::Response kept;
};

TEST(Operations, HealthSaysWhenNothingIsKeptAnyMore) {
  const metrics::Registry metrics;
  bool healthy = true;
  http::Router router;
  router.add(operation_routes(
      metrics, [] { return json::Value(); }, [&healthy] { return healthy; }));
  const auto ask = [&router] {
    http::Request request;
    const auto sink = std::make_shared<Kept>();
    router.match(http::Method::kGet, "/health").route->handler(request, http::Responder(sink));
    return sink->kept;
  };
  EXPECT_EQ(ask().status, 200);
  EXPECT_EQ(ask().body, "OK");
  healthy = false;
  EXPECT_EQ(ask().status, 503);
  EXPECT_EQ(ask().body, "the disk failed to sync the store: nothing more is written");
}

}  // namespace
}  // namespace slipway::server
