// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>

#include "api/inference/errors.h"
#include "api/inference/inference_call.h"
#include "base/text.h"
#include "json/value.h"
#include "serving/tensor_json.h"

namespace slipway::api::inference {
namespace {

using serving::PredictionCall;
using serving::Tensor;

http::Response refuse_type(const std::string& message) {
  http::Response response;
  response.status = 415;
  response.content_type = "text/plain";
  response.body = message;
  return response;
}

struct ContentType {
  std::string type;  // lower case, without parameters
  std::string problem;
};

// MLflow: the type, and no parameter but charset=utf-8.
ContentType content_type(const http::Request& request) {
  std::string_view rest = request.header("Content-Type").value_or("");
  ContentType found;
  std::size_t end = rest.find(';');
  found.type = ascii_lower(trimmed(rest.substr(0, end)));
  if (found.type != "application/json" && found.type != "text/csv") {
    found.problem = "This endpoint takes application/json and text/csv. Got: '" +
                    std::string(rest.substr(0, 100)) + "'.";
    return found;
  }
  while (end != std::string_view::npos) {
    rest.remove_prefix(end + 1);
    end = rest.find(';');
    const std::string parameter = ascii_lower(trimmed(rest.substr(0, end)));
    if (parameter != "charset=utf-8" && parameter != "charset=\"utf-8\"") {
      found.problem = "Unrecognized content type parameter: '" + parameter.substr(0, 100) +
                      "'. Only charset=utf-8 is taken.";
    }
  }
  return found;
}

void read_request(const http::Request& request, PredictionCall& call) {
  call.event_time = event_time_header(request);
  call.client_id = std::string(request.header("X-Request-Id").value_or("").substr(0, 1'024));
  if (content_type(request).type == "text/csv") {
    call.inputs = serving::read_csv_frame(request.body);
    return;
  }
  auto read = serving::read_scoring_request(request.body);
  if (auto* frame = std::get_if<serving::Frame>(&read))
    call.inputs = std::move(*frame);
  else
    call.inputs = std::move(std::get<serving::LooseTensors>(read));
}

// One record a row, each output's cell a number, a text or a nested list.
void append_records(std::string& out, const std::vector<Tensor>& outputs, std::int64_t rows) {
  std::vector<std::pair<std::string, Tensor>> cells;  // quoted name, and a tensor of one row
  for (const Tensor& tensor : outputs) {
    std::string name;
    json::append_quoted(name, tensor.name);
    // A single value a row is a plain cell, as MLflow gives it, also when the output stands upright
    // ([n, 1]).
    const bool single = tensor.shape.size() == 2 && tensor.shape[1] == 1;
    const std::vector<std::int64_t> shape(tensor.shape.begin() + (single ? 2 : 1),
                                          tensor.shape.end());
    cells.emplace_back(std::move(name), Tensor{tensor.name, tensor.type, shape, {}, {}});
  }
  out.push_back('[');
  for (std::int64_t row = 0; row < rows; ++row) {
    out += row > 0 ? ",{" : "{";
    for (std::size_t t = 0; t < outputs.size(); ++t) {
      if (t > 0) out.push_back(',');
      out += cells[t].first;
      out.push_back(':');
      const Tensor& all = outputs[t];
      Tensor& one = cells[t].second;
      if (all.type == serving::DataType::kBytes) {
        const auto width = static_cast<std::ptrdiff_t>(all.texts.size()) / rows;
        one.texts.assign(all.texts.begin() + row * width, all.texts.begin() + (row + 1) * width);
      } else {
        const auto width = static_cast<std::ptrdiff_t>(all.bytes.size()) / rows;
        one.bytes.assign(all.bytes.begin() + row * width, all.bytes.begin() + (row + 1) * width);
      }
      serving::append_nested(out, one);
    }
    out.push_back('}');
  }
  out.push_back(']');
}

// As MLflow's onnx flavour: a table in gives a table out, tensors in give lists by name; nested
// where MLflow flattens.
http::Response answer(const serving::Prediction& prediction, const PredictionCall& call) {
  http::Response response;
  std::string& out = response.body;
  out += "{\"predictions\": ";
  const bool rows_match =
      std::all_of(prediction.outputs.begin(), prediction.outputs.end(), [&](const Tensor& tensor) {
        return !tensor.shape.empty() && tensor.shape.front() == prediction.rows;
      });
  if (std::holds_alternative<serving::Frame>(call.inputs) && rows_match) {
    append_records(out, prediction.outputs, prediction.rows);
  } else {
    out.push_back('{');
    bool first = true;
    for (const Tensor& tensor : prediction.outputs) {
      if (!first) out.push_back(',');
      first = false;
      json::append_quoted(out, tensor.name);
      out.push_back(':');
      serving::append_nested(out, tensor);
    }
    out.push_back('}');
  }
  out.push_back('}');
  add_headers(response, prediction);
  return response;
}

}  // namespace

std::vector<http::Route> scoring_routes(const Deps& given) {
  const auto deps = std::make_shared<const Deps>(given);
  const auto protocol = std::make_shared<const Protocol>(Protocol{
      read_request, answer, [](const Error& error) { return scoring_error_response(error); }});
  const auto work = [deps, protocol](http::Request& request, const http::Responder& responder) {
    const ContentType type = content_type(request);
    if (!type.problem.empty()) return responder.send(refuse_type(type.problem));
    handle(*deps, *protocol, request, responder, request.path_parameter("name"), "");
  };
  std::vector<http::Route> routes;
  routes.push_back({http::Method::kPost, "/endpoints/{name}/invocations", kUseEndpoint,
                    http::Execution::kInline, work, kInferenceBodyBytesMax, false,
                    "Predict, in MLflow's scoring protocol"});
  return routes;
}

}  // namespace slipway::api::inference
