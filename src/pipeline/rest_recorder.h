// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

#include "net/http_client.h"
#include "pipeline/run_recorder.h"

namespace slipway::pipeline {

// Records over a Slipway server's REST (docs/formats/dvc.md, "Recorded runs"): the repro is a run,
// each stage a child of it. Errors are the server's own, or kUnavailable naming the URL. For one
// thread, as the client is; calls in the order that RunRecorder asks for.
class RestRecorder final : public RunRecorder {
 public:
  struct Options {
    std::string url;                // without a slash at the end
    std::string token;              // may write under /api/slipway
    std::string user_tracking_uri;  // MLFLOW_TRACKING_URI as the user set it: never overwritten; ""
                                    // = not set
    std::string experiment;         // name; "" = the repository folder's
    std::string retraining;         // id, where automation started this repro; "" else
  };
  RestRecorder(net::HttpClient& http, Options options)
      : http_(http), options_(std::move(options)) {}

  void begin_repro(const ReproFacts& facts) override;
  std::map<std::string, std::string> begin_stage(const StageFacts& facts) override;
  void finish_stage(const StageOutcome& outcome) override;
  void finish_repro(bool succeeded) override;
  bool records() const override { return true; }

  // The run of the repro, once begun: 32 hex.
  const std::string& repro_run() const { return repro_run_; }

 private:
  json::Value post(const std::string& path, const json::Object& body);

  net::HttpClient& http_;
  Options options_;
  std::string repro_run_;
  std::string stage_run_;
};

// Whether a Slipway answers there (any other server is left alone, and stages find it by their own
// environment). kUnavailable when nobody does.
bool is_slipway(net::HttpClient& http, const std::string& url, const std::string& token);

}  // namespace slipway::pipeline
