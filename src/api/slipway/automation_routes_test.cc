// SPDX-License-Identifier: Apache-2.0
// The routes of plan, apply, triggers, rollouts, events, story and models, called as the server
// calls them.
#include <functional>
#include <gtest/gtest.h>
#include <thread>

#include "api/slipway/errors.h"
#include "api/slipway/events.h"
#include "api/slipway/models.h"
#include "api/slipway/plan.h"
#include "api/slipway/rollouts.h"
#include "api/slipway/story.h"
#include "api/slipway/triggers.h"
#include "automation/testing.h"
#include "base/error.h"

namespace slipway::api {
namespace {

class Kept final : public http::Responder::Sink {
 public:
  void send(http::Response response) override { kept = std::move(response); }
  http::Response kept;
};

class AutomationRoutes : public ::testing::Test {
 protected:
  AutomationRoutes() : api_{world_.deps, *world_.worker, [] {}} {
    router_.add(plan_routes(api_));
    router_.add(rollout_routes(api_));
    router_.add(trigger_routes(api_));
    router_.add(event_routes(api_));
    router_.add(story_routes(api_, {}));
    router_.add(model_routes(api_));
  }

  // The answer, or the error's answer, as the server makes it.
  http::Response call(http::Method method, const std::string& path, const json::Value& body = {}) {
    const std::size_t question = path.find('?');
    const http::Router::Match match = router_.match(method, path.substr(0, question));
    EXPECT_NE(match.route, nullptr) << path;
    http::Request request;
    request.method = method;
    request.path_parameters = match.parameters;
    if (!body.is_null()) {
      request.body = json::write(body);
    }
    if (question != std::string::npos) {
      const std::size_t equals = path.find('=', question);
      request.query.emplace_back(path.substr(question + 1, equals - question - 1),
                                 path.substr(equals + 1));
    }
    const auto sink = std::make_shared<Kept>();
    try {
      match.route->handler(request, http::Responder(sink));
    } catch (const Error& error) {
      return error_response(error);
    }
    return sink->kept;
  }
  json::Value get(const std::string& path) {
    return json::parse(call(http::Method::kGet, base_ + path).body);
  }
  http::Response post(const std::string& path, const json::Value& body) {
    return call(http::Method::kPost, base_ + path, body);
  }

  const std::string base_ = "/api/slipway/v1";
  automation::TestWorld world_;
  AutomationApi api_;
  http::Router router_;
};

TEST_F(AutomationRoutes, APlanIsShownAppliedOnceAndThenStale) {
  automation::PlanRequest wanted = world_.request(automation::TestWorld::kObjects);
  wanted.source.commit = std::string(40, 'c');
  const json::Object request = automation::to_json(wanted);
  const http::Response planned = post("/plan", request);
  EXPECT_EQ(planned.status, 200);
  const json::Value plan = json::parse(planned.body);
  EXPECT_EQ(plan.find("summary")->find("create")->as_int(), 6);
  EXPECT_FALSE(plan.find("server_id")->as_string().empty());
  EXPECT_EQ(post("/apply", json::Object{{"plan", plan}}).status, 200);
  EXPECT_EQ(post("/apply", json::Object{{"plan", plan}}).status, 409);
  EXPECT_EQ(json::parse(post("/apply", request).body).find("changes")->as_array().size(), 0U);
  EXPECT_EQ(get("/objects?kind=Gate").find("objects")->as_array().size(), 1U);
  EXPECT_EQ(post("/plan", json::Object{{"objects", 3}}).status, 400);
  EXPECT_EQ(
      post("/apply", json::Object{{"plan", 3}}).body,
      R"({"error":{"code":"invalid_argument","message":"`plan` must be an object, not a number"}})");
}

TEST_F(AutomationRoutes, ACommitIsAWholeHash) {
  automation::PlanRequest wanted = world_.request(automation::TestWorld::kObjects);
  const auto planned = [&](const std::string& commit) {
    wanted.source.commit = commit;
    return post("/plan", automation::to_json(wanted)).status;
  };
  for (const std::string& good : {std::string(), std::string(40, 'a'), std::string(64, '0')})
    EXPECT_EQ(planned(good), 200) << good;
  for (const std::string& bad :
       {std::string("--upload-pack=x"), std::string("c0ffee"), std::string(40, 'A'),
        std::string(65, 'a'), std::string(39, 'a'), std::string(40, 'a') + "\n"})
    EXPECT_EQ(planned(bad), 400) << bad;
}

TEST_F(AutomationRoutes, OneCheckAtATimeAndOutsideOfReads) {
  world_.set_up_champion();
  world_.register_version();
  const std::string id =
      json::parse(post("/models/late-arrival/promote", json::Object{{"version", 2}}).body)
          .find("rollout")
          ->as_string();
  EXPECT_EQ(post("/rollouts/" + id + "/abort", json::Object{{"reason", "wrong data"}}).status, 200);
  int counted = 0;
  std::function<int()> ask;
  automation::InvariantFacts facts;
  facts.recount = [&](const serving::RolloutRow& rollout) {
    ++counted;
    std::thread([&] { EXPECT_EQ(ask(), 503); }).join();
    // In memory a write would wait for ever for a read that is open.
    world_.database.write([](storage::Transaction&) {});
    return std::optional(std::vector<serving::StepCounters>(rollout.steps.size()));
  };
  http::Router router;
  router.add(story_routes(api_, facts));
  const http::Router::Match match = router.match(http::Method::kGet, base_ + "/check");
  ask = [&] {
    const auto sink = std::make_shared<Kept>();
    http::Request request;
    try {
      match.route->handler(request, http::Responder(sink));
    } catch (const Error& error) {
      return error_response(error).status;
    }
    return sink->kept.status;
  };
  EXPECT_EQ(ask(), 200);
  EXPECT_EQ(ask(), 200);
  EXPECT_EQ(counted, 2);
}

TEST_F(AutomationRoutes, AWebhooksSecretIsNotShown) {
  automation::PlanRequest wanted = world_.request(
      "{kind: Webhook, name: ops, spec: {url: 'https://user:pw@hooks.example.org/T0/secret?k=1'}}");
  wanted.source.commit.clear();
  EXPECT_EQ(post("/apply", automation::to_json(wanted)).status, 200);
  const json::Value shown = get("/objects?kind=Webhook");
  EXPECT_EQ(
      shown.find("objects")->as_array().at(0).find("spec")->find("url")->as_string().substr(0, 25),
      "https://hooks.example.org");
  EXPECT_EQ(json::write(shown).find("secret"), std::string::npos);
}

TEST_F(AutomationRoutes, TriggersCanBePausedFiredAndTheirLogsRead) {
  world_.set_up_champion();
  world_.work();
  EXPECT_EQ(get("/triggers").find("triggers")->as_array().at(0).find("state")->as_string(),
            "active");
  EXPECT_EQ(post("/triggers/retrain/pause", json::Object()).status, 400);
  EXPECT_EQ(post("/triggers/retrain/pause", json::Object{{"reason", "holidays"}}).status, 200);
  EXPECT_EQ(post("/triggers/retrain/fire", json::Object()).status, 412);
  EXPECT_EQ(post("/triggers/retrain/resume", json::Object()).status, 200);
  EXPECT_EQ(post("/triggers/retrain/fire", json::Object{{"reason", "new labels"}}).status, 200);
  EXPECT_EQ(
      json::parse(post("/endpoints/late-arrival/settle", json::Object{{"timeout_s", 60}}).body)
          .find("settled")
          ->as_bool(),
      true);
  const json::Value shown = get("/triggers/retrain");
  const std::string id = shown.find("retrainings")->as_array().at(0).find("id")->as_string();
  EXPECT_EQ(call(http::Method::kGet, base_ + "/retrainings/" + id + "/log").body,
            "Running stage train\nValueError: no rows\n");
  EXPECT_EQ(get("/retrainings/" + id).find("outcome")->as_string(), "rollout");
  EXPECT_EQ(call(http::Method::kGet, base_ + "/triggers/nope").status, 404);
  EXPECT_EQ(post("/endpoints/late-arrival/settle", json::Object{{"timeout_s", 0}}).status, 400);
}

TEST_F(AutomationRoutes, AListFilteredByANameThatIsNotThereSaysSo) {
  world_.set_up_champion();
  EXPECT_EQ(get("/rollouts?endpoint=late-arrival").find("rollouts")->as_array().size(), 0U);
  const http::Response rollouts =
      call(http::Method::kGet, base_ + "/rollouts?endpoint=late-arival");
  EXPECT_EQ(rollouts.status, 404);
  EXPECT_EQ(rollouts.body,
            R"({"error":{"code":"not_found","message":"there is no endpoint `late-arival`, did )"
            R"(you mean `late-arrival`?","hint":"slipway endpoint list"}})");
  EXPECT_EQ(get("/retrainings?trigger=retrain").find("retrainings")->as_array().size(), 0U);
  const http::Response retrainings = call(http::Method::kGet, base_ + "/retrainings?trigger=nope");
  EXPECT_EQ(retrainings.status, 404);
  EXPECT_EQ(
      retrainings.body,
      R"({"error":{"code":"not_found","message":"there is no trigger `nope`","hint":"slipway )"
      R"(trigger list"}})");
}

TEST_F(AutomationRoutes, ARolloutShowsItsJudgementAndEndsByHand) {
  world_.set_up_champion();
  world_.register_version();
  const json::Value promoted =
      json::parse(post("/models/late-arrival/promote", json::Object{{"version", 2}}).body);
  EXPECT_EQ(promoted.find("outcome")->as_string(), "rollout");
  EXPECT_EQ(promoted.find("verdict")->as_string(), "pass");
  const std::string id = promoted.find("rollout")->as_string();
  EXPECT_EQ(post("/models/late-arrival/promote", json::Object{{"version", 2}}).status, 412);
  world_.requests(75, 0, 25, 0);
  EXPECT_EQ(get("/rollouts/" + id).find("judgement")->find("decision")->as_string(), "wait");
  EXPECT_EQ(json::write(*get("/rollouts/" + id).find("losses")), R"(["error","slow","nan"])");
  EXPECT_EQ(get("/rollouts/" + id).find("latency_limit_ms")->as_double(), 1'000);
  EXPECT_EQ(post("/rollouts/" + id + "/pause", json::Object()).status, 200);
  EXPECT_EQ(post("/rollouts/" + id + "/pause", json::Object()).status, 412);
  EXPECT_EQ(post("/rollouts/" + id + "/resume", json::Object()).status, 200);
  EXPECT_EQ(post("/rollouts/" + id + "/abort", json::Object()).status, 400);
  EXPECT_EQ(post("/rollouts/" + id + "/abort", json::Object{{"reason", "wrong data"}}).status, 200);
  EXPECT_EQ(get("/rollouts").find("rollouts")->as_array().at(0).find("state")->as_string(),
            "aborted");
  EXPECT_EQ(json::write(*get("/rollouts/" + id).find("losses")), R"(["error","slow","nan"])");
  EXPECT_EQ(post("/models/late-arrival/promote", json::Object{{"version", 9}}).status, 404);
  EXPECT_EQ(get("/models/late-arrival/aliases/champion/history").find("moves")->as_array().size(),
            1U);
}

TEST_F(AutomationRoutes, EventsEvidenceStoryAndCheckAreReadable) {
  world_.set_up_champion();
  const json::Array events = get("/events?type=alias.").find("events")->as_array();
  ASSERT_EQ(events.size(), 1U);
  const json::Value shown = get("/events/" + events[0].find("id")->as_string());
  const std::string hash = shown.find("evidence")->as_array().at(0).as_string();
  EXPECT_EQ(get("/evidence/" + hash).find("kind")->as_string(), "gate");
  EXPECT_EQ(call(http::Method::kGet, base_ + "/evidence/00").status, 404);
  EXPECT_EQ(get("/story?endpoint=late-arrival").find("lines")->as_array().size(), 2U);
  EXPECT_EQ(call(http::Method::kGet, base_ + "/story?format=text").content_type,
            "text/plain; charset=utf-8");
  EXPECT_EQ(call(http::Method::kGet, base_ + "/story?format=pdf").status, 400);
  EXPECT_EQ(get("/check").find("violations")->as_array().size(), 0U);
  EXPECT_EQ(call(http::Method::kGet, base_ + "/events?limit=0").status, 400);
}

}  // namespace
}  // namespace slipway::api
