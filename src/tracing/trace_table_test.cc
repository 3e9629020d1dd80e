// SPDX-License-Identifier: Apache-2.0
#include "tracing/trace_table.h"

#include "tracing/assessment_table.h"
#include "tracing/testing.h"
#include "tracing/trace_link.h"

namespace slipway::tracing {
namespace {

class TraceTable : public TracingTest {};

TEST_F(TraceTable, SumsAndSessionAreColumnsAndMetadataAgain) {
  TraceInfo given = make_info("tr-1");
  given.client_request_id = "c";
  given.request_preview = "in";
  given.metadata = {{"mlflow.trace.tokenUsage", R"({"input_tokens": 3, "total_tokens": 7.0})"},
                    {"mlflow.trace.cost", R"({"total_cost": 1})"},
                    {"mlflow.trace.session", "s"},
                    {"z", "1"}};
  given.tags = {{"mlflow.traceName", "n"}, {"a", "b"}};
  const TraceInfo stored = start(given);
  EXPECT_EQ(stored.metadata,
            (Pairs{{"mlflow.trace.cost", R"({"total_cost": 1.0})"},
                   {"mlflow.trace.infoFinalized", "true"},
                   {"mlflow.trace.session", "s"},
                   {"mlflow.trace.tokenUsage", R"({"input_tokens": 3, "total_tokens": 7})"},
                   {"z", "1"}}));
  EXPECT_EQ(stored.tags,
            (Pairs{{"a", "b"},
                   {"mlflow.artifactLocation", "mlflow-artifacts:/0/traces/tr-1/artifacts"},
                   {"mlflow.traceName", "n"}}));
  EXPECT_EQ(stored, load_trace("tr-1"));
}

TEST_F(TraceTable, ASecondStartCompletes) {
  TraceInfo first = make_info("tr-1");
  first.request_preview = "in";
  first.response_preview = "out";
  first.tags = {{"mlflow.traceName", "n"}, {"a", "1"}};
  first.metadata = {{"m", "1"}, {"mlflow.trace.session", "s"}};
  start(first);
  TraceInfo second = make_info("tr-1", kNowMs + 5);
  second.state = TraceState::kError;
  second.duration_ms.reset();
  second.response_preview = "other";
  second.tags = {{"b", "2"}};
  const TraceInfo stored = start(second);
  EXPECT_EQ(stored.state, TraceState::kError);
  EXPECT_EQ(stored.request_time_ms, kNowMs + 5);
  EXPECT_EQ(stored.duration_ms, std::nullopt);
  EXPECT_EQ(stored.request_preview, "in");
  EXPECT_EQ(stored.response_preview, "other");
  EXPECT_EQ(*find_pair(stored.tags, "a"), "1");
  EXPECT_EQ(*find_pair(stored.tags, "b"), "2");
  EXPECT_EQ(*find_pair(stored.tags, "mlflow.traceName"), "n");
  EXPECT_EQ(*find_pair(stored.metadata, "mlflow.trace.session"), "s");
}

TEST_F(TraceTable, RefusesWhatCannotBeStored) {
  TraceInfo given = make_info("tr-1");
  given.experiment_id = 7;
  EXPECT_EQ(refusal_of([&] { start(given); }), "not_found: No Experiment with id=7 exists");
  given.experiment_id = 0;
  given.metadata = {{"mlflow.trace.session", std::string(251, 's')}};
  EXPECT_EQ(refusal_of([&] { start(given); }),
            "invalid_argument: 'Session ID' exceeds the maximum length of 250 characters");
  given.metadata = {};
  given.tags = {{"mlflow.traceName", std::string(4'097, 'n')}};
  EXPECT_EQ(refusal_of([&] { start(given); }),
            "invalid_argument: 'Trace name' exceeds the maximum length of 4096 characters");
  EXPECT_EQ(refusal_of([&] { load_trace("tr-1"); }), "not_found: Trace with ID 'tr-1' not found.");
}

TEST_F(TraceTable, TagsAreSetCutAndRemoved) {
  start(make_info("tr-1"));
  const auto set = [&](std::string_view key, std::string_view value) {
    return refusal(
        [&](storage::Transaction& transaction) { set_trace_tag(transaction, "tr-1", key, value); });
  };
  const auto remove = [&](std::string_view key) {
    return refusal(
        [&](storage::Transaction& transaction) { delete_trace_tag(transaction, "tr-1", key); });
  };
  EXPECT_EQ(set("k", std::string(8'001, 'x')), "");
  EXPECT_EQ(find_pair(load_trace("tr-1").tags, "k")->size(), 8'000U);
  EXPECT_EQ(set("mlflow.traceName", "n"), "");
  EXPECT_EQ(*find_pair(load_trace("tr-1").tags, "mlflow.traceName"), "n");
  EXPECT_EQ(
      set("mlflow.trace.spansLocation", "x"),
      "invalid_argument: Tag 'mlflow.trace.spansLocation' is immutable and cannot be set on a "
      "trace.");
  EXPECT_EQ(remove("k"), "");
  EXPECT_EQ(remove("k"), "not_found: No trace tag with key 'k' for trace with ID 'tr-1'");
  EXPECT_EQ(remove("mlflow.traceName"), "");
  EXPECT_EQ(remove("mlflow.traceName"),
            "not_found: No trace tag with key 'mlflow.traceName' for trace with ID 'tr-1'");
  EXPECT_EQ(remove("mlflow.trace.spansLocation"),
            "invalid_argument: Tag 'mlflow.trace.spansLocation' is immutable and cannot be deleted "
            "on a trace.");
  EXPECT_EQ(remove("mlflow.trace.archivalFailure"),
            "not_found: No trace tag with key 'mlflow.trace.archivalFailure' for trace with ID "
            "'tr-1'");
}

TEST_F(TraceTable, DeletesByIdOrTheOldest) {
  for (int i = 1; i <= 5; ++i) start(make_info("tr-" + std::to_string(i), i));
  const auto remove = [&](const TraceDeletion& deletion) {
    return database_.write_returning<std::int64_t>(
        [&](storage::Transaction& transaction) { return delete_traces(transaction, deletion); });
  };
  EXPECT_EQ(remove({0, {"tr-3", "tr-3", "tr-x"}, {}, {}}), 1);
  EXPECT_EQ(remove({9, {"tr-1"}, {}, {}}), 0);
  EXPECT_EQ(remove({0, {}, 4, 1}), 1);
  EXPECT_EQ(remove({0, {}, 4, {}}), 2);
  EXPECT_EQ(load_trace("tr-5").request_time_ms, 5);
  EXPECT_EQ(refusal_of([&] {
              remove({0, {}, {}, {}});
            }),
            "invalid_argument: Either `max_timestamp_millis` or `trace_ids` must be specified.");
  EXPECT_EQ(refusal_of([&] {
              remove({0, {}, 4, 0});
            }),
            "invalid_argument: `max_traces` must be a positive integer, received 0.");
  EXPECT_EQ(
      refusal_of([&] {
        remove({0, {"x"}, 4, {}});
      }),
      "invalid_argument: Only one of `max_timestamp_millis` and `trace_ids` can be specified.");
  EXPECT_EQ(refusal_of([&] {
              remove({0, {"x"}, {}, 4});
            }),
            "invalid_argument: `max_traces` can't be specified if `trace_ids` is specified.");
}

TEST_F(TraceTable, WhatIsDeletedLeavesNothing) {
  start(make_info(trace_id('1')));
  log({make_span('1', '1')});
  write([&](storage::Transaction& transaction) {
    Assessment assessment;
    assessment.name = "f";
    assessment.source_type = "HUMAN";
    put_assessment(transaction, get_trace_key(transaction, trace_id('1')), assessment, kNowMs);
    link_traces_to_run(transaction, {trace_id('1')}, "r");
    delete_traces(transaction, {0, {trace_id('1')}, {}, {}});
    for (const char* table :
         {"trace", "trace_tag", "trace_metadata", "trace_link", "span", "assessment"}) {
      auto row = transaction.query("SELECT COUNT(*) FROM " + std::string(table));
      row.step();
      EXPECT_EQ(row.int64(0), 0) << table;
    }
  });
}

TEST_F(TraceTable, OldTracesBeginAndEnd) {
  const TraceInfo begun = database_.write_returning<TraceInfo>([](storage::Transaction& t) {
    TraceInfo given = make_info("", 100);
    given.duration_ms.reset();
    given.tags = {{"mlflow.traceName", "old"}};
    return begin_trace(t, given);
  });
  EXPECT_EQ(begun.trace_id.size(), 32U);
  EXPECT_EQ(begun.state, TraceState::kInProgress);
  EXPECT_EQ(find_pair(begun.metadata, kFinalizedKey), nullptr);
  const TraceInfo ended = database_.write_returning<TraceInfo>([&](storage::Transaction& t) {
    return end_trace(t, begun.trace_id, 350, TraceState::kError, {{"m", "1"}}, {{"t", "2"}});
  });
  EXPECT_EQ(ended.duration_ms, 250);
  EXPECT_EQ(ended.state, TraceState::kError);
  EXPECT_EQ(*find_pair(ended.tags, "mlflow.traceName"), "old");
  EXPECT_EQ(*find_pair(ended.metadata, "m"), "1");
}

TEST_F(TraceTable, FindsInTheOrderOfTheLastMention) {
  for (const char* id : {"a", "b", "c"}) start(make_info(id));
  const auto ids = [&](const std::vector<std::string>& asked,
                       const std::optional<std::vector<std::int64_t>>& experiments) {
    std::string found;
    for (const TraceInfo& info : read<std::vector<TraceInfo>>(
             [&](storage::Session& session) { return find_traces(session, asked, experiments); }))
      found += info.trace_id;
    return found;
  };
  EXPECT_EQ(ids({"b", "x", "a", "b"}, std::nullopt), "ab");
  EXPECT_EQ(ids({"b"}, std::vector<std::int64_t>{9}), "");
}

TEST_F(TraceTable, LinksHaveALimitAndNeedNoTrace) {
  const auto link = [&](std::size_t count) {
    return refusal([&](storage::Transaction& transaction) {
      link_traces_to_run(transaction, std::vector<std::string>(count, "tr-later"), "r");
    });
  };
  EXPECT_EQ(link(kLinksPerCallMax), "");
  EXPECT_EQ(link(kLinksPerCallMax + 1),
            "invalid_argument: Cannot link more than 100 traces to a run in a single request. "
            "Provided 101 traces.");
  EXPECT_EQ(refusal([&](storage::Transaction& transaction) {
              link_prompts(transaction, "tr-later", {{"p", 1}});
            }),
            "not_found: Trace with ID 'tr-later' not found.");
}

}  // namespace
}  // namespace slipway::tracing
