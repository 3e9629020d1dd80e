// SPDX-License-Identifier: Apache-2.0
#include "monitoring/loss.h"

#include <charconv>
#include <cmath>

namespace slipway::monitoring {
namespace {

std::optional<double> number_of(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) {
    return std::nullopt;
  }
  return value;
}

// Classes are the same when their texts are, or when both are the same number: 1 and 1.0.
bool same_class(std::string_view a, std::string_view b) {
  if (a == b) return true;
  const std::optional<double> left = number_of(a);
  const std::optional<double> right = number_of(b);
  return left && right && *left == *right;
}

std::optional<double> log_loss(const LossSpec& spec, double probability, std::string_view label) {
  if (!(probability >= 0 && probability <= 1)) return std::nullopt;
  const double happened = same_class(label, spec.positive) ? probability : 1 - probability;
  if (happened <= 0) return spec.clip;
  return std::min(-std::log(happened), spec.clip);
}

std::optional<double> squared_loss(const LossSpec& spec, double prediction,
                                   std::string_view label) {
  const std::optional<double> truth = number_of(label);
  if (!truth || !std::isfinite(prediction)) return std::nullopt;
  return std::min((prediction - *truth) * (prediction - *truth), spec.clip);
}

}  // namespace

std::string_view loss_name(LossKind kind) {
  switch (kind) {
    case LossKind::kZeroOne: return "zero_one";
    case LossKind::kSquared: return "squared";
    case LossKind::kLogLoss: break;
  }
  return "log_loss";
}

std::optional<double> loss_of(const LossSpec& spec, double prediction,
                              std::string_view predicted_class, std::string_view label) {
  switch (spec.kind) {
    case LossKind::kLogLoss: return log_loss(spec, prediction, label);
    case LossKind::kSquared: return squared_loss(spec, prediction, label);
    case LossKind::kZeroOne: break;
  }
  if (predicted_class.empty() || predicted_class == "nan" || predicted_class == "NaN") {
    return std::nullopt;
  }
  return same_class(predicted_class, label) ? 0.0 : 1.0;
}

double loss_scale(const LossSpec& spec) {
  return spec.kind == LossKind::kZeroOne ? 1.0 : spec.clip;
}

}  // namespace slipway::monitoring
