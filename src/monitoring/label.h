// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/result.h"
#include "json/value.h"
#include "serving/prediction_log.h"
#include "storage/database.h"

namespace slipway::monitoring {

inline constexpr std::size_t kLabelsBatchMax = 50'000;  // lines or list members in one request
inline constexpr std::size_t kLabelValueBytesMax = 256;
inline constexpr std::size_t kLabelSourceBytesMax = 128;
inline constexpr std::size_t kPredictionIdBytesMax = 64;
inline constexpr std::size_t kLabelErrorsMax =
    100;  // errors that one answer lists; all are counted
inline constexpr TimeUs kLabelAheadMax =
    300 * kMicrosPerSecond;  // beyond now: refused, as for predictions

// What turned out to be true for one row of one answered request. Append-only: a correction is a
// new row, the newest counts. Value: a number ("1", "0.25"), or a text ("late"); true and false are
// 1 and 0.
struct Label {
  std::int64_t seq = 0;       // 1, 2, 3 … in commit order
  std::string prediction_id;  // "WRITER-SEQ/ROW"; row 0 may be left out when posting
  std::string value;          // canonical: the shortest form of a number, or the text
  TimeUs event_time = 0;      // when it became known
  std::string source;         // who says so; "" = unnamed
  TimeUs recorded_at = 0;
  bool orphan = false;         // no such prediction was in the log: kept and counted, never joined
  TimeUs prediction_time = 0;  // event time of the prediction; 0 for an orphan
  std::int64_t position = 0;   // of the prediction's record in the log; likewise
};

struct NewLabel {
  std::string prediction_id;
  std::string value;
  TimeUs event_time = 0;  // 0: the endpoint's watermark under clock `event`, else now
  std::string source;
};

struct LabelError {
  std::int64_t line = 0;  // 1-based: line of the NDJSON body, or position in the list
  std::string message;
};

struct LabelReceipt {
  std::int64_t accepted = 0;    // new rows, orphans among them
  std::int64_t duplicates = 0;  // (prediction, value, source) known already: nothing was written
  std::int64_t orphans = 0;
  std::int64_t failed = 0;
  std::vector<LabelError> errors;  // of the first kLabelErrorsMax that failed
};

// One JSON object {"prediction" or "id", "value", "event_time"?, "source"?}; unknown keys, wrong
// types and bad ids are errors. event_time: RFC 3339 text, or integer microseconds.
Result<NewLabel> parse_label(const json::Value& object);

// The lines of an NDJSON body, blank ones skipped; each is a label or its error. kInvalidArgument
// for more than kLabelsBatchMax.
struct ParsedLabels {
  std::vector<NewLabel> labels;
  std::vector<std::int64_t> lines;  // of each label
  std::vector<LabelError> errors;
  std::int64_t failed = 0;
};
ParsedLabels parse_label_lines(std::string_view ndjson);
ParsedLabels parse_label_list(const json::Array& list);

// Keeps the good ones in one write; once it returns they survive kill -9. A label of another
// endpoint's prediction is an error of its line. Looks predictions up in the log first, outside the
// write. Thread-safe.
LabelReceipt post_labels(storage::Database& database, const Clock& clock,
                         serving::PredictionLog& log, const std::string& endpoint,
                         const ParsedLabels& labels);

struct LabelCounts {
  std::int64_t labels = 0;
  std::int64_t orphans = 0;
  TimeUs newest_event_time = 0;
};
LabelCounts count_labels(storage::Session& session, const std::string& endpoint);

// The label that counts for one row of a prediction now: the newest.
std::optional<Label> find_label(storage::Session& session, const std::string& prediction_id);

// The rows after `after_seq`, oldest first, for followers.
std::vector<Label> labels_after(storage::Session& session, const std::string& endpoint,
                                std::int64_t after_seq, std::int64_t limit);

// The label of that row that counted before the one with this number.
std::optional<Label> label_before(storage::Session& session, const std::string& prediction_id,
                                  std::int64_t seq);

// The label that counts among those numbered up to `seq_max` and known by `until` (event time):
// what a training or a gate at that time may use.
std::optional<Label> label_known_at(storage::Session& session, const std::string& prediction_id,
                                    TimeUs until, std::int64_t seq_max);
std::int64_t newest_label_seq(storage::Session& session);  // 0 = none

// A UTC day (of the predictions) with labels.
struct LabelledDay {
  std::int64_t day = 0;  // since 1970-01-01
  std::int64_t rows = 0;
  std::int64_t first_position = 0;  // of the records in the log
  std::int64_t last_position = 0;
};
// Newest first; with the same limits as label_known_at.
std::vector<LabelledDay> newest_labelled_days(storage::Session& session,
                                              const std::string& endpoint, TimeUs until,
                                              std::int64_t seq_max, std::int64_t limit);

// "ID" and "ID/ROW" as "ID/ROW"; nullopt when it is neither.
std::optional<std::string> canonical_prediction_id(std::string_view text);

}  // namespace slipway::monitoring
