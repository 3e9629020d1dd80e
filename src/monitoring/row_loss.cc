// SPDX-License-Identifier: Apache-2.0
#include "monitoring/row_loss.h"

#include "base/error.h"
#include "monitoring/prediction_lookup.h"

namespace slipway::monitoring {

std::optional<serving::RowOutput> find_row_output(const serving::PredictionRecord& record,
                                                  std::int64_t row, const LossSpec& spec) {
  if (record.error || record.sampled || record.outputs.empty() || row >= record.rows) {
    return std::nullopt;
  }
  try {
    return serving::row_output(record.outputs, row, spec.output, spec.positive);
  } catch (const Error& error) {
    // Per row, not per batch: another version of the model may lack the output that the monitor
    // names.
    if (error.code() != Code::kInvalidArgument) throw;
    return std::nullopt;
  }
}

RowLosses::Row RowLosses::row_of(const Label& label) {
  const auto id = serving::parse_prediction_row(label.prediction_id);
  return {label.position, id ? id->row : 0};
}

void RowLosses::want(const Label& label) { outputs_[row_of(label)]; }

void RowLosses::want_former(const Label& label, const Label& former) {
  former_[label.seq] = former.value;
}

void RowLosses::compute() {
  std::vector<std::int64_t> positions;
  for (const auto& [row, output] : outputs_) {
    if (positions.empty() || positions.back() != row.first) positions.push_back(row.first);
  }
  visit_positions(log_, positions, [&](const serving::PredictionRecord& record) {
    for (auto at = outputs_.lower_bound({record.position, 0});
         at != outputs_.end() && at->first.first == record.position; ++at) {
      at->second.direct = record.direct;
      at->second.output = find_row_output(record, at->first.second, spec_);
    }
  });
}

std::optional<double> RowLosses::loss_with(const Label& label, const std::string& value) const {
  const auto found = outputs_.find(row_of(label));
  if (found == outputs_.end() || !found->second.output) return std::nullopt;
  const serving::RowOutput& output = *found->second.output;
  return loss_of(spec_, output.value, output.predicted, value);
}

std::optional<double> RowLosses::loss(const Label& label) const {
  return loss_with(label, label.value);
}

std::optional<double> RowLosses::former_loss(const Label& label) const {
  const auto former = former_.find(label.seq);
  if (former == former_.end()) return std::nullopt;
  return loss_with(label, former->second);
}

bool RowLosses::is_direct(const Label& label) const {
  const auto found = outputs_.find(row_of(label));
  return found != outputs_.end() && found->second.direct;
}

}  // namespace slipway::monitoring
