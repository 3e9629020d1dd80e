// SPDX-License-Identifier: Apache-2.0
#include "tracing/trace_search.h"

#include "tracing/assessment_table.h"
#include "tracing/testing.h"
#include "tracing/trace_link.h"

namespace slipway::tracing {
namespace {

class TraceSearchTest : public TracingTest {
 protected:
  // Traces 1 to 4, started at 1 to 4 ms; their names are alpha, beta, alpha and none.
  void SetUp() override {
    add('1', 1, {{"mlflow.traceName", "alpha"}, {"k", "v1"}}, {{"mlflow.trace.session", "s"}});
    add('2', 2, {{"mlflow.traceName", "beta"}, {"k", "v2"}},
        {{"mlflow.trace.session", "s"}, {"mlflow.sourceRun", "r"}});
    add('3', 3, {{"mlflow.traceName", "alpha"}}, {{"mlflow.trace.cost", "{\"total_cost\": 0.5}"}});
    add('4', 4, {}, {});
    write([&](storage::Transaction& transaction) {
      link_traces_to_run(transaction, {trace_id('1')}, "r");
      link_prompts(transaction, trace_id('2'), {{"p", 1}});
    });
    OtlpSpan call = make_span('1', '2', '1', {{"model", "gpt-4"}, {"n", 5}});
    call.name = "call";
    log({make_span('1', '1', 0, {{"mlflow.spanType", "CHAIN"}}), call});
    log({make_span('3', '1', 0, {{"model", "my gpt"}})});
    assess('1', "good", true);
    assess('3', "good", false);
    assess('1', "score", 0.5);
    assess('2', "word", "yes", {{"mlflow.trace.session", "s"}});
  }
  void add(char id, std::int64_t ms, Pairs tags, Pairs metadata) {
    TraceInfo info = make_info(trace_id(id), ms);
    info.tags = std::move(tags);
    info.metadata = std::move(metadata);
    start(info);
  }
  void assess(char trace, const char* name, json::Value value, tracking::Pairs metadata = {}) {
    write([&](storage::Transaction& transaction) {
      Assessment assessment;
      assessment.trace_id = trace_id(trace);
      assessment.name = name;
      assessment.value = std::move(value);
      assessment.source_type = "HUMAN";
      assessment.metadata = std::move(metadata);
      create_assessment(transaction, assessment, kNowMs);
    });
  }
  // The last digits of the traces found, in order.
  std::string found(const std::string& filter, std::vector<std::string> order = {"timestamp"},
                    std::int64_t limit = 100, const std::string& token = "") {
    TraceSearch search{{0}, filter, std::move(order), limit, token};
    const TracePage page =
        read<TracePage>([&](storage::Session& session) { return search_traces(session, search); });
    std::string ids;
    for (const TraceInfo& info : page.traces) ids += info.trace_id.back();
    token_ = page.next_page_token;
    return ids;
  }
  std::string token_;
};

TEST_F(TraceSearchTest, FindsByEveryKindOfKey) {
  struct Case {
    const char* filter;
    const char* found;
  };
  const Case cases[] = {
      {"", "1234"},
      {"name = 'alpha'", "13"},
      {"name != 'alpha'", "2"},
      {"name ILIKE 'AL%'", "13"},
      {"name LIKE 'AL%'", ""},
      {"name RLIKE 'a$'", "123"},
      {"name RLIKE '^b'", "2"},
      {"tags.mlflow.traceName IS NULL", "4"},
      {"status = 'OK'", "1234"},
      {"request_id IN ('x')", ""},
      {"timestamp > 2", "34"},
      {"end_time <= 1002", "2"},
      {"tags.k = 'v1'", "1"},
      {"tags.k RLIKE 'v[12]'", "12"},
      {"tags.k IS NULL", "34"},
      {"tags.k = 'v1' AND tags.k = 'v2'", ""},
      {"metadata.mlflow.trace.session = 's'", "12"},
      {"metadata.mlflow.trace.cost = '{\"total_cost\": 0.5}'", "3"},
      {"metadata.mlflow.trace.cost = '{\"total_cost\":0.5}'", ""},
      {"metadata.mlflow.trace.cost != 'x'", "3"},
      {"metadata.mlflow.trace.cost IS NULL", "124"},
      {"run_id = 'r'", "12"},
      {"run_id LIKE '%'", "2"},
      {"prompt = 'p/1'", "2"},
      {"span.name = 'call'", "1"},
      {"span.type = 'CHAIN'", "1"},
      {"span.name = 'call' AND span.type = 'CHAIN'", ""},
      {"span.name RLIKE '^c.*l$'", "1"},
      {"span.attributes.model LIKE '%gpt%'", "13"},
      {"span.attributes.model = 'gpt-4'", "1"},
      {"span.attributes.model != 'gpt-4'", "3"},
      {"span.attributes.n = '5'", "1"},
      {"span.attributes.model RLIKE '^gpt'", "1"},
      {"span.attributes.model RLIKE 'gpt$' AND span.name LIKE 'span%'", "3"},
      {"trace.text LIKE '%my gpt%'", "3"},
      {"feedback.good = 'true'", "1"},
      {"feedback.good != 'true'", "3"},
      {"feedback.good IS NULL", "24"},
      {"feedback.score > 0.4", "1"},
      {"feedback.score > 0.5", ""},
      {"feedback.word = 'yes'", "12"},
      {"feedback.word RLIKE 'y'", "12"},
      {"feedback.word IS NULL", "34"},
      {"expectation.good IS NULL", "1234"},
  };
  for (const Case& one : cases) EXPECT_EQ(found(one.filter), one.found) << one.filter;
}

TEST_F(TraceSearchTest, OrdersWithMissingOnesLast) {
  EXPECT_EQ(found("", {}), "4321");
  EXPECT_EQ(found("", {"name"}), "3124");
  EXPECT_EQ(found("", {"name DESC"}), "2314");
  EXPECT_EQ(found("", {"tags.k DESC"}), "2143");
  EXPECT_EQ(found("", {"request_id"}), "1234");
  EXPECT_EQ(found("", {"end_time DESC"}), "3142");
}

TEST_F(TraceSearchTest, PagesAlsoWhereSqlIsNotEnough) {
  EXPECT_EQ(found("", {"timestamp"}, 2), "12");
  EXPECT_EQ(found("", {"timestamp"}, 2, token_), "34");
  EXPECT_EQ(found("", {"timestamp"}, 2, token_), "");
  EXPECT_EQ(token_, "");
  EXPECT_EQ(found("name RLIKE 'a'", {"timestamp"}, 2), "12");
  EXPECT_EQ(found("name RLIKE 'a'", {"timestamp"}, 2, token_), "3");
  EXPECT_EQ(token_, "");
  EXPECT_NE(refusal_of([&] { found("", {}, 2, "nonsense"); }), "");
}

TEST_F(TraceSearchTest, StaysInItsExperiments) {
  TraceSearch search{{7}, "", {}, 100, ""};
  const auto in = [&] {
    return read<TracePage>([&](storage::Session& s) { return search_traces(s, search); })
        .traces.size();
  };
  EXPECT_EQ(in(), 0U);
  search.experiment_ids = {};
  EXPECT_EQ(in(), 0U);
  search.experiment_ids = {7, 0};
  EXPECT_EQ(in(), 4U);
}

TEST_F(TraceSearchTest, RefusesABadPattern) {
  EXPECT_EQ(refusal_of([&] { found("name RLIKE '('"); }),
            "invalid_argument: Invalid regular expression '(': missing ), unterminated "
            "subpattern");
}

}  // namespace
}  // namespace slipway::tracing
