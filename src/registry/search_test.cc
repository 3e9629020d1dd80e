// SPDX-License-Identifier: Apache-2.0
#include "registry/search.h"

#include <gtest/gtest.h>

#include "registry/testing.h"
#include "tracking/search_filter.h"

namespace slipway::registry {
namespace {

class SearchTest : public RegistryWorld {
 protected:
  void SetUp() override {
    for (const char* name : {"alpha", "Beta", "gamma"}) {
      clock_.advance(1'000);
      make_model(name);
      make_version(name);
      make_version(name);
    }
    write_void([&](storage::Transaction& tx) {
      set_model_tag(tx, clock_, "alpha", {"team", "blue"});
      set_model_tag(tx, clock_, "gamma", {"team", "Red"});
      clock_.advance(1'000);
      set_version_tag(tx, clock_, "gamma", 1, {"a b", "x"});
      create_model(tx, clock_, {"prompt", {}, {{"mlflow.prompt.is_prompt", "true"}}, ""});
      NewVersion version;
      version.model = "prompt";
      version.source = "prompt-template";
      version.tags = {{"mlflow.prompt.is_prompt", "true"}};
      create_version(tx, clock_, version);
    });
  }
  std::string models(const std::string& filter, std::vector<std::string> order = {}) {
    return read<std::string>([&](storage::Session& session) {
      std::string names;
      for (const auto& model : search_models(session, {filter, order, 100, ""}).models) {
        names += (names.empty() ? "" : " ") + model.name;
      }
      return names;
    });
  }
  std::string versions(const std::string& filter, std::vector<std::string> order = {}) {
    return read<std::string>([&](storage::Session& session) {
      std::string names;
      for (const auto& version : search_versions(session, {filter, order, 100, ""}).versions) {
        names += (names.empty() ? "" : " ") + version.model + "/" + std::to_string(version.version);
      }
      return names;
    });
  }
  std::string bad(const std::string& filter, std::vector<std::string> order = {},
                  const std::string& token = "") {
    return refusal([&](storage::Transaction& tx) {
      search_versions(tx, {filter, order, 100, token});
    });
  }
};

TEST_F(SearchTest, ModelsByNameAndTag) {
  EXPECT_EQ(models(""), "Beta alpha gamma");
  EXPECT_EQ(models("name = 'alpha'"), "alpha");
  EXPECT_EQ(models("name != \"alpha\""), "Beta gamma");
  EXPECT_EQ(models("name LIKE '%a'"), "Beta alpha gamma");
  EXPECT_EQ(models("name LIKE 'b%'"), "");
  EXPECT_EQ(models("name ILIKE 'b%'"), "Beta");
  EXPECT_EQ(models("name IN ('alpha', 'gamma', 'none')"), "alpha gamma");
  EXPECT_EQ(models("tags.team = 'blue'"), "alpha");
  EXPECT_EQ(models("tag.team != 'blue'"), "gamma");
  EXPECT_EQ(models("tags.`team` ILIKE 'RED' AND name = 'gamma'"), "gamma");
  EXPECT_EQ(models("attribute.name = 'alpha' and tags.team = 'red'"), "");
}

TEST_F(SearchTest, PromptsAreLeftOutUnlessAskedFor) {
  EXPECT_EQ(models("tags.`mlflow.prompt.is_prompt` = 'true'"), "prompt");
  EXPECT_EQ(models("tags.`mlflow.prompt.is_prompt` != 'true'"), "Beta alpha gamma");
  EXPECT_EQ(models("tags.`mlflow.prompt.is_prompt` = 'false'"), "Beta alpha gamma");
  EXPECT_EQ(versions("tags.`mlflow.prompt.is_prompt` = 'true'"), "prompt/1");
  EXPECT_EQ(versions("name = 'prompt'"), "");
}

TEST_F(SearchTest, OnePromptVersionHidesItsName) {
  EXPECT_EQ(versions("name = 'alpha'"), "alpha/2 alpha/1");
  write_void([&](storage::Transaction& tx) {
    NewVersion version;
    version.model = "alpha";
    version.source = "prompt-template";
    version.tags = {{"mlflow.prompt.is_prompt", "true"}};
    create_version(tx, clock_, version);
  });
  EXPECT_EQ(versions("name = 'alpha'"), "");
  EXPECT_EQ(versions("name = 'alpha' AND tags.`mlflow.prompt.is_prompt` = 'true'"), "alpha/3");
}

TEST_F(SearchTest, ModelsHaveKeysOfTheirOwnToBeOrderedBy) {
  const auto order = [&](const std::string& key) {
    return refusal([&](storage::Transaction& tx) { search_models(tx, {"", {key}, 100, ""}); });
  };
  EXPECT_EQ(order("timestamp DESC"), "");
  for (const char* key : {"creation_timestamp", "tags.a", "attribute.name"}) {
    EXPECT_EQ(order(key), "invalid_argument: Invalid order by key '" + std::string(key) +
                              "' specified. Valid keys are '{'name', 'timestamp'}'");
  }
}

TEST_F(SearchTest, VersionsByEverythingMlflowHas) {
  EXPECT_EQ(versions("name = 'alpha'"), "alpha/2 alpha/1");
  EXPECT_EQ(versions("version_number > 1", {"name"}), "Beta/2 alpha/2 gamma/2");
  EXPECT_EQ(versions("version_number <= 1 AND name NOT IN ('Beta')", {"name DESC"}),
            "gamma/1 alpha/1");
  EXPECT_EQ(versions("source_path = 's3://bucket/gamma'", {"version_number ASC"}),
            "gamma/1 gamma/2");
  EXPECT_EQ(versions("run_id = ''", {"name", "version_number"}),
            "Beta/1 Beta/2 alpha/1 alpha/2 gamma/1 gamma/2");
  EXPECT_EQ(versions("tags.\"a b\" = 'x'"), "gamma/1");
  EXPECT_EQ(versions(""), "gamma/1 gamma/2 Beta/2 Beta/1 alpha/2 alpha/1");
}

TEST_F(SearchTest, PagesEndWithoutAToken) {
  std::string seen;
  std::string token;
  int pages = 0;
  do {
    const VersionPage page = read<VersionPage>([&](storage::Session& session) {
      return search_versions(session, {"", {"name", "version_number"}, 4, token});
    });
    for (const auto& version : page.versions)
      seen += version.model + std::to_string(version.version) + " ";
    token = page.next_page_token;
    ++pages;
  } while (!token.empty());
  EXPECT_EQ(pages, 2);
  EXPECT_EQ(seen, "Beta1 Beta2 alpha1 alpha2 gamma1 gamma2 ");
}

TEST_F(SearchTest, WhatItCannotReadIsNamed) {
  const std::pair<const char*, const char*> cases[] = {
      {"foo = 'x'", "Invalid attribute key 'foo' specified."},
      {"metrics.x = '1'", "Invalid entity type"},
      {"tags.x = 1", "Expected a quoted string value for tag"},
      {"tags.x > '1'", "Invalid comparator for tag: >"},
      {"tags.x IS NULL", "Invalid comparator for tag: IS NULL"},
      {"name > 'a'", "Invalid comparator for attribute: >"},
      {"name = 5",
       "Only the '{'version_number', 'creation_timestamp', 'last_updated_timestamp'}' attributes "
       "support comparison with numeric values."},
      {"source_path IN ('a')",
       "Only ['name', 'run_id'] attributes support comparison with a list of quoted string "
       "values."},
      {"version_number LIKE 1", "Invalid comparator for attribute version_number: LIKE"},
      {"version_number = 'a'", "Invalid value for numeric attribute 'version_number': 'a'"},
      {"version_number = 1.5", "Invalid value for numeric attribute 'version_number': 1.5"},
      {"name = 'a' OR name = 'b'", "Invalid clause(s) in filter string"},
      {"name = 'a' AND", "Invalid"},
      {"name = 'a", "Invalid"},
      {"(name = 'a')", "Invalid"}};
  for (const auto& [filter, message] : cases) {
    EXPECT_NE(bad(filter).find(message), std::string::npos) << filter << " -> " << bad(filter);
    EXPECT_EQ(bad(filter).rfind("invalid_argument: ", 0), 0U) << filter;
  }
  EXPECT_NE(bad("", {"age"}).find("Invalid"), std::string::npos);
  EXPECT_NE(bad("", {"name", "name DESC"}).find("duplicate fields"), std::string::npos);
  EXPECT_NE(bad("", {"name UP"}).find("Invalid"), std::string::npos);
  EXPECT_EQ(bad("", {"tags.x"}),
            "invalid_argument: Invalid order by key 'x' specified. Valid keys are {'name', "
            "'version_number', 'creation_timestamp', 'last_updated_timestamp'}");
  EXPECT_EQ(bad("", {}, "x"), "invalid_argument: Invalid page token, could not base64-decode");
  EXPECT_EQ(bad("", {}, "eyJvZmZzZXQiOiAwfQ=="),
            "invalid_argument: Invalid page token, parsed value={'offset': 0}");
  EXPECT_EQ(bad("", {}, "e30="), "invalid_argument: Invalid page token, parsed value={}");
}

TEST_F(SearchTest, PageTokensBelongToTheirSearch) {
  const VersionPage first = read<VersionPage>([&](storage::Session& session) {
    return search_versions(session, {"", {"name"}, 2, ""});
  });
  ASSERT_NE(first.next_page_token, "");
  EXPECT_NE(bad("", {"name DESC"}, first.next_page_token).find("belongs to a search with another"),
            std::string::npos);
  EXPECT_NE(bad("name = 'Beta'", {"name"}, first.next_page_token)
                .find("belongs to a search with another"),
            std::string::npos);
  EXPECT_EQ(bad("", {"name"}, first.next_page_token), "");
  // {"offset": 4}, as older servers answered.
  const VersionPage old = read<VersionPage>([&](storage::Session& session) {
    return search_versions(session, {"", {"name", "version_number"}, 4, "eyJvZmZzZXQiOiA0fQ=="});
  });
  ASSERT_EQ(old.versions.size(), 2U);
  EXPECT_EQ(old.versions.front().model, "gamma");
}

TEST_F(SearchTest, FiltersHaveLimits) {
  EXPECT_NE(bad("name = '" + std::string(tracking::kFilterBytesMax, 'a') + "'"), "");
  std::string many = "name = 'a'";
  for (std::size_t i = 1; i < tracking::kComparisonsMax; ++i) many += " AND name = 'a'";
  EXPECT_EQ(bad(many), "");
  EXPECT_NE(bad(many + " AND name = 'a'").find("more than 100"), std::string::npos);
}

// Prompts hold 100,000 characters each: a page of 200,000 would be 20 GB.
TEST_F(SearchTest, APageOfLongVersionsEndsEarlyWithAToken) {
  constexpr int kVersions = 250;
  write_void([&](storage::Transaction& tx) {
    for (int i = 0; i < kVersions; ++i) {
      NewVersion version;
      version.model = "prompt";
      version.source = "prompt-template";
      version.tags = {{"mlflow.prompt.is_prompt", "true"},
                      {"mlflow.prompt.text", std::string(100'000, 'x')}};
      create_version(tx, clock_, version);
    }
  });
  Search search{"tags.`mlflow.prompt.is_prompt` = 'true'", {"version_number"}, 1'000, ""};
  std::vector<std::int64_t> numbers;
  int pages = 0;
  do {
    const VersionPage page = read<VersionPage>(
        [&](storage::Session& session) { return search_versions(session, search); });
    ASSERT_LE(page.versions.size() * 100'000, kVersionsBytesMax + 200'000);
    for (const ModelVersion& version : page.versions) numbers.push_back(version.version);
    search.page_token = page.next_page_token;
    ++pages;
  } while (!search.page_token.empty());
  EXPECT_EQ(pages, 2);
  ASSERT_EQ(numbers.size(), kVersions + 1U);
  for (int i = 0; i <= kVersions; ++i) EXPECT_EQ(numbers[static_cast<std::size_t>(i)], i + 1);
}

}  // namespace
}  // namespace slipway::registry
