// SPDX-License-Identifier: Apache-2.0
#include "git/repository.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/file.h"
#include "base/id.h"

namespace slipway::git {
namespace {

namespace fs = std::filesystem;

class GitTest : public ::testing::Test {
 protected:
  GitTest() : folder_(fs::temp_directory_path() / ("git_test." + random_hex32())) {
    fs::create_directories(folder_ / "sub");
    git("git init -q -b main . && git config user.email t@example.com && git config user.name t");
  }
  ~GitTest() override { fs::remove_all(folder_); }
  void git(const std::string& script) {
    Command command;
    command.argv = {"sh", "-c", script};
    command.folder = folder_;
    const Outcome outcome = processes_.run(command);
    ASSERT_EQ(outcome.exit_code, 0) << outcome.error_output;
  }
  fs::path folder_;
  SystemProcessRunner processes_;
};

TEST_F(GitTest, Facts) {
  const Repository repository(processes_, folder_ / "sub");
  EXPECT_EQ(repository.head_commit(), std::nullopt);
  write_file_atomic(folder_ / "a", "1\n");
  write_file_atomic(folder_ / ".gitignore", "*.log\n");
  git("git add . && git commit -qm one && git tag v1");
  ASSERT_TRUE(repository.head_commit().has_value());
  EXPECT_EQ(repository.head_commit()->size(), 40U);
  EXPECT_EQ(repository.resolve("v1"), repository.head_commit());
  EXPECT_EQ(repository.resolve("--all"), std::nullopt);
  EXPECT_EQ(repository.branch(), "main");
  EXPECT_TRUE(fs::equivalent(*repository.top_level(), folder_));
  EXPECT_FALSE(repository.is_dirty());
  write_file_atomic(folder_ / "untracked", "x");
  EXPECT_FALSE(repository.is_dirty());
  write_file_atomic(folder_ / "a", "2\n");
  EXPECT_TRUE(repository.is_dirty());
  EXPECT_TRUE(repository.is_ignored(folder_ / "sub" / "x.log"));
  EXPECT_FALSE(repository.is_ignored(folder_ / "a"));
  EXPECT_EQ(repository.tracked_among({folder_ / "a", folder_ / "untracked"}),
            std::vector<fs::path>{folder_ / "a"});
}

TEST_F(GitTest, WorkTreesComeAndGo) {
  write_file_atomic(folder_ / "a", "1\n");
  git("git add . && git commit -qm one");
  const Repository repository(processes_, folder_);
  const fs::path tree = folder_.string() + ".tree";
  repository.add_worktree(tree, *repository.head_commit());
  const Repository linked(processes_, tree);
  EXPECT_EQ(read_file(tree / "a"), "1\n");
  EXPECT_EQ(linked.branch(), std::nullopt);
  EXPECT_TRUE(fs::equivalent(*linked.main_folder(), folder_));
  repository.remove_worktree(tree);
  EXPECT_FALSE(fs::exists(tree));
  EXPECT_NO_THROW(repository.remove_worktree(tree));
  EXPECT_THROW(repository.add_worktree(tree, "0000000000000000000000000000000000000000"), Error);
}

TEST_F(GitTest, OutsideOfARepositoryNothingIsKnown) {
  const Repository nowhere(processes_, fs::temp_directory_path());
  EXPECT_EQ(nowhere.head_commit(), std::nullopt);
  const Repository absent(processes_, "/no/such/folder");
  EXPECT_EQ(absent.top_level(), std::nullopt);
}

}  // namespace
}  // namespace slipway::git
