// SPDX-License-Identifier: Apache-2.0
#include <future>
#include <gtest/gtest.h>

#include "api/inference/inference_routes.h"
#include "api/slipway/endpoints.h"
#include "api/slipway/predictions.h"
#include "base/error.h"
#include "json/value.h"
#include "ledger/event.h"
#include "registry/alias.h"
#include "serving/world.h"

namespace slipway::api::inference {
namespace {

using serving::EndpointRow;

// What a handler sends, whenever it does.
class Sent final : public http::Responder::Sink {
 public:
  void send(http::Response response) override { promise_.set_value(std::move(response)); }
  http::Response wait() { return promise_.get_future().get(); }

 private:
  std::promise<http::Response> promise_;
};

class InferenceTest : public testing::Test {
 protected:
  InferenceTest() {
    world_.add_version("flights", "classifier.onnx");
    world_.add_version("flights", "challenger.onnx");
    world_.set_alias("flights", "champion", 1);
    world_.set_alias("flights", "next", 2);
    EndpointRow row;
    row.name = "late-arrival";
    row.model = "flights";
    row.alias = "champion";
    world_.add_endpoint(row);
    world_.add_version("columns", "columns.onnx");
    EndpointRow pinned;
    pinned.name = "columns";
    pinned.model = "columns";
    pinned.version = 1;
    pinned.clock = serving::EndpointClock::kEvent;
    world_.add_endpoint(pinned);
    router_.add(oip_routes(deps_));
    router_.add(scoring_routes(deps_));
    const ServingDeps ours{world_.database, *world_.manager, *world_.log, world_.clock};
    router_.add(endpoint_routes(ours));
    router_.add(prediction_routes(ours));
  }

  http::Response ask(http::Method method, const std::string& path, const std::string& body = "",
                     std::vector<http::Header> headers = {}) {
    const http::Router::Match match = router_.match(method, path);
    if (match.route == nullptr) {
      ADD_FAILURE() << "no route for " << path;
      return {};
    }
    http::Request request;
    request.method = method;
    request.path = path;
    request.body = body;
    request.headers = std::move(headers);
    request.path_parameters = match.parameters;
    auto sent = std::make_shared<Sent>();
    try {
      match.route->handler(request, http::Responder(sent));
    } catch (const Error& error) {
      http::Response response;
      response.status = 0;
      response.body = std::string(code_name(error.code())) + ": " + error.what();
      return response;
    }
    return sent->wait();
  }
  http::Response get(const std::string& path) { return ask(http::Method::kGet, path); }
  http::Response post(const std::string& path, const std::string& body,
                      std::vector<http::Header> headers = {}) {
    return ask(http::Method::kPost, path, body, std::move(headers));
  }
  http::Response invoke(const std::string& name, const std::string& body,
                        const std::string& type = "application/json") {
    return post("/endpoints/" + name + "/invocations", body, {{"Content-Type", type}});
  }
  static std::string header(const http::Response& response, std::string_view name) {
    for (const auto& [key, value] : response.headers) {
      if (key == name) return value;
    }
    return "";
  }
  std::string run_of(std::int64_t version) {
    return world_.database.read_returning<std::string>([&](storage::Session& session) {
      return registry::get_version(session, "flights", version).run_id;
    });
  }

  static constexpr const char* kInfer = "/v2/models/late-arrival/infer";
  static constexpr const char* kBody =
      R"({"id":"mine","inputs":[{"name":"x","shape":[1,3],"datatype":"FP32","data":[[1,-1,2]]}],"outputs":[{"name":"label"}]})";

  serving::ServingWorld world_;
  serving::InferencePool pool_{{.threads = 1, .queue_max = 4}};
  const Deps deps_{world_.database, *world_.manager, *world_.predictor, pool_, world_.clock,
                   world_.metrics,  "0.1.0"};
  http::Router router_;
};

TEST_F(InferenceTest, AnswersNameVersionRunAndPrediction) {
  const http::Response response = post(kInfer, kBody);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(
      response.body,
      R"({"model_name":"late-arrival","model_version":"1","id":"mine","parameters":{"prediction_id":"00000001-1","model":"flights","run_id":")" +
          run_of(1) +
          R"("},"outputs":[{"name":"label","datatype":"INT64","shape":[1],"data":[1]}]})");
  EXPECT_EQ(header(response, "X-Slipway-Prediction-Id"), "00000001-1");
  EXPECT_EQ(header(response, "X-Slipway-Model-Version"), "1");
  EXPECT_EQ(header(response, "X-Slipway-Run-Id"), run_of(1));
}

TEST_F(InferenceTest, NanGoesThroughAndComesOut) {
  const http::Response response = post(
      kInfer,
      R"({"inputs":[{"name":"x","shape":[1,3],"datatype":"FP32","data":[NaN,-Infinity,2]}],"outputs":[{"name":"probabilities"}]})");
  EXPECT_EQ(response.status, 200);
  EXPECT_NE(response.body.find(R"("data":[NaN,NaN]})"), std::string::npos) << response.body;
  EXPECT_EQ(
      world_.log->baseline("late-arrival", 1).at(serving::Loss::kNan, serving::Arm::kChampion).bad,
      1);
}

TEST_F(InferenceTest, AVersionInThePathIsANumberOrAnAlias) {
  EXPECT_NE(
      post("/v2/models/late-arrival/versions/2/infer", kBody).body.find(R"("model_version":"2")"),
      std::string::npos);
  EXPECT_NE(post("/v2/models/late-arrival/versions/next/infer", kBody)
                .body.find(R"("model_version":"2")"),
            std::string::npos);
  EXPECT_EQ(post("/v2/models/late-arrival/versions/9/infer", kBody).status, 404);
  EXPECT_EQ(post("/v2/models/late-arrival/versions/nope/infer", kBody).body,
            R"({"error":"model `flights` has no version or alias `nope`"})");
  EXPECT_EQ(world_.log->baseline("late-arrival", 2), serving::StepCounters{});
}

TEST_F(InferenceTest, HealthAndMetadata) {
  EXPECT_EQ(get("/v2").body, R"({"name":"slipway","version":"0.1.0","extensions":[]})");
  EXPECT_EQ(get("/v2/health/live").body, R"({"live":true})");
  EXPECT_EQ(get("/v2/health/ready").body, R"({"ready":true})");
  EXPECT_EQ(get("/v2/models/late-arrival/ready").body, R"({"name":"late-arrival","ready":true})");
  EXPECT_EQ(get("/v2/models/late-arrival/versions/2/ready").status, 200);
  EXPECT_EQ(get("/v2/models/nope/ready").status, 404);
  const json::Value metadata = json::parse(get("/v2/models/late-arrival").body);
  EXPECT_EQ(json::write(*metadata.find("inputs")),
            R"([{"name":"x","datatype":"FP32","shape":[-1,3]}])");
  EXPECT_EQ(json::write(*metadata.find("versions")), R"(["1"])");
  EXPECT_EQ(metadata.find("platform")->as_string(), "onnxruntime_onnx");
}

TEST_F(InferenceTest, AnEndpointThatCannotServeIsNotReady) {
  world_.add_version("broken", "custom.onnx");
  EndpointRow row;
  row.name = "broken";
  row.model = "broken";
  row.version = 1;
  world_.add_endpoint(row);
  EXPECT_EQ(get("/v2/models/broken/ready").status, 400);
  EXPECT_EQ(get("/v2/health/ready").status, 400);
  const http::Response response = post("/v2/models/broken/infer", kBody);
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.body.substr(0, 71),
            R"({"error":"endpoint `broken` has nothing to serve: version 1 cannot be s)");
}

TEST_F(InferenceTest, BadRequestsHaveTritonsCodes) {
  struct Case {
    const char* path;
    const char* body;
    int status;
    const char* error;
  };
  const Case cases[] = {
      {"/v2/models/nope/infer", kBody, 404, "there is no endpoint `nope`"},
      {kInfer, "", 400, "not valid JSON: the text is empty at byte 0"},
      {kInfer, R"({"inputs":)", 400, "not valid JSON: the text ends too early at byte 10"},
      {kInfer, "[]", 400, "expected an object at byte 0, found a list"},
      {kInfer, "{}", 400, "the request has no `inputs`"},
      {kInfer, R"({"inputs":[]})", 400, "model flights/1: input `x` is missing"},
      {kInfer, R"({"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}]})", 400,
       "model flights/1: input `x` has the shape [1, 2], but the model takes [-1, 3]"},
      {kInfer, R"({"inputs":[{"name":"x","shape":[1,3],"datatype":"FP64","data":[1,2,3]}]})", 400,
       "model flights/1: input `x` is FP64, but the model takes FP32"},
      {kInfer,
       R"({"inputs":[{"name":"x","shape":[1,3],"datatype":"FP32","data":[1,2,3]}],"outputs":[{"name":"z"}]})",
       400, "the model has no output `z`"},
      {kInfer,
       R"({"inputs":[{"name":"x","shape":[1,3],"datatype":"FP32","data":[1,2,3]}],"parameters":{"event_time":"soon"}})",
       400,
       "`parameters.event_time` must be a time as in 2013-03-01T05:00:00Z, or microseconds since "
       "1970, not `soon`"},
      {kInfer,
       R"({"inputs":[{"name":"x","shape":[1,3],"datatype":"FP32","data":[1,2,3]}],"outputs":[{"name":"label","parameters":{"binary_data":true}}]})",
       501, "the output parameter `binary_data`: only JSON data are answered"},
  };
  for (const Case& c : cases) {
    const http::Response response = post(c.path, c.body);
    EXPECT_EQ(response.status, c.status) << c.body;
    EXPECT_EQ(response.body, json::write(json::Object{{"error", c.error}}));
  }
  EXPECT_EQ(post(kInfer, kBody, {{"Inference-Header-Content-Length", "10"}}).status, 501);
  EXPECT_EQ(post(kInfer, kBody, {{"Content-Encoding", "gzip"}}).status, 501);
  // A shape that the version refuses is a failure of that version: it was routed, logged and
  // counted.
  EXPECT_EQ(world_.log->baseline("late-arrival", 1)
                .at(serving::Loss::kError, serving::Arm::kChampion)
                .bad,
            4);
}

TEST_F(InferenceTest, LongRequestsRunOnThePool) {
  std::string body = R"({"inputs":[{"name":"x","shape":[20000,3],"datatype":"FP32","data":[)";
  for (int i = 0; i < 59'999; ++i) body += "1.5,";
  body += "1.5]}],\"outputs\":[{\"name\":\"label\"}]}";
  const http::Response response = post(kInfer, body);
  EXPECT_EQ(response.status, 200);
  world_.log->flush();
  EXPECT_EQ(world_.log->find({1, 1})->rows, 20'000);
}

TEST_F(InferenceTest, AFullPoolSays503) {
  std::promise<void> gate;
  std::shared_future<void> open(gate.get_future());
  for (int i = 0; i < 5; ++i) {
    while (!pool_.try_post([open] { open.wait(); }) && i == 0) {
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  const http::Response response = post(kInfer, std::string(kInlineBodyBytesMax + 1, ' '));
  gate.set_value();
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.body, R"({"error":"too many predictions are waiting; try again"})");
}

TEST_F(InferenceTest, EventTimesByParameterAndHeader) {
  const std::string columns =
      R"({"inputs":[{"name":"a","shape":[1,1],"datatype":"FP32","data":[1]},{"name":"b","shape":[1,1],"datatype":"FP32","data":[2]},)"
      R"({"name":"carrier","shape":[1,1],"datatype":"BYTES","data":["UA"]}])";
  const std::string path = "/v2/models/columns/infer";
  EXPECT_EQ(post(path, columns + R"(,"parameters":{"event_time":"2013-02-01T00:00:00Z"}})").status,
            200);
  EXPECT_EQ(format_time(world_.log->watermark("columns")), "2013-02-01T00:00:00.000000Z");
  EXPECT_EQ(post(path, columns + R"(,"parameters":{"event_time":1359763200000000}})").status, 200);
  EXPECT_EQ(format_time(world_.log->watermark("columns")), "2013-02-02T00:00:00.000000Z");
  EXPECT_EQ(post(path, columns + "}", {{"X-Slipway-Event-Time", "2013-02-03"}}).status, 200);
  EXPECT_EQ(format_time(world_.log->watermark("columns")), "2013-02-03T00:00:00.000000Z");
  const http::Response ahead =
      post(path, columns + R"(,"parameters":{"event_time":"2013-03-01T00:05:01Z"}})");
  EXPECT_EQ(ahead.status, 400);
  EXPECT_EQ(
      ahead.body,
      R"({"error":"event_time 2013-03-01T00:05:01.000000Z is more than 5 minutes ahead of now"})");
}

TEST_F(InferenceTest, MlflowsScoringProtocol) {
  const http::Response split = invoke(
      "columns",
      R"({"dataframe_split":{"columns":["carrier","a","b"],"data":[["UA",1,2],["AA",null,3]]}})");
  EXPECT_EQ(
      split.body,
      R"({"predictions": [{"total":5.0,"carrier_out":"UA"},{"total":NaN,"carrier_out":"AA"}]})");
  EXPECT_EQ(header(split, "X-Slipway-Prediction-Id"), "00000001-1");
  EXPECT_EQ(invoke("columns", R"({"dataframe_records":[{"carrier":"UA","a":1,"b":2}]})",
                   "application/json; charset=utf-8")
                .status,
            200);
  EXPECT_EQ(invoke("columns", "a,b,carrier\n1,2,UA\n", "text/csv").body,
            R"({"predictions": [{"total":5.0,"carrier_out":"UA"}]})");
  const http::Response tensors = invoke("late-arrival", R"({"inputs":[[1,-1,2],[0,0,0]]})");
  EXPECT_EQ(tensors.body.substr(0, 50), R"({"predictions": {"label":[1,0],"probabilities":[[0)");
  EXPECT_EQ(invoke("late-arrival", R"({"dataframe_split":{"data":[[1,-1,2]]}})").body.substr(0, 48),
            R"({"predictions": [{"label":1,"probabilities":[0.0)");
}

TEST_F(InferenceTest, MlflowsErrors) {
  const http::Response missing =
      invoke("columns", R"({"dataframe_split":{"columns":["a"],"data":[[1]]}})");
  EXPECT_EQ(missing.status, 400);
  EXPECT_EQ(missing.body, R"({"error_code":"BAD_REQUEST","message":"column `b` is missing"})");
  EXPECT_EQ(invoke("nope", "{}").body,
            R"({"error_code":"RESOURCE_DOES_NOT_EXIST","message":"there is no endpoint `nope`"})");
  EXPECT_EQ(invoke("columns", "{").status, 400);
  EXPECT_EQ(invoke("columns", "{}", "application/vnd.apache.parquet").status, 415);
  EXPECT_EQ(invoke("columns", "{}", "").status, 415);
  EXPECT_EQ(invoke("columns", "{}", "application/json; charset=latin-1").body,
            "Unrecognized content type parameter: 'charset=latin-1'. Only charset=utf-8 is taken.");
}

TEST_F(InferenceTest, ExplainLeadsBackAndReplays) {
  post(kInfer, kBody);
  const http::Response response = get("/api/slipway/v1/predictions/00000001-1/0");
  ASSERT_EQ(response.status, 200) << response.body;
  const json::Value answer = json::parse(response.body);
  EXPECT_EQ(answer.find("prediction")->find("endpoint")->as_string(), "late-arrival");
  EXPECT_EQ(answer.find("prediction")->find("client_id")->as_string(), "mine");
  EXPECT_EQ(answer.find("version")->find("run_id")->as_string(), run_of(1));
  EXPECT_EQ(answer.find("provenance")->find("hash")->as_string().size(), 64U);
  EXPECT_EQ(
      json::write(*answer.find("replay")),
      R"({"done":true,"equal":true,"engine":"onnxruntime 1.27.0","largest_difference":0.0,"reason":""})");
  EXPECT_EQ(get("/api/slipway/v1/predictions/00000001-1/1").body,
            "not_found: prediction `00000001-1` has 1 rows, no row 1");
  EXPECT_EQ(get("/api/slipway/v1/predictions/00000001-9").body,
            "not_found: there is no prediction `00000001-9` in the log");
  EXPECT_EQ(
      get("/api/slipway/v1/predictions/x").body,
      "invalid_argument: `x` is no prediction id; they look like 00000001-42 or 00000001-42/0");
}

TEST_F(InferenceTest, RollbackMovesTheAliasAndHolds) {
  world_.set_alias("flights", "champion", 2);
  const std::string base = "/api/slipway/v1/endpoints/late-arrival";
  EXPECT_EQ(post(base + "/rollback", R"({"reason":"bad","ttl":"soon"})").body,
            "invalid_argument: `ttl` must be a duration as in 90s, 12h or 10d, not `soon`");
  const http::Response done = post(base + "/rollback", R"({"reason":"bad","ttl":"2h"})");
  EXPECT_EQ(
      done.body,
      R"({"action":"alias_moved","alias":"champion","from":2,"to":1,"move":3,"hold_until":"2013-03-01T02:00:00.000000Z"})");
  EXPECT_NE(post(kInfer, kBody).body.find(R"("model_version":"1")"), std::string::npos);
  const json::Value shown = json::parse(get(base).body);
  EXPECT_EQ(shown.find("hold")->find("reason")->as_string(), "bad");
  EXPECT_EQ(shown.find("champion")->find("version")->as_int(), 1);
  EXPECT_EQ(post(base + "/rollback", R"({"reason":"bad"})").body,
            "failed_precondition: alias `champion` of model `flights` held no version before 1");
  EXPECT_EQ(post(base + "/release", "").body, R"({"released":true})");
  EXPECT_EQ(post(base + "/release", "").body, R"({"released":false})");
  EXPECT_EQ(post("/api/slipway/v1/endpoints/nope/release", "").body,
            "not_found: there is no endpoint `nope`");
}

TEST_F(InferenceTest, RollbackDuringARolloutEndsIt) {
  const auto rollout = world_.start("late-arrival", 1, 2, 0.5);
  const std::string base = "/api/slipway/v1/endpoints/late-arrival";
  EXPECT_EQ(json::parse(get(base).body).find("rollout")->find("id")->as_string(), rollout.id);
  EXPECT_EQ(post(kInfer, kBody).status, 200);
  const json::Value done =
      json::parse(post(base + "/rollback", R"({"reason":"canary looks odd"})").body);
  EXPECT_EQ(done.find("action")->as_string(), "rollout_aborted");
  EXPECT_TRUE(json::parse(get(base).body).find("rollout")->is_null());
  EXPECT_EQ(world_.manager->router().find("late-arrival")->challenger, nullptr);
  const auto refused = world_.database.read_returning<std::vector<ledger::StoredEvent>>(
      [](storage::Session& session) {
        ledger::EventFilter filter;
        filter.type_prefix = "promotion.refused";
        return ledger::list_events(session, filter);
      });
  ASSERT_EQ(refused.size(), 1U);
  EXPECT_EQ(refused[0].body.find("by")->as_string(), "rollback");
  EXPECT_EQ(refused[0].evidence.size(), 1U);
  EXPECT_EQ(world_.log->end_position(), 2);
  EXPECT_EQ(world_.log->synced_position(), 2);
  EXPECT_EQ(json::parse(get("/api/slipway/v1/endpoints").body).find("endpoints")->as_array().size(),
            2U);
}

TEST_F(InferenceTest, TheWatermarkIsToldToEndpointsOnTheEventClockAlone) {
  EXPECT_EQ(
      post("/api/slipway/v1/endpoints/columns/watermark", R"({"event_time":"2013-02-05"})").body,
      R"({"watermark":"2013-02-05T00:00:00.000000Z"})");
  EXPECT_EQ(
      post("/api/slipway/v1/endpoints/columns/watermark", R"({"event_time":"2013-02-04"})").body,
      R"({"watermark":"2013-02-05T00:00:00.000000Z"})");
  EXPECT_EQ(post("/api/slipway/v1/endpoints/columns/watermark", "{}").body,
            "invalid_argument: `event_time` is missing");
  EXPECT_EQ(
      post("/api/slipway/v1/endpoints/late-arrival/watermark", R"({"event_time":"2013-02-05"})")
          .body,
      "failed_precondition: endpoint `late-arrival` runs on the wall clock; only one with `clock: "
      "event` is told the time");
}

}  // namespace
}  // namespace slipway::api::inference
