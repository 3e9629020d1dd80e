// SPDX-License-Identifier: Apache-2.0
#include "access/audit.h"

#include <gtest/gtest.h>

#include "access/testing.h"
#include "base/error.h"

namespace slipway::access {
namespace {

class AuditTest : public testing::Test, public Fixture {
 protected:
  std::vector<AuditEntry> entries(const AuditFilter& filter = {}) {
    return database.read_returning<std::vector<AuditEntry>>(
        [&](storage::Session& session) { return list_audit(session, filter); });
  }
  static AuditEntry refusal(const std::string& actor = "nobody") {
    return {.actor = actor,
            .peer = "192.0.2.1",
            .method = "GET",
            .route = "/api/2.0/mlflow/runs/get",
            .resource = "run_id=1",
            .status = 401};
  }
};

TEST_F(AuditTest, KeepsChangesNewestFirst) {
  {
    Audit audit(database, clock);
    audit.changed({.actor = "user:ann", .method = "POST", .route = "/a", .status = 200});
    clock.advance(5);
    audit.changed({.actor = "user:bob",
                   .method = "DELETE",
                   .route = "/b",
                   .resource = std::string(300, 'x'),
                   .status = 200});
    audit.flush();
  }
  const auto kept = entries();
  ASSERT_EQ(kept.size(), 2U);
  EXPECT_EQ(kept[0].actor, "user:bob");
  EXPECT_EQ(kept[0].resource.size(), Audit::kTextBytesMax);
  EXPECT_EQ(kept[0].at, kept[1].at + 5);
  EXPECT_EQ(kept[1].times, 1);
  EXPECT_EQ(entries({.actor = "user:ann"}).size(), 1U);
  EXPECT_EQ(entries({.before_seq = kept[0].seq}).size(), 1U);
  EXPECT_EQ(entries({.refused_only = true}).size(), 0U);
  EXPECT_THROW(entries({.limit = kAuditPageMax + 1}), Error);
}

TEST_F(AuditTest, CountsWhatIsRefusedTooOften) {
  Audit audit(database, clock);
  for (int i = 0; i < 1'000; ++i) audit.refused(refusal());
  audit.flush();
  auto kept = entries({.refused_only = true, .limit = 100});
  ASSERT_EQ(kept.size(), static_cast<std::size_t>(Audit::kRefusalsWhole) + 1);
  EXPECT_EQ(kept[0].times, 1'000 - Audit::kRefusalsWhole);
  EXPECT_EQ(kept[1].times, 1);
}

TEST_F(AuditTest, AWindowEndsAfterAMinute) {
  Audit audit(database, clock);
  for (int i = 0; i < 20; ++i) audit.refused(refusal());
  clock.advance(Audit::kRefusalsWindowUs);
  audit.refused(refusal());
  database.write([](storage::Transaction&) {});  // behind what audit handed over
  const auto kept = entries();
  ASSERT_EQ(kept.size(), 12U);  // ten, the sum of ten, and the first of the next minute
  EXPECT_EQ(kept[1].times, 10);
  EXPECT_EQ(kept[0].times, 1);
}

TEST_F(AuditTest, ManyKindsOfRefusalsCountAsOne) {
  Audit audit(database, clock);
  for (std::size_t i = 0; i < Audit::kKindsMax + 100; ++i)
    audit.refused(refusal("user:" + std::to_string(i)));
  audit.flush();
  const auto kept = entries({.actor = "others", .limit = 100});
  ASSERT_EQ(kept.size(), static_cast<std::size_t>(Audit::kRefusalsWhole) + 1);
  EXPECT_EQ(kept[0].times, 100 - Audit::kRefusalsWhole);
}

}  // namespace
}  // namespace slipway::access
