// SPDX-License-Identifier: Apache-2.0
#include "automation/worktree.h"

#include <filesystem>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/file.h"
#include "base/id.h"

namespace slipway::automation {
namespace {
namespace fs = std::filesystem;

class ShareCache : public ::testing::Test {
 protected:
  void TearDown() override { fs::remove_all(top_); }
  // What .dvc/config.local says in the worktree of a repository in the folder of that name.
  std::string shared(const std::string& name) {
    const fs::path repository = top_ / name;
    fs::create_directories(repository / ".dvc");
    write_file_atomic(repository / ".dvc" / "config", "");
    Worktree worktree;
    worktree.repository = repository.string();
    worktree.folder = (top_ / "worktree").string();
    share_cache(worktree, ".");
    return read_file(top_ / "worktree" / ".dvc" / "config.local");
  }
  const fs::path top_ = fs::temp_directory_path() / ("slipway-worktree-" + random_hex32());
};

TEST_F(ShareCache, NamesTheRepositorysCache) {
  EXPECT_EQ(shared("plain"), "[cache]\n    dir = " + (top_ / "plain/.dvc/cache").string() + "\n");
}

TEST_F(ShareCache, APathCannotAddSettings) {
  try {
    shared("two\n[core]\nlines");
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "the cache's folder holds a control character, which cannot stand in DVC's "
                 "configuration");
  }
  EXPECT_FALSE(fs::exists(top_ / "worktree" / ".dvc" / "config.local"));
}

}  // namespace
}  // namespace slipway::automation
