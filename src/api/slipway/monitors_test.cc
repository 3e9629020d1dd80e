// SPDX-License-Identifier: Apache-2.0
#include "api/slipway/monitors.h"

#include <gtest/gtest.h>

#include "api/slipway/errors.h"
#include "monitoring/alarm.h"
#include "monitoring/monitor.h"
#include "serving/world.h"

namespace slipway::api {
namespace {

class Kept final : public http::Responder::Sink {
 public:
  void send(http::Response response) override { kept = std::move(response); }
  http::Response kept;
};

class MonitorRoutes : public testing::Test {
 protected:
  MonitorRoutes() {
    router_.add(monitor_routes({world_.database, *world_.log, world_.artifacts}));
    world_.database.write([this](storage::Transaction& transaction) {
      monitoring::put_monitor(transaction, world_.clock, "late",
                              json::parse(R"({"endpoint": "e", "bound": 0.572})"));
    });
  }
  http::Response get(const std::string& path, std::vector<http::Header> query = {}) {
    const http::Router::Match match = router_.match(http::Method::kGet, "/api/slipway/v1" + path);
    http::Request request;
    request.method = http::Method::kGet;
    request.path_parameters = match.parameters;
    for (const auto& [name, value] : query) request.query.emplace_back(name, value);
    const auto sink = std::make_shared<Kept>();
    try {
      match.route->handler(request, http::Responder(sink));
    } catch (const Error& error) {
      return error_response(error);
    }
    return sink->kept;
  }

  serving::ServingWorld world_;
  http::Router router_;
};

TEST_F(MonitorRoutes, AlarmsOfAMonitorThatIsNotThereAreNotFound) {
  EXPECT_EQ(get("/alarms").body, R"({"alarms":[]})");
  EXPECT_EQ(get("/alarms", {{"monitor", "late"}}).body, R"({"alarms":[]})");
  const http::Response unknown = get("/alarms", {{"monitor", "lat"}});
  EXPECT_EQ(unknown.status, 404);
  EXPECT_EQ(unknown.body,
            R"({"error":{"code":"not_found","message":"there is no monitor `lat`, did you mean )"
            R"(`late`?","hint":"slipway monitor list"}})");
}

TEST_F(MonitorRoutes, ADeletedMonitorKeepsItsAlarmsInBothUnits) {
  world_.database.write([this](storage::Transaction& transaction) {
    monitoring::Alarm alarm;
    alarm.monitor = "late";
    alarm.endpoint = "e";
    alarm.bound = 0.25;
    alarm.mean_loss = 1.5;
    alarm.loss_scale = 2;
    monitoring::raise_alarm(transaction, world_.clock, alarm, json::Object{}, "");
    monitoring::delete_monitor(transaction, "late");
  });
  const json::Value alarms = json::parse(get("/alarms", {{"monitor", "late"}}).body);
  const json::Value& alarm = alarms.find("alarms")->as_array().at(0);
  EXPECT_EQ(alarm.find("bound_loss")->as_double(), 0.5);
  EXPECT_EQ(alarm.find("bound_scaled")->as_double(), 0.25);
  EXPECT_EQ(alarm.find("mean_loss")->as_double(), 1.5);
  EXPECT_EQ(alarm.find("mean_loss_scaled")->as_double(), 0.75);
}

TEST_F(MonitorRoutes, AStatusShowsTheBoundAsItWasDeclared) {
  const json::Value shown = json::parse(get("/monitors/late").body);
  EXPECT_EQ(shown.find("status")->find("loss_scale")->as_double(), 3);
  EXPECT_DOUBLE_EQ(shown.find("status")->find("bound_loss")->as_double(), 0.572);
  EXPECT_DOUBLE_EQ(shown.find("status")->find("bound_scaled")->as_double(), 0.572 / 3);
}

}  // namespace
}  // namespace slipway::api
