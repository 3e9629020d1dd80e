// SPDX-License-Identifier: Apache-2.0
// The tables alone; what reads them is spec.cc.
#include <array>

#include "automation/spec.h"
#include "gate/gate.h"
#include "monitoring/monitor.h"

namespace slipway::automation {
namespace {

constexpr double kSecond = static_cast<double>(kMicrosPerSecond);
constexpr double kDay = static_cast<double>(kMicrosPerDay);
constexpr double kIntegerMax = 9e15;

constexpr std::array kWebhook = {
    Field{.key = "url", .type = FieldType::kText, .required = true},
};

constexpr std::array kGate = {
    Field{.key = "model", .type = FieldType::kName, .required = true, .reference = "Model"},
    Field{.key = "alias", .type = FieldType::kName, .fallback_text = gate::kAliasDefault},
    Field{.key = "monitor", .type = FieldType::kName, .required = true, .reference = "Monitor"},
    Field{.key = "method",
          .type = FieldType::kChoice,
          .fallback_text = gate::kMethodNames[0],
          .choices = gate::kMethodNames},
    Field{.key = "cluster",
          .type = FieldType::kChoice,
          .fallback_text = gate::kClusterNames[0],
          .choices = gate::kClusterNames},
    Field{.key = "clusters",
          .type = FieldType::kInteger,
          .fallback_number = gate::kClustersMin,
          .min = gate::kClustersMin,
          .max = gate::kClustersMax},
    Field{.key = "alpha",
          .type = FieldType::kNumber,
          .fallback_number = gate::kAlphaDefault,
          .min = 0,
          .max = gate::kAlphaMax,
          .open = true},
};

constexpr std::array kAlias = {
    Field{.key = "gate", .type = FieldType::kName, .reference = "Gate"},
};
constexpr std::array kModel = {
    Field{.key = "description", .type = FieldType::kText, .fallback = R"("")"},
    Field{.key = "aliases", .type = FieldType::kObjectMap, .fallback = "{}", .members = kAlias},
};

constexpr std::array kPipeline = {
    Field{.key = "repository", .type = FieldType::kText, .fallback = R"(".")"},
    Field{.key = "targets", .type = FieldType::kTextList, .fallback = "[]"},
    Field{.key = "params", .type = FieldType::kScalarMap, .fallback = "{}"},
    Field{.key = "timeout",
          .type = FieldType::kDuration,
          .fallback = R"("1h")",
          .min = kSecond,
          .max = 30 * kDay},
};

constexpr std::array<std::string_view, 2> kClocks = {"wall", "event"};
constexpr std::array<std::string_view, 3> kLosses = {"error", "slow", "nan"};
constexpr std::array kStep = {
    Field{.key = "weight",
          .type = FieldType::kNumber,
          .required = true,
          .min = 0,
          .max = 1,
          .open = true},
    Field{.key = "requests", .type = FieldType::kInteger, .min = 1, .max = kIntegerMax},
};
constexpr std::array kRollout = {
    Field{.key = "steps", .type = FieldType::kObjectList, .required = true, .members = kStep},
    Field{.key = "delta",
          .type = FieldType::kNumber,
          .fallback = "0.02",
          .min = 0,
          .max = 1,
          .open = true},
    Field{.key = "alpha_rollback",
          .type = FieldType::kNumber,
          .fallback = "0.05",
          .min = 0,
          .max = 0.5,
          .open = true},
    Field{.key = "alpha_promote",
          .type = FieldType::kNumber,
          .fallback = "0.05",
          .min = 0,
          .max = 0.5,
          .open = true},
    Field{.key = "losses",
          .type = FieldType::kChoices,
          .fallback = R"(["error","slow","nan"])",
          .choices = kLosses},
    Field{.key = "latency_limit_ms",
          .type = FieldType::kNumber,
          .fallback = "1000",
          .min = 0,
          .max = 3'600'000,
          .open = true},
    Field{.key = "max_duration",
          .type = FieldType::kDuration,
          .fallback = R"("10d")",
          .min = kSecond,
          .max = 365 * kDay},
};
constexpr std::array kEndpoint = {
    Field{.key = "model", .type = FieldType::kName, .required = true, .reference = "Model"},
    Field{.key = "alias", .type = FieldType::kName},
    Field{.key = "version", .type = FieldType::kInteger, .min = 1, .max = kIntegerMax},
    Field{.key = "clock", .type = FieldType::kChoice, .fallback = R"("wall")", .choices = kClocks},
    Field{.key = "rollout", .type = FieldType::kObject, .members = kRollout},
};

constexpr std::array kMonitor = {
    Field{.key = "endpoint", .type = FieldType::kName, .required = true, .reference = "Endpoint"},
    Field{.key = "loss",
          .type = FieldType::kChoice,
          .fallback_text = monitoring::kLossDefault,
          .choices = monitoring::kLossNames},
    Field{.key = "clip",
          .type = FieldType::kNumber,
          .fallback_number = monitoring::kLogLossClip,
          .min = 0,
          .max = monitoring::kClipMax,
          .open = true},
    Field{.key = "output", .type = FieldType::kText},
    Field{
        .key = "positive", .type = FieldType::kText, .fallback_text = monitoring::kPositiveDefault},
    Field{.key = "block",
          .type = FieldType::kChoice,
          .fallback_text = monitoring::kBlockDefault,
          .choices = monitoring::kBlockNames},
    Field{.key = "bound",
          .type = FieldType::kNumber,
          .min = 0,
          .max = monitoring::kClipMax,
          .open = true},
    Field{.key = "budget",
          .type = FieldType::kNumber,
          .fallback_number = monitoring::kBudgetBlocksDefault,
          .min = monitoring::kBudgetBlocksMin,
          .max = monitoring::kBudgetBlocksMax},
    Field{.key = "horizon",
          .type = FieldType::kDuration,
          .fallback_number = monitoring::kHorizonDefault,
          .min = 0,
          .max = monitoring::kHorizonMax},
    Field{.key = "min_rows",
          .type = FieldType::kInteger,
          .fallback_number = monitoring::kMinRowsDefault,
          .min = 1,
          .max = monitoring::kMinRowsMax},
    Field{.key = "blind_after",
          .type = FieldType::kDuration,
          .fallback_number = monitoring::kBlindAfterDefault,
          .min = monitoring::kBlindAfterMin,
          .max = monitoring::kBlindAfterMax},
    Field{.key = "webhook", .type = FieldType::kName, .reference = "Webhook"},
};

constexpr std::array kOn = {
    Field{.key = "alarm", .type = FieldType::kName, .reference = "Monitor"},
    Field{.key = "every", .type = FieldType::kDuration, .min = kSecond, .max = 3'650 * kDay},
};
constexpr std::array kExport = {
    Field{.key = "monitor", .type = FieldType::kName, .required = true, .reference = "Monitor"},
    Field{.key = "to", .type = FieldType::kText, .required = true},
    Field{.key = "leave_out", .type = FieldType::kInteger, .min = 0, .max = 3'650},
};
constexpr std::array kTrigger = {
    Field{.key = "on", .type = FieldType::kObjectList, .required = true, .members = kOn},
    Field{.key = "pipeline", .type = FieldType::kName, .required = true, .reference = "Pipeline"},
    Field{.key = "export", .type = FieldType::kObject, .members = kExport},
    Field{.key = "params", .type = FieldType::kScalarMap, .fallback = "{}"},
    Field{.key = "gate", .type = FieldType::kName, .required = true, .reference = "Gate"},
    Field{.key = "endpoint", .type = FieldType::kName, .required = true, .reference = "Endpoint"},
    Field{.key = "pause_after_failures",
          .type = FieldType::kInteger,
          .fallback = "3",
          .min = 1,
          .max = 100},
    Field{.key = "timeout", .type = FieldType::kDuration, .min = kSecond, .max = 30 * kDay},
    Field{.key = "cooldown",
          .type = FieldType::kDuration,
          .fallback = R"("0s")",
          .min = 0,
          .max = 3'650 * kDay},
};

constexpr std::array kAll = {
    Kind{"Webhook", kWebhook},   Kind{"Gate", kGate},         Kind{"Model", kModel},
    Kind{"Pipeline", kPipeline}, Kind{"Endpoint", kEndpoint}, Kind{"Monitor", kMonitor},
    Kind{"Trigger", kTrigger},
};

}  // namespace

std::span<const Kind> kinds() { return kAll; }

}  // namespace slipway::automation
