// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include "api/inference/errors.h"
#include "api/inference/inference_call.h"
#include "json/pull.h"
#include "json/value.h"
#include "serving/tensor_json.h"

namespace slipway::api::inference {
namespace {

using serving::PredictionCall;
using serving::ServedVersion;

http::Response json_answer(const json::Value& body, int status = 200) {
  http::Response response;
  response.status = status;
  response.body = json::write(body);
  return response;
}

void read_parameters(json::PullReader& reader, PredictionCall& call) {
  reader.enter_object();
  for (std::string_view key; reader.next_field(key);) {
    if (key == "event_time") {
      const bool text = reader.kind() == json::PullKind::kString;
      call.event_time = text ? read_event_time(reader.text(), "parameters.event_time")
                             : read_event_time(reader.raw(), "parameters.event_time");
    } else if (key == "binary_data_output" && reader.kind() == json::PullKind::kBool &&
               reader.boolean()) {
      throw Error(Code::kUnimplemented,
                  "`parameters.binary_data_output`: only JSON data are answered");
    }
    // Others are other servers': they must not break us.
  }
}

// Of an output that is asked for: what we cannot answer is refused, the rest is other servers'.
void check_output_parameters(json::PullReader& reader) {
  reader.enter_object();
  for (std::string_view parameter; reader.next_field(parameter);) {
    if (parameter == "classification")
      throw Error(Code::kUnimplemented, "the output parameter `classification` is not offered");
    if (parameter == "binary_data" && reader.kind() == json::PullKind::kBool && reader.boolean()) {
      throw Error(Code::kUnimplemented,
                  "the output parameter `binary_data`: only JSON data are answered");
    }
  }
}

void read_outputs(json::PullReader& reader, PredictionCall& call) {
  reader.enter_array();
  while (reader.next_element()) {
    if (call.wanted.size() >= serving::kRequestTensorsMax)
      throw Error(Code::kInvalidArgument, "`outputs` names too many tensors");
    bool named = false;
    reader.enter_object();
    for (std::string_view key; reader.next_field(key);) {
      if (key == "name") {
        call.wanted.emplace_back(reader.text());
        named = true;
      } else if (key == "parameters") {
        check_output_parameters(reader);
      }
    }
    if (!named) throw Error(Code::kInvalidArgument, "an output that is asked for has no `name`");
  }
}

void read_request(const http::Request& request, PredictionCall& call) {
  if (request.header("Inference-Header-Content-Length"))
    throw Error(Code::kUnimplemented, "binary tensors are not offered; send JSON data");
  if (request.header("Content-Encoding").value_or("identity") != "identity") {
    throw Error(Code::kUnimplemented, "compressed requests are not offered; send JSON as it is");
  }
  call.event_time = event_time_header(request);
  json::PullReader reader(request.body);
  bool inputs = false;
  reader.enter_object();
  for (std::string_view key; reader.next_field(key);) {
    if (key == "id")
      call.client_id = std::string(reader.text().substr(0, 1'024));
    else if (key == "parameters")
      read_parameters(reader, call);
    else if (key == "outputs")
      read_outputs(reader, call);
    else if (key == "inputs") {
      call.inputs = serving::read_tensors(reader);
      inputs = true;
    }
  }
  reader.finish();
  if (!inputs) throw Error(Code::kInvalidArgument, "the request has no `inputs`");
}

http::Response answer(const serving::Prediction& prediction, const PredictionCall& call) {
  http::Response response;
  std::string& out = response.body;
  out.reserve(512);
  out += "{\"model_name\":";
  json::append_quoted(out, call.route->endpoint.name);
  out += ",\"model_version\":\"" + std::to_string(prediction.version->version) + "\"";
  if (!call.client_id.empty()) {
    out += ",\"id\":";
    json::append_quoted(out, call.client_id);
  }
  out +=
      ",\"parameters\":{\"prediction_id\":\"" + serving::to_text(prediction.id) + "\",\"model\":";
  json::append_quoted(out, prediction.version->model);
  out += ",\"run_id\":";
  json::append_quoted(out, prediction.version->run_id);
  if (!prediction.rollout.empty()) {
    out += ",\"rollout\":\"" + prediction.rollout + "\",\"arm\":\"" +
           std::string(serving::arm_name(prediction.arm)) + "\"";
  }
  out += "},\"outputs\":[";
  bool first = true;
  for (const serving::Tensor& tensor : prediction.outputs) {
    if (!first) out.push_back(',');
    first = false;
    serving::append_tensor(out, tensor);
  }
  out += "]}";
  add_headers(response, prediction);
  return response;
}

json::Array infos(const std::vector<serving::TensorInfo>& tensors) {
  json::Array list;
  for (const serving::TensorInfo& tensor : tensors) {
    json::Array shape;
    for (const std::int64_t dimension : tensor.shape) shape.emplace_back(dimension);
    list.emplace_back(json::Object{
        {"name", tensor.name}, {"datatype", serving::type_name(tensor.type)}, {"shape", shape}});
  }
  return list;
}

http::Response metadata(const Deps& deps, const std::string& name, const std::string& version) {
  const auto route = get_route(deps, name);
  const std::shared_ptr<const ServedVersion> served =
      version.empty() ? route->champion : get_version(deps, *route, version);
  if (!served)
    throw Error(Code::kUnavailable,
                "endpoint `" + name + "` has nothing to serve: " + route->problem);
  json::Array versions;
  for (const auto& loaded : {route->champion, route->challenger}) {
    if (loaded) versions.emplace_back(std::to_string(loaded->version));
  }
  return json_answer(json::Object{
      {"name", name},
      {"versions", version.empty() ? versions : json::Array{std::to_string(served->version)}},
      {"platform", "onnxruntime_onnx"},
      {"inputs", infos(served->loaded->inputs())},
      {"outputs", infos(served->loaded->outputs())},
      {"parameters",
       json::Object{
           {"model", served->model}, {"run_id", served->run_id}, {"engine", served->engine}}}});
}

// Triton's codes: 200, 404 for what is not known, 400 for what is not ready. KServe's body.
http::Response model_ready(const Deps& deps, const std::string& name, const std::string& version) {
  const auto route = get_route(deps, name);
  bool ready = route->champion != nullptr;
  if (!version.empty()) {
    try {
      ready = get_version(deps, *route, version) != nullptr;
    } catch (const Error& error) {
      if (error.code() == Code::kNotFound) throw;
      ready = false;
    }
  }
  return json_answer(json::Object{{"name", name}, {"ready", ready}}, ready ? 200 : 400);
}

// Every endpoint that has a version to serve is serving one.
http::Response server_ready(const Deps& deps) {
  const auto table = deps.manager.router().table();
  for (const auto& [name, route] : *table) {
    const bool waits_for_alias =
        !route->champion && route->problem.find("has no alias") != std::string::npos;
    if (!route->champion && !waits_for_alias)
      return json_answer(json::Object{{"ready", false}}, 400);
  }
  return json_answer(json::Object{{"ready", true}});
}

// A handler in this protocol's manner of refusing.
http::Handler guarded(std::function<http::Response(const http::Request&)> work) {
  return [work = std::move(work)](const http::Request& request) {
    try {
      return work(request);
    } catch (const Error& error) {
      return error_response(error);
    }
  };
}

}  // namespace

std::vector<http::Route> oip_routes(const Deps& given) {
  using http::Execution;
  using http::Method;
  constexpr http::Access kServer = http::Access::signed_in(http::Door::kOpenOnLoopback);
  constexpr http::Access kModel{http::Door::kOpenOnLoopback, http::Level::kRead, "endpoint",
                                "path:name"};
  const auto deps = std::make_shared<const Deps>(given);
  const auto protocol = std::make_shared<const Protocol>(
      Protocol{read_request, answer, [](const Error& error) { return error_response(error); }});
  const auto infer = [&](const char* pattern, bool versioned) {
    const auto work = [deps, protocol, versioned](http::Request& request,
                                                  const http::Responder& responder) {
      handle(*deps, *protocol, request, responder, request.path_parameter("name"),
             versioned ? request.path_parameter("version") : "");
    };
    return http::Route{Method::kPost,
                       pattern,
                       kUseEndpoint,
                       Execution::kInline,
                       work,
                       kInferenceBodyBytesMax,
                       false,
                       versioned ? "Predict with a version by number or alias; counts nowhere"
                                 : "Predict with what the endpoint serves"};
  };
  const auto get = [&](const char* pattern, const http::Access& access, Execution execution,
                       std::function<http::Response(const http::Request&)> work,
                       const char* summary) {
    return http::route(Method::kGet, pattern, access, execution, guarded(std::move(work)), summary);
  };
  std::vector<http::Route> routes;
  routes.push_back(get(
      "/v2", kServer, Execution::kInline,
      [deps](const http::Request&) {
        return json_answer(json::Object{
            {"name", "slipway"}, {"version", deps->server_version}, {"extensions", json::Array{}}});
      },
      "The inference server's name and version"));
  routes.push_back(get(
      "/v2/health/live", http::Access::anybody(), Execution::kInline,
      [](const http::Request&) {
        return json_answer(json::Object{{"live", true}});
      },
      "Whether the server runs"));
  routes.push_back(get(
      "/v2/health/ready", http::Access::anybody(), Execution::kInline,
      [deps](const http::Request&) { return server_ready(*deps); },
      "Whether every endpoint serves"));
  routes.push_back(get(
      "/v2/models/{name}", kModel, Execution::kInline,
      [deps](const http::Request& r) { return metadata(*deps, r.path_parameter("name"), ""); },
      "Inputs and outputs of an endpoint"));
  routes.push_back(get(
      "/v2/models/{name}/versions/{version}", kModel, Execution::kPool,
      [deps](const http::Request& r) {
        return metadata(*deps, r.path_parameter("name"), r.path_parameter("version"));
      },
      "Inputs and outputs of a version"));
  routes.push_back(get(
      "/v2/models/{name}/ready", kModel, Execution::kInline,
      [deps](const http::Request& r) { return model_ready(*deps, r.path_parameter("name"), ""); },
      "Whether an endpoint serves"));
  routes.push_back(get(
      "/v2/models/{name}/versions/{version}/ready", kModel, Execution::kPool,
      [deps](const http::Request& r) {
        return model_ready(*deps, r.path_parameter("name"), r.path_parameter("version"));
      },
      "Whether a version can be served"));
  routes.push_back(infer("/v2/models/{name}/infer", false));
  routes.push_back(infer("/v2/models/{name}/versions/{version}/infer", true));
  return routes;
}

}  // namespace slipway::api::inference
