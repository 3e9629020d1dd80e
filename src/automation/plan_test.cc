// SPDX-License-Identifier: Apache-2.0
// plan and apply against the real tables of every folder.
#include "automation/plan.h"

#include <atomic>
#include <gtest/gtest.h>
#include <thread>

#include "automation/apply.h"
#include "automation/testing.h"
#include "automation/trigger.h"
#include "base/error.h"
#include "monitoring/monitor.h"
#include "registry/alias.h"
#include "registry/registered_model.h"
#include "serving/endpoint.h"

namespace slipway::automation {
namespace {

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

std::string one_line(const Plan& plan) {
  std::string text;
  for (const Change& change : plan.changes) {
    if (change.action != Action::kNoOp) {
      text += std::string(action_name(change.action)) + " " + change.kind +
              (change.drift ? " drift" : "") + " " + std::string(risk_name(change.risk)) + "; ";
    }
  }
  return text;
}

std::string refusal(const std::function<void()>& action, Code code) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    return error.what();
  }
  return "accepted";
}

class Plans : public ::testing::Test {
 protected:
  Applied apply_file(const json::Object& file) {
    return world_.database.write_returning<Applied>([&](storage::Transaction& transaction) {
      return apply_plan_file(transaction, world_.clock,
                             {world_.deps.requests_per_day, world_.deps.watermark}, file,
                             "user:test");
    });
  }
  json::Object plan_file(const std::string& yaml) {
    world_.database.write(
        [&](storage::Transaction& transaction) { store_id(transaction, world_.clock); });
    return to_json(world_.plan(yaml));
  }

  TestWorld world_;
  const std::string all_ = TestWorld::kObjects;
};

TEST_F(Plans, AnEmptyServerGetsEverythingRiskFirst) {
  const Plan plan = world_.plan(all_);
  EXPECT_EQ(one_line(plan),
            "create Endpoint traffic; create Gate other; create Model other; create Pipeline "
            "other; create Monitor other; "
            "create Trigger other; ");
  EXPECT_TRUE(plan.errors.empty());
  EXPECT_EQ(
      plan.notes,
      (std::vector<std::string>{
          "rollout of endpoint `late-arrival` needs at least 25 % for 2000 requests, 50 % for 100 "
          "requests; its traffic is not known yet"}));
}

TEST_F(Plans, ApplyMakesItSoAndASecondOneChangesNothing) {
  const Applied applied = world_.apply_text(all_);
  EXPECT_EQ(applied.changes.size(), 6U);
  EXPECT_EQ(world_.events("apply.done").size(), 1U);
  world_.database.read([](storage::Session& session) {
    EXPECT_EQ(registry::get_model(session, "late-arrival").description, "flights");
    EXPECT_EQ(registry::find_alias_rule(session, "late-arrival", "champion")->gate, "late");
    const auto endpoint = serving::get_endpoint(session, "late-arrival");
    EXPECT_EQ(endpoint.alias, "champion");
    EXPECT_EQ(endpoint.clock, serving::EndpointClock::kEvent);
    EXPECT_EQ(endpoint.latency_limit_us, 1'000'000);
    EXPECT_EQ(monitoring::get_monitor(session, "late").spec.bound, 0.572);
    EXPECT_EQ(gate::get_gate(session, "late").spec.clusters, 14);
    EXPECT_FALSE(get_trigger_state(session, "retrain").paused);
    EXPECT_EQ(find_object(session, "Endpoint", "late-arrival")->resource_version, 1);
  });
  const Plan again = world_.plan(all_);
  EXPECT_FALSE(again.has_changes()) << plan_text(to_json(again));
  EXPECT_EQ(plan_text(to_json(again)).substr(plan_text(to_json(again)).find("No changes")),
            "No changes. What runs is what the files say.\n");
  EXPECT_TRUE(world_.apply_text(all_).changes.empty());
  EXPECT_EQ(world_.events("apply.done").size(), 1U);
}

TEST_F(Plans, AnEndpointsEventsHaveItsTimeOnceItHasOne) {
  world_.apply_text(all_);
  EXPECT_EQ(world_.events("endpoint.created").at(0).event_time, 0);
  world_.at("2013-03-05");
  world_.apply_text(replaced(all_, "max_duration: 10d", "max_duration: 11d"));
  EXPECT_EQ(world_.events("endpoint.updated").at(0).event_time, world_.watermark);
  EXPECT_EQ(world_.events("apply.done").at(1).event_time, 0);  // about no endpoint
}

TEST_F(Plans, TheSameSaidOtherwiseIsNoChange) {
  world_.apply_text(all_);
  const std::string other =
      replaced(replaced(all_, "max_duration: 10d", "max_duration: 240h, delta: 0.02"),
               "timeout: 10m", "timeout: 600s");
  EXPECT_FALSE(world_.plan(other).has_changes());
}

TEST_F(Plans, AChangeShowsItsFieldsAndWhatGetsLooser) {
  world_.apply_text(all_);
  const Plan plan = world_.plan(replaced(all_, "alpha: 0.05", "alpha: 0.1"));
  EXPECT_EQ(one_line(plan), "update Gate policy; ");
  EXPECT_EQ(plan_text(to_json(plan)).substr(0, 71),
            "  ~ Gate.late [policy]: `spec.alpha` gets looser\n      spec.alpha: 0.05");
  EXPECT_EQ(one_line(world_.plan(replaced(all_, "alpha: 0.05", "alpha: 0.01"))),
            "update Gate other; ");
  EXPECT_EQ(one_line(world_.plan(replaced(all_, "bound: 0.572", "bound: 0.6"))),
            "update Monitor policy; ");
  EXPECT_EQ(one_line(world_.plan(replaced(all_, "clock: event", "clock: wall"))),
            "update Endpoint traffic; ");
  EXPECT_EQ(one_line(world_.plan(replaced(all_, "clip: 3", "clip: 2"))), "update Monitor data; ");
}

TEST_F(Plans, WhatSomebodyChangedOnTheServerIsDriftAndApplyUndoesIt) {
  world_.apply_text(all_);
  world_.database.write([&](storage::Transaction& transaction) {
    registry::update_model(transaction, world_.clock, "late-arrival", "edited on a page");
    registry::set_alias_rule(transaction, "late-arrival", "staging", "late");
  });
  const Plan plan = world_.plan(all_);
  EXPECT_EQ(one_line(plan), "update Model drift policy; ");
  const json::Object shown = to_json(plan);
  EXPECT_EQ(shown.find("resource_drift")->as_array().size(), 1U);
  EXPECT_EQ(shown.find("summary")->find("drift")->as_int(), 1);
  world_.apply_text(all_);
  EXPECT_FALSE(world_.plan(all_).has_changes());
  world_.database.read([](storage::Session& session) {
    EXPECT_EQ(registry::get_model(session, "late-arrival").description, "flights");
    EXPECT_FALSE(registry::find_alias_rule(session, "late-arrival", "staging"));
  });
}

TEST_F(Plans, ReferencesMustExist) {
  const std::string without_gate =
      replaced(all_, "kind: Gate\nname: late\n", "kind: Gate\nname: early\n");
  const Plan plan = world_.plan(without_gate);
  EXPECT_EQ(plan.errors,
            (std::vector<std::string>{"Model `late-arrival`: `spec.aliases.champion.gate` names "
                                      "Gate `late`, which does not exist and is not declared here",
                                      "Trigger `retrain`: `spec.gate` names Gate `late`, which "
                                      "does not exist and is not declared here"}));
  EXPECT_EQ(refusal([&] { world_.apply_text(without_gate); }, Code::kInvalidArgument),
            plan.errors[0] + "; " + plan.errors[1]);
  EXPECT_TRUE(world_.events("apply.done").empty());
}

TEST_F(Plans, WhatIsNoLongerInTheFileGoesOnlyWithPrune) {
  world_.apply_text(all_);
  const std::string without_trigger = all_.substr(0, all_.find("---\nkind: Trigger"));
  EXPECT_FALSE(world_.plan(without_trigger).has_changes());
  EXPECT_EQ(world_.plan(without_trigger).notes.at(0),
            "Trigger `retrain` is no longer in the file and stays; `--prune` deletes it");
  world_.apply_text(without_trigger, true);
  world_.database.read(
      [](storage::Session& session) { EXPECT_FALSE(find_object(session, "Trigger", "retrain")); });
  EXPECT_EQ(
      refusal([&] { world_.apply_text("[]", true); }, Code::kInvalidArgument),
      "this would delete 5 of the file's 5 objects; if that is meant, say `--allow-destroy=5`");
  world_.apply_text("[]", true, 5);
  world_.database.read([](storage::Session& session) {
    EXPECT_TRUE(list_objects(session).empty());
    EXPECT_FALSE(serving::find_endpoint(session, "late-arrival"));
    EXPECT_TRUE(registry::find_model(session, "late-arrival"));  // its versions are not the file's
    EXPECT_FALSE(registry::find_alias_rule(session, "late-arrival", "champion"));
  });
}

TEST_F(Plans, WhatOthersNeedIsNotPruned) {
  world_.apply_text(all_);
  const std::string without_monitor =
      replaced(all_,
               "kind: Monitor\nname: late\nspec: {endpoint: late-arrival, clip: 3, bound: 0.572, "
               "budget: 100}\n---\n",
               "");
  EXPECT_EQ(world_.plan(without_monitor, true).errors.size(), 3U);
}

TEST_F(Plans, ProtectedObjectsStay) {
  const std::string guarded =
      all_ + "---\n{kind: Webhook, name: ops, protect: true, spec: {url: 'http://127.0.0.1:9'}}\n";
  world_.apply_text(guarded);
  EXPECT_EQ(world_.plan(all_, true).errors.at(0),
            "Webhook `ops` is protected; take `protect: true` away and apply before it is deleted");
}

TEST_F(Plans, AnotherFilesObjectsAreNotTouchedUnlessAdopted) {
  const std::string hook = "{kind: Webhook, name: ops, spec: {url: 'http://127.0.0.1:9'}}\n";
  world_.apply_text(hook);
  PlanRequest other = world_.request(hook);
  other.source.path = "team/slipway.yaml";
  const auto plan_other = [&] {
    return world_.database.read_returning<Plan>(
        [&](storage::Session& session) { return make_plan(session, world_.clock, {}, other); });
  };
  EXPECT_EQ(plan_other().errors.at(0),
            "Webhook `ops` is managed by `slipway.yaml` of repository first-commit; remove it "
            "there, or write `adopt: true` "
            "beside its name to take it over");
  other.objects[0].adopt = true;
  EXPECT_TRUE(plan_other().errors.empty());
  EXPECT_EQ(one_line(plan_other()), "update Webhook other; ");
}

TEST_F(Plans, APlanFileIsAppliedAsItWasShown) {
  world_.apply_text(all_);
  const json::Object file = plan_file(replaced(all_, "budget: 100", "budget: 200"));
  // Through a file and back.
  const Applied applied = apply_file(json::parse(json::write(file)).as_object());
  EXPECT_EQ(applied.changes.size(), 1U);
  EXPECT_EQ(refusal([&] { apply_file(file); }, Code::kConflict),
            "the plan is stale: Monitor `late` changed since it was made: `spec.budget` was 100.0 "
            "and is 200.0");
}

TEST_F(Plans, AStalePlanNamesTheObjectAndOthersMayHaveMoved) {
  world_.apply_text(all_);
  const json::Object budget = plan_file(replaced(all_, "budget: 100", "budget: 200"));
  world_.database.write([&](storage::Transaction& transaction) {
    registry::update_model(transaction, world_.clock, "late-arrival", "edited on a page");
  });
  // The drift was not in the plan that was shown, so it is not undone behind the reader's back.
  EXPECT_EQ(refusal([&] { apply_file(budget); }, Code::kConflict),
            "the plan is stale: Model `late-arrival` changed since it was made: `spec.description` "
            "was \"flights\" and is "
            "\"edited on a page\"");
  world_.database.read([](storage::Session& session) {
    EXPECT_EQ(monitoring::get_monitor(session, "late").spec.budget_blocks, 100);
  });
}

TEST_F(Plans, PlanFilesOfOtherServersAndFormatsAreRefused) {
  json::Object file = plan_file(all_);
  file.set("server_id", "01ELSEWHERE");
  EXPECT_NE(refusal([&] { apply_file(file); }, Code::kConflict)
                .find("this plan was made against another server"),
            std::string::npos);
  file.set("format_version", "9.0");
  EXPECT_EQ(refusal([&] { apply_file(file); }, Code::kInvalidArgument),
            "this plan file has format_version \"9.0\", this server reads \"1.0\"");
  EXPECT_EQ(refusal([&] { apply_file({}); }, Code::kInvalidArgument),
            "this is no plan file: it has no `format_version`");
}

TEST_F(Plans, TwoAppliesAtOnceAreOneAfterTheOther) {
  std::atomic<int> changed{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back(
        [&] { changed += static_cast<int>(world_.apply_text(all_).changes.size()); });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(changed, 6);
  EXPECT_EQ(world_.events("apply.done").size(), 1U);
}

TEST_F(Plans, NothingIsHalfApplied) {
  // The endpoint's rule cannot be made: MLflow does not allow this alias, which only the registry
  // knows.
  const std::string bad =
      replaced(all_, "aliases: {champion: {gate: late}}", "aliases: {latest: {gate: late}}");
  EXPECT_THROW(world_.apply_text(bad), Error);
  world_.database.read([](storage::Session& session) {
    EXPECT_TRUE(list_objects(session).empty());
    EXPECT_FALSE(gate::find_gate(session, "late"));
  });
}

TEST_F(Plans, ARolloutThatCannotDecideIsRefused) {
  world_.traffic = 100;
  const Plan plan = world_.plan(all_);
  ASSERT_EQ(plan.errors.size(), 1U);
  EXPECT_NE(plan.errors[0].find("needs 2100 requests, 21 days at 100 requests a day"),
            std::string::npos);
  world_.traffic = 900;
  EXPECT_TRUE(world_.plan(all_).errors.empty());
}

TEST_F(Plans, ANewCommitIsAChangeOfThePipeline) {
  world_.apply_text(all_);
  PlanRequest next = world_.request(all_);
  next.source.commit = "decade";
  next.source.folder = "/another/clone";
  next.source.dirty = true;
  const Plan plan = world_.database.read_returning<Plan>(
      [&](storage::Session& session) { return make_plan(session, world_.clock, {}, next); });
  EXPECT_EQ(one_line(plan), "update Pipeline other; ");
  EXPECT_EQ(plan.changes[0].fields.at(0).path, "spec.commit");
  EXPECT_EQ(plan.notes.back(),
            "the working tree has changes that no commit holds; a retraining runs commit decade "
            "without them");
  next.source.commit.clear();
  EXPECT_EQ(world_.database
                .read_returning<Plan>([&](storage::Session& session) {
                  return make_plan(session, world_.clock, {}, next);
                })
                .errors.at(0),
            "Pipeline `train` needs a commit to run: commit the repository and plan inside it");
}

TEST_F(Plans, WhatControllersHoldIsShownAndNotADifference) {
  world_.set_up_champion();
  world_.work();
  world_.at("2013-03-05");
  world_.raise_alarm("A1");
  world_.work();
  world_.database.write([&](storage::Transaction& transaction) {
    pause_trigger(transaction, world_.clock, "retrain", "user:test", "holidays", world_.watermark,
                  "");
    serving::HoldRow hold;
    hold.endpoint = "late-arrival";
    hold.reason = "incident 7";
    serving::set_hold(transaction, world_.clock, hold, {"user:test", "", world_.watermark});
  });
  const Plan plan = world_.plan(all_);
  EXPECT_FALSE(plan.has_changes());
  const std::string text = plan_text(to_json(plan));
  EXPECT_NE(text.find("note: rollout " + world_.newest_rollout().id +
                      " is under way on endpoint `late-arrival`: version 2 has 25 % (step 1 of 2); "
                      "it goes on under the policy that it "
                      "started with"),
            std::string::npos);
  EXPECT_NE(text.find("incident 7; `slipway endpoint release late-arrival` ends it"),
            std::string::npos);
  EXPECT_NE(text.find("trigger `retrain` is paused: holidays"), std::string::npos);
}

TEST_F(Plans, RequestsAreChecked) {
  EXPECT_EQ(
      refusal(
          [] {
            plan_request_from_json({{"objects", json::Array()},
                                    {"source", json::Object{{"path", "x"}}},
                                    {"purge", true}});
          },
          Code::kInvalidArgument),
      "unknown key `purge` in a plan's request, expected objects, source, prune, allow_destroy");
  EXPECT_EQ(refusal(
                [] {
                  plan_request_from_json({{"objects", 1}});
                },
                Code::kInvalidArgument),
            "`objects` must be a list");
  EXPECT_EQ(
      refusal(
          [] {
            plan_request_from_json({{"objects", json::Array{json::Object{{"kind", "Gate"}}}}});
          },
          Code::kInvalidArgument),
      "Gate: `name` is required");
  const PlanRequest request = world_.request(all_);
  EXPECT_EQ(json::write(to_json(plan_request_from_json(to_json(request)))),
            json::write(to_json(request)));
  PlanRequest many = request;
  many.objects.assign(2'001, request.objects[0]);
  EXPECT_EQ(refusal(
                [&] {
                  world_.database.read(
                      [&](storage::Session& s) { make_plan(s, world_.clock, {}, many); });
                },
                Code::kInvalidArgument),
            "a plan may hold at most 2000 objects, this one has 2001");
}

}  // namespace
}  // namespace slipway::automation
