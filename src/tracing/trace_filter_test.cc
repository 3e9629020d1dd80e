// SPDX-License-Identifier: Apache-2.0
#include "tracing/trace_filter.h"

#include <functional>
#include <gtest/gtest.h>

#include "base/error.h"

namespace slipway::tracing {
namespace {

using tracking::Operator;

std::string refusal(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}
std::string refused(std::string_view filter) {
  return refusal([&] { parse_trace_filter(filter); });
}
TraceTerm term(std::string_view filter) { return parse_trace_filter(filter).at(0); }

TEST(TraceFilter, KnowsEveryKindOfKey) {
  const auto kind = [](std::string_view filter) { return term(filter).kind; };
  EXPECT_EQ(kind("request_id = 'x'"), TermKind::kText);
  EXPECT_EQ(kind("trace.status = 'OK'"), TermKind::kText);
  EXPECT_EQ(kind("attributes.timestamp > 5"), TermKind::kNumber);
  EXPECT_EQ(kind("name = 'x'"), TermKind::kName);
  EXPECT_EQ(kind("tags.mlflow.traceName = 'x'"), TermKind::kName);
  EXPECT_EQ(kind("tag.k = 'x'"), TermKind::kTag);
  EXPECT_EQ(kind("metadata.k = 'x'"), TermKind::kMetadata);
  EXPECT_EQ(kind("request_metadata.`mlflow.trace.session` = 'x'"), TermKind::kSession);
  EXPECT_EQ(kind("metadata.mlflow.trace.tokenUsage IS NULL"), TermKind::kUsage);
  EXPECT_EQ(kind("run_id = 'x'"), TermKind::kRun);
  EXPECT_EQ(kind("run_id != 'x'"), TermKind::kMetadata);
  EXPECT_EQ(kind("metadata.mlflow.sourceRun = 'x'"), TermKind::kRun);
  EXPECT_EQ(kind("prompt = 'a/1'"), TermKind::kPrompt);
  EXPECT_EQ(kind("span.name = 'x'"), TermKind::kSpan);
  EXPECT_EQ(kind("trace.text LIKE '%x%'"), TermKind::kSpan);
  EXPECT_EQ(kind("span.attributes.a.b = 'x'"), TermKind::kSpanValue);
  EXPECT_EQ(kind("feedback.f = 'x'"), TermKind::kFeedback);
  EXPECT_EQ(kind("expectation.f = 'x'"), TermKind::kExpectation);
  EXPECT_EQ(kind("issue.id = 'x'"), TermKind::kIssue);
}

TEST(TraceFilter, ReadsKeysOperatorsAndValues) {
  EXPECT_EQ(term("span.attributes.a.b = 'x'").key, "a.b");
  EXPECT_EQ(term("end_time >= 5").key, "end_time_ms");
  EXPECT_EQ(term("status IN ('OK', 'ERROR')").comparison.texts,
            (std::vector<std::string>{"OK", "ERROR"}));
  EXPECT_EQ(term("feedback.f >= 0.5").comparison.number, 0.5);
  EXPECT_TRUE(term("name RLIKE '^a'").pattern);
  EXPECT_FALSE(term("name LIKE 'a'").pattern);
  EXPECT_EQ(term("tags.k is not null").comparison.op, Operator::kIsNotNull);
  EXPECT_EQ(parse_trace_filter("name = 'a' AND status = 'OK'").size(), 2U);
  EXPECT_TRUE(parse_trace_filter("").empty());
}

TEST(TraceFilter, RefusesInMlflowsWords) {
  EXPECT_EQ(refused("span.foo = 'x'"),
            "Invalid span attribute 'foo'. Supported attributes: name, status, type, "
            "attributes.<attribute_name>.");
  EXPECT_EQ(refused("feedback.f > 'x'"),
            "Expected a numeric value for feedback when using comparator '>'. Got value 'x'");
  EXPECT_EQ(refused("feedback.f = 0.5"),
            "Expected a quoted string value for feedback (e.g. 'my-value'). Got value 0.5");
  EXPECT_EQ(refused("prompt = 'p'"),
            "Invalid prompts filter value 'p'. Expected format: prompt = \"name/version\"");
  EXPECT_EQ(refused("name = 'a' OR name = 'b'"), "Invalid clause(s) in filter string: 'OR'");
  EXPECT_EQ(refused("name = 'a' AND"), "Invalid clause(s) in filter string: 'AND'");
  EXPECT_EQ(refused("issue.id != 'x'"), "issue.id comparator '!=' not one of '{'='}'");
  EXPECT_EQ(refused("execution_time > 'x'"),
            "Expected a numeric value for attribute execution_time. Got value 'x'");
  // What a later clause is, is asked before what an earlier one's operator is.
  EXPECT_EQ(refused("name > 'a' AND tags.k = 5"),
            "Expected a quoted string value for tag (e.g. 'my-value'). Got value 5");
}

TEST(TraceFilter, HasLimits) {
  EXPECT_EQ(refused("name = '" + std::string(tracking::kFilterBytesMax, 'x') + "'"),
            "Invalid filter: it has 65545 bytes, at most 65536 are read");
  std::string many = "name = 'x'";
  for (std::size_t i = 1; i < tracking::kComparisonsMax; ++i) many += " AND name = 'x'";
  EXPECT_EQ(refused(many), "");
  EXPECT_EQ(refused(many + " AND name = 'x'"), "Invalid filter: more than 100 comparisons");
  EXPECT_EQ(refusal([] { parse_trace_order(std::vector<std::string>(17, "name")); }),
            "Invalid order_by: 17 clauses, at most 16");
}

TEST(TraceOrder, ReadsAndRefuses) {
  EXPECT_EQ(parse_trace_order({"timestamp DESC", "name"}),
            (std::vector<TraceOrder>{{TermKind::kNumber, "request_time_ms", false},
                                     {TermKind::kName, "mlflow.traceName", true}}));
  EXPECT_EQ(parse_trace_order({"run_id"}).at(0).kind, TermKind::kMetadata);
  const auto order = [](const std::vector<std::string>& terms) {
    return refusal([&] { parse_trace_order(terms); });
  };
  EXPECT_EQ(order({"span.name"}), "Invalid identifier type 'span'");
  EXPECT_EQ(order({""}), "Invalid order_by clause ''. Could not be parsed.");
  EXPECT_EQ(order({"name foo"}), "Invalid ordering key in order_by clause 'name foo'.");
  EXPECT_EQ(order({"timestamp", "timestamp_ms DESC"}),
            "`order_by` contains duplicate fields: ['timestamp', 'timestamp_ms DESC']");
}

}  // namespace
}  // namespace slipway::tracing
