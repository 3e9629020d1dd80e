// SPDX-License-Identifier: Apache-2.0
#include "registry/model_version.h"

#include <gtest/gtest.h>

#include "ledger/event.h"
#include "registry/alias.h"
#include "registry/provenance.h"
#include "registry/source.h"
#include "registry/testing.h"
#include "tracking/logged_model.h"
#include "tracking/run_table.h"

namespace slipway::registry {
namespace {

class ModelVersionTest : public RegistryWorld {
 protected:
  std::string make_run(const tracking::Pairs& tags = {}) {
    return write<std::string>([&](storage::Transaction& tx) {
      tracking::NewRun run;
      run.start_time_ms = 1;
      run.tags = tags;
      return tracking::create_run(tx, run).id;
    });
  }
  tracking::LoggedModel make_logged(const std::string& run) {
    return write<tracking::LoggedModel>([&](storage::Transaction& tx) {
      tracking::NewLoggedModel model;
      model.name = "model";
      model.source_run_id = run;
      return tracking::create_logged_model(tx, model, 1);
    });
  }
  std::string source_refused(const std::string& source, const std::string& run,
                             const std::string& model) {
    return refusal(
        [&](storage::Transaction& tx) { resolve_source(tx, source, run, model, false); });
  }
  ResolvedSource resolved(const std::string& source, const std::string& run,
                          const std::string& model) {
    return read<ResolvedSource>([&](storage::Session& session) {
      return resolve_source(session, source, run, model, false);
    });
  }
};

TEST_F(ModelVersionTest, NumbersCountDeletedOnes) {
  make_model("m");
  EXPECT_EQ(make_version("m").version, 1);
  EXPECT_EQ(make_version("m").version, 2);
  write_void([&](storage::Transaction& tx) { delete_version(tx, clock_, "m", 2, "user:a"); });
  EXPECT_EQ(make_version("m").version, 3);
  EXPECT_EQ(refusal([](storage::Transaction& tx) { get_version(tx, "m", 2); }),
            "not_found: Model Version (name=m, version=2) not found");
}

TEST_F(ModelVersionTest, ADeletedModelLeavesNothingToItsSuccessor) {
  make_model("m");
  make_version("m");
  write_void([&](storage::Transaction& tx) {
    AliasChange change;
    change.model = "m";
    change.alias = "champion";
    change.version = 1;
    move_alias(tx, clock_, change);
    delete_model(tx, clock_, "m", "user:a");
  });
  EXPECT_EQ(refusal([](storage::Transaction& tx) { get_model(tx, "m"); }),
            "not_found: Registered Model with name=m not found");
  make_model("m");
  EXPECT_EQ(make_version("m").version, 1);
  read<int>([](storage::Session& session) {
    EXPECT_FALSE(find_alias(session, "m", "champion"));
    EXPECT_TRUE(alias_history(session, "m", "champion").empty());
    return 0;
  });
}

TEST_F(ModelVersionTest, DeletingAVersionTakesItsAliasesAlong) {
  make_model("m");
  make_version("m");
  write_void([&](storage::Transaction& tx) {
    AliasChange change;
    change.model = "m";
    change.alias = "best";
    change.version = 1;
    move_alias(tx, clock_, change);
    delete_version(tx, clock_, "m", 1, "user:a");
  });
  read<int>([](storage::Session& session) {
    EXPECT_FALSE(find_alias(session, "m", "best"));
    EXPECT_EQ(alias_history(session, "m", "best").front().reason, "version 1 was deleted");
    return 0;
  });
}

TEST_F(ModelVersionTest, StagesAreMlflows) {
  make_model("m");
  make_version("m");
  make_version("m");
  write_void([&](storage::Transaction& tx) {
    EXPECT_EQ(transition_stage(tx, clock_, "m", 1, "production", false).stage, "Production");
    EXPECT_EQ(transition_stage(tx, clock_, "m", 2, "PRODUCTION", true).stage, "Production");
    EXPECT_EQ(get_version(tx, "m", 1).stage, "Archived");
    const auto latest = latest_versions(tx, "m", {"Production"});
    ASSERT_EQ(latest.size(), 1U);
    EXPECT_EQ(latest[0].version, 2);
    EXPECT_EQ(latest_versions(tx, "m", {}).size(), 2U);
  });
  EXPECT_EQ(refusal([&](storage::Transaction& tx) {
              transition_stage(tx, clock_, "m", 1, "Prod", false);
            }),
            "invalid_argument: Invalid Model Version stage: Prod. Value must be one of None, "
            "Staging, Production, Archived.");
  EXPECT_NE(refusal([&](storage::Transaction& tx) {
              transition_stage(tx, clock_, "m", 1, "None", true);
            }).find("is not an Active stage"),
            std::string::npos);
}

TEST_F(ModelVersionTest, RunSourcesNeedTheirRun) {
  const std::string run = make_run();
  const ResolvedSource source = resolved("runs:/" + run + "/model", run, "");
  EXPECT_EQ(source.location, "mlflow-artifacts:/0/" + run + "/artifacts/model");
  EXPECT_EQ(source.run_id, run);
  EXPECT_EQ(source_refused("runs:/" + run + "/model", "", ""),
            "invalid_argument: Invalid model version source: 'runs:/" + run +
                "/model'. The run_id request parameter must identify the resource that contains "
                "the source.");
  EXPECT_NE(source_refused("runs:/" + run + "/model", make_run(), ""), "");
  EXPECT_NE(source_refused("runs://host/" + run + "/model", run, ""), "");
  // A run that does not exist is not looked for, as the stock server does.
  EXPECT_EQ(resolved("runs:/abc/model", "abc", "").location, "runs:/abc/model");
}

TEST_F(ModelVersionTest, LoggedModelSourcesNeedTheirModelAndBringItsRun) {
  const std::string run = make_run();
  const tracking::LoggedModel logged = make_logged(run);
  const ResolvedSource source = resolved("models:/" + logged.id, "", logged.id);
  EXPECT_EQ(source.location, logged.artifact_uri);
  EXPECT_EQ(source.run_id, run);
  EXPECT_NE(source_refused("models:/" + logged.id, run, "").find("The model_id request parameter"),
            std::string::npos);
  EXPECT_NE(source_refused("models:/" + logged.id, "", make_logged(run).id), "");
}

TEST_F(ModelVersionTest, ArtifactSourcesLieBelowTheirRunOrModel) {
  const std::string run = make_run();
  const std::string root = "mlflow-artifacts:/0/" + run + "/artifacts";
  EXPECT_EQ(resolved(root + "/model", run, "").location, root + "/model");
  EXPECT_NE(source_refused(root + "/model", "", ""), "");
  EXPECT_NE(source_refused(root + "/model", make_run(), ""), "");
  EXPECT_NE(source_refused("mlflow-artifacts://host/0/" + run + "/artifacts/m", run, ""), "");
  EXPECT_NE(source_refused(root + "x/model", run, ""), "");
}

TEST_F(ModelVersionTest, VersionsOfVersionsKeepTheLineage) {
  const std::string run = make_run();
  make_model("a");
  write_void([&](storage::Transaction& tx) {
    NewVersion version;
    version.model = "a";
    version.source = "runs:/" + run + "/model";
    version.run_id = run;
    create_version(tx, clock_, version);
    AliasChange change;
    change.model = "a";
    change.alias = "best";
    change.version = 1;
    move_alias(tx, clock_, change);
  });
  for (const char* uri : {"models:/a/1", "models:/a@best", "models:/a/latest", "models:/a/None"}) {
    const ResolvedSource source = resolved(uri, "", "");
    EXPECT_EQ(source.source, "models:/a/1") << uri;
    EXPECT_EQ(source.run_id, run) << uri;
    EXPECT_EQ(source.location, "mlflow-artifacts:/0/" + run + "/artifacts/model") << uri;
  }
  EXPECT_NE(source_refused("models:/a/1", make_run(), "").find("must match"), std::string::npos);
  EXPECT_NE(source_refused("models:/a/7", "", ""), "");
  EXPECT_NE(source_refused("models:/a@nope", "", ""), "");
}

TEST_F(ModelVersionTest, DangerousSourcesAreRefused) {
  const std::string run = make_run();
  for (const char* source : {"/etc/passwd", "file:///etc/passwd", "model", "C:/x", "s3://b/../c",
                             "s3://b/%2e%2e/c", "s3://b/%252e%252e/c", "s3://b/..\\c", "s3://b/%00",
                             "http://h/x", "https://h/x", "sftp://h/x", "abfss://c@h/x",
                             "runs:/../x", "models:/a", "models:/a/b/c", "prompt-template"}) {
    EXPECT_NE(source_refused(source, run, ""), "") << source;
  }
  for (const char* source : {"s3://bucket/x", "gs://b/x", "dbfs:/a/b"}) {
    EXPECT_EQ(source_refused(source, "", ""), "") << source;
  }
  EXPECT_EQ(source_refused("s3://" + std::string(kSourceCharactersMax, 'x'), "", ""),
            "invalid_argument: 'source' exceeds the maximum length of 2048 characters");
}

TEST_F(ModelVersionTest, ThePromptTagOpensNothingButPrompts) {
  const auto refused = [&](const std::string& source) {
    return refusal([&](storage::Transaction& tx) { resolve_source(tx, source, "", "", true); });
  };
  EXPECT_EQ(refused("prompt-template"), "");
  EXPECT_EQ(refused("/etc/passwd"),
            "invalid_argument: Invalid prompt source: '/etc/passwd'. Prompt sources must use an "
            "MLflow placeholder.");
}

TEST_F(ModelVersionTest, TheLoggedModelRemembersItsVersions) {
  const tracking::LoggedModel logged = make_logged(make_run());
  make_model("m");
  for (int i = 0; i < 2; ++i) {
    write_void([&](storage::Transaction& tx) {
      NewVersion version;
      version.model = "m";
      version.source = "models:/" + logged.id;
      version.model_id = logged.id;
      create_version(tx, clock_, version);
    });
  }
  const auto tags = read<tracking::Pairs>([&](storage::Session& session) {
    return tracking::get_logged_model(session, logged.id).tags;
  });
  ASSERT_EQ(tags.size(), 1U);
  EXPECT_EQ(tags[0].first, "mlflow.modelVersions");
  EXPECT_EQ(tags[0].second, R"([{"name": "m", "version": 1}, {"name": "m", "version": 2}])");
}

TEST_F(ModelVersionTest, ProvenanceFreezesTheRunAndItsParents) {
  const std::string repro = make_run({{"slipway.repro", "R1"}, {"slipway.commit", "abc"}});
  make_run({{"mlflow.parentRunId", repro}, {"slipway.stage", "prepare"}, {"slipway.deps", "[]"}});
  make_run({{"mlflow.parentRunId", repro}});  // somebody's own run, no stage
  const std::string stage = make_run({{"mlflow.parentRunId", repro}, {"slipway.stage", "train"}});
  const std::string run = make_run({{"mlflow.parentRunId", stage}});
  make_model("m");
  write_void([&](storage::Transaction& tx) {
    NewVersion version;
    version.model = "m";
    version.source = "runs:/" + run + "/model";
    version.run_id = run;
    create_version(tx, clock_, version);
  });
  const auto document = read<std::optional<ledger::Evidence>>(
      [](storage::Session& session) { return find_provenance(session, "m", 1); });
  ASSERT_TRUE(document);
  EXPECT_EQ(document->subject, "model/m/1");
  EXPECT_EQ(document->body.find("run")->find("run_id")->as_string(), run);
  const json::Array& parents = document->body.find("parents")->as_array();
  ASSERT_EQ(parents.size(), 2U);
  EXPECT_EQ(parents[0].find("tags")->find("slipway.stage")->as_string(), "train");
  EXPECT_EQ(parents[1].find("tags")->find("slipway.commit")->as_string(), "abc");
  EXPECT_FALSE(document->body.find("truncated")->as_bool());
  const json::Array& stages = document->body.find("stages")->as_array();
  ASSERT_EQ(stages.size(), 1U);
  EXPECT_EQ(stages[0].find("tags")->find("slipway.stage")->as_string(), "prepare");

  const auto linked = write<std::vector<std::string>>([&](storage::Transaction& tx) {
    return link_outputs_of_run(tx, clock_, stage, json::Array{json::Object{{"path", "model"}}});
  });
  ASSERT_EQ(linked.size(), 1U);
  const auto outputs = read<std::optional<ledger::Evidence>>(
      [&](storage::Session& session) { return ledger::find_evidence(session, linked[0]); });
  EXPECT_EQ(outputs->kind, "provenance-outputs");
  EXPECT_EQ(outputs->body.find("provenance")->as_string(), document->hash);

  const auto events = read<std::vector<ledger::StoredEvent>>([](storage::Session& session) {
    ledger::EventFilter filter;
    filter.type_prefix = "model.version_created";
    return ledger::list_events(session, filter);
  });
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].evidence, std::vector<std::string>{document->hash});
}

TEST_F(ModelVersionTest, ALongChainOfParentsIsCutAndSaysSo) {
  std::string run = make_run();
  for (int i = 0; i < kProvenanceDepthMax + 2; ++i) run = make_run({{"mlflow.parentRunId", run}});
  make_model("m");
  write_void([&](storage::Transaction& tx) {
    NewVersion version;
    version.model = "m";
    version.source = "runs:/" + run + "/model";
    version.run_id = run;
    create_version(tx, clock_, version);
    const auto document = find_provenance(tx, "m", 1);
    EXPECT_EQ(document->body.find("parents")->as_array().size(),
              static_cast<std::size_t>(kProvenanceDepthMax));
    EXPECT_TRUE(document->body.find("truncated")->as_bool());
  });
}

TEST_F(ModelVersionTest, NamesTagsAndTextsHaveLimits) {
  const auto refused = [&](NewModel model) {
    return refusal([&](storage::Transaction& tx) { create_model(tx, clock_, model); });
  };
  EXPECT_EQ(refused({" ", {}, {}, ""}),
            "invalid_argument: Missing value for required parameter 'name'.");
  EXPECT_EQ(refused({"a/b", {}, {}, ""}),
            "invalid_argument: Invalid model name 'a/b'. Names cannot contain '/' or ':'.");
  EXPECT_EQ(refused({std::string(257, 'a'), {}, {}, ""}),
            "invalid_argument: 'name' exceeds the maximum length of 256 characters");
  EXPECT_EQ(refused({std::string(256, 'a'), {}, {}, ""}), "");
  EXPECT_EQ(refused({"m", std::string(100'001, 'a'), {}, ""}),
            "invalid_argument: 'description' exceeds the maximum length of 100000 characters");
  EXPECT_EQ(refused({"m", {}, {{std::string(251, 'k'), "v"}}, ""}),
            "invalid_argument: 'key' exceeds the maximum length of 250 characters");
  EXPECT_EQ(refused({"m", {}, {{"k", std::string(100'001, 'v')}}, ""}),
            "invalid_argument: 'value' exceeds the maximum length of 100000 characters");
  EXPECT_EQ(refused({"m", {}, std::vector<Tag>(101, Tag{"k", "v"}), ""}),
            "invalid_argument: 'tags' holds 101 tags; at most 100 can be set at once");
  make_model("m");
  EXPECT_EQ(refused({"m", {}, {}, ""}),
            "already_exists: Registered Model (name=m) already exists.");
  // Prompts are registered models with a tag; the two share one space of names.
  const std::vector<Tag> prompt = {{std::string(kPromptTag), "true"}};
  EXPECT_EQ(refused({"m", {}, prompt, ""}),
            "already_exists: Tried to create a prompt with name 'm', but the name is already taken "
            "by a registered model. MLflow does not allow creating a model and a prompt with the "
            "same name.");
  EXPECT_EQ(refused({"p", {}, prompt, ""}), "");
  EXPECT_EQ(refused({"p", {}, {}, ""}),
            "already_exists: Tried to create a registered model with name 'p', but the name is "
            "already taken by a prompt. MLflow does not allow creating a model and a prompt with "
            "the same name.");
  EXPECT_EQ(refused({"p", {}, prompt, ""}), "already_exists: Prompt (name=p) already exists.");
}

TEST_F(ModelVersionTest, PromptTextsHaveALimit) {
  make_model("m");
  const auto refused = [&](std::size_t length) {
    NewVersion version;
    version.model = "m";
    version.source = "prompt-template";
    version.tags = {{std::string(kPromptTag), "true"},
                    {std::string(kPromptTextTag), std::string(length, 'x')}};
    return refusal([&](storage::Transaction& tx) { create_version(tx, clock_, version); });
  };
  EXPECT_EQ(refused(kPromptTextCharactersMax), "");
  EXPECT_EQ(refused(kPromptTextCharactersMax + 1),
            "invalid_argument: Prompt text exceeds max length of 100000 characters.");
}

TEST_F(ModelVersionTest, RenamingKeepsVersionsAliasesAndHistory) {
  make_model("old");
  make_version("old");
  write_void([&](storage::Transaction& tx) {
    AliasChange change;
    change.model = "old";
    change.alias = "best";
    change.version = 1;
    move_alias(tx, clock_, change);
    rename_model(tx, clock_, "old", "new", "user:a");
  });
  read<int>([](storage::Session& session) {
    EXPECT_FALSE(find_model(session, "old"));
    EXPECT_EQ(get_version(session, "new", 1).aliases, std::vector<std::string>{"best"});
    EXPECT_EQ(alias_history(session, "new", "best").size(), 1U);
    return 0;
  });
}

}  // namespace
}  // namespace slipway::registry
