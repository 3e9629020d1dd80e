// SPDX-License-Identifier: Apache-2.0
#include "access/decision.h"

#include <gtest/gtest.h>

#include "access/account.h"
#include "access/role.h"
#include "access/testing.h"
#include "base/error.h"

namespace slipway::access {
namespace {

using P = Permission;

TEST(Permission, NamesAreReadAsTheyAreWritten) {
  for (const P permission : {P::kDeny, P::kNone, P::kRead, P::kUse, P::kEdit, P::kManage})
    EXPECT_EQ(parse_permission(permission_name(permission)), permission);
  EXPECT_EQ(parse_permission("read"), std::nullopt);
  EXPECT_EQ(permission_names(), "('READ', 'USE', 'EDIT', 'MANAGE', 'NO_PERMISSIONS', 'DENY')");
}

TEST(Decision, ADenialBeatsWhateverElseIsGranted) {
  const std::vector<P> none;
  EXPECT_EQ(fold(none), std::nullopt);
  EXPECT_EQ(fold(std::vector<P>{P::kRead, P::kManage, P::kNone}), P::kManage);
  EXPECT_EQ(fold(std::vector<P>{P::kManage, P::kDeny}), P::kDeny);
}

TEST(Decision, TheDefaultSpeaksWhereNoGrantDoes) {
  EXPECT_EQ(effective(std::nullopt, P::kRead), P::kRead);
  EXPECT_EQ(effective(P::kUse, P::kRead), P::kUse);
  EXPECT_EQ(effective(P::kRead, P::kEdit), P::kEdit);  // a grant takes nothing away
  EXPECT_EQ(effective(P::kNone, P::kEdit), P::kNone);  // but this one is meant to
  EXPECT_EQ(effective(P::kDeny, P::kEdit), P::kDeny);
}

struct Row {
  std::optional<P> whole;
  std::optional<P> part;
  P otherwise;
  P wanted;
  bool allowed;
};

TEST(Decision, FoldsGrantsOfTheThingAndOfItsParts) {
  const Row rows[] = {
      {std::nullopt, std::nullopt, P::kNone, P::kRead, false},
      {std::nullopt, std::nullopt, P::kRead, P::kRead, true},
      {std::nullopt, std::nullopt, P::kRead, P::kEdit, false},
      {P::kEdit, std::nullopt, P::kNone, P::kEdit, true},
      {P::kEdit, std::nullopt, P::kNone, P::kManage, false},
      {P::kDeny, std::nullopt, P::kManage, P::kRead, false},
      // Parts: their grants decide for them, if the thing itself may be read.
      {P::kRead, P::kEdit, P::kNone, P::kEdit, true},
      {std::nullopt, P::kEdit, P::kNone, P::kEdit, false},
      {P::kManage, P::kDeny, P::kNone, P::kRead, false},
      {P::kManage, P::kRead, P::kNone, P::kEdit, false},
      {P::kDeny, P::kManage, P::kNone, P::kRead, false},
  };
  int number = 0;
  for (const Row& row : rows)
    EXPECT_EQ(allows({row.whole, row.part}, row.otherwise, row.wanted), row.allowed) << number++;
}

class GrantsTest : public testing::Test, public Fixture {
 protected:
  GrantsTest() {
    database.write([&](storage::Transaction& transaction) {
      ann = create_account(transaction, clock, {"ann", "-", false}).id;
      bob = create_account(transaction, clock, {"bob", "-", false}).id;
    });
  }

  void own(std::int64_t account, const char* kind, const char* pattern, P permission) {
    database.write([&](storage::Transaction& transaction) {
      put_own(transaction, account, kind, pattern, permission);
    });
  }

  bool may(std::int64_t account, const Thing& thing, P wanted, P otherwise = P::kNone) {
    return database.read_returning<bool>([&](storage::Session& session) {
      return allows(read_grants(session, account, thing), otherwise, wanted);
    });
  }

  // The experiments 1 to 4 that a search of the account finds.
  std::string found(std::int64_t account, P otherwise) {
    return database.read_returning<std::string>([&](storage::Session& session) {
      const Readable readable = find_readable(session, account, "experiment", otherwise);
      std::string ids;
      for (const std::string id : {"1", "2", "3", "4"}) {
        bool listed = false;
        {
          auto row = session.query("SELECT ?3 IN (" + readable.select("?1", "?2") + ")",
                                   readable.account, readable.kind, id);
          row.step();
          listed = row.int64(0) != 0;
        }
        const bool visible = readable.rule == Readable::Rule::kOnly     ? listed
                             : readable.rule == Readable::Rule::kAllBut ? !listed
                                                                        : false;
        // What a search finds is what may be read one by one.
        const bool one_by_one =
            allows(read_grants(session, account, {"experiment", id, ""}), otherwise, P::kRead);
        EXPECT_EQ(visible, one_by_one) << id;
        if (visible) ids += id;
      }
      return ids;
    });
  }

  std::int64_t ann = 0;
  std::int64_t bob = 0;
};

TEST_F(GrantsTest, AreOfOneAccountAndOneThing) {
  own(ann, "experiment", "7", P::kEdit);
  EXPECT_TRUE(may(ann, {"experiment", "7", ""}, P::kEdit));
  EXPECT_TRUE(may(ann, {"experiment", "7", "run"}, P::kEdit));
  EXPECT_FALSE(may(ann, {"experiment", "7", ""}, P::kManage));
  EXPECT_FALSE(may(ann, {"experiment", "8", ""}, P::kRead));
  EXPECT_FALSE(may(ann, {"registered_model", "7", ""}, P::kRead));
  EXPECT_FALSE(may(bob, {"experiment", "7", ""}, P::kRead));
}

TEST_F(GrantsTest, OfRolesAddToOnesOwn) {
  database.write([&](storage::Transaction& transaction) {
    const Role role = create_role(transaction, "readers", std::nullopt);
    add_grant(transaction, {0, role.id, "experiment", "*", P::kRead});
    add_grant(transaction, {0, role.id, "run", "*", P::kDeny});
    assign_role(transaction, ann, role.id);
  });
  EXPECT_TRUE(may(ann, {"experiment", "1", ""}, P::kRead));
  EXPECT_FALSE(may(ann, {"experiment", "1", "run"}, P::kRead));
  own(ann, "experiment", "1", P::kDeny);
  EXPECT_FALSE(may(ann, {"experiment", "1", ""}, P::kRead));
  EXPECT_TRUE(may(ann, {"experiment", "2", ""}, P::kRead));
}

TEST_F(GrantsTest, ManageOnTheWorkspaceIsManageOnEverything) {
  database.write([&](storage::Transaction& transaction) {
    const Role role = create_role(transaction, "keepers", std::nullopt);
    add_grant(transaction, {0, role.id, "workspace", "*", P::kManage});
    assign_role(transaction, bob, role.id);
  });
  EXPECT_TRUE(may(bob, {"experiment", "1", "run"}, P::kManage));
  EXPECT_TRUE(may(bob, {"registered_model", "m", ""}, P::kManage));
  own(bob, "experiment", "1", P::kDeny);
  EXPECT_FALSE(may(bob, {"experiment", "1", ""}, P::kRead));
}

TEST_F(GrantsTest, ASearchFindsWhatMayBeRead) {
  EXPECT_EQ(found(ann, P::kNone), "");
  EXPECT_EQ(found(ann, P::kRead), "1234");
  own(ann, "experiment", "1", P::kRead);
  own(ann, "experiment", "2", P::kDeny);
  own(ann, "experiment", "3", P::kNone);
  EXPECT_EQ(found(ann, P::kNone), "1");
  EXPECT_EQ(found(ann, P::kRead), "14");
  own(ann, "experiment", "*", P::kRead);
  EXPECT_EQ(found(ann, P::kNone), "134");
  EXPECT_EQ(found(ann, P::kRead), "134");
  own(ann, "experiment", "*", P::kDeny);
  EXPECT_EQ(found(ann, P::kManage), "");
}

std::string refusal(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST_F(GrantsTest, AreCheckedBeforeTheyAreKept) {
  const auto check = [](const char* kind, const char* pattern, P permission) {
    return refusal([&] { check_grant(kind, pattern, permission); });
  };
  EXPECT_EQ(check("experiment", "7", P::kRead), "");
  EXPECT_EQ(check("workspace", "*", P::kUse), "");
  EXPECT_EQ(check("run", "7", P::kRead),
            "Invalid resource_pattern '7' for resource_type='run'. This resource type supports "
            "only wildcard ('*') grants.");
  EXPECT_EQ(check("experiment", "7", P::kNone),
            "Invalid permission 'NO_PERMISSIONS' for resource_type='experiment'. Resource-level "
            "grants accept only: ('DENY', 'EDIT', 'MANAGE', 'READ', 'USE').");
  EXPECT_EQ(check("workspace", "*", P::kRead),
            "Invalid permission 'READ' for resource_type='workspace'. Workspace-wide grants accept "
            "only: ('MANAGE', 'USE').");
  EXPECT_TRUE(check("gadget", "7", P::kRead).starts_with("Invalid resource type 'gadget'."));
  EXPECT_EQ(refusal([] { read_permission("FOO"); }),
            "Invalid permission 'FOO'. Valid permissions are: ('READ', 'USE', 'EDIT', 'MANAGE', "
            "'NO_PERMISSIONS', 'DENY')");
}

TEST_F(GrantsTest, FollowAThingThatGetsAnotherName) {
  own(ann, "registered_model", "old", P::kManage);
  own(bob, "registered_model", "new", P::kEdit);  // left over from one that is gone
  database.write([](storage::Transaction& transaction) {
    rename_grants(transaction, "registered_model", "old", "new");
  });
  EXPECT_TRUE(may(ann, {"registered_model", "new", ""}, P::kManage));
  EXPECT_FALSE(may(ann, {"registered_model", "old", ""}, P::kRead));
  EXPECT_FALSE(may(bob, {"registered_model", "new", ""}, P::kRead));
  database.write([](storage::Transaction& transaction) {
    delete_grants(transaction, "registered_model", "new");
  });
  EXPECT_FALSE(may(ann, {"registered_model", "new", ""}, P::kRead));
}

TEST_F(GrantsTest, AnAccountsOwnAreNoRoleToShareOrRename) {
  own(ann, "experiment", "7", P::kManage);
  const auto roles = database.read_returning<std::vector<Role>>(
      [&](storage::Session& session) { return roles_of(session, ann); });
  ASSERT_EQ(roles.size(), 1U);
  EXPECT_EQ(roles[0].name, "__user_" + std::to_string(ann) + "__");
  const std::string reserved = "Role name '" + roles[0].name + "' uses the reserved '__user_' ";
  EXPECT_TRUE(refusal([&] {
                database.write([&](storage::Transaction& transaction) {
                  assign_role(transaction, bob, roles[0].id);
                });
              }).starts_with(reserved));
  EXPECT_TRUE(refusal([&] {
                database.write([&](storage::Transaction& transaction) {
                  update_role(transaction, roles[0].id, "mine", std::nullopt);
                });
              }).starts_with(reserved));
  EXPECT_TRUE(refusal([&] {
                database.write([&](storage::Transaction& transaction) {
                  create_role(transaction, roles[0].name, std::nullopt);
                });
              }).starts_with(reserved));
}

}  // namespace
}  // namespace slipway::access
