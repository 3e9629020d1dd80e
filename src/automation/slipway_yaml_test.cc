// SPDX-License-Identifier: Apache-2.0
#include "automation/slipway_yaml.h"

#include <filesystem>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"

namespace slipway::automation {
namespace fs = std::filesystem;
namespace {

constexpr const char* kTwo = R"(# what runs
kind: Gate
name: g
spec: {model: m, monitor: w}
---
- kind: Webhook
  name: ops
  protect: true
  spec: {url: "http://127.0.0.1:9"}
- {kind: Model, name: m, adopt: true}
)";

std::string refusal(const std::string& text) {
  try {
    read_objects(text, "slipway.yaml");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kInvalidArgument);
    return error.what();
  }
  return "accepted";
}

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (fs::temp_directory_path() / "slipway-yaml-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~TemporaryFolder() { fs::remove_all(path_); }
  fs::path path_;
};

TEST(SlipwayYaml, DocumentsAndListsAreObjects) {
  const std::vector<Declared> objects = read_objects(kTwo, "slipway.yaml");
  ASSERT_EQ(objects.size(), 3U);
  EXPECT_EQ(objects[0].kind, "Gate");
  EXPECT_EQ(objects[0].spec.find("clusters")->as_int(), 14);
  EXPECT_EQ(objects[0].where, "slipway.yaml:2:1");
  EXPECT_TRUE(objects[1].protect);
  EXPECT_FALSE(objects[1].adopt);
  EXPECT_TRUE(objects[2].adopt);
  EXPECT_EQ(json::write(objects[2].spec), R"({"description":"","aliases":{}})");
}

TEST(SlipwayYaml, UnknownKeysNameFileLineColumnAndTheNearestKey) {
  EXPECT_EQ(refusal("kind: Gate\nname: g\nspec:\n  modle: m\n  monitor: w\n"),
            "slipway.yaml:4:3: unknown key `modle` in spec, did you mean `model`?");
  EXPECT_EQ(
      refusal("kind: Endpoint\nname: e\nspec:\n  model: m\n  alias: a\n  rollout:\n    steps:\n    "
              "  - weight: 0.5\n        request: 5\n"),
      "slipway.yaml:9:9: unknown key `request` in spec.rollout.steps, did you mean `requests`?");
  EXPECT_EQ(refusal("kind: Gate\nnmae: g\n"),
            "slipway.yaml:2:1: unknown key `nmae` in an object, did you mean `name`?");
  EXPECT_EQ(refusal("kind: Gates\nname: g\n"),
            "slipway.yaml:1:7: unknown kind `Gates`, did you mean `Gate`?");
}

TEST(SlipwayYaml, WrongValuesNameThePlaceOfTheirObject) {
  EXPECT_EQ(refusal("kind: Webhook\nname: w\nspec: {url: x}\n"),
            "slipway.yaml:1:1: Webhook `w`: `spec.url` must begin with http:// or https://");
  EXPECT_EQ(refusal("- 5\n"),
            "slipway.yaml:1:3: expected an object with kind, name and spec, found an integer");
  EXPECT_EQ(refusal("{kind: Model, name: m}\n---\n{kind: Model, name: m}\n"),
            "slipway.yaml:3:1: Model `m` is declared already at slipway.yaml:1:1");
}

TEST(SlipwayYaml, AFolderIsReadInTheOrderOfItsNames) {
  const TemporaryFolder folder;
  fs::create_directories(folder.path_ / "slipway");
  write_file_atomic(folder.path_ / "slipway" / "b.yaml", "{kind: Model, name: b}\n");
  write_file_atomic(folder.path_ / "slipway" / "a.yml", "{kind: Model, name: a}\n");
  write_file_atomic(folder.path_ / "slipway" / "README.md", "not yaml: [");
  const Desired desired = read_desired(folder.path_.string());
  EXPECT_EQ(desired.path, "slipway");
  ASSERT_EQ(desired.objects.size(), 2U);
  EXPECT_EQ(desired.objects[0].name, "a");
  write_file_atomic(folder.path_ / "slipway.yaml", "{kind: Model, name: c}\n");
  EXPECT_EQ(read_desired(folder.path_.string()).path, "slipway.yaml");
  fs::remove_all(folder.path_ / "slipway");
  fs::remove(folder.path_ / "slipway.yaml");
  try {
    read_desired(folder.path_.string());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kNotFound);
    EXPECT_EQ(std::string(error.what()),
              "there is neither slipway.yaml nor a folder slipway in " + folder.path_.string());
  }
}

TEST(SlipwayYaml, TheSourceIsWhatGitSays) {
  FakeProcessRunner processes;
  processes.answer = [](const Command& command) {
    Outcome outcome;
    const std::string& verb = command.argv.at(3);
    if (verb == "rev-parse") outcome.output = "/home/r\nfalse\nc0ffee\n";
    if (verb == "rev-list") outcome.output = "newer\nfirst\n";
    if (verb == "status") outcome.output = " M train.py\n";
    return outcome;
  };
  const Source source = read_source(processes, "/home/r/sub", "slipway.yaml");
  EXPECT_EQ(source.repo, "first");
  EXPECT_EQ(source.path, "sub/slipway.yaml");
  EXPECT_EQ(source.folder, "/home/r");
  EXPECT_EQ(source.commit, "c0ffee");
  EXPECT_TRUE(source.dirty);
}

TEST(SlipwayYaml, OutsideGitThereIsNoCommitAndAShallowCloneIsRefused) {
  FakeProcessRunner processes;
  processes.answer = [](const Command&) {
    Outcome outcome;
    outcome.exit_code = 128;
    return outcome;
  };
  const Source source = read_source(processes, "/somewhere", "slipway.yaml");
  EXPECT_EQ(source.commit, "");
  EXPECT_EQ(source.folder, "/somewhere");
  processes.answer = [](const Command&) {
    Outcome outcome;
    outcome.output = "/home/r\ntrue\nc0ffee\n";
    return outcome;
  };
  try {
    read_source(processes, "/home/r", "slipway.yaml");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.hint(), "git fetch --unshallow");
  }
}

}  // namespace
}  // namespace slipway::automation
