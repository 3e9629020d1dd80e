// SPDX-License-Identifier: Apache-2.0
#include "tracing/span.h"

#include "tracing/preview.h"
#include "tracing/python_json.h"
#include "tracing/testing.h"

namespace slipway::tracing {
namespace {

class Spans : public TracingTest {
 protected:
  std::vector<std::string> contents(char trace) {
    return read<std::vector<std::string>>([&](storage::Session& session) {
      return load_contents(session, get_trace_key(session, trace_id(trace)));
    });
  }
  static std::string usage(int in, int out) {
    return "{\"input_tokens\": " + std::to_string(in) +
           ", \"output_tokens\": " + std::to_string(out) +
           ", \"total_tokens\": " + std::to_string(in + out) + "}";
  }
  std::string metadata(char trace, std::string_view key) {
    const TraceInfo info = load_trace(trace_id(trace));
    const std::string* value = find_pair(info.metadata, key);
    return value == nullptr ? "" : *value;
  }
};

TEST_F(Spans, ContentIsWhatMlflowStores) {
  OtlpSpan span =
      make_span('a', '1', 0, {{"text", "t"}, {"int", 5}, {"json", "{\"a\": 1}"}, {"digits", "12"}});
  span.events.push_back({"e", 7, {{"k", "v"}}});
  span.links.push_back({std::string(16, '\1'), std::string(8, '\2'), {}});
  const auto batches = make_batches({{{}, {span}}});
  EXPECT_EQ(
      batches.at(0).spans.at(0).content,
      "{\"trace_id\": \"qqqqqqqqqqqqqqqqqqqqqg==\", \"span_id\": \"AAAAAAAAADE=\", "
      "\"parent_span_id\": null, \"name\": \"span 1\", "
      "\"start_time_unix_nano\": 1700000001000000000, "
      "\"end_time_unix_nano\": 1700000002000000000, "
      "\"events\": [{\"name\": \"e\", \"time_unix_nano\": 7, \"attributes\": {\"k\": \"v\"}}], "
      "\"status\": {\"code\": \"STATUS_CODE_OK\", \"message\": \"\"}, "
      "\"attributes\": {\"text\": \"\\\"t\\\"\", \"int\": \"5\", \"json\": \"{\\\"a\\\": 1}\", "
      "\"digits\": \"\\\"12\\\"\", \"mlflow.traceRequestId\": "
      "\"\\\"tr-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\\\"\"}, "
      "\"links\": [{\"trace_id\": \"tr-01010101010101010101010101010101\", "
      "\"span_id\": \"0202020202020202\", \"attributes\": null}]}");
}

TEST_F(Spans, MakeTheirTrace) {
  log({make_span('1', '1'), make_span('1', '2', '1')});
  const TraceInfo info = load_trace(trace_id('1'));
  EXPECT_EQ(info.request_time_ms, kNowMs + 1'000);
  EXPECT_EQ(info.duration_ms, 1'000);
  EXPECT_EQ(info.state, TraceState::kOk);
  EXPECT_EQ(*find_pair(info.tags, kSpansLocationTag), "TRACKING_STORE");
  EXPECT_EQ(contents('1').size(), 2U);
}

TEST_F(Spans, AreReplacedWhenTheyComeAgain) {
  log({make_span('1', '1')});
  OtlpSpan again = make_span('1', '1');
  again.name = "other";
  log({again});
  ASSERT_EQ(contents('1').size(), 1U);
  EXPECT_NE(contents('1').front().find("\"name\": \"other\""), std::string::npos);
}

TEST_F(Spans, RootsComeFirst) {
  OtlpSpan early = make_span('1', '2', '1');
  early.start_ns = 5;
  log({early, make_span('1', '1')});
  EXPECT_NE(contents('1').front().find("span 1"), std::string::npos);
  EXPECT_EQ(load_trace(trace_id('1')).request_time_ms, 0);
}

TEST_F(Spans, ATraceRunsUntilItsRootCame) {
  log({make_span('1', '2', '1')});
  EXPECT_EQ(load_trace(trace_id('1')).state, TraceState::kInProgress);
  OtlpSpan root = make_span('1', '1');
  root.status_code = 2;
  root.end_ns += 1'000'000'000;
  log({root});
  EXPECT_EQ(load_trace(trace_id('1')).state, TraceState::kError);
  EXPECT_EQ(load_trace(trace_id('1')).duration_ms, 2'000);
}

TEST_F(Spans, AnExperimentIsLookedAtOnlyForNewTraces) {
  log({make_span('1', '1')});
  log({make_span('1', '2', '1')}, {}, "nonsense");
  EXPECT_EQ(refusal_of([&] { log({make_span('2', '1')}, {}, "nonsense"); }),
            "invalid_argument: Invalid experiment ID 'nonsense'. Experiment ID must be a valid "
            "integer.");
  EXPECT_EQ(refusal_of([&] { log({make_span('2', '1')}, {}, "7"); }),
            "not_found: No Experiment with id=7 exists");
}

TEST_F(Spans, ABatchIsStoredWholeOrNotAtAll) {
  write([](storage::Transaction& transaction) {
    tracking::create_experiment(transaction, {"e", "", {}}, kNowMs);
  });
  const auto batches = make_batches({{{}, {make_span('1', '1'), make_span('2', '1')}}});
  log({make_span('2', '1')});
  EXPECT_NE(refusal([&](storage::Transaction& transaction) {
              log_spans(transaction, "nonsense", batches);
            }),
            "");
  EXPECT_EQ(refusal_of([&] { load_trace(trace_id('1')); }),
            "not_found: Trace with ID '" + trace_id('1') + "' not found.");
}

TEST_F(Spans, ASpanSpeaksForThoseBelow) {
  log({make_span('1', '1'), make_span('1', '2', '1', {{"mlflow.chat.tokenUsage", usage(3, 4)}}),
       make_span('1', '3', '2', {{"mlflow.chat.tokenUsage", usage(1, 1)}}),
       make_span('1', '4', '1',
                 {{"mlflow.chat.tokenUsage", usage(10, 20)},
                  {"mlflow.llm.cost", "{\"total_cost\": 0.5}"}})});
  EXPECT_EQ(metadata('1', kUsageKey), usage(13, 24));
  EXPECT_EQ(metadata('1', kCostKey),
            "{\"input_cost\": 0.0, \"output_cost\": 0.0, \"total_cost\": 0.5}");
  log({make_span('1', '1', 0, {{"mlflow.chat.tokenUsage", usage(100, 200)}})});
  EXPECT_EQ(metadata('1', kUsageKey), usage(100, 200));
}

TEST_F(Spans, WhatStartTraceSaidStays) {
  TraceInfo given = make_info(trace_id('1'));
  given.metadata = {{std::string(kUsageKey), usage(1, 1)}};
  given.request_preview = "mine";
  start(given);
  log({make_span('1', '1', 0,
                 {{"mlflow.chat.tokenUsage", usage(5, 5)}, {"mlflow.spanInputs", "in"}})});
  EXPECT_EQ(metadata('1', kUsageKey), usage(1, 1));
  const TraceInfo info = load_trace(trace_id('1'));
  EXPECT_EQ(info.request_preview, "mine");
  EXPECT_EQ(info.request_time_ms, kNowMs);
  EXPECT_EQ(info.duration_ms, 1'000);
}

TEST_F(Spans, RootAndResourceBecomeTags) {
  log({make_span('1', '1', 0,
                 {{"mlflow.traceTag.color", "red"},
                  {"mlflow.traceTag.mlflow.traceName", "named"},
                  {"mlflow.traceTag.a//b", "bad key"},
                  {"session.id", "s"},
                  {"user.id", "u"}})},
      {{"service.name", "shop"},
       {"telemetry.sdk.name", "otel"},
       {"mlflow.x", "y"},
       {"n", 2},
       {"color", "blue"}});
  const TraceInfo info = load_trace(trace_id('1'));
  EXPECT_EQ(info.tags, (Pairs{{"color", "red"},
                              {"mlflow.artifactLocation",
                               "mlflow-artifacts:/0/traces/" + trace_id('1') + "/artifacts"},
                              {"mlflow.trace.spansLocation", "TRACKING_STORE"},
                              {"mlflow.traceName", "named"},
                              {"n", "2"},
                              {"service.name", "shop"}}));
  EXPECT_EQ(metadata('1', kSessionKey), "s");
  EXPECT_EQ(metadata('1', kUserKey), "u");
}

TEST_F(Spans, OnlyKnownServicesStandAtTheRoot) {
  const auto named = [&](const char* service, char trace) {
    log({make_span(trace, '1')}, {{"service.name", service}});
    return contents(trace).front().find("\"service.name\": \"\\\"") != std::string::npos;
  };
  EXPECT_TRUE(named("claude-code", '1'));
  EXPECT_FALSE(named("anything", '2'));
}

TEST_F(Spans, WithoutIdsAreRefused) {
  const auto refused = [&](const std::function<void(OtlpSpan&)>& change) {
    OtlpSpan span = make_span('1', '1');
    change(span);
    return refusal_of([&] { make_batches({{{}, {span}}}); });
  };
  EXPECT_EQ(refused([](OtlpSpan& span) { span.trace_id = ""; }),
            "invalid_argument: not a span: trace_id is required but was empty");
  EXPECT_EQ(refused([](OtlpSpan& span) { span.span_id = ""; }),
            "invalid_argument: not a span: span_id is required but was empty");
  EXPECT_EQ(refused([](OtlpSpan& span) { span.trace_id = std::string(17, '\1'); }),
            "invalid_argument: not a span: trace_id has more than 16 bytes");
  EXPECT_EQ(refused([](OtlpSpan& span) { span.end_ns = std::uint64_t{1} << 63U; }),
            "invalid_argument: not a span: a time is beyond the year 2262");
  EXPECT_EQ(refused([](OtlpSpan& span) { span.trace_id = "\1"; }), "");
  EXPECT_EQ(refused([](OtlpSpan& span) {
              span.attributes = {{"session.id", std::string(251, 's')}};
            }),
            "invalid_argument: 'Session ID' exceeds the maximum length of 250 characters");
}

TEST_F(Spans, OtherConventionsAreTranslated) {
  const auto translated = [&](OtlpAttributes attributes) {
    const auto batches = make_batches({{{}, {make_span('1', '1', 0, std::move(attributes))}}});
    return batches.at(0).spans.at(0);
  };
  const Span gen_ai = translated({{"gen_ai.operation.name", "chat"},
                                  {"gen_ai.request.model", "m"},
                                  {"gen_ai.provider.name", "p"},
                                  {"gen_ai.usage.input_tokens", 11},
                                  {"gen_ai.usage.output_tokens", "5"},
                                  {"gen_ai.usage.cache_read.input_tokens", 2},
                                  {"gen_ai.input.messages", "[{\"role\": \"user\"}]"}});
  EXPECT_EQ(gen_ai.type, "CHAT_MODEL");
  EXPECT_EQ(gen_ai.model, "m");
  EXPECT_EQ(gen_ai.provider, "p");
  EXPECT_EQ(write_tokens(*gen_ai.usage),
            "{\"input_tokens\": 11, \"output_tokens\": 5, \"total_tokens\": 16, "
            "\"cache_read_input_tokens\": 2}");
  EXPECT_NE(gen_ai.content.find("\"mlflow.spanInputs\": \"[{\\\"role\\\": \\\"user\\\"}]\""),
            std::string::npos);
  const Span inference = translated({{"openinference.span.kind", "TOOL"},
                                     {"llm.token_count.total", 3},
                                     {"llm.model_name", "m"},
                                     {"input.value", "in"}});
  EXPECT_EQ(inference.type, "TOOL");
  EXPECT_EQ(write_tokens(*inference.usage), "{\"total_tokens\": 3}");
  EXPECT_EQ(inference.model, "m");
  const Span traceloop = translated({{"traceloop.span.kind", "agent"},
                                     {"gen_ai.completion.0.content", "out"},
                                     {"gen_ai.system", "p"}});
  EXPECT_EQ(traceloop.type, "AGENT");
  EXPECT_EQ(traceloop.provider, "p");
  EXPECT_NE(traceloop.content.find("\"mlflow.spanOutputs\": \"\\\"out\\\"\""), std::string::npos);
  const Span vercel = translated({{"ai.operationId", "ai.generateText.doGenerate"},
                                  {"ai.prompt.messages", "[1]"},
                                  {"ai.response.text", "out"}});
  EXPECT_EQ(vercel.type, "LLM");
  EXPECT_NE(vercel.content.find("\"mlflow.spanInputs\": \"{\\\"messages\\\": [1]}\""),
            std::string::npos);
  const Span own = translated({{"mlflow.spanType", "CHAIN"}, {"openinference.span.kind", "TOOL"}});
  EXPECT_EQ(own.type, "CHAIN");
  EXPECT_EQ(translated({{"mlflow.spanType", "UNKNOWN"}, {"openinference.span.kind", "TOOL"}}).type,
            "TOOL");
}

TEST(Preview, ShowsTheLastMessage) {
  EXPECT_EQ(make_preview("\"text\"", "user"), "\"text\"");
  EXPECT_EQ(make_preview(R"({"messages": [{"role": "user", "content": "a"},
                             {"role": "user", "content": "b"},
                             {"role": "assistant", "content": "c"}]})",
                         "user"),
            "b");
  EXPECT_EQ(make_preview(R"({"messages": [{"role": "system", "content": "a"}]})", "user"), "a");
  EXPECT_EQ(make_preview(R"({"choices": [{"message": {"role": "assistant", "content": "hi"}}]})",
                         "assistant"),
            "hi");
  EXPECT_EQ(
      make_preview(
          R"({"request": {"input": [{"role": "user", "content": [{"type": "text", "text": "t"}]}]}})",
          "user"),
      "t");
  EXPECT_EQ(make_preview(R"({"a": 1})", "user"), R"({"a": 1})");
  EXPECT_EQ(make_preview(std::string(1'000, 'x'), "user"), std::string(1'000, 'x'));
  EXPECT_EQ(make_preview(std::string(1'001, 'x'), "user"), std::string(997, 'x') + "...");
}

}  // namespace
}  // namespace slipway::tracing
