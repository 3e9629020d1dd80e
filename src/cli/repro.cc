// SPDX-License-Identifier: Apache-2.0
#include "pipeline/repro.h"

#include <memory>

#include "base/error.h"
#include "cli/client.h"
#include "cli/dvc_verbs.h"
#include "cli/environment.h"
#include "cli/verbs.h"
#include "pipeline/rest_recorder.h"
#include "server/server.h"

namespace slipway::cli {
namespace {

constexpr int kServerGraceMs = 5'000;

std::optional<ServerAddress> running_server() {
  try {
    return find_server();
  } catch (const Error& error) {
    if (error.code() == Code::kUnavailable || error.code() == Code::kNotFound) return std::nullopt;
    throw;
  }
}

// docs/formats/dvc.md, "Recorded runs": a server that can be found; else one in this process where
// the repository has slipway.yaml or a store; else, in a plain DVC repository, none. Looked for, or
// started, when the first stage is about to run: a repro that finds nothing to do costs nothing.
class Tracking final : public pipeline::RunRecorder {
 public:
  explicit Tracking(std::filesystem::path root)
      : root_(std::move(root)), address_(running_server()) {}

  bool records() const override {
    std::error_code fault;
    return address_ || std::filesystem::exists(root_ / "slipway.yaml", fault) ||
           std::filesystem::exists(root_ / ".slipway", fault);
  }
  void begin_repro(const pipeline::ReproFacts& facts) override {
    connect();
    recorder_->begin_repro(facts);
  }
  std::map<std::string, std::string> begin_stage(const pipeline::StageFacts& facts) override {
    return recorder_->begin_stage(facts);
  }
  void finish_stage(const pipeline::StageOutcome& outcome) override {
    recorder_->finish_stage(outcome);
  }
  void finish_repro(bool succeeded) override {
    recorder_->finish_repro(succeeded);
    if (server_) server_->stop(kServerGraceMs);
  }

 private:
  void connect() {
    if (!address_) {
      server::Config config;
      config.data_folder = root_ / ".slipway";
      config.port = 0;
      config.automation = false;
      server_ = std::make_unique<server::Server>(config);
      server_->start();
      address_ = ServerAddress{server_->url(), server_->token()};
    }
    http_ = std::make_unique<net::CurlHttpClient>();
    if (!pipeline::is_slipway(*http_, address_->url, address_->token)) {
      recorder_ = std::make_unique<pipeline::NullRecorder>();  // another tracking server: stages
                                                               // find it by their own environment
      return;
    }
    pipeline::RestRecorder::Options options;
    options.url = address_->url;
    options.token = address_->token;
    options.user_tracking_uri = environment("MLFLOW_TRACKING_URI");
    options.experiment = environment("MLFLOW_EXPERIMENT_NAME");
    options.retraining = environment("SLIPWAY_RETRAINING");
    recorder_ = std::make_unique<pipeline::RestRecorder>(*http_, std::move(options));
  }

  std::filesystem::path root_;
  std::optional<ServerAddress> address_;
  std::unique_ptr<server::Server> server_;
  std::unique_ptr<net::HttpClient> http_;
  std::unique_ptr<pipeline::RunRecorder> recorder_;
};

}  // namespace

int dvc_repro(const Arguments& arguments, Context& context) {
  return dvc_edge(context, kDvcFailed, "", [&] {
    SystemProcessRunner processes;
    const SystemClock clock;
    const std::filesystem::path current = std::filesystem::current_path();
    data::Workspace workspace(current, processes);
    const DvcLines lines = dvc_lines(context, arguments.flag("quiet"));
    pipeline::ReproOptions options;
    options.targets = arguments.list("TARGET");
    options.force = arguments.flag("force");
    options.single = arguments.flag("single-item");
    options.dry = arguments.flag("dry");
    options.no_commit = arguments.flag("no-commit");
    options.no_run_cache = arguments.flag("no-run-cache");
    options.command_line = "slipway repro";
    options.cancelled = interrupted;
    interruptions_begin();
    // Started under the name `dvc` there is never any tracking; nor for a run that changes nothing.
    std::unique_ptr<pipeline::RunRecorder> recorder = std::make_unique<pipeline::NullRecorder>();
    if (!context.as_dvc && !options.dry) recorder = std::make_unique<Tracking>(workspace.root());
    pipeline::LocalStageRunner runner(processes);
    pipeline::Repro repro(workspace, runner, *recorder, clock, {lines.info, lines.warning});
    const pipeline::ReproResult result = repro.run(current, options);
    lines.info(result.changed() ? "Use `dvc push` to send your updates to remote storage."
                                : "Data and pipelines are up to date.");
    return int{kDone};
  });
}

}  // namespace slipway::cli
