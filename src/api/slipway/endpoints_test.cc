// SPDX-License-Identifier: Apache-2.0
#include "api/slipway/endpoints.h"

#include <chrono>
#include <gtest/gtest.h>

#include "api/slipway/errors.h"
#include "ledger/event.h"
#include "serving/world.h"

namespace slipway::api {
namespace {

constexpr const char* kName = "late-arrival";

class Kept final : public http::Responder::Sink {
 public:
  void send(http::Response response) override { kept = std::move(response); }
  http::Response kept;
};

// An endpoint on the wall clock whose alias went from version 1 to version 2.
class EndpointRoutes : public testing::Test {
 protected:
  EndpointRoutes() {
    router_.add(endpoint_routes({world_.database, *world_.manager, *world_.log, world_.clock}));
    world_.add_version("flights", "classifier.onnx");
    world_.add_version("flights", "challenger.onnx");
    world_.set_alias("flights", "champion", 1);
    serving::EndpointRow row;
    row.name = kName;
    row.model = "flights";
    row.alias = "champion";
    world_.add_endpoint(row);
    world_.set_alias("flights", "champion", 2);
  }
  json::Value post(const std::string& path, const json::Object& body = {}) {
    const http::Router::Match match =
        router_.match(http::Method::kPost, "/api/slipway/v1/endpoints/" + path);
    http::Request request;
    request.method = http::Method::kPost;
    request.path_parameters = match.parameters;
    request.body = json::write(body);
    const auto sink = std::make_shared<Kept>();
    try {
      match.route->handler(request, http::Responder(sink));
    } catch (const Error& error) {
      return json::parse(error_response(error).body);
    }
    return json::parse(sink->kept.body);
  }
  // A request now: the endpoint's time comes as far as the clock.
  TimeUs predict() {
    world_.clock.advance(kMicrosPerSecond);
    world_.predictor->predict(world_.call(kName));
    return world_.clock.now();
  }
  ledger::StoredEvent newest(const std::string& type) {
    ledger::EventFilter filter;
    filter.type_prefix = type;
    filter.newest_first = true;
    return world_.database
        .read_returning<std::vector<ledger::StoredEvent>>(
            [&](storage::Session& session) { return ledger::list_events(session, filter); })
        .at(0);
  }
  std::int64_t served() { return world_.manager->router().find(kName)->champion->version; }

  serving::ServingWorld world_;
  http::Router router_;
};

TEST_F(EndpointRoutes, ARollbackOnTheWallClockEndsTheRolloutAtItsTime) {
  predict();
  const serving::RolloutRow started = world_.start(kName, 2, 1, 0.5);
  const TimeUs last = predict();
  world_.clock.advance(60 * kMicrosPerSecond);  // the last request counts, not this
  const json::Value done = post(std::string(kName) + "/rollback", {{"reason", "incident 7"}});
  EXPECT_EQ(done.find("action")->as_string(), "rollout_aborted") << json::write(done);
  const serving::RolloutRow ended = world_.database.read_returning<serving::RolloutRow>(
      [&](storage::Session& session) { return serving::get_rollout(session, started.id); });
  EXPECT_EQ(ended.state, serving::RolloutState::kAborted);
  EXPECT_EQ(ended.finished_event_time, last);
  EXPECT_EQ(newest("rollout.aborted").event_time, last);
  EXPECT_EQ(newest("hold.set").event_time, last);
  EXPECT_TRUE(post(std::string(kName) + "/release").find("released")->as_bool());
  EXPECT_EQ(newest("hold.released").event_time, last);
}

TEST_F(EndpointRoutes, ARollbackOfTheAliasOnTheWallClockHasItsTime) {
  const TimeUs last = predict();
  const json::Value done = post(std::string(kName) + "/rollback", {{"reason", "incident 8"}});
  EXPECT_EQ(done.find("to")->as_int(), 1) << json::write(done);
  EXPECT_EQ(newest("alias.moved").event_time, last);
  EXPECT_EQ(served(), 1);  // in memory, so before the answer
}

TEST_F(EndpointRoutes, BeforeTheFirstRequestARollbackHasNoTime) {
  post(std::string(kName) + "/rollback", {{"reason", "incident 9"}});
  EXPECT_EQ(newest("alias.moved").event_time, 0);
  EXPECT_EQ(newest("hold.set").event_time, 0);
}

TEST_F(EndpointRoutes, ARollbackDoesNotWaitForAnotherEndpointsVersion) {
  // testdata/endless.onnx counts for ever when x is above 0.
  world_.add_version(
      "slow", "endless.onnx",
      {{"serving_input_example.json",
        R"({"dataframe_split": {"columns": ["a", "b", "c"], "data": [[1, 1, 1]]}})"}});
  serving::EndpointRow pinned;
  pinned.name = "slow";
  pinned.model = "slow";
  pinned.version = 1;
  world_.database.write([&](storage::Transaction& transaction) {
    put_endpoint(transaction, world_.clock, pinned, {"user:test", "", 0});
  });
  const auto begun = std::chrono::steady_clock::now();
  post(std::string(kName) + "/rollback", {{"reason", "incident 10"}});
  EXPECT_EQ(served(), 1);
  post(std::string(kName) + "/release");
  EXPECT_LT(std::chrono::steady_clock::now() - begun, serving::kProbeLimit / 2);
  EXPECT_TRUE(world_.manager->router().find("slow")->loading);
}

}  // namespace
}  // namespace slipway::api
