// SPDX-License-Identifier: Apache-2.0
#include <fstream>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/id.h"
#include "data/config.h"
#include "data/git_ignore.h"
#include "data/ignore.h"
#include "data/md5.h"
#include "data/repository_lock.h"
#include "data/tree.h"
#include "data/workspace.h"

namespace slipway::data {
namespace {

namespace fs = std::filesystem;

class DataTest : public ::testing::Test {
 protected:
  DataTest() : folder_(fs::temp_directory_path() / ("data_test." + random_hex32())) {
    fs::create_directories(folder_ / ".dvc" / "tmp");
  }
  ~DataTest() override { fs::remove_all(folder_); }
  void write(const std::string& path, const std::string& text) {
    fs::create_directories((folder_ / path).parent_path());
    write_file_atomic(folder_ / path, text);
  }
  unsigned mode(const fs::path& path) {
    struct stat status {};
    EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
    return status.st_mode & 07777U;
  }
  fs::path folder_;
  SystemProcessRunner processes_;
};

TEST(Md5, HashesAsDvc) {
  EXPECT_EQ(md5_hex(""), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(md5_hex("hello\n"), "b1946ac92492d2347c6235b4d2611184");
}

TEST_F(DataTest, OldHashesIgnoreCarriageReturnsInText) {
  write("unix", "a\nb\n");
  write("dos", "a\r\nb\r\n");
  write("binary", std::string("a\r\n\0b", 5));
  EXPECT_EQ(md5_file(folder_ / "dos", HashKind::kMd5Dos2Unix), md5_file(folder_ / "unix"));
  EXPECT_NE(md5_file(folder_ / "dos"), md5_file(folder_ / "unix"));
  EXPECT_EQ(md5_file(folder_ / "binary", HashKind::kMd5Dos2Unix), md5_file(folder_ / "binary"));
  EXPECT_THROW((void)md5_files({folder_ / "unix", folder_ / "nope"}), Error);
}

TEST(Tree, BytesAreDvcs) {
  EXPECT_EQ(tree_hash({}), "d751713988987e9331980363e24189ce.dir");
  Tree tree = {{"b/ü\"", "22222222222222222222222222222222"},
               {"a", "11111111111111111111111111111111"},
               {"b-c 😀", "33333333333333333333333333333333"}};
  sort_tree(tree);
  const std::string bytes = tree_bytes(tree);
  EXPECT_EQ(
      bytes,
      R"([{"md5": "11111111111111111111111111111111", "relpath": "a"}, {"md5": "33333333333333333333333333333333", "relpath": "b-c \ud83d\ude00"}, )"
      R"({"md5": "22222222222222222222222222222222", "relpath": "b/\u00fc\""}])");
  EXPECT_EQ(parse_tree(bytes, "x"), tree);
}

TEST(Tree, NamesThatAreNotUtf8ComeBack) {
  const Tree tree = {{"bad\xff name", "11111111111111111111111111111111"}};
  EXPECT_EQ(tree_bytes(tree),
            R"([{"md5": "11111111111111111111111111111111", "relpath": "bad\udcff name"}])");
  EXPECT_EQ(parse_tree(tree_bytes(tree), "x"), tree);
}

TEST(Tree, DamagedOrDangerousObjectsAreRefused) {
  for (const char* text :
       {"{}", "[", "[1]", R"([{"md5": "x"}])", R"([{"md5": "x", "relpath": "../up"}])",
        R"([{"md5": "x", "relpath": "/root"}])", R"([{"md5": "x", "relpath": "a//b"}])"}) {
    try {
      (void)parse_tree(text, "obj");
      FAIL() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kDataLoss) << text;
    }
  }
}

TEST(Config, ReadsDvcsDialect) {
  const auto sections = parse_config(
      "[core]\n    autostage = true # really\n['remote \"s 3\"']\n    url = "
      "\"s3://b#x\"\n[cache]\n    TYPE = \"hardlink,copy\"\n",
      "config");
  EXPECT_EQ(sections.at("core").at("autostage"), "true");
  EXPECT_EQ(sections.at("remote \"s 3\"").at("url"), "s3://b#x");
  EXPECT_EQ(sections.at("cache").at("type"), "hardlink,copy");
  EXPECT_THROW((void)parse_config("key = 1\n", "config"), Error);
}

TEST(Ignore, MatchesAsGitDoes) {
  const auto says = [](const std::string& pattern, const std::string& path, bool folder = false) {
    return matches(parse_ignore(pattern).at(0), path, folder);
  };
  EXPECT_TRUE(says("*.tmp", "a/b.tmp"));
  EXPECT_TRUE(says("/a/*.c", "a/x.c"));
  EXPECT_FALSE(says("/a/*.c", "a/b/x.c"));
  EXPECT_TRUE(says("a/**/c", "a/c"));
  EXPECT_TRUE(says("a/**/c", "a/x/y/c"));
  EXPECT_TRUE(says("**/c", "x/c"));
  EXPECT_FALSE(says("dir/", "dir"));
  EXPECT_TRUE(says("dir/", "dir", true));
  EXPECT_TRUE(says("[a-c]?[!x]", "bzy"));
  EXPECT_FALSE(says("a*b", "a/b"));
  EXPECT_TRUE(says("\\#x", "#x"));
}

TEST_F(DataTest, TheDeeperAndLaterPatternWins) {
  write(".dvcignore", "*.log\nbuild/\n");
  write("keep/.dvcignore", "!important.log\n");
  Ignore ignore(folder_);
  EXPECT_TRUE(ignore.ignored("a.log", false));
  EXPECT_FALSE(ignore.ignored("keep/important.log", false));
  EXPECT_TRUE(ignore.ignored("build/x/y", false));
  EXPECT_TRUE(ignore.ignored(".git", true));
  EXPECT_TRUE(ignore.ignored(".dvc", true));
  EXPECT_FALSE(ignore.ignored("src", true));
}

TEST_F(DataTest, CommitAndCheckoutKeepTheCacheReadOnlyAndTheContentTrue) {
  write("d/a", "1\n");
  write("d/sub/b", "2\n");
  Workspace workspace(folder_, processes_);
  const Snapshot snapshot = *workspace.snapshot(folder_ / "d");
  EXPECT_EQ(snapshot.nfiles, 2);
  EXPECT_EQ(snapshot.size, 4);
  workspace.commit(folder_ / "d", snapshot);
  EXPECT_TRUE(workspace.cache().contains_all(snapshot.hash));
  EXPECT_EQ(mode(workspace.cache().path_of(md5_hex("1\n"))), 0444U);
  fs::remove_all(folder_ / "d");
  EXPECT_EQ(workspace.checkout(folder_ / "d", snapshot.hash, false, false),
            Workspace::Change::kAdded);
  EXPECT_EQ(read_file(folder_ / "d" / "sub" / "b"), "2\n");
  EXPECT_EQ(workspace.checkout(folder_ / "d", snapshot.hash, false, false),
            Workspace::Change::kNone);
  write("d/new", "only here\n");
  EXPECT_THROW(workspace.checkout(folder_ / "d", snapshot.hash, false, false), Error);
  EXPECT_EQ(read_file(folder_ / "d" / "new"), "only here\n");
  EXPECT_EQ(workspace.checkout(folder_ / "d", snapshot.hash, false, true),
            Workspace::Change::kModified);
  EXPECT_FALSE(fs::exists(folder_ / "d" / "new"));
}

TEST_F(DataTest, AnObjectThatIsNotReadOnlyIsHashedAndADamagedOneRemoved) {
  write("a", "1\n");
  Workspace workspace(folder_, processes_);
  const Snapshot snapshot = *workspace.snapshot(folder_ / "a");
  workspace.commit(folder_ / "a", snapshot);
  const fs::path object = workspace.cache().path_of(snapshot.hash);
  ::chmod(object.c_str(), 0644);
  EXPECT_TRUE(workspace.cache().contains(snapshot.hash));
  EXPECT_EQ(mode(object), 0444U);
  ::chmod(object.c_str(), 0644);
  std::ofstream(object) << "damaged";
  EXPECT_FALSE(workspace.cache().contains(snapshot.hash));
  EXPECT_FALSE(fs::exists(object));
}

TEST_F(DataTest, WhatCannotBeTrackedIsNamed) {
  write("d/a", "1\n");
  ::mkfifo((folder_ / "d" / "pipe").c_str(), 0600);
  Workspace workspace(folder_, processes_);
  try {
    (void)workspace.snapshot(folder_ / "d");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()), "cannot track `" + (folder_ / "d" / "pipe").string() +
                                             "`: it is neither a file nor a folder");
  }
  fs::remove(folder_ / "d" / "pipe");
  fs::create_symlink("nowhere", folder_ / "d" / "link");
  EXPECT_THROW((void)workspace.snapshot(folder_ / "d"), Error);
  EXPECT_EQ(workspace.snapshot(folder_ / "absent"), std::nullopt);
}

TEST_F(DataTest, TheStatCacheBelievesOnlyWhatSettled) {
  write("a", "1\n");
  struct stat status {};
  ::stat((folder_ / "a").c_str(), &status);
  StatCache cache(folder_ / "stat");
  const std::int64_t written_ns =
      std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
  cache.remember("a", status, HashKind::kMd5, md5_hex("1\n"), written_ns + 1'000'000);
  EXPECT_EQ(cache.find("a", status, HashKind::kMd5),
            std::nullopt);  // hashed in the tick in which it was written
  cache.remember("a", status, HashKind::kMd5, md5_hex("1\n"), written_ns + 1'000'000'000);
  EXPECT_EQ(cache.find("a", status, HashKind::kMd5), md5_hex("1\n"));
  EXPECT_EQ(cache.find("a", status, HashKind::kMd5Dos2Unix), std::nullopt);
  cache.save();
  EXPECT_EQ(StatCache(folder_ / "stat").find("a", status, HashKind::kMd5), md5_hex("1\n"));
  status.st_size = 3;
  EXPECT_EQ(cache.find("a", status, HashKind::kMd5), std::nullopt);
  write("stat", "slipway stat cache 1\nrubbish");
  EXPECT_EQ(StatCache(folder_ / "stat").find("a", status, HashKind::kMd5), std::nullopt);
}

TEST_F(DataTest, GitIgnoreEntriesComeAndGo) {
  write(".gitignore", "*.pyc");
  EXPECT_TRUE(add_git_ignore(folder_ / "data [1].csv").has_value());
  EXPECT_FALSE(add_git_ignore(folder_ / "data [1].csv").has_value());
  EXPECT_EQ(read_file(folder_ / ".gitignore"), "*.pyc\n/data \\[1\\].csv\n");
  remove_git_ignore(folder_ / "data [1].csv");
  EXPECT_EQ(read_file(folder_ / ".gitignore"), "*.pyc\n");
}

TEST_F(DataTest, LocksKeepOthersOut) {
  RepositoryLock lock(folder_ / ".dvc" / "tmp");
  EXPECT_THROW(RepositoryLock(folder_ / ".dvc" / "tmp"), Error);
  lock.unlock();
  RepositoryLock other(folder_ / ".dvc" / "tmp");
  {
    const PathLock writing(folder_ / ".dvc" / "tmp", "one", {}, {folder_ / "out"});
    EXPECT_THROW(PathLock(folder_ / ".dvc" / "tmp", "two", {folder_ / "out" / "file"}, {}), Error);
    EXPECT_NO_THROW(PathLock(folder_ / ".dvc" / "tmp", "two", {folder_ / "output"}, {}));
  }
  EXPECT_EQ(read_file(folder_ / ".dvc" / "tmp" / "rwlock"), R"({"write": {}, "read": {}})");
  // A process that is gone holds nothing.
  write(".dvc/tmp/rwlock", R"({"write": {")" + (folder_ / "out").string() +
                               R"(": {"pid": 4194305, "cmd": "gone"}}, "read": {}})");
  EXPECT_NO_THROW(PathLock(folder_ / ".dvc" / "tmp", "two", {folder_ / "out"}, {}));
}

}  // namespace
}  // namespace slipway::data
