// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gate/gate.h"
#include "monitoring/label.h"
#include "monitoring/loss.h"
#include "serving/prediction_log.h"
#include "serving/served_version.h"
#include "storage/database.h"

namespace slipway::gate {

// What both versions lose on the same logged, labelled rows.
struct Scores {
  std::vector<double> difference;     // of each row: loss(champion) - loss(challenger)
  std::vector<std::int64_t> day;      // of each row
  std::vector<ClusterSums> clusters;  // by day, ascending
  std::int64_t unusable =
      0;  // rows left out: their label has no loss, or their inputs were not logged
  std::int64_t champion_missing = 0;  // rows without a usable answer: counted with the largest loss
  std::int64_t challenger_missing = 0;
  bool too_many = false;  // more than rows_max: the numbers are those of the first ones
  TimeUs from = 0;
  TimeUs to = 0;
  // SHA-256 of one line a row, in log order: "ID/ROW,LABEL,LOSS(champion),LOSS(challenger)\n",
  // losses in shortest form.
  std::string rows_hash;
};

// The days are those of monitoring::newest_labelled_days, any order; labels up to `seq_max`. Reads
// the log in pages.
Scores score_days(storage::Database& database, serving::PredictionLog& log,
                  const std::string& endpoint, const monitoring::LossSpec& loss,
                  const std::vector<monitoring::LabelledDay>& days, std::int64_t seq_max,
                  const serving::ServedVersion& champion, const serving::ServedVersion& challenger,
                  std::int64_t rows_max);

}  // namespace slipway::gate
