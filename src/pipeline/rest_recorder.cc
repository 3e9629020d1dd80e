// SPDX-License-Identifier: Apache-2.0
#include "pipeline/rest_recorder.h"

#include <cmath>
#include <filesystem>

#include "base/error.h"

namespace slipway::pipeline {
namespace {

constexpr int kTimeoutMs = 60'000;

std::string text_of(const json::Value& value, std::string_view key) {
  const json::Value* member = value.find(key);
  return member != nullptr && member->is_string() ? member->as_string() : std::string();
}

// The server's own words where it has some.
Error refusal(const net::HttpResponse& response, const std::string& url) {
  const Code code = response.status == 401   ? Code::kUnauthenticated
                    : response.status == 403 ? Code::kPermissionDenied
                    : response.status == 404 ? Code::kNotFound
                    : response.status < 500  ? Code::kInvalidArgument
                                             : Code::kUnavailable;
  try {
    const json::Value body = json::parse(response.body);
    if (const json::Value* error = body.find("error"); error != nullptr && error->is_object()) {
      return Error(
          code, "the server at " + url + " did not record the run: " + text_of(*error, "message"),
          text_of(*error, "hint"));
    }
  } catch (const Error&) {
    // Not JSON: the status has to do.
  }
  return Error(code, "the server at " + url + " did not record the run: HTTP status " +
                         std::to_string(response.status));
}

}  // namespace

bool is_slipway(net::HttpClient& http, const std::string& url, const std::string& token) {
  net::HttpRequest request;
  request.url = url + "/api/slipway/v1/status";
  request.timeout_ms = kTimeoutMs;
  if (!token.empty()) request.headers.emplace_back("Authorization", "Bearer " + token);
  return http.send(request).status != 404;
}

json::Value RestRecorder::post(const std::string& path, const json::Object& body) {
  net::HttpRequest request;
  request.method = "POST";
  request.url = options_.url + "/api/slipway/v1/stage-runs" + path;
  request.headers = {{"Content-Type", "application/json"}};
  if (!options_.token.empty())
    request.headers.emplace_back("Authorization", "Bearer " + options_.token);
  request.body = json::write(body);
  request.timeout_ms = kTimeoutMs;
  const net::HttpResponse response = http_.send(request);
  if (response.status != 200) throw refusal(response, options_.url);
  return json::parse(response.body);
}

void RestRecorder::begin_repro(const ReproFacts& facts) {
  const std::string folder = facts.main_folder.empty() ? facts.repository : facts.main_folder;
  const std::string experiment = options_.experiment.empty()
                                     ? std::filesystem::path(folder).filename().string()
                                     : options_.experiment;
  json::Array targets;
  for (const std::string& target : facts.targets) targets.emplace_back(target);
  const json::Value answer = post("/repros", json::Object{{"repro", facts.repro},
                                                          {"experiment", experiment},
                                                          {"repository", facts.repository},
                                                          {"commit", facts.commit},
                                                          {"branch", facts.branch},
                                                          {"dirty", facts.dirty},
                                                          {"environment", facts.environment},
                                                          {"targets", std::move(targets)},
                                                          {"retraining", options_.retraining}});
  repro_run_ = text_of(answer, "run_id");
}

std::map<std::string, std::string> RestRecorder::begin_stage(const StageFacts& facts) {
  json::Array commands;
  for (const std::string& command : facts.commands) commands.emplace_back(command);
  const json::Value answer = post("", json::Object{{"repro_run", repro_run_},
                                                   {"stage", facts.stage},
                                                   {"commands", std::move(commands)},
                                                   {"dependencies", facts.dependencies},
                                                   {"parameters", facts.parameters},
                                                   {"cached", facts.cached}});
  stage_run_ = text_of(answer, "run_id");
  std::map<std::string, std::string> environment;
  const bool users_own =
      !options_.user_tracking_uri.empty() && options_.user_tracking_uri != options_.url;
  if (users_own || facts.cached) return environment;
  environment["MLFLOW_TRACKING_URI"] = options_.url;
  environment["MLFLOW_TRACKING_TOKEN"] = text_of(answer, "token");
  return environment;
}

void RestRecorder::finish_stage(const StageOutcome& outcome) {
  json::Object metrics;
  for (const auto& [name, value] : outcome.metrics) {
    if (std::isfinite(value)) metrics.set(name, value);
  }
  post("/" + stage_run_ + "/finish", json::Object{{"exit_code", outcome.exit_code},
                                                  {"reason", outcome.reason},
                                                  {"outputs", outcome.outputs},
                                                  {"metrics", std::move(metrics)}});
  stage_run_.clear();
}

void RestRecorder::finish_repro(bool succeeded) {
  post("/repros/" + repro_run_ + "/finish", json::Object{{"succeeded", succeeded}});
}

}  // namespace slipway::pipeline
