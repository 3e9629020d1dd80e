// SPDX-License-Identifier: Apache-2.0
#include "tracking/artifact_store.h"

#include <fstream>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

#include "base/id.h"
#include "tracking/artifact_index.h"
#include "tracking/artifact_uri.h"
#include "tracking/logged_model.h"
#include "tracking/testing.h"

namespace slipway::tracking {
namespace {

namespace fs = std::filesystem;

class ArtifactStoreTest : public TrackingTest {
 protected:
  void SetUp() override { fs::create_directories(folder_); }
  void TearDown() override { fs::remove_all(folder_); }
  std::string message(const std::function<void()>& work) { return refusal_of(work).substr(0, 32); }

  const fs::path folder_ = fs::temp_directory_path() / ("slipway-artifacts-" + random_hex32());
  ArtifactStore store_{{.root = folder_ / "root"}};
};

TEST_F(ArtifactStoreTest, PutListReadRemove) {
  const auto stored = store_.put("0/run/artifacts/a.txt", "hello");
  EXPECT_EQ(stored.bytes, 5U);
  EXPECT_EQ(stored.sha256, "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
  store_.put("0/run/artifacts/sub/ü b.bin", std::string(100'000, 'x'));
  EXPECT_EQ(store_.read("0/run/artifacts/a.txt", 100), "hello");
  EXPECT_EQ(store_.list("0/run/artifacts"),
            (std::vector<ArtifactStore::Entry>{{"a.txt", false, 5}, {"sub", true, 0}}));
  EXPECT_EQ(store_.list("0/run/artifacts/sub"),
            (std::vector<ArtifactStore::Entry>{{"ü b.bin", false, 100'000}}));
  EXPECT_EQ(store_.list("").size(), 1U);  // uploads under way are not shown
  EXPECT_TRUE(store_.list("nope").empty());
  EXPECT_TRUE(store_.list("0/run/artifacts/a.txt").empty());
  EXPECT_TRUE(store_.is_folder("0/run"));
  EXPECT_FALSE(store_.is_folder("0/run/artifacts/a.txt"));
  EXPECT_EQ(store_.open("0/run/artifacts/a.txt")->bytes, 5U);
  EXPECT_FALSE(store_.open("0/run/artifacts/sub"));
  EXPECT_FALSE(store_.open("0/none/at/all"));
  store_.put("0/run/artifacts/a.txt", "new");
  EXPECT_EQ(store_.read("0/run/artifacts/a.txt", 100), "new");
  EXPECT_TRUE(store_.remove("0/run"));
  EXPECT_FALSE(store_.remove("0/run"));
  EXPECT_FALSE(store_.open("0/run/artifacts/a.txt"));
}

TEST_F(ArtifactStoreTest, EmptyFileIsAFile) {
  EXPECT_EQ(store_.put("e", "").sha256,
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(store_.open("e")->bytes, 0U);
}

TEST_F(ArtifactStoreTest, UnsafePathsAreRefused) {
  const std::vector<std::string> paths = {"",
                                          "..",
                                          "a/../b",
                                          "a/..",
                                          "/etc/passwd",
                                          "a//b",
                                          "a/",
                                          "./a",
                                          "a/./b",
                                          "a\\b",
                                          std::string("a\0b", 3),
                                          "a\nb",
                                          std::string(256, 'x'),
                                          ".incoming/x",
                                          ".incoming",
                                          std::string(4'001, 'x')};
  for (const std::string& path : paths) {
    EXPECT_EQ(message([&] { store_.put(path, "x"); }).substr(0, 30),
              "invalid_argument: Invalid path")
        << path;
    EXPECT_EQ(message([&] { store_.open(path); }).substr(0, 30), "invalid_argument: Invalid path")
        << path;
    EXPECT_EQ(message([&] { store_.remove(path); }).substr(0, 30), "invalid_argument: Invalid path")
        << path;
    if (!path.empty()) {
      EXPECT_EQ(message([&] { store_.list(path); }).substr(0, 30), "invalid_argument: Invalid path")
          << path;
    }
  }
  EXPECT_FALSE(fs::exists(folder_ / "b"));
}

TEST_F(ArtifactStoreTest, LinksAreNotFollowed) {
  fs::create_directories(folder_ / "outside/sub");
  std::ofstream(folder_ / "outside/f") << "secret";
  store_.put("in/a", "x");
  fs::create_directory_symlink(folder_ / "outside", folder_ / "root/in/link");
  fs::create_symlink(folder_ / "outside/f", folder_ / "root/in/file");
  for (const char* path : {"in/link/f", "in/file"}) {
    EXPECT_EQ(refusal_of([&] { store_.open(path); }).find("symbolic links are not followed") !=
                  std::string::npos,
              true)
        << path;
  }
  EXPECT_NE(refusal_of([&] { store_.list("in/link"); }), "");
  EXPECT_NE(refusal_of([&] { store_.put("in/link/new", "x"); }), "");
  EXPECT_NE(refusal_of([&] { store_.remove("in/link/f"); }), "");
  EXPECT_EQ(store_.list("in"), (std::vector<ArtifactStore::Entry>{{"a", false, 1}}));
  store_.put("in/file", "mine");  // replaces the link itself
  EXPECT_TRUE(store_.remove("in"));
  EXPECT_TRUE(fs::exists(folder_ / "outside/f"));
  EXPECT_TRUE(fs::exists(folder_ / "outside/sub"));
  EXPECT_EQ(fs::file_size(folder_ / "outside/f"), 6U);
}

TEST_F(ArtifactStoreTest, SpecialFilesAreNoArtifacts) {
  ASSERT_EQ(::mkfifo((folder_ / "root/pipe").c_str(), 0600), 0);
  EXPECT_FALSE(store_.open("pipe"));
  EXPECT_TRUE(store_.list("").empty());
}

TEST_F(ArtifactStoreTest, FailedUploadLeavesNothing) {
  store_.put("a/f", "old");
  int calls = 0;
  const auto broken = [&](char* buffer, std::size_t) -> std::size_t {
    if (++calls == 2) throw Error(Code::kUnavailable, "the client went away");
    buffer[0] = 'x';
    return 1;
  };
  EXPECT_EQ(refusal_of([&] { store_.put("a/f", broken); }), "unavailable: the client went away");
  EXPECT_EQ(store_.read("a/f", 10), "old");
  EXPECT_TRUE(fs::is_empty(folder_ / "root/.incoming"));
}

TEST_F(ArtifactStoreTest, FolderAndFileDoNotMix) {
  store_.put("a/f", "x");
  EXPECT_EQ(refusal_of([&] { store_.put("a", "x"); }),
            "invalid_argument: Invalid path: 'a': a folder has this name");
  EXPECT_EQ(refusal_of([&] { store_.put("a/f/g", "x"); }),
            "invalid_argument: Invalid path: 'f': a file or link stands where a folder is needed");
}

TEST_F(ArtifactStoreTest, LeftoversOfACrashAreSwept) {
  std::ofstream(folder_ / "root/.incoming/abc") << "half";
  const ArtifactStore again({.root = folder_ / "root"});
  EXPECT_TRUE(fs::is_empty(folder_ / "root/.incoming"));
}

TEST_F(ArtifactStoreTest, ReadsHaveALimit) {
  store_.put("f", "12345");
  EXPECT_EQ(refusal_of([&] { store_.read("f", 4); }),
            "invalid_argument: artifact `f` has 5 bytes, more than the 4 that are read whole");
  EXPECT_EQ(refusal_of([&] { store_.read("g", 4); }), "not_found: No such artifact: 'g'");
}

TEST_F(ArtifactStoreTest, ConcurrentUploadsOfOnePathAreEachWhole) {
  std::vector<std::thread> threads;
  for (char c = 'a'; c < 'e'; ++c) {
    threads.emplace_back([this, c] {
      for (int i = 0; i < 20; ++i) store_.put("x/y/z", std::string(10'000, c));
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::string bytes = store_.read("x/y/z", 1 << 20);
  EXPECT_EQ(bytes, std::string(10'000, bytes[0]));
}

TEST_F(ArtifactStoreTest, DigestsAreKeptAndForgottenByFolder) {
  write([&](storage::Transaction& t) {
    for (const char* path : {"a/b", "a/b/c", "a/b/c/d", "a/bc", "a/b0"})
      record_artifact(t, path, {5, "ff"}, 7);
    record_artifact(t, "a/bc", {6, "ee"}, 8);
    forget_artifacts(t, "a/b");
  });
  const auto find = [&](const char* path) {
    return read<std::optional<ArtifactDigest>>(
        [&](storage::Session& s) { return find_artifact(s, path); });
  };
  EXPECT_FALSE(find("a/b"));
  EXPECT_FALSE(find("a/b/c/d"));
  EXPECT_TRUE(find("a/b0"));
  ASSERT_TRUE(find("a/bc"));
  EXPECT_EQ(find("a/bc")->bytes, 6U);
  EXPECT_EQ(find("a/bc")->sha256, "ee");
}

TEST_F(ArtifactStoreTest, UrisLeadIntoTheStore) {
  EXPECT_EQ(store_path("mlflow-artifacts:/0/r/artifacts"), "0/r/artifacts");
  EXPECT_EQ(store_path("mlflow-artifacts:///0/r/"), "0/r");
  EXPECT_EQ(store_path("mlflow-artifacts:/"), "");
  EXPECT_EQ(store_path("mlflow-artifacts://host/0"), std::nullopt);
  EXPECT_EQ(store_path("s3://bucket/x"), std::nullopt);
  EXPECT_NE(refusal_of([] { store_path("mlflow-artifacts:/../x"); }), "");

  const RunInfo run = make_run();
  const auto model = database_.write_returning<LoggedModel>([&](storage::Transaction& t) {
    return create_logged_model(t, {0, "model", "", run.id, {}, {}}, kNowMs);
  });
  const auto resolve = [&](const std::string& uri) {
    return read<std::optional<std::string>>(
        [&](storage::Session& s) { return resolve_artifacts(s, uri); });
  };
  EXPECT_EQ(resolve("runs:/" + run.id + "/plots/a.png"), "0/" + run.id + "/artifacts/plots/a.png");
  EXPECT_EQ(resolve("runs:/" + run.id), "0/" + run.id + "/artifacts");
  EXPECT_EQ(resolve("runs:/" + run.id + "/model"), "0/models/" + model.id + "/artifacts");
  EXPECT_EQ(resolve("models:/" + model.id), "0/models/" + model.id + "/artifacts");
  EXPECT_EQ(resolve("models:/" + model.id + "/MLmodel"),
            "0/models/" + model.id + "/artifacts/MLmodel");
  EXPECT_EQ(resolve("s3://b/x"), std::nullopt);
  EXPECT_EQ(refusal_of([&] { resolve("runs:/nope/x"); }), "not_found: Run with id=nope not found");
  EXPECT_NE(refusal_of([&] { resolve("runs:/" + run.id + "/../x"); }), "");
}

TEST_F(ArtifactStoreTest, LocationsOfExperimentsAreChecked) {
  const auto check = [](const std::string& uri) {
    return refusal_of([&] { check_artifact_location(uri); });
  };
  for (const char* good : {"", "s3://b/p;x", "/srv/artifacts", "file:///srv/a b",
                           "mlflow-artifacts:/team", "relative/path", "gs://b/a..b"}) {
    EXPECT_EQ(check(good), "") << good;
  }
  for (const char* bad :
       {"runs:/a/b", "models:/x", "http://h/x", "HTTPS://h/x", "sftp://h/x",
        "mlflow-artifacts://h/x", "s3://b/x#f", "s3://b/../x", "s3://b/%2e%2e/x",
        "s3://b/%252e%252e/x", "s3://b/x?a=..", "mlflow-artifacts:/a;b", "s3://b/\n"}) {
    EXPECT_EQ(check(bad).substr(0, 17), "invalid_argument:") << bad;
  }
  EXPECT_EQ(check("s3://" + std::string(2'044, 'x')),
            "invalid_argument: 'artifact_location' exceeds the maximum length of 2048 characters");
}

}  // namespace
}  // namespace slipway::tracking
