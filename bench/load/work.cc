// SPDX-License-Identifier: Apache-2.0
#include "load/work.h"

#include <charconv>
#include <stdexcept>
#include <vector>

namespace slipway::bench {
namespace {

constexpr std::string_view kApi = "/api/2.0/mlflow/";
constexpr std::size_t kRunIdSize = 32;
constexpr std::string_view kNoRun = "00000000000000000000000000000000";
constexpr std::size_t kFirstStep = 100000;  // steps of six digits: their places never move
constexpr std::size_t kStepDigits = 6;
constexpr std::size_t kCallsARun = 10;
constexpr std::size_t kParams = 20;

std::string api_request(const Target& target, std::string_view call, std::string_view body) {
  return post_request(target, std::string(kApi) + std::string(call), body);
}

// The run id in the answer to runs/create.
std::string run_id_of(std::string_view body) {
  const std::size_t key = body.find("\"run_id\"");
  const std::size_t colon = key == std::string_view::npos ? key : body.find(':', key);
  const std::size_t quote = colon == std::string_view::npos ? colon : body.find('"', colon);
  if (quote == std::string_view::npos || quote + 1 + kRunIdSize > body.size())
    throw std::runtime_error("no run_id in " + std::string(body.substr(0, 200)));
  return std::string(body.substr(quote + 1, kRunIdSize));
}

std::string create_run(Socket& socket, const Target& target) {
  return run_id_of(exchange(
      socket,
      api_request(target, "runs/create", R"({"experiment_id":"0","start_time":1700000000000})")));
}

void write_step(std::string& request, std::size_t at, std::size_t step) {
  std::to_chars(request.data() + at, request.data() + at + kStepDigits, step);
}

class LogMetric : public Work {
 public:
  explicit LogMetric(const Target& target) {
    Socket socket(target);
    request_ = api_request(target, "runs/log-metric",
                           R"({"run_id":")" + create_run(socket, target) +
                               R"(","key":"loss","value":0.25,"timestamp":1700000000000,"step":)" +
                               std::to_string(kFirstStep) + "}");
    step_at_ = request_.size() - 1 - kStepDigits;
  }
  std::string_view next() override {
    write_step(request_, step_at_, kFirstStep + sent_++ % (10 * kFirstStep - kFirstStep));
    return request_;
  }
  void answered(std::string_view) override { ++done_; }
  std::size_t units() const override { return done_; }

 private:
  std::string request_;
  std::size_t step_at_ = 0;
  std::size_t sent_ = 0;
  std::size_t done_ = 0;
};

class LogBatch : public Work {
 public:
  LogBatch(const Target& target, const WorkOptions& options) : options_(options) {
    Socket socket(target);
    for (std::size_t i = 0; i < options.runs; ++i) runs_.push_back(create_run(socket, target));
    std::string body = R"({"run_id":")" + std::string(kNoRun) + R"(","metrics":[)";
    for (std::size_t step = 0; step < options.steps; ++step) {
      for (std::size_t key = 0; key < options.keys; ++key) {
        if (step + key > 0) body += ',';
        // Values as a client prints doubles: 16 digits that differ from point to point.
        body += R"({"key":"metric_)" + std::to_string(key) + R"(","value":0.)" +
                std::to_string(5'000'000'000'000'000 + (step * 7919 + key * 104729) * 7'368'787) +
                R"(,"timestamp":1700000000000,"step":)";
        steps_at_.push_back(body.size());
        body += std::to_string(kFirstStep) + "}";
      }
    }
    body += "]}";
    request_ = api_request(target, "runs/log-batch", body);
    const std::size_t head = request_.size() - body.size();
    for (std::size_t& at : steps_at_) at += head;
    run_at_ = head + std::string_view(R"({"run_id":")").size();
  }
  std::string_view next() override {
    const std::size_t call = sent_++;
    if (call / kCallsARun == runs_.size()) {
      throw std::runtime_error("a client has used its " + std::to_string(runs_.size()) +
                               " fresh runs up: give more with --runs");
    }
    request_.replace(run_at_, kRunIdSize, runs_[call / kCallsARun]);
    const std::size_t first = kFirstStep + call % kCallsARun * options_.steps;
    for (std::size_t i = 0; i < steps_at_.size(); ++i)
      write_step(request_, steps_at_[i], first + i / options_.keys);
    return request_;
  }
  void answered(std::string_view) override { done_ += steps_at_.size(); }
  std::size_t units() const override { return done_; }

 private:
  WorkOptions options_;
  std::vector<std::string> runs_;
  std::string request_;
  std::size_t run_at_ = 0;
  std::vector<std::size_t> steps_at_;
  std::size_t sent_ = 0;
  std::size_t done_ = 0;
};

// The client's own calls: create, log-batch of the parameters, log-batch of the metrics, update.
class WholeRun : public Work {
 public:
  explicit WholeRun(const Target& target) {
    const std::string run = R"({"run_id":")" + std::string(kNoRun) + R"(",)";
    std::string params = run + R"("params":[)";
    std::string metrics = run + R"("metrics":[)";
    for (std::size_t i = 0; i < kParams; ++i) {
      const std::string comma = i == 0 ? "" : ",";
      params += comma + R"({"key":"param_)" + std::to_string(i) + R"(","value":"value )" +
                std::to_string(i) + R"("})";
      metrics += comma + R"({"key":"metric_)" + std::to_string(i) + R"(","value":0.)" +
                 std::to_string(731 + i) + R"(,"timestamp":1700000000000,"step":0})";
    }
    requests_ = {
        api_request(target, "runs/create",
                    R"({"experiment_id":"0","run_name":"load","start_time":1700000000000,)"
                    R"("tags":[{"key":"mlflow.user","value":"load"}]})"),
        api_request(target, "runs/log-batch", params + "]}"),
        api_request(target, "runs/log-batch", metrics + "]}"),
        api_request(target, "runs/update",
                    run + R"("status":"FINISHED","end_time":1700000001000})"),
    };
    for (const std::string& request : requests_) run_at_.push_back(request.find(kNoRun));
  }
  std::string_view next() override { return requests_[call_]; }
  void answered(std::string_view body) override {
    if (call_ == 0) {
      const std::string run = run_id_of(body);
      for (std::size_t i = 1; i < requests_.size(); ++i)
        requests_[i].replace(run_at_[i], kRunIdSize, run);
    }
    call_ = (call_ + 1) % requests_.size();
    if (call_ == 0) ++done_;
  }
  std::size_t units() const override { return done_; }

 private:
  std::vector<std::string> requests_;
  std::vector<std::size_t> run_at_;
  std::size_t call_ = 0;
  std::size_t done_ = 0;
};

class Post : public Work {
 public:
  Post(const Target& target, const WorkOptions& options)
      : request_(post_request(target, options.path, options.body)) {}
  std::string_view next() override { return request_; }
  void answered(std::string_view) override { ++done_; }
  std::size_t units() const override { return done_; }

 private:
  std::string request_;
  std::size_t done_ = 0;
};

}  // namespace

MakeWork work_named(std::string_view name, const Target& target, const WorkOptions& options) {
  if (name == "log-metric")
    return [target](std::size_t) { return std::make_unique<LogMetric>(target); };
  if (name == "log-batch")
    return [target, options](std::size_t) { return std::make_unique<LogBatch>(target, options); };
  if (name == "run") return [target](std::size_t) { return std::make_unique<WholeRun>(target); };
  if (name == "post")
    return [target, options](std::size_t) { return std::make_unique<Post>(target, options); };
  throw std::invalid_argument("the work is one of log-metric, log-batch, run, post; got " +
                              std::string(name));
}

}  // namespace slipway::bench
