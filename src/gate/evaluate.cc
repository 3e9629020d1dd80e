// SPDX-License-Identifier: Apache-2.0
#include "gate/evaluate.h"

#include <cmath>
#include <cstdio>
#include <limits>
#include <utility>
#include <variant>

#include "base/error.h"
#include "gate/scoring.h"
#include "ledger/event.h"
#include "ledger/evidence.h"
#include "monitoring/monitor.h"
#include "registry/alias.h"
#include "registry/model_version.h"
#include "serving/endpoint.h"
#include "stats/cluster_se.h"

namespace slipway::gate {
namespace {

constexpr double kConfidence = 0.95;
constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();

// What an evaluation starts from, read in one consistent state.
struct Question {
  Gate gate;
  monitoring::Monitor monitor;
  registry::ModelVersion challenger;
  std::optional<registry::ModelVersion> champion;
  std::vector<monitoring::LabelledDay> days;  // newest first
  std::int64_t label_seq = 0;
};

Question ask(const Deps& deps, const EvaluateRequest& request) {
  Question question;
  deps.database.read([&](storage::Session& session) {
    question.gate = get_gate(session, request.gate);
    const GateSpec& spec = question.gate.spec;
    question.monitor = monitoring::get_monitor(session, spec.monitor);
    serving::get_endpoint(session, question.monitor.spec.endpoint);
    question.challenger = registry::get_version(session, spec.model, request.challenger);
    const auto target = registry::find_alias(session, spec.model, spec.alias);
    if (target) question.champion = registry::get_version(session, spec.model, target->version);
    question.label_seq = monitoring::newest_label_seq(session);
    question.days = monitoring::newest_labelled_days(session, question.monitor.spec.endpoint,
                                                     INT64_MAX, question.label_seq, spec.clusters);
  });
  if (question.champion && question.champion->version == request.challenger) {
    throw Error(Code::kFailedPrecondition, "version " + std::to_string(request.challenger) +
                                               " of model `" + question.gate.spec.model +
                                               "` holds alias `" + question.gate.spec.alias +
                                               "` already; there is nothing to compare");
  }
  return question;
}

std::string number(double value, const char* format = "%.4g") {
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, format, value);
  return buffer;
}

std::string name_of(const registry::ModelVersion& version) {
  return "version " + std::to_string(version.version);
}

Check blank_check() {
  Check check;
  check.kind = "compare";
  check.method = "cluster-se";
  check.estimate = check.lo = check.hi = check.se = check.p = kUndefined;
  check.champion_loss = check.challenger_loss = kUndefined;
  return check;
}

Check too_few_days(const Question& question, std::size_t days) {
  Check check = blank_check();
  check.verdict = Verdict::kInsufficient;
  check.reason = std::to_string(days);
  check.reason += days == 1 ? " labelled day, " : " labelled days, ";
  check.reason += std::to_string(question.gate.spec.clusters) + " are needed";
  return check;
}

// "0.0123 lower loss (95 % interval 0.002 to 0.021, p = 0.012, 14 days, 12345 rows)". The interval
// has the direction of the words: of "higher loss" it is the negated one.
std::string numbers_of(const Check& check, std::size_t rows) {
  const bool higher = check.estimate < 0;
  std::string text = number(std::abs(check.estimate));
  text += higher ? " higher loss" : " lower loss";
  text += " (95 % interval " + number(higher ? -check.hi : check.lo) + " to " +
          number(higher ? -check.lo : check.hi);
  text += ", p = " + number(check.p, "%.3g");
  text += ", " + std::to_string(check.clusters.size()) + " days, ";
  text += std::to_string(rows) + " rows)";
  return text;
}

Check compare(const Question& question, const Scores& scores) {
  if (static_cast<std::int64_t>(scores.clusters.size()) < question.gate.spec.clusters) {
    Check check = too_few_days(question, scores.clusters.size());
    check.clusters = scores.clusters;
    return check;
  }
  const stats::ClusterSe result =
      stats::cluster_se(scores.difference, scores.day, kConfidence, stats::Alternative::kGreater);
  Check check = blank_check();
  check.clusters = scores.clusters;
  check.estimate = result.mean;
  check.se = result.se_cluster;
  check.lo = result.lo;
  check.hi = result.hi;
  check.p = result.p;
  double champion = 0;
  double challenger = 0;
  for (const ClusterSums& sums : scores.clusters) {
    champion += sums.champion_sum;
    challenger += sums.challenger_sum;
  }
  const double rows = static_cast<double>(scores.difference.size());
  check.champion_loss = champion / rows;
  check.challenger_loss = challenger / rows;
  const std::string who = name_of(question.challenger) + " against " + name_of(*question.champion);
  if (!result.note.empty()) {
    check.verdict = Verdict::kInsufficient;
    check.reason = "no difference: " + who + " differs by the same amount on every row";
    return check;
  }
  check.verdict = result.p <= question.gate.spec.alpha ? Verdict::kPass : Verdict::kFail;
  check.reason = who + ": " + numbers_of(check, scores.difference.size());
  check.reason += check.verdict == Verdict::kPass ? "; better at alpha = "
                                                  : "; not shown to be better at alpha = ";
  check.reason += number(question.gate.spec.alpha);
  return check;
}

json::Value version_json(const registry::ModelVersion& version) {
  return json::Object{{"version", version.version},
                      {"run_id", version.run_id},
                      {"source", version.source},
                      {"created_at", format_time(version.created_at)}};
}

json::Value body_of(const Deps& deps, const Question& question, const Result& result,
                    const Scores& scores) {
  const json::Value all = to_json(result);
  json::Object body;
  for (const auto& [key, value] : all.as_object()) {
    if (key != "evidence" && key != "event") body.set(key, value);
  }
  body.set("challenger", version_json(question.challenger));
  body.set("champion", question.champion ? version_json(*question.champion) : json::Value());
  body.set("spec", to_json(question.gate.spec));
  body.set("monitor", monitoring::to_json(question.monitor.spec));
  const TimeUs watermark = deps.log.watermark(question.monitor.spec.endpoint);
  body.set("watermark", watermark > 0 ? json::Value(format_time(watermark)) : json::Value());
  body.set("label_seq", question.label_seq);
  body.set("unusable", scores.unusable);
  body.set("champion_missing", scores.champion_missing);
  body.set("challenger_missing", scores.challenger_missing);
  body.set("rows_hash", scores.rows_hash);
  return body;
}

json::Object event_body(const Result& result) {
  json::Object body{{"model", result.model},
                    {"challenger", result.challenger},
                    {"champion", result.champion ? json::Value(*result.champion) : json::Value()},
                    {"verdict", verdict_name(result.verdict)}};
  const auto number_or_null = [](double value) {
    return std::isnan(value) ? json::Value() : json::Value(value);
  };
  const Check& check = result.checks.front();
  body.set("estimate", number_or_null(check.estimate));
  body.set("lo", number_or_null(check.lo));
  body.set("hi", number_or_null(check.hi));
  body.set("p", number_or_null(check.p));
  body.set("champion_loss", number_or_null(check.champion_loss));
  body.set("challenger_loss", number_or_null(check.challenger_loss));
  body.set("days", static_cast<std::int64_t>(check.clusters.size()));
  body.set("rows", result.rows);
  body.set("from", result.from > 0 ? json::Value(format_time(result.from)) : json::Value());
  body.set("to", result.to > 0 ? json::Value(format_time(result.to)) : json::Value());
  body.set("reason", result.reason);
  return body;
}

void record(const Deps& deps, const EvaluateRequest& request, const Question& question,
            const Scores& scores, Result& result) {
  const TimeUs watermark = deps.log.watermark(question.monitor.spec.endpoint);
  const json::Value body = body_of(deps, question, result, scores);
  deps.database.write([&](storage::Transaction& transaction) {
    result.evidence = ledger::put_evidence(
        transaction, deps.clock, "gate",
        registry::gate_subject(result.gate, result.model, result.challenger, result.champion),
        body);
    ledger::Event event;
    event.type = "gate.evaluated";
    event.subject = "gate:" + result.gate;
    event.actor = request.actor;
    event.cause = request.cause;
    event.event_time = request.event_time > 0 ? request.event_time : watermark;
    event.body = event_body(result);
    event.evidence = {result.evidence};
    result.event_id = ledger::append(transaction, deps.clock, event).id;
    if (result.verdict == Verdict::kPass) return;
    ledger::Event refused;
    refused.type = "promotion.refused";
    refused.subject = "model:" + result.model;
    refused.actor = request.actor;
    refused.cause = result.event_id;
    refused.event_time = event.event_time;
    refused.body = {{"challenger", result.challenger},
                    {"champion", result.champion ? json::Value(*result.champion) : json::Value()},
                    {"by", "gate"},
                    {"gate", result.gate},
                    {"verdict", verdict_name(result.verdict)},
                    {"reason", result.reason}};
    refused.evidence = {result.evidence};
    ledger::append(transaction, deps.clock, refused);
  });
}

// Loads the challenger; the reason where that cannot be.
std::variant<std::shared_ptr<const serving::ServedVersion>, std::string> load(
    const Deps& deps, const registry::ModelVersion& version) {
  try {
    return deps.load(version.model, version.version);
  } catch (const Error& error) {
    // An unservable version is an answer to the gate's question; anything else ends the evaluation.
    if (error.code() != Code::kFailedPrecondition) throw;
    return std::string(error.what());
  }
}

Check check_of(const Deps& deps, const Question& question, Scores& scores) {
  auto challenger = load(deps, question.challenger);
  if (const std::string* reason = std::get_if<std::string>(&challenger)) {
    Check check = blank_check();
    check.verdict = Verdict::kFail;
    check.reason = name_of(question.challenger) + " cannot be served: " + *reason;
    return check;
  }
  if (!question.champion) {
    Check check = blank_check();
    check.verdict = Verdict::kPass;
    check.reason = "there is no champion: " + name_of(question.challenger) + " is the first";
    return check;
  }
  if (static_cast<std::int64_t>(question.days.size()) < question.gate.spec.clusters) {
    return too_few_days(question, question.days.size());
  }
  const auto champion = deps.load(question.champion->model, question.champion->version);
  scores = score_days(deps.database, deps.log, question.monitor.spec.endpoint,
                      question.monitor.spec.loss, question.days, question.label_seq, *champion,
                      *std::get<std::shared_ptr<const serving::ServedVersion>>(challenger),
                      deps.rows_max);
  if (scores.too_many) {
    // The same rows are there the next time: it is an answer, not a fault that passes.
    Check check = blank_check();
    check.verdict = Verdict::kInsufficient;
    check.reason = "the labelled days hold more than " + std::to_string(deps.rows_max) +
                   " rows; a gate cannot compare that many";
    check.clusters = scores.clusters;
    return check;
  }
  return compare(question, scores);
}

}  // namespace

Result evaluate(const Deps& deps, const EvaluateRequest& request) {
  if (deps.log.synced_position() < deps.log.end_position()) deps.log.flush();
  const Question question = ask(deps, request);
  Scores scores;
  Result result;
  result.gate = question.gate.name;
  result.model = question.gate.spec.model;
  result.challenger = request.challenger;
  if (question.champion) result.champion = question.champion->version;
  result.checks.push_back(check_of(deps, question, scores));
  result.verdict = result.checks.front().verdict;
  result.reason = result.checks.front().reason;
  result.rows = static_cast<std::int64_t>(scores.difference.size());
  result.from = scores.from;
  result.to = scores.to;
  record(deps, request, question, scores, result);
  return result;
}

}  // namespace slipway::gate
