// SPDX-License-Identifier: Apache-2.0
#include "automation/spec.h"

#include <cmath>
#include <gtest/gtest.h>

#include "base/error.h"
#include "gate/gate.h"
#include "monitoring/monitor.h"

namespace slipway::automation {
namespace {

json::Object parsed(const std::string& text) { return json::parse(text).as_object(); }

json::Object normal(const std::string& kind, const std::string& spec) {
  return normalise(*find_kind(kind), "late-arrival", parsed(spec));
}

std::string refusal(const std::string& kind, const std::string& spec,
                    const std::string& name = "late-arrival") {
  try {
    normalise(*find_kind(kind), name, parsed(spec));
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kInvalidArgument);
    return error.what();
  }
  return "accepted";
}

TEST(Spec, DefaultsAreFilledInTheTablesOrder) {
  EXPECT_EQ(
      json::write(normal("Endpoint",
                         R"({"rollout":{"steps":[{"weight":0.25,"requests":2000},{"weight":0.5}]},
                                               "alias":"champion","model":"m"})")),
      R"({"model":"m","alias":"champion","clock":"wall","rollout":{"steps":[{"weight":0.25,"requests":2000},)"
      R"({"weight":0.5}],"delta":0.02,"alpha_rollback":0.05,"alpha_promote":0.05,"losses":["error","slow","nan"],)"
      R"("latency_limit_ms":1000.0,"max_duration":"10d"}})");
  EXPECT_EQ(
      json::write(normal("Gate", R"({"model":"m","monitor":"w"})")),
      R"({"model":"m","alias":"champion","monitor":"w","method":"cluster-se","cluster":"day","clusters":14,"alpha":0.05})");
}

TEST(Spec, TheSameInOtherWordsIsTheSame) {
  const auto a = normal(
      "Trigger",
      R"({"on":[{"every":"336h"}],"pipeline":"p","gate":"g","endpoint":"e","cooldown":"0s"})");
  const auto b =
      normal("Trigger",
             R"({"endpoint":"e","gate":"g","pipeline":"p","on":[{"every":"2w"}],"export":null})");
  EXPECT_EQ(json::write(a), json::write(b));
  const auto c = normal(
      "Endpoint",
      R"({"model":"m","alias":"a","rollout":{"steps":[{"weight":0.5}],"losses":["nan","error"],"latency_limit_ms":50}})");
  const auto d = normal(
      "Endpoint",
      R"({"model":"m","alias":"a","rollout":{"steps":[{"weight":0.5}],"losses":["error","nan"],"latency_limit_ms":50.0}})");
  EXPECT_EQ(json::write(c), json::write(d));
}

TEST(Spec, NormalisingTwiceChangesNothing) {
  const std::vector<std::pair<std::string, std::string>> specs = {
      {"Model", R"({"aliases":{"b":{},"a":{"gate":"g"}}})"},
      {"Pipeline",
       R"({"targets":["train"],"params":{"b":1,"a":0.5,"c":"x","d":true},"timeout":"90m"})"},
      {"Endpoint", R"({"model":"m","version":3})"},
      {"Monitor", R"({"endpoint":"e","bound":0.572,"webhook":"w"})"},
      {"Gate", R"({"model":"m","monitor":"w"})"},
      {"Trigger",
       R"({"on":[{"alarm":"m"},{"every":"14d"}],"pipeline":"p","gate":"g","endpoint":"e","export":{"monitor":"m","to":"data/l.csv","leave_out":0}})"},
      {"Webhook", R"({"url":"http://127.0.0.1:9/x"})"}};
  for (const auto& [kind, spec] : specs) {
    const json::Object once = normal(kind, spec);
    EXPECT_EQ(json::write(normalise(*find_kind(kind), "x", once)), json::write(once)) << kind;
  }
}

TEST(Spec, FaultsNameTheFieldAndTheWayOut) {
  struct Row {
    std::string kind;
    std::string spec;
    std::string message;
  };
  const std::string steps = R"("steps":[{"weight":0.25,"requests":2000},{"weight":0.5}])";
  const std::vector<Row> rows = {
      {"Endpoint", R"({"model":"m","alias":"a","rollout":{"stpes":[]}})",
       "Endpoint `late-arrival`: unknown key `spec.rollout.stpes`, did you mean `steps`?"},
      {"Endpoint", R"({"alias":"a"})", "Endpoint `late-arrival`: `spec.model` is required"},
      {"Endpoint", R"({"model":"m"})",
       "Endpoint `late-arrival`: needs either `spec.alias` or `spec.version`, and not both"},
      {"Endpoint", R"({"model":"m","alias":"a","version":1})",
       "Endpoint `late-arrival`: needs either `spec.alias` or `spec.version`, and not both"},
      {"Endpoint", R"({"model":"m","version":1,"rollout":{)" + steps + "}}",
       "Endpoint `late-arrival`: `spec.rollout` needs an endpoint that follows an alias; one "
       "pinned to a version changes by its file"},
      {"Endpoint", R"({"model":"m","alias":"a","rollout":{"steps":[{"weight":1.0}]}})",
       "Endpoint `late-arrival`: `spec.rollout.steps[0].weight` must be a number above 0 and below "
       "1, not 1.0"},
      {"Endpoint",
       R"({"model":"m","alias":"a","rollout":{"steps":[{"weight":0.5},{"weight":0.6}]}})",
       "Endpoint `late-arrival`: `spec.rollout.steps[0].requests` is required in every step but "
       "the last"},
      {"Endpoint",
       R"({"model":"m","alias":"a","rollout":{"steps":[{"weight":0.5,"requests":9},{"weight":0.5}]}})",
       "Endpoint `late-arrival`: `spec.rollout.steps[1].weight` must be above the weight of the "
       "step before"},
      {"Endpoint",
       R"({"model":"m","alias":"a","rollout":{"steps":[{"weight":0.5}],"losses":["error","eror"]}})",
       "Endpoint `late-arrival`: `spec.rollout.losses[1]` must be one of `error`, `slow`, `nan`, "
       "not \"eror\"; did you mean `error`?"},
      {"Endpoint",
       R"({"model":"m","alias":"a","rollout":{"steps":[{"weight":0.5}],"losses":["nan","nan"]}})",
       "Endpoint `late-arrival`: `spec.rollout.losses` names `nan` twice"},
      {"Endpoint", R"({"model":"m","alias":"a","clock":"even"})",
       "Endpoint `late-arrival`: `spec.clock` must be one of `wall`, `event`, not \"even\"; did "
       "you mean `event`?"},
      {"Gate", R"({"model":"m","monitor":"w","clusters":13})",
       "Gate `late-arrival`: `spec.clusters` must be an integer from 14 to 1000, not 13"},
      {"Gate", R"({"model":"m","monitor":"w","alpha":0})",
       "Gate `late-arrival`: `spec.alpha` must be a number above 0 and below 0.5, not 0"},
      {"Gate", R"({"model":"m y","monitor":"w"})",
       "Gate `late-arrival`: `spec.model` must be a name (letters, digits, `.`, `_`, `-`; at most "
       "128), not \"m y\""},
      {"Trigger", R"({"on":[],"pipeline":"p","gate":"g","endpoint":"e"})",
       "Trigger `late-arrival`: `spec.on` must have at least one entry"},
      {"Trigger", R"({"on":[{}],"pipeline":"p","gate":"g","endpoint":"e"})",
       "Trigger `late-arrival`: `spec.on[0]` must be one of {alarm: MONITOR} and {every: "
       "DURATION}"},
      {"Trigger", R"({"on":[{"every":"fortnight"}],"pipeline":"p","gate":"g","endpoint":"e"})",
       "Trigger `late-arrival`: `spec.on[0].every` must be a duration such as \"90s\", \"12h\" or "
       "\"14d\", not \"fortnight\""},
      {"Trigger", R"({"on":[{"every":"1ms"}],"pipeline":"p","gate":"g","endpoint":"e"})",
       "Trigger `late-arrival`: `spec.on[0].every` must be a duration from 1s to 3650d, not "
       "\"1ms\""},
      {"Monitor", R"({"endpoint":"e","bound":3})",
       "Monitor `late-arrival`: `spec.bound` must be below the largest loss that counts, 3"},
      {"Webhook", R"({"url":"ftp://x"})",
       "Webhook `late-arrival`: `spec.url` must begin with http:// or https://"},
      {"Pipeline", R"({"targets":["train","--force"]})",
       "Pipeline `late-arrival`: `spec.targets` must not begin with `-`: \"--force\""},
      {"Pipeline", R"({"targets":"train"})",
       "Pipeline `late-arrival`: `spec.targets` must be a list, not \"train\""},
      {"Pipeline", R"({"params":{"a":[1]}})",
       "Pipeline `late-arrival`: `spec.params.a` must be a text, a number or true/false, not [1]"},
      {"Model", R"({"aliases":{"champion":{"gat":"g"}}})",
       "Model `late-arrival`: unknown key `spec.aliases.champion.gat`, did you mean `gate`?"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(refusal(row.kind, row.spec), row.message);
  }
}

TEST(Spec, NamesAndListsHaveLimits) {
  EXPECT_TRUE(is_object_name(std::string(128, 'a')));
  EXPECT_FALSE(is_object_name(std::string(129, 'a')));
  EXPECT_FALSE(is_object_name(""));
  EXPECT_FALSE(is_object_name("-a"));
  EXPECT_FALSE(is_object_name("a/b"));
  EXPECT_EQ(refusal("Webhook", R"({"url":"http://x"})", "a b"),
            "Webhook `a b`: a name is letters, digits, `.`, `_` and `-`, at most 128, and begins "
            "with a letter or digit");
  json::Array targets(kListItemsMax + 1, json::Value("x"));
  EXPECT_THROW(normalise(*find_kind("Pipeline"), "p", {{"targets", targets}}), Error);
  targets.pop_back();
  EXPECT_NO_THROW(normalise(*find_kind("Pipeline"), "p", {{"targets", targets}}));
  EXPECT_THROW(
      normalise(*find_kind("Model"), "m", {{"description", std::string(kTextBytesMax + 1, 'x')}}),
      Error);
  json::Array steps;
  for (std::size_t i = 0; i <= kRolloutStepsMax; ++i) {
    steps.emplace_back(
        json::Object{{"weight", 0.01 * static_cast<double>(i + 1)}, {"requests", 10}});
  }
  EXPECT_THROW(
      normalise(*find_kind("Endpoint"), "e",
                {{"model", "m"}, {"alias", "a"}, {"rollout", json::Object{{"steps", steps}}}}),
      Error);
}

TEST(Spec, ReferencesAreFoundWhereverTheyStand) {
  const json::Object spec = normal(
      "Trigger",
      R"({"on":[{"alarm":"m"},{"every":"14d"}],"pipeline":"p","gate":"g","endpoint":"e","export":{"monitor":"x","to":"l"}})");
  std::string all;
  for (const Reference& reference : references(*find_kind("Trigger"), spec)) {
    all += reference.kind + " " + reference.name + " " + reference.path + "\n";
  }
  EXPECT_EQ(all,
            "Monitor m spec.on[0].alarm\nPipeline p spec.pipeline\nMonitor x "
            "spec.export.monitor\nGate g spec.gate\n"
            "Endpoint e spec.endpoint\n");
  EXPECT_EQ(references(*find_kind("Model"),
                       normal("Model", R"({"aliases":{"champion":{"gate":"g"}}})"))[0]
                .path,
            "spec.aliases.champion.gate");
}

TEST(Spec, DurationsHaveOneForm) {
  EXPECT_EQ(duration_text(0), "0s");
  EXPECT_EQ(duration_text(14 * kMicrosPerDay), "14d");
  EXPECT_EQ(duration_text(90 * 60 * kMicrosPerSecond), "90m");
  EXPECT_EQ(duration_text(36 * 3'600 * kMicrosPerSecond), "36h");
  EXPECT_EQ(duration_text(1'500 * kMicrosPerMilli), "1500ms");
  EXPECT_EQ(duration_text(7), "7us");
}

void set_end(json::Object& spec, const Field& field, double end, double other) {
  if (field.type == FieldType::kDuration) {
    spec.set(field.key, duration_text(static_cast<TimeUs>(end)));
  } else if (field.type == FieldType::kInteger) {
    spec.set(field.key, static_cast<std::int64_t>(end));
  } else {
    spec.set(field.key, field.open ? std::nextafter(end, other) : end);
  }
}

// One table of ranges and one reader of specs, of the folder that does the work: whatever `plan`
// lets through must be read there, or `apply` fails half-way.
TEST(Spec, WhatPlanAcceptsIsReadAtBothEndsOfEveryRange) {
  int ends = 0;
  for (const auto& [kind_name, base] :
       {std::pair{"Monitor", R"({"endpoint":"e","clip":999999999999})"},
        std::pair{"Gate", R"({"model":"m","monitor":"late"})"}}) {
    const std::string name = kind_name;
    const Kind& kind = *find_kind(name);
    const auto read = [&](const json::Object& spec) {
      const json::Value normal(normalise(kind, "late", spec));
      return name == "Monitor" ? monitoring::to_json(monitoring::parse_monitor_spec(normal))
                               : gate::to_json(gate::parse_gate_spec(normal));
    };
    for (const Field& field : kind.fields) {
      if (field.max <= field.min) continue;
      for (const bool low : {true, false}) {
        json::Object spec = parsed(base);
        if (field.key == "bound") spec.set("clip", std::nextafter(field.max, 0));
        const double end = low ? field.min : field.max;
        set_end(spec, field, end, low ? field.max : field.min);
        if (field.key == "bound" && !low) {  // below the clip, which ends there too
          spec.set("bound", std::nextafter(std::nextafter(field.max, 0), 0));
        }
        const json::Value as_read = read(spec);
        EXPECT_EQ(json::write(*as_read.find(field.key)),
                  json::write(*normalise(kind, "late", spec).find(field.key)))
            << name << " " << field.key;
        ++ends;
        // And what lies beyond, plan refuses by itself.
        json::Object beyond = spec;
        if (field.type == FieldType::kInteger) {
          beyond.set(field.key, static_cast<std::int64_t>(end) + (low ? -1 : 1));
        } else if (field.type == FieldType::kNumber) {
          beyond.set(field.key, low ? std::nextafter(end, -1e300) : std::nextafter(end, 1e300));
        } else {
          continue;
        }
        EXPECT_THROW(normalise(kind, "late", beyond), Error) << name << " " << field.key;
      }
    }
  }
  EXPECT_EQ(ends, 16);  // clip, bound, budget, horizon, min_rows, blind_after; clusters, alpha
}

TEST(Spec, DefaultsAreThoseOfTheReader) {
  const auto same = [](const json::Value& read, const json::Object& normal) {
    EXPECT_EQ(json::write(read), json::write(json::Value(normal)));
  };
  same(monitoring::to_json(monitoring::parse_monitor_spec(json::parse(R"({"endpoint":"e"})"))),
       normal("Monitor", R"({"endpoint":"e"})"));
  same(gate::to_json(gate::parse_gate_spec(json::parse(R"({"model":"m","monitor":"q"})"))),
       normal("Gate", R"({"model":"m","monitor":"q"})"));
  EXPECT_EQ(refusal("Monitor", R"({"endpoint":"e","positive":""})"),
            "Monitor `late-arrival`: `spec.positive` must not be empty");
}

}  // namespace
}  // namespace slipway::automation
