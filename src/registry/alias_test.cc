// SPDX-License-Identifier: Apache-2.0
#include "registry/alias.h"

#include <gtest/gtest.h>

#include "ledger/event.h"
#include "registry/testing.h"

namespace slipway::registry {
namespace {

class AliasTest : public RegistryWorld {
 protected:
  void SetUp() override {
    make_model("flights");
    make_version("flights");
    make_version("flights");
    make_version("flights");
  }

  AliasChange to(std::int64_t version) {
    AliasChange change;
    change.model = "flights";
    change.alias = "champion";
    change.version = version;
    change.actor = "user:a";
    change.reason = "because";
    return change;
  }
  AliasMove move(const AliasChange& change) {
    return write<AliasMove>(
        [&](storage::Transaction& tx) { return move_alias(tx, clock_, change); });
  }
  std::string refused(const AliasChange& change) {
    return refusal([&](storage::Transaction& tx) { move_alias(tx, clock_, change); });
  }
  void guard() {
    write_void([&](storage::Transaction& tx) { set_alias_rule(tx, "flights", "champion", "g"); });
  }
  std::vector<ledger::StoredEvent> events(const std::string& type) {
    return read<std::vector<ledger::StoredEvent>>([&](storage::Session& session) {
      ledger::EventFilter filter;
      filter.type_prefix = type;
      return ledger::list_events(session, filter);
    });
  }
  std::optional<AliasTarget> target() {
    return read<std::optional<AliasTarget>>(
        [](storage::Session& session) { return find_alias(session, "flights", "champion"); });
  }
};

TEST_F(AliasTest, MovesAreNumberedAndRememberedWithWhoAndWhy) {
  AliasChange first = to(1);
  first.direct = true;
  first.event_time = 5;
  EXPECT_EQ(move(first).move, 1);
  EXPECT_EQ(move(to(3)).move, 2);
  AliasChange gone = to(1);
  gone.version.reset();
  EXPECT_EQ(move(gone).move, 3);
  EXPECT_EQ(target(), std::nullopt);
  const AliasMove again = move(to(2));
  EXPECT_EQ(again.move, 4);
  EXPECT_EQ(again.from, std::nullopt);
  EXPECT_EQ(target()->move, 4);

  const auto history = read<std::vector<AliasMove>>(
      [](storage::Session& session) { return alias_history(session, "flights", "champion"); });
  ASSERT_EQ(history.size(), 4U);
  EXPECT_EQ(history[3].to, 1);
  EXPECT_EQ(history[3].event_time, 5);
  EXPECT_TRUE(history[3].direct);
  EXPECT_EQ(history[2].from, 1);
  EXPECT_EQ(history[2].to, 3);
  EXPECT_EQ(history[1].to, std::nullopt);
  EXPECT_EQ(history[0].actor, "user:a");
  EXPECT_EQ(history[0].reason, "because");

  const auto moved = events("alias.moved");
  ASSERT_EQ(moved.size(), 4U);
  EXPECT_EQ(moved[1].subject, "model:flights");
  EXPECT_EQ(json::write(json::Value(moved[1].body)),
            R"({"alias":"champion","from":1,"to":3,"move":2,"reason":"because","direct":false,)"
            R"("rollout":"","rollback":false})");
}

TEST_F(AliasTest, PointingItWhereItPointsAlreadyWritesNothing) {
  move(to(1));
  const AliasMove same = move(to(1));
  EXPECT_FALSE(same.changed);
  EXPECT_EQ(same.move, 1);
  EXPECT_EQ(events("alias.moved").size(), 1U);
}

TEST_F(AliasTest, ARuleWantsPassingEvidenceForThisChallengerOverThisChampion) {
  guard();
  EXPECT_EQ(refused(to(1)),
            "permission_denied: alias `champion` of model `flights` needs passing evidence of gate "
            "`g` for version 1 over no version; there is none: evaluate the gate first (slipway "
            "model promote flights/1)");
  const std::string hash = put_verdict("gate/g/flights/1/vs/none", "pass");
  EXPECT_EQ(move(to(1)).evidence, std::vector<std::string>{hash});
  const auto history = read<std::vector<AliasMove>>(
      [](storage::Session& session) { return alias_history(session, "flights", "champion"); });
  EXPECT_EQ(history.at(0).evidence, std::vector<std::string>{hash});

  // Evidence over nobody is none over version 1, and evidence for version 2 is none for version 3.
  put_verdict("gate/g/flights/2/vs/none", "pass");
  EXPECT_NE(refused(to(2)), "");
  put_verdict("gate/g/flights/2/vs/1", "pass");
  EXPECT_NE(refused(to(3)), "");
  EXPECT_EQ(move(to(2)).move, 2);
}

TEST_F(AliasTest, TheNewestVerdictCounts) {
  guard();
  put_verdict("gate/g/flights/1/vs/none", "pass");
  clock_.advance(1);
  put_verdict("gate/g/flights/1/vs/none", "fail");
  EXPECT_EQ(refused(to(1)),
            "permission_denied: alias `champion` of model `flights` needs passing evidence of gate "
            "`g` for version 1 over no version; the newest says fail: said by the test");
  put_verdict("gate/g/flights/2/vs/none", "insufficient");
  EXPECT_NE(refused(to(2)).find("the newest says insufficient"), std::string::npos);
}

TEST_F(AliasTest, EvidenceFromBeforeTheVersionDoesNotCount) {
  put_verdict("gate/g/flights/4/vs/none", "pass");
  clock_.advance(1);
  make_version("flights");
  guard();
  EXPECT_NE(refused(to(4)).find("older than the versions themselves"), std::string::npos);
}

TEST_F(AliasTest, ARuledAliasIsNotDeletedNorLostByDeletingWhatItPointsTo) {
  guard();
  put_verdict("gate/g/flights/1/vs/none", "pass");
  move(to(1));
  AliasChange gone = to(1);
  gone.version.reset();
  EXPECT_EQ(refused(gone),
            "permission_denied: alias `champion` of model `flights` is guarded by gate `g` and "
            "cannot be deleted; remove the rule in slipway.yaml first");
  EXPECT_EQ(refusal([&](storage::Transaction& tx) {
              delete_version(tx, clock_, "flights", 1, "user:a");
            }),
            "permission_denied: alias `champion` of model `flights` points to version 1 and is "
            "guarded by gate `g`; promote another version first");
  EXPECT_NE(refusal([&](storage::Transaction& tx) {
              delete_model(tx, clock_, "flights", "user:a");
            }).find("cannot be deleted"),
            std::string::npos);
  EXPECT_NE(refusal([&](storage::Transaction& tx) {
              rename_model(tx, clock_, "flights", "others", "user:a");
            }).find("can be renamed"),
            std::string::npos);
  write_void([](storage::Transaction& tx) { clear_alias_rule(tx, "flights", "champion"); });
  EXPECT_EQ(move(gone).move, 2);
}

TEST_F(AliasTest, ARuledAliasTakesNoUnservableVersion) {
  guard();
  put_verdict("gate/g/flights/1/vs/none", "pass");
  write_void([](storage::Transaction& tx) {
    set_condition(tx, "flights", 1, Condition::kUnservable, "no .onnx file");
  });
  EXPECT_EQ(refused(to(1)),
            "permission_denied: version 1 of model `flights` is unservable: no .onnx file");
}

TEST_F(AliasTest, RollbackGoesBackToAFormerHolderWithAReason) {
  guard();
  put_verdict("gate/g/flights/1/vs/none", "pass");
  put_verdict("gate/g/flights/2/vs/1", "pass");
  move(to(1));
  move(to(2));
  AliasChange back = to(1);
  back.rollback = true;
  back.reason = "";
  EXPECT_EQ(refused(back), "permission_denied: a rollback needs a reason");
  back.version = 3;
  back.reason = "page was on fire";
  EXPECT_NE(refused(back).find("never held alias `champion`"), std::string::npos);
  back.version = 1;
  const AliasMove moved = move(back);
  EXPECT_EQ(moved.move, 3);
  EXPECT_TRUE(moved.rollback);
  EXPECT_TRUE(moved.evidence.empty());
}

TEST_F(AliasTest, ARefusedRequestIsRecordedAndChangesNothingElse) {
  guard();
  EXPECT_THROW(request_alias_move(database_, clock_, to(2)), Error);
  EXPECT_EQ(target(), std::nullopt);
  EXPECT_TRUE(events("alias.moved").empty());
  const auto refusals = events("alias.refused");
  ASSERT_EQ(refusals.size(), 1U);
  EXPECT_EQ(refusals[0].subject, "model:flights");
  EXPECT_EQ(refusals[0].body.find("to")->as_int(), 2);
  EXPECT_NE(refusals[0].body.find("reason")->as_string().find("there is none"), std::string::npos);
}

TEST_F(AliasTest, UnknownModelsVersionsAndAliasesAreNamed) {
  EXPECT_EQ(refused(to(9)), "not_found: Model Version (name=flights, version=9) not found");
  AliasChange other = to(1);
  other.model = "nope";
  EXPECT_EQ(refused(other), "not_found: Registered Model with name=nope not found");
  AliasChange gone = to(1);
  gone.version.reset();
  EXPECT_EQ(refused(gone), "not_found: Registered model alias champion not found.");
}

TEST(AliasNameTest, FollowsMlflowsRule) {
  for (const char* good : {"champion", "a-b_c", "V", "v1x", "1"}) {
    EXPECT_NO_THROW(check_alias_name(good)) << good;
  }
  EXPECT_NO_THROW(check_alias_name(std::string(kAliasCharactersMax, 'a')));
  const std::pair<std::string, std::string> bad[] = {
      {"", "Registered model alias name cannot be empty."},
      {"a b",
       "Invalid alias name: 'a b'. Names may only contain alphanumerics, underscores (_), and "
       "dashes (-)."},
      {"Latest", "'latest' alias name (case insensitive) is reserved."},
      {"v12", "Version alias name 'v12' is reserved."},
      {std::string(kAliasCharactersMax + 1, 'a'),
       "'Registered model alias name' exceeds the maximum length of 255 characters"}};
  for (const auto& [alias, message] : bad) {
    try {
      check_alias_name(alias);
      ADD_FAILURE() << alias;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kInvalidArgument);
      EXPECT_EQ(std::string(error.what()), message);
    }
  }
}

TEST_F(AliasTest, EvidenceFromBeforeTheRuleOrItsGateChangedDoesNotCount) {
  const std::string subject = gate_subject("g", "flights", 1, std::nullopt);
  put_verdict(subject, "pass");
  guard();
  EXPECT_NE(refused(to(1)).find("from before the gate or the rule changed"), std::string::npos);
  put_verdict(subject, "pass");  // the same document
  EXPECT_EQ(refused(to(2)).find("from before"), std::string::npos);
  write_void([](storage::Transaction& tx) { restart_rules_of_gate(tx, "other"); });
  guard();  // the same rule again is no change
  write_void([](storage::Transaction& tx) { restart_rules_of_gate(tx, "g"); });
  EXPECT_NE(refused(to(1)).find("from before the gate or the rule changed"), std::string::npos);
  put_verdict(subject, "pass");
  guard();
  EXPECT_EQ(move(to(1)).move, 1);
}

}  // namespace
}  // namespace slipway::registry
