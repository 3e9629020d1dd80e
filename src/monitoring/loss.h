// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "json/value.h"

namespace slipway::monitoring {

enum class LossKind { kLogLoss, kZeroOne, kSquared };
std::string_view loss_name(LossKind kind);  // "log_loss", "zero_one", "squared"

inline constexpr double kLogLossClip = 3.0;  // default: losses above it count as it

// How one answered row and its label become a loss.
struct LossSpec {
  LossKind kind = LossKind::kLogLoss;
  // log_loss: largest loss that counts. squared: the squared error that scales to 1, likewise.
  // Unused by zero_one.
  double clip = kLogLossClip;
  std::string output;  // name of the output tensor; "" = serving's choice (serving/output.h)
  std::string positive = "1";  // log_loss: the label (and class) whose probability the output holds
  bool operator==(const LossSpec&) const = default;
};

// The loss in its own unit, clipped to [0, clip]:
//   log_loss  -ln p of what happened, p the probability of `positive` (natural log; p = 0 gives
//   clip) zero_one  1 when the predicted class is not the label, else 0 squared   (prediction -
//   label)²
// nullopt where there is none: the prediction is NaN, a probability outside [0,1], a label that is
// no number (squared). `prediction` is the probability of `positive`, or the predicted number;
// `predicted_class` the class as text (zero_one).
std::optional<double> loss_of(const LossSpec& spec, double prediction,
                              std::string_view predicted_class, std::string_view label);

// Into [0,1], as the detector wants it, and back: loss / scale.
double loss_scale(const LossSpec& spec);  // clip; 1 for zero_one

}  // namespace slipway::monitoring
