// SPDX-License-Identifier: Apache-2.0
#include "api/mlflow/wire.h"

#include <cmath>
#include <gtest/gtest.h>

#include "api/mlflow/artifact_files.h"
#include "api/mlflow/errors.h"
#include "api/mlflow/fields.h"
#include "api/mlflow/log_request.h"
#include "api/mlflow/run_writer.h"
#include "base/error.h"

namespace slipway::api::mlflow {
namespace {

http::Request post(std::string body) {
  http::Request request;
  request.method = http::Method::kPost;
  request.headers = {{"content-type", "application/json; charset=utf-8"}};
  request.body = std::move(body);
  return request;
}
http::Request get(std::vector<std::pair<std::string, std::string>> query) {
  http::Request request;
  request.query = std::move(query);
  return request;
}
std::string refusal(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kInvalidArgument);
    return error.what();
  }
  return "";
}
constexpr const char* kDocs = " See the API docs for more information about request parameters.";

TEST(Parameters, BodyIsReadLeniently) {
  const Parameters p(post(
      R"({"run_uuid": "r", "maxResults": "7", "n": null, "x": 2.0, "flag": "TRUE", "other": {}})"));
  EXPECT_EQ(p.required_text("run_id"), "r");
  EXPECT_EQ(p.maybe_int64("max_results"), 7);
  EXPECT_FALSE(p.has("n"));
  EXPECT_EQ(p.maybe_int64("x"), 2);
  EXPECT_EQ(p.maybe_boolean("flag"), true);
  EXPECT_EQ(Parameters(post(R"("{\"a\": \"b\"}")")).text("a"), "b");
  EXPECT_EQ(Parameters(post("")).text("a"), "");
  EXPECT_EQ(Parameters(post("null")).text("a"), "");
}

TEST(Parameters, ATextWithANulIsRefusedWithItsPlace) {
  const Parameters p(post(R"({"name": "a\u0000b", "ids": ["x", "\u0000"],)"
                          R"( "tags": [{"key": "k", "value": "\u0000"}]})"));
  const auto words = [](const std::string& path) {
    return "Invalid value for parameter '" + path +
           "' supplied: a text may hold any character but U+0000";
  };
  EXPECT_EQ(refusal([&] { p.text("name"); }), words("name"));
  EXPECT_EQ(refusal([&] { p.texts("ids"); }), words("ids"));
  EXPECT_EQ(refusal([&] { read_pairs(p, "tags", Keys::kRequired); }), words("tags[0].value"));
  const Parameters query(get({{"filter", std::string("a\0b", 3)}}));
  EXPECT_EQ(refusal([&] { query.text("filter"); }), words("filter"));
  EXPECT_EQ(refusal([&] { query.texts("filter"); }), words("filter"));
  // And the quick readers of log-batch leave it to these.
  EXPECT_FALSE(
      read_batch_quickly(R"({"run_id":"r","tags":[{"key":"k","value":"\u0000"}]})").has_value());
}

TEST(Parameters, QueryRepeatsBecomeLists) {
  const Parameters p(get({{"run_id", "a"}, {"run_id", "b"}, {"one", "x"}, {"n", "5"}}));
  EXPECT_EQ(p.texts("run_id"), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(p.texts("one"), std::vector<std::string>{"x"});
  EXPECT_EQ(p.maybe_int64("n"), 5);
  EXPECT_TRUE(p.texts("none").empty());
}

TEST(Parameters, FaultsHaveMlflowsWords) {
  const Parameters p(post(
      R"({"text": 5, "empty": "", "list": {}, "half": 1.5, "flag": "maybe", "items": [{"v": true}]})"));
  EXPECT_EQ(refusal([&] { p.text("text"); }),
            std::string(
                "Invalid value 5 for parameter 'text' supplied:  Hint: Value was of type 'int'.") +
                kDocs);
  EXPECT_EQ(refusal([&] { p.required_text("empty"); }),
            std::string("Missing value for required parameter 'empty'.") + kDocs);
  EXPECT_EQ(
      refusal([&] { p.objects("list"); }),
      std::string(
          "Invalid value {} for parameter 'list' supplied:  Hint: Value was of type 'dict'.") +
          kDocs);
  EXPECT_EQ(
      refusal([&] { p.maybe_int64("half"); }),
      std::string(
          "Invalid value 1.5 for parameter 'half' supplied:  Hint: Value was of type 'float'.") +
          kDocs);
  EXPECT_EQ(refusal([&] { p.maybe_boolean("flag"); }),
            "Invalid boolean value for parameter 'flag': maybe, must be 'true' or 'false'.");
  EXPECT_EQ(refusal([&] { p.objects("items")[0].required_number("v"); }),
            std::string("Invalid value true for parameter 'items[0].v' supplied:  Hint: Value was "
                        "of type 'bool'.") +
                kDocs);
}

TEST(Parameters, BodiesThatAreNoObjectAreRefused) {
  EXPECT_EQ(refusal([] { Parameters p(post("[1]")); }),
            "The request body must be a JSON object, not a list.");
  EXPECT_NE(refusal([] { Parameters p(post("{\"a\": ")); }).find("not valid JSON"),
            std::string::npos);
  http::Request form = post("a=b");
  form.headers = {{"Content-Type", "application/x-www-form-urlencoded"}};
  EXPECT_EQ(refusal([&] { Parameters p(form); }),
            "Bad Request. Content-Type must be one of ['application/json'].");
  form.headers.clear();
  EXPECT_EQ(refusal([&] { Parameters p(form); }), "Bad Request. Content-Type header is missing.");
}

TEST(Parameters, MaxResultsHasLimits) {
  EXPECT_EQ(Parameters(post("{}")).max_results(10, 20), 10);
  EXPECT_EQ(Parameters(post(R"({"max_results": 20})")).max_results(10, 20), 20);
  EXPECT_EQ(refusal([] { Parameters(post(R"({"max_results": 0})")).max_results(10, 20); }),
            "Invalid value 0 for parameter 'max_results' supplied. It must be a positive integer");
  EXPECT_EQ(refusal([] { Parameters(post(R"({"max_results": 21})")).max_results(10, 20); }),
            "Invalid value 21 for parameter 'max_results' supplied. It must be at most 20");
}

TEST(Parameters, AFieldByTwoNamesIsRefused) {
  EXPECT_EQ(refusal([] { Parameters p(post(R"({"run_id": "a", "runId": "b"})")); }),
            "Request specifies both 'run_id' and 'runId'; provide only one of them.");
  EXPECT_EQ(refusal([] {
              Parameters(post(R"({"m": [{"model_id": "a", "modelId": "a"}]})")).objects("m");
            }),
            "Request specifies both 'model_id' and 'modelId'; provide only one of them.");
  // A query has one spelling.
  const Parameters query(get({{"run_id", "a"}, {"runId", "b"}}));
  EXPECT_EQ(query.text("run_id"), "a");
  EXPECT_EQ(Parameters(get({{"metricKey", "b"}})).text("metric_key"), "");
}

TEST(Parameters, OfAQueryFieldThatComesTwiceTheFirstCounts) {
  EXPECT_EQ(Parameters(get({{"id", "7"}, {"id", "8"}})).text("id"), "7");
}

struct Checked {
  const char* body;
  const char* message;  // "" = passes
};

TEST(Parameters, FieldsAreCheckedInTheirOrder) {
  const Fields fields = {field::required("name"),
                         field::text("note"),
                         field::integer("limit", 20),
                         field::boolean("flag"),
                         field::list("tags"),
                         field::texts("order"),
                         field::required("value", Field::Kind::kNumber)};
  const std::vector<Checked> rows = {
      {R"({"name": "a", "value": "NaN", "limit": "20", "flag": true, "tags": [1], "order": ["x"]})",
       ""},
      {R"({"name": "a", "value": 1, "note": null})", ""},
      {R"({})", "Missing value for required parameter 'name'."},
      {R"({"name": "", "value": 1})", "Missing value for required parameter 'name'."},
      {R"({"name": "a", "note": 5})",
       "Invalid value 5 for parameter 'note' supplied:  Hint: Value was of type 'int'."},
      {R"({"name": "a", "limit": 21})",
       "Invalid value 21 for parameter 'limit' supplied:  Hint: Value was of type 'int'."},
      {R"({"name": "a", "limit": "x"})",
       "Invalid value \"x\" for parameter 'limit' supplied:  Hint: Value was of type 'str'."},
      {R"({"name": "a", "flag": "true"})",
       "Invalid value \"true\" for parameter 'flag' supplied:  Hint: Value was of type 'str'."},
      {R"({"name": "a", "tags": "x"})",
       "Invalid value \"x\" for parameter 'tags' supplied:  Hint: Value was of type 'str'."},
      {R"({"name": "a", "order": [5]})",
       "Invalid value [5] for parameter 'order' supplied:  Hint: Value was of type 'list'."},
      {R"({"name": "a"})", "Missing value for required parameter 'value'."}};
  for (const Checked& row : rows) {
    const Parameters p(post(row.body));
    if (*row.message == '\0') {
      EXPECT_NO_THROW(p.check(fields)) << row.body;
    } else {
      EXPECT_EQ(refusal([&] { p.check(fields); }), std::string(row.message) + kDocs) << row.body;
    }
  }
  // In a query everything is text, and a list may have come once.
  EXPECT_NO_THROW(Parameters(get({{"name", "a"}, {"value", "1"}, {"order", "x"}, {"flag", "true"}}))
                      .check(fields));
}

TEST(Wire, AFaultMayHaveACodeOfItsOwn) {
  const http::Response response =
      error_response(WireError{"BAD_REQUEST", 400, "KAM00", "INVALID_PARAMETER_VALUE"}, "no path");
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(response.body,
            R"({"error_code": "BAD_REQUEST", "message": "no path", "sqlstate": "KAM00", )"
            R"("error_class": "INVALID_PARAMETER_VALUE"})");
}

TEST(Wire, AnswersArePrintedAsMlflowPrints) {
  EXPECT_EQ(answer().body, "{}");
  EXPECT_EQ(answer(json::Object{{"a", 1.0}, {"b", std::nan("")}, {"c", json::Object{}}}).body,
            "{\n  \"a\": 1.0,\n  \"b\": \"NaN\",\n  \"c\": {}\n}");
}

TEST(Wire, ErrorsOnOneLine) {
  const http::Response response = error_response(Error(Code::kNotFound, "Run with id=ü not found"));
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(
      response.body,
      R"({"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "Run with id=\u00fc not found", "sqlstate": "KAM00", )"
      R"("error_class": "RESOURCE_NOT_FOUND"})");
}

TEST(Wire, NothingThatTheUserMustMendIsRetried) {
  for (const Code code :
       {Code::kInvalidArgument, Code::kNotFound, Code::kAlreadyExists, Code::kFailedPrecondition,
        Code::kConflict, Code::kUnauthenticated, Code::kPermissionDenied}) {
    EXPECT_GE(wire_error(code).status, 400);
    EXPECT_LT(wire_error(code).status, 429);
    EXPECT_NE(wire_error(code).status, 408);
  }
  EXPECT_EQ(wire_error(Code::kResourceExhausted).status, 507);  // which the client does not repeat
  EXPECT_EQ(wire_error(Code::kPermissionDenied).status, 403);
  EXPECT_EQ(wire_error(Code::kAlreadyExists).error_code, "RESOURCE_ALREADY_EXISTS");
}

TEST(Wire, UnknownRoutesAreNotJson) {
  const http::Response missing = refuse(get({}), nullptr, Error(Code::kNotFound, "x"), 404);
  EXPECT_EQ(missing.status, 404);
  EXPECT_EQ(missing.content_type, "text/html; charset=utf-8");
  const http::Response wrong = refuse(post(""), nullptr, Error(Code::kNotFound, "x"), 405);
  EXPECT_EQ(wrong.status, 405);
  EXPECT_NE(wrong.body.find("The method is not allowed"), std::string::npos);
}

// What the quick reader accepts must read the same through the tree.
TEST(LogRequest, BothReadersAgree) {
  const std::vector<std::string> bodies = {
      R"({"run_id": "r", "metrics": [], "params": [], "tags": []})",
      R"({"run_id": "r", "metrics": [{"key": "m", "value": 1, "timestamp": 5}]})",
      R"({"metrics": [{"step": -3, "timestamp": 5, "value": "NaN", "key": "ü\u00fc"}], "run_id": "r"})",
      R"({"run_id": "r", "metrics": [{"key": "m", "value": NaN, "timestamp": 5, "step": null, "model_id": "m-1"}]})",
      R"({"run_id": "r", "metrics": [{"key": "m", "value": -1.5e300, "timestamp": 5, "dataset_name": "d", "dataset_digest": "x"}]})",
      R"({"run_id": "r", "params": [{"key": "p", "value": ""}, {"key": "q"}], "tags": [{"value": "v", "key": "t"}]})",
  };
  for (const std::string& body : bodies) {
    const auto quick = read_batch_quickly(body);
    ASSERT_TRUE(quick) << body;
    const tracking::Batch slow = read_batch(Parameters(post(body)));
    EXPECT_EQ(quick->run_id, slow.run_id);
    EXPECT_EQ(quick->params, slow.params);
    EXPECT_EQ(quick->tags, slow.tags);
    ASSERT_EQ(quick->metrics.size(), slow.metrics.size());
    for (std::size_t i = 0; i < slow.metrics.size(); ++i) {
      EXPECT_EQ(quick->metrics[i].key, slow.metrics[i].key);
      EXPECT_EQ(quick->metrics[i].model_id, slow.metrics[i].model_id);
      EXPECT_EQ(quick->metrics[i].dataset_name, slow.metrics[i].dataset_name);
      EXPECT_TRUE(tracking::same_point(quick->metrics[i].point, slow.metrics[i].point)) << body;
    }
  }
}

TEST(LogRequest, QuickReaderLeavesTheUnusualAlone) {
  for (const char* body :
       {"", "[]", "{", R"({"run_uuid": "r"})", R"({"run_id": "r", "metrics": {}})",
        R"({"run_id": 5})",
        R"({"run_id": "r", "metrics": [{"key": "m", "value": "1", "timestamp": 5}]})",
        R"({"run_id": "r", "metrics": [{"key": "m", "value": true, "timestamp": 5}]})",
        R"({"run_id": "r", "metrics": [{"key": "m", "value": 1, "timestamp": 1.5}]})",
        R"({"run_id": "r", "metrics": [{"key": "m", "value": 1}]})",
        R"({"run_id": "r", "tags": [{"value": "v"}]})", R"({"run_id": "r"} x)"}) {
    EXPECT_FALSE(read_batch_quickly(body)) << body;
  }
}

TEST(RunWriter, PrintsWhatTheTreePrints) {
  tracking::Run run;
  run.info = {1,
              "abc",
              0,
              "näme \"q\"",
              "",
              tracking::RunStatus::kFinished,
              5,
              9,
              "mlflow-artifacts:/0/abc/artifacts",
              false};
  tracking::Run full = run;
  full.metrics = {{"m", 0.5, 1, -2}, {"n", std::nan(""), 3, 4}};
  full.params = {{"p", "line\nbreak"}};
  full.tags = {{"t", ""}};
  full.datasets = {{"d", "x", "local", "s", "{}", "", {{"mlflow.data.context", "train"}}}};
  full.model_outputs = {{"m-1", 0}};
  RunWriter writer;
  writer.add(run);
  writer.add(full);
  const json::Object want{{"runs", json::Array{to_json(run), to_json(full)}},
                          {"next_page_token", "tok"}};
  EXPECT_EQ(std::move(writer).finish("tok"), json::write(want, {.indent = 2}));
  EXPECT_EQ(RunWriter().finish(""), "{}");
}

TEST(RunWriter, PrintsPoints) {
  PointWriter writer;
  writer.add("k", {7, -1, 2}, "");
  writer.add("k", {8, 0, std::nan("")}, "r");
  const json::Object want{
      {"metrics",
       json::Array{json::Object{{"key", "k"}, {"value", 2.0}, {"timestamp", 7}, {"step", -1}},
                   json::Object{{"key", "k"},
                                {"value", std::nan("")},
                                {"timestamp", 8},
                                {"step", 0},
                                {"run_id", "r"}}}}};
  EXPECT_EQ(std::move(writer).finish(""), json::write(want, {.indent = 2}));
}

TEST(ArtifactFiles, Ranges) {
  ByteRange range;
  const auto parse = [&](std::string_view header, std::uint64_t size) {
    return parse_range(header, size, range);
  };
  EXPECT_EQ(parse("bytes=2-4", 10), RangeVerdict::kPart);
  EXPECT_EQ(range, (ByteRange{2, 3}));
  EXPECT_EQ(parse("bytes=-3", 10), RangeVerdict::kPart);
  EXPECT_EQ(range, (ByteRange{7, 3}));
  EXPECT_EQ(parse("bytes=-30", 10), RangeVerdict::kPart);
  EXPECT_EQ(range, (ByteRange{0, 10}));
  EXPECT_EQ(parse("bytes=9-", 10), RangeVerdict::kPart);
  EXPECT_EQ(range, (ByteRange{9, 1}));
  for (const char* header : {"bytes=10-", "bytes=-0"})
    EXPECT_EQ(parse(header, 10), RangeVerdict::kUnsatisfiable) << header;
  EXPECT_EQ(parse("bytes=0-", 0), RangeVerdict::kUnsatisfiable);
  for (const char* header : {"", "bytes=", "bytes=-", "bytes=5", "bytes=4-2", "bytes=a-b",
                             "lines=1-2", "bytes=0-1,4-5"}) {
    EXPECT_EQ(parse(header, 10), RangeVerdict::kWhole) << header;
  }
}

TEST(ArtifactFiles, TypesByName) {
  EXPECT_EQ(content_type_of("a.json"), "text/plain");
  EXPECT_EQ(content_type_of("MLmodel"), "text/plain");
  EXPECT_EQ(content_type_of("plot.png"), "image/png");
  EXPECT_EQ(content_type_of("model.pkl"), "application/octet-stream");
  EXPECT_EQ(content_type_of("README"), "application/octet-stream");
}

}  // namespace
}  // namespace slipway::api::mlflow
