// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "serving/tensor.h"

namespace slipway::serving {

// What a model said about one row, as a loss needs it.
struct RowOutput {
  double value = 0;  // the probability of the positive class, or the predicted number; NaN where
                     // the model said so
  std::string predicted;  // the predicted class as text ("1", "late"); the number as text where
                          // there are no classes
};

// Which output is meant by "the prediction":
//   output    name of a tensor; "" = the first floating output of shape [rows] or [rows, k],
//   preferring one with k >= 2 (probabilities) positive  the class whose probability is `value`,
//   where k >= 2: its column is the number it spells (classes 0 … k-1), else, with
//             two classes, the second one (as scikit-learn sorts them)
// A text or integer output of shape [rows] or [rows, 1] gives `predicted`; without one it is the
// number of the largest column, or, with one column, `value` as text.
//   throws kInvalidArgument: no such output, a row outside of it, or no column for `positive`
//   source  skl2onnx's classifiers with zipmap off: label [N], probabilities [N, K]
RowOutput row_output(std::span<const Tensor> outputs, std::int64_t row,
                     std::string_view output = "", std::string_view positive = "1");

}  // namespace slipway::serving
