// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "serving/prediction_log.h"
#include "storage/database.h"
#include "tracking/artifact_store.h"

namespace slipway::monitoring {

struct ExportOptions {
  // Only predictions and labels with event_time <= until: what was known then. 0: everything that
  // is there now.
  TimeUs until = 0;
  std::int64_t leave_out_days =
      0;  // the newest labelled days (UTC, of the predictions) that are kept back for the gate
};

struct ExportSummary {
  std::int64_t rows = 0;
  std::int64_t without_payload =
      0;               // labelled rows whose inputs were not logged under overload: left out
  std::string sha256;  // of the bytes
  TimeUs first_event_time = 0;  // of the rows written
  TimeUs last_event_time = 0;
};

inline constexpr std::size_t kExportColumnsMax = 10'000;
inline constexpr std::size_t kExportPieceBytes = 64U << 10;

// The labelled predictions of a monitor's endpoint as CSV (RFC 4180, UTF-8, header line, lines end
// in CR LF):
//   prediction_id, event_time, version, one column per input, one per output, label
// In the order of the prediction log: same log and labels, same bytes. NaN and missing are empty. A
// row without a label is left out; of several labels the newest counts. Columns are named by the
// model's signature where one tensor holds them all, else by the tensor (NAME, or NAME.0, NAME.1
// …); those of the first row make the header, and a later version that lacks one leaves it empty.
// Predictions that name their version in the URL, and failed ones, are left out.
// Shows what was there when it was made. Memory does not grow with rows. One thread at a time.
class LabelledExport {
 public:
  // All of it outlives the export. Throws kNotFound for the monitor, kInvalidArgument for wrong
  // options.
  LabelledExport(storage::Database& database, serving::PredictionLog& log,
                 const tracking::ArtifactStore& artifacts, const std::string& monitor,
                 const ExportOptions& options);
  ~LabelledExport();
  LabelledExport(const LabelledExport&) = delete;
  LabelledExport& operator=(const LabelledExport&) = delete;

  // Appends the next piece, about kExportPieceBytes; false once nothing is left.
  bool next(std::string& out);

  // REQUIRES: next() returned false.
  const ExportSummary& summary() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// A whole export, piece by piece into `write`; throws what that throws.
ExportSummary export_labelled(storage::Database& database, serving::PredictionLog& log,
                              const tracking::ArtifactStore& artifacts, const std::string& monitor,
                              const ExportOptions& options,
                              const std::function<void(std::string_view)>& write);

}  // namespace slipway::monitoring
