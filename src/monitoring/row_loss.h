// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "monitoring/label.h"
#include "monitoring/loss.h"
#include "serving/output.h"
#include "serving/prediction_log.h"
#include "serving/prediction_record.h"

namespace slipway::monitoring {

// What a record's outputs say about one row; nullopt where they say nothing: the request failed,
// its payload was left out, or it has no output of that name, row or class.
std::optional<serving::RowOutput> find_row_output(const serving::PredictionRecord& record,
                                                  std::int64_t row, const LossSpec& spec);

// Losses of a batch of labels, from the outputs that were logged. First want() all, then compute()
// once, then ask. For one thread at a time; `log` outlives it.
class RowLosses {
 public:
  RowLosses(const serving::PredictionLog& log, const LossSpec& spec) : log_(log), spec_(spec) {}

  void want(const Label& label);                              // REQUIRES: no orphan
  void want_former(const Label& label, const Label& former);  // the label that `label` corrects
  void compute();

  std::optional<double> loss(const Label& label) const;  // in the loss's own unit
  std::optional<double> former_loss(const Label& label) const;
  bool is_direct(
      const Label& label) const;  // the prediction named its version in the URL: it counts nowhere

 private:
  using Row = std::pair<std::int64_t, std::int64_t>;  // position, row
  struct Output {
    std::optional<serving::RowOutput> output;
    bool direct = false;
  };
  static Row row_of(const Label& label);
  std::optional<double> loss_with(const Label& label, const std::string& value) const;

  const serving::PredictionLog& log_;
  LossSpec spec_;
  std::map<Row, Output> outputs_;
  std::map<std::int64_t, std::string> former_;  // by the correcting label's seq
};

}  // namespace slipway::monitoring
