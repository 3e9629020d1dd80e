// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/id.h"
#include "ledger/cursor.h"
#include "ledger/event.h"
#include "ledger/evidence.h"
#include "storage/testing.h"

namespace slipway::ledger {
namespace {

class LedgerTest : public ::testing::Test {
 protected:
  StoredEvent add(const std::string& type, const std::string& subject) {
    return database_.write_returning<StoredEvent>([&](storage::Transaction& tx) {
      return append(tx, clock_,
                    {.type = type, .subject = subject, .actor = "user:ada", .body = {{"n", 1}}});
    });
  }
  std::vector<StoredEvent> list(const EventFilter& filter) {
    return database_.read_returning<std::vector<StoredEvent>>(
        [&](storage::Session& session) { return list_events(session, filter); });
  }

  FakeClock clock_{1'700'000'000'000'000};
  storage::FreshStore store_;
  storage::Database database_{store_.options()};
};

TEST_F(LedgerTest, AnEventKeepsBothTimesAndItsPlaceInLine) {
  const StoredEvent first = add("alias.moved", "model:m");
  clock_.advance(5);
  const StoredEvent second = database_.write_returning<StoredEvent>([&](storage::Transaction& tx) {
    return append(tx, clock_,
                  {.type = "alarm.raised",
                   .subject = "monitor:q",
                   .actor = "monitor",
                   .cause = first.id,
                   .event_time = 1'356'998'400'000'000,
                   .body = {{"value", 102.5}},
                   .evidence = {"ab"}});
  });
  EXPECT_EQ(first.event_time, 0);  // never the wall clock instead
  EXPECT_TRUE(to_json(first).find("event_time")->is_null());
  EXPECT_EQ(second.seq, first.seq + 1);
  const auto events = list({.after_seq = first.seq});
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(json::write(to_json(events[0])),
            "{\"seq\":2,\"id\":\"" + second.id +
                "\",\"type\":\"alarm.raised\",\"subject\":\"monitor:q\",\"actor\":\"monitor\","
                "\"cause\":\"" +
                first.id +
                "\",\"event_time\":\"2013-01-01T00:00:00.000000Z\",\"recorded_at\":\"2023-11-14T22:"
                "13:20.000005Z\","
                "\"body\":{\"value\":102.5},\"evidence\":[\"ab\"]}");
}

TEST_F(LedgerTest, FiltersBySubjectTypeAndPage) {
  add("trigger.fired", "trigger:a");
  add("trigger.paused", "trigger:a");
  add("trigger.fired", "trigger:b");
  EXPECT_EQ(list({.type_prefix = "trigger."}).size(), 3U);
  EXPECT_EQ(list({.type_prefix = "trigger.fired"}).size(), 2U);
  EXPECT_EQ(list({.subject = "trigger:a"}).size(), 2U);
  EXPECT_EQ(list({.limit = 1, .newest_first = true})[0].subject, "trigger:b");
  EXPECT_THROW(list({.limit = 0}), Error);
  EXPECT_THROW(list({.limit = kEventPageMax + 1}), Error);
}

TEST_F(LedgerTest, AnEventOfAWriteThatFailedDoesNotExist) {
  EXPECT_THROW(database_.write([&](storage::Transaction& tx) {
    append(tx, clock_, {.type = "x.y", .subject = "s", .actor = "a"});
    throw Error(Code::kConflict, "undone");
  }),
               Error);
  EXPECT_TRUE(list({}).empty());
}

TEST_F(LedgerTest, EvidenceIsNamedByItsBytes) {
  std::string hash;
  database_.write([&](storage::Transaction& tx) {
    hash = put_evidence(tx, clock_, "gate", "gate/g/m/2/vs/1", json::Object{{"verdict", "fail"}});
    EXPECT_EQ(
        put_evidence(tx, clock_, "gate", "gate/g/m/2/vs/1", json::Object{{"verdict", "fail"}}),
        hash);
  });
  EXPECT_EQ(hash, sha256_hex("{\"verdict\":\"fail\"}"));
  database_.read([&](storage::Session& session) {
    ASSERT_TRUE(find_evidence(session, hash).has_value());
    EXPECT_EQ(find_evidence(session, hash)->subject, "gate/g/m/2/vs/1");
    EXPECT_FALSE(find_evidence(session, "00").has_value());
  });
}

TEST_F(LedgerTest, TheLatestEvidenceIsTheOneStoredLast) {
  database_.write([&](storage::Transaction& tx) {
    put_evidence(tx, clock_, "gate", "s", json::Object{{"verdict", "fail"}});
    put_evidence(tx, clock_, "gate", "s", json::Object{{"verdict", "pass"}});
  });
  const auto verdict = [&] {
    return database_.read_returning<std::string>([](storage::Session& session) {
      return latest_evidence(session, "gate", "s")->body.find("verdict")->as_string();
    });
  };
  EXPECT_EQ(verdict(), "pass");
  database_.write([&](storage::Transaction& tx) {
    put_evidence(tx, clock_, "gate", "s", json::Object{{"verdict", "fail"}});
  });
  EXPECT_EQ(verdict(), "fail");
}

TEST_F(LedgerTest, ACursorStartsAtZeroAndMoves) {
  database_.write([](storage::Transaction& tx) {
    EXPECT_EQ(cursor(tx, "monitor:q"), 0);
    move_cursor(tx, "monitor:q", 17);
    move_cursor(tx, "monitor:q", 18);
    EXPECT_EQ(cursor(tx, "monitor:q"), 18);
  });
}

}  // namespace
}  // namespace slipway::ledger
