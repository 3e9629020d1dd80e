// SPDX-License-Identifier: Apache-2.0
#include "tracking/run_log.h"

#include <cmath>
#include <limits>

#include "tracking/key_rules.h"
#include "tracking/testing.h"
#include "tracking/word_character.h"

namespace slipway::tracking {
namespace {

using RunLog = TrackingTest;

std::string check(Batch batch, bool single = false) {
  batch.run_id = "r";
  try {
    check_batch(batch, single);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}
Batch metrics(std::vector<Metric> list) { return {"r", std::move(list), {}, {}}; }

TEST_F(RunLog, ParamsNeverChange) {
  const RunInfo run = make_run();
  const auto log = [&](const std::string& value, bool single) {
    return refusal([&](storage::Transaction& t) {
      log_batch(t, {run.id, {}, {{"k", value}}, {}}, single);
    });
  };
  EXPECT_EQ(log("a", true), "");
  EXPECT_EQ(log("a", true), "");
  EXPECT_EQ(log("b", true),
            "invalid_argument: Changing param values is not allowed. Param with key='k' was "
            "already logged with value='a' for "
            "run ID='" +
                run.id + "'. Attempted logging new value 'b'.");
  EXPECT_EQ(log("b", false),
            "invalid_argument: Changing param values is not allowed. Params were already "
            "logged='[{'key': 'k', 'old_value': "
            "'a', 'new_value': 'b'}]' for run ID='" +
                run.id + "'.");
  EXPECT_EQ(*load(run).param("k"), "a");
}

TEST_F(RunLog, FailingBatchLeavesNothing) {
  const RunInfo run = make_run();
  log_pairs(run, {{"k", "a"}}, {});
  Batch batch{run.id, {{"m", {1, 1, 1}, "", "", ""}}, {{"new", "1"}, {"k", "other"}}, {{"t", "1"}}};
  EXPECT_NE(refusal([&](storage::Transaction& t) { log_batch(t, batch); }), "");
  const tracking::Run loaded = load(run);
  EXPECT_EQ(loaded.params, (Pairs{{"k", "a"}}));
  EXPECT_TRUE(loaded.metrics.empty());
  EXPECT_EQ(loaded.tag("t"), nullptr);
}

TEST_F(RunLog, TagsAreReplacedAndRemoved) {
  const RunInfo run = make_run("old");
  log_pairs(run, {}, {{"k", "1"}, {"k", "2"}, {"mlflow.runName", "new"}, {"empty", ""}});
  const tracking::Run loaded = load(run);
  EXPECT_EQ(*loaded.tag("k"), "2");
  EXPECT_EQ(*loaded.tag("empty"), "");
  EXPECT_EQ(loaded.info.name, "new");
  write([&](storage::Transaction& t) { delete_run_tag(t, run.id, "k"); });
  EXPECT_EQ(refusal([&](storage::Transaction& t) { delete_run_tag(t, run.id, "k"); }),
            "not_found: No tag with name: k in run with id " + run.id);
}

TEST_F(RunLog, NoTextHoldsANul) {
  const RunInfo run = make_run();
  const std::string text("a\0b", 3);
  const auto words = [](const std::string& path) {
    return "invalid_argument: Invalid value for parameter '" + path +
           "' supplied: a text may hold any character but U+0000";
  };
  EXPECT_EQ(refusal_of([&] {
              log_pairs(run, {{"k", "v"}, {"l", text}}, {});
            }),
            words("params[1].value"));
  EXPECT_EQ(refusal_of([&] { log_pairs(run, {}, {{"k", text}}); }), words("tags[0].value"));
  EXPECT_EQ(refusal([&](storage::Transaction& tx) { set_run_tag(tx, run.id, "k", text); }),
            words("value"));
  EXPECT_EQ(refusal_of([&] { make_run(text); }), words("run_name"));
  EXPECT_EQ(refusal_of([&] { make_run("r", 1, {{"k", text}}); }), words("tags[0].value"));
  EXPECT_EQ(
      refusal([&](storage::Transaction& tx) { update_run(tx, {.run_id = run.id, .name = text}); }),
      words("run_name"));
}

TEST_F(RunLog, LongValuesAreCut) {
  const RunInfo run = make_run();
  std::string long_text;
  for (int i = 0; i < 9'000; ++i) long_text += "ü";
  log_pairs(run, {{"p", long_text}}, {{"t", long_text}});
  EXPECT_EQ(count_characters(*load(run).param("p")), 6'000U);
  EXPECT_EQ(count_characters(*load(run).tag("t")), 8'000U);
}

TEST_F(RunLog, NewestMetricIsTheGreatestStepThenTimeThenValue) {
  const RunInfo run = make_run();
  log(run, "m", {{5, 2, 1.0}, {9, 1, 7.0}, {5, 2, 3.0}, {5, 2, 2.0}});
  log(run, "m", {{4, 2, 9.0}});
  ASSERT_EQ(load(run).metrics.size(), 1U);
  EXPECT_EQ(load(run).metrics[0].value, 3.0);
  log(run, "m", {{1, 3, std::nan("")}});
  EXPECT_TRUE(std::isnan(load(run).metrics[0].value));
  log(run, "m", {{1, 4, std::numeric_limits<double>::infinity()}});
  EXPECT_EQ(load(run).metrics[0].value, 1.7976931348623157e308);
}

TEST_F(RunLog, KeysAreNamedByTheirPlace) {
  EXPECT_EQ(check(metrics({{"ok/a.b-c: d_ü", {}, "", "", ""}})), "");
  EXPECT_EQ(
      check(metrics({{"ok", {}, "", "", ""}, {"a//b", {}, "", "", ""}})),
      "Invalid value \"a//b\" for parameter 'metrics[1].name' supplied: Names may be treated as "
      "files in certain cases, "
      "and must not resolve to other names when treated as such. This name would resolve to 'a/b'");
  EXPECT_EQ(check(metrics({{"../a", {}, "", "", ""}}), true),
            "Invalid value \"../a\" for parameter 'name' supplied: Names may be treated as files "
            "in certain cases, and must not "
            "resolve to other names when treated as such. This name would resolve to '../a'");
  EXPECT_EQ(check({"", {}, {{"a#b", "1"}}, {}}),
            "Invalid value \"a#b\" for parameter 'params[0].key' supplied: Names may only contain "
            "alphanumerics, underscores "
            "(_), dashes (-), periods (.), spaces ( ), colon(:) and slashes (/).");
  EXPECT_EQ(check({"", {}, {}, {{std::string(251, 'k'), ""}}}),
            "'tags[0].key' exceeds the maximum length of 250 characters");
  EXPECT_EQ(check(metrics({{"m", {-1, 0, 0.5}, "", "", ""}})),
            "Invalid value -1 for parameter 'metrics[0].timestamp' supplied: metric 'm' "
            "(value=0.5). Timestamp must be a "
            "nonnegative long (64-bit integer) ");
}

TEST_F(RunLog, BatchesHaveLimits) {
  EXPECT_EQ(check(metrics(std::vector<Metric>(1'000, {"m", {}, "", "", ""}))), "");
  EXPECT_EQ(check(metrics(std::vector<Metric>(1'001, {"m", {}, "", "", ""}))),
            "A batch logging request can contain at most 1000 metrics. Got 1001 metrics. Please "
            "split up metrics across "
            "multiple requests and try again.");
  Batch batch = metrics(std::vector<Metric>(950, {"m", {}, "", "", ""}));
  for (int i = 0; i < 51; ++i) batch.params.emplace_back("p" + std::to_string(i), "1");
  EXPECT_EQ(check(batch).substr(0, 76),
            "A batch logging request can contain at most 1000 metrics, params, and tags. ");
  Batch params;
  for (int i = 0; i < 101; ++i) params.params.emplace_back("p" + std::to_string(i), "1");
  EXPECT_EQ(check(params).substr(0, 63),
            "A batch logging request can contain at most 100 params. Got 101");
  Batch tags;
  for (int i = 0; i < 101; ++i) tags.tags.emplace_back("p" + std::to_string(i), "1");
  EXPECT_EQ(check(tags).substr(0, 61),
            "A batch logging request can contain at most 100 tags. Got 101");
  EXPECT_EQ(check({"", {}, {{"a", "1"}, {"a", "1"}}, {}}),
            "Duplicate parameter keys have been submitted: ['a']. Please ensure the request "
            "contains only one param value per "
            "param key.");
}

TEST_F(RunLog, BatchesHaveARuleForRunIds) {
  for (const std::string good : {"a", "0a_b-c", "run_1"})
    EXPECT_NO_THROW(check_run_id(good)) << good;
  EXPECT_NO_THROW(check_run_id(std::string(256, 'a')));
  for (const std::string bad : {"", "-a", "_a", "a/b", "!!", "a b"})
    EXPECT_THROW(check_run_id(bad), Error) << bad;
  EXPECT_EQ(refusal_of([] { check_run_id("!!"); }),
            "invalid_argument: Invalid value \"!!\" for parameter 'run_id' supplied.");
  EXPECT_THROW(check_run_id(std::string(257, 'a')), Error);
}

TEST_F(RunLog, OldModelRecordsAreAppended) {
  const RunInfo run = make_run();
  const std::string model =
      R"({"artifact_path": "m", "flavors": {}, "utc_time_created": "t", "run_id": "r"})";
  for (int i = 0; i < 2; ++i)
    write([&](storage::Transaction& t) { record_model(t, run.id, model); });
  const std::string kept =
      R"({"run_id": "r", "artifact_path": "m", "utc_time_created": "t", "model_uuid": null, "flavors": {}})";
  EXPECT_EQ(*load(run).tag("mlflow.log-model.history"), "[" + kept + ", " + kept + "]");
  EXPECT_EQ(
      refusal([&](storage::Transaction& t) { record_model(t, run.id, R"({"flavors": {}})"); }),
      "invalid_argument: Model json is missing mandatory fields: {'artifact_path', "
      "'utc_time_created', 'run_id'}");
  EXPECT_EQ(refusal([&](storage::Transaction& t) { record_model(t, run.id, "{"); }),
            "invalid_argument: Malformed model info. \n { \n is not a valid JSON.");
}

TEST_F(RunLog, PathsInNormalForm) {
  EXPECT_EQ(normal_path(""), ".");
  EXPECT_EQ(normal_path("a/./b//c/../d/"), "a/b/d");
  EXPECT_EQ(normal_path("/../a"), "/a");
  EXPECT_EQ(normal_path("//a"), "//a");
  EXPECT_EQ(normal_path("///a"), "/a");
  EXPECT_EQ(normal_path("../../a"), "../../a");
}

TEST_F(RunLog, WordCharacters) {
  for (const char32_t c : {U'a', U'Z', U'0', U'_', U'ü', U'漢', U'٣', U'Ω'})
    EXPECT_TRUE(is_word_character(c));
  for (const char32_t c : {U'-', U' ', U'#', U'€', U'😀', U'\u200b'})
    EXPECT_FALSE(is_word_character(c));
}

TEST_F(RunLog, InventedNamesLookLikeNames) {
  const std::string name = invent_name();
  EXPECT_EQ(std::count(name.begin(), name.end(), '-'), 2);
}

// More than one statement takes, with what is there already at every place of it.
TEST_F(RunLog, ManyParamsAreNewOrEqualOrRefused) {
  for (const std::size_t count : {9U, 10U, 11U, 20U, 37U}) {
    const RunInfo run = make_run();
    Pairs params;
    for (std::size_t i = 0; i < count; ++i)
      params.emplace_back("p" + std::to_string(100 + i), "v" + std::to_string(i));
    for (const std::size_t at : {std::size_t{0}, count / 2, count - 1})
      log_pairs(run, {params[at]}, {});
    log_pairs(run, params, {});
    EXPECT_EQ(load(run).params, params);
    log_pairs(run, params, {});
    Pairs changed = params;
    changed[1].second = "other";
    changed[count - 1].second = "another";
    changed.emplace_back("new", "x");
    Batch batch;
    batch.run_id = run.id;
    batch.params = changed;
    EXPECT_EQ(refusal([&](storage::Transaction& t) { log_batch(t, batch); }),
              "invalid_argument: Changing param values is not allowed. Params were already "
              "logged='[{'key': 'p101', 'old_value': 'v1', 'new_value': 'other'}, {'key': 'p" +
                  std::to_string(99 + count) + "', 'old_value': 'v" + std::to_string(count - 1) +
                  "', 'new_value': 'another'}]' for run ID='" + run.id + "'.");
    EXPECT_EQ(load(run).params, params);  // nor is the new one kept
  }
}

// Each key is checked once, whatever the order of its points.
TEST_F(RunLog, ABadMetricIsNamedByItsPlace) {
  const auto refused = [](const std::vector<Metric>& metrics) {
    Batch batch;
    batch.run_id = "r";
    batch.metrics = metrics;
    return refusal_of([&] { check_batch(batch); });
  };
  const Metric good{"a", {1, 1, 1}, "", "", ""};
  const Metric other{"b", {1, 1, 1}, "", "", ""};
  EXPECT_EQ(refused({good, other, good, good, other}), "");
  EXPECT_NE(refused({good, other, good, {"a//b", {1, 1, 1}, "", "", ""}}).find("'metrics[3].name'"),
            std::string::npos);
  EXPECT_NE(refused({good, good, {"a", {-1, 1, 1}, "", "", ""}}).find("'metrics[2].timestamp'"),
            std::string::npos);
  EXPECT_NE(refused({good, {std::string(251, 'k'), {1, 1, 1}, "", "", ""}}).find("maximum length"),
            std::string::npos);
}

}  // namespace
}  // namespace slipway::tracking
