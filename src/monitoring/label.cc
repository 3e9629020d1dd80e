// SPDX-License-Identifier: Apache-2.0
#include "monitoring/label.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/file.h"
#include "json/value.h"
#include "monitoring/prediction_lookup.h"
#include "serving/endpoint.h"
#include "serving/prediction_record.h"

namespace slipway::monitoring {
namespace {

Error wrong(const std::string& message) { return {Code::kInvalidArgument, message}; }

std::string number_text(double value) {
  char buffer[32];
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, value);
  return error == std::errc() ? std::string(buffer, end) : std::string("0");
}

// The canonical text of a label's value, or the error.
Result<std::string> canonical_value(const json::Value& value) {
  if (value.is_bool()) return std::string(value.as_bool() ? "1" : "0");
  if (value.kind() == json::Value::Kind::kInt) return std::to_string(value.as_int());
  if (value.kind() == json::Value::Kind::kUint) return std::to_string(value.as_uint());
  if (value.is_number()) {
    const double number = value.as_double();
    if (!std::isfinite(number)) return wrong("`value` is not a finite number");
    constexpr double kExact = 9'007'199'254'740'992.0;
    if (number == std::trunc(number) && std::abs(number) <= kExact) {
      return std::to_string(static_cast<std::int64_t>(number));
    }
    return number_text(number);
  }
  if (value.is_string()) {
    const std::string& text = value.as_string();
    if (text.empty()) return wrong("`value` is an empty text");
    if (text.size() > kLabelValueBytesMax) {
      return wrong("`value` is longer than " + std::to_string(kLabelValueBytesMax) + " bytes");
    }
    return text;
  }
  return wrong("`value` must be a number, a text or true or false, not " +
               std::string(json::kind_name(value)));
}

Result<TimeUs> label_time(const json::Value& value) {
  if (value.kind() == json::Value::Kind::kInt && value.as_int() > 0) return value.as_int();
  if (value.is_string()) {
    if (const std::optional<TimeUs> time = parse_time(value.as_string())) return *time;
  }
  return wrong("`event_time` must be a time like 2013-03-01T05:00:00Z or microseconds since 1970");
}

std::optional<Error> read_id(const std::string& key, const json::Value& value, NewLabel& label) {
  if (!value.is_string()) return wrong("`" + key + "` must be a text");
  if (!label.prediction_id.empty()) return wrong("`prediction` and `id` are both there; use one");
  const std::optional<std::string> id = canonical_prediction_id(value.as_string());
  if (!id) {
    return wrong("`" + key + "` is not a prediction id; it looks like 00000001-42/0");
  }
  label.prediction_id = *id;
  return std::nullopt;
}

std::optional<Error> read_member(const std::string& key, const json::Value& value,
                                 NewLabel& label) {
  if (key == "prediction" || key == "id") return read_id(key, value, label);
  if (key == "value") {
    Result<std::string> text = canonical_value(value);
    if (!text.ok()) return text.error();
    label.value = std::move(text).value();
    return std::nullopt;
  }
  if (key == "event_time") {
    if (value.is_null()) return std::nullopt;
    Result<TimeUs> time = label_time(value);
    if (!time.ok()) return time.error();
    label.event_time = time.value();
    return std::nullopt;
  }
  if (key == "source") {
    if (value.is_null()) return std::nullopt;
    if (!value.is_string()) return wrong("`source` must be a text");
    if (value.as_string().size() > kLabelSourceBytesMax) {
      return wrong("`source` is longer than " + std::to_string(kLabelSourceBytesMax) + " bytes");
    }
    label.source = value.as_string();
    return std::nullopt;
  }
  return wrong("unknown key `" + key + "`; a label has prediction, value, event_time, source");
}

void add_error(ParsedLabels& parsed, std::int64_t line, const std::string& message) {
  ++parsed.failed;
  if (parsed.errors.size() < kLabelErrorsMax) parsed.errors.push_back({line, message});
}

void add_parsed(ParsedLabels& parsed, std::int64_t line, Result<NewLabel> label) {
  if (parsed.labels.size() + static_cast<std::size_t>(parsed.failed) >= kLabelsBatchMax) {
    throw wrong("more than " + std::to_string(kLabelsBatchMax) +
                " labels in one request; send them in several");
  }
  if (!label.ok()) {
    add_error(parsed, line, label.error().what());
    return;
  }
  parsed.labels.push_back(std::move(label).value());
  parsed.lines.push_back(line);
}

// json::parse throws what ends a request; in a batch it ends a line.
Result<json::Value> parse_line(std::string_view line) {
  try {
    return json::parse(line);
  } catch (const Error& error) {
    return error;
  }
}

Label read_row(const storage::Statement& row) {
  Label label;
  label.seq = row.int64(0);
  label.prediction_id = row.text(1);
  label.value = row.text(2);
  label.event_time = row.int64(3);
  label.source = row.text(4);
  label.recorded_at = row.int64(5);
  label.orphan = row.int64(6) != 0;
  label.prediction_time = row.int64(7);
  label.position = row.int64(8);
  return label;
}

constexpr const char* kColumns =
    "seq, prediction_id, value, event_time, source, recorded_at, orphan, prediction_time, position";

// What a batch knows before it is written.
struct Planned {
  NewLabel label;
  PredictionPlace place;  // of an orphan: position 0
};

bool insert(storage::Transaction& transaction, const std::string& endpoint, const Planned& planned,
            TimeUs now) {
  return transaction.execute(
             "INSERT INTO label (endpoint, prediction_id, value, event_time, source, recorded_at, "
             "orphan, prediction_time, position) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) "
             "ON CONFLICT (prediction_id, value, source) DO NOTHING",
             endpoint, planned.label.prediction_id, planned.label.value, planned.label.event_time,
             planned.label.source, now, planned.place.position == 0, planned.place.event_time,
             planned.place.position) > 0;
}

std::string select(const char* rest) {
  std::string sql = "SELECT ";
  sql += kColumns;
  sql += " FROM label ";
  sql += rest;
  return sql;
}

}  // namespace

std::optional<std::string> canonical_prediction_id(std::string_view text) {
  if (text.size() > kPredictionIdBytesMax) return std::nullopt;
  const std::optional<serving::PredictionRow> row = serving::parse_prediction_row(text);
  if (!row) return std::nullopt;
  return serving::to_text(row->id) + "/" + std::to_string(row->row);
}

Result<NewLabel> parse_label(const json::Value& object) {
  if (!object.is_object()) {
    return wrong("a label must be an object, not " + std::string(json::kind_name(object)));
  }
  NewLabel label;
  for (const auto& [key, value] : object.as_object()) {
    if (std::optional<Error> error = read_member(key, value, label)) return *std::move(error);
  }
  if (label.prediction_id.empty()) return wrong("`prediction` is missing");
  if (label.value.empty()) return wrong("`value` is missing");
  return label;
}

ParsedLabels parse_label_lines(std::string_view ndjson) {
  ParsedLabels parsed;
  std::int64_t number = 0;
  for (std::size_t start = 0; start < ndjson.size();) {
    std::size_t end = ndjson.find('\n', start);
    if (end == std::string_view::npos) end = ndjson.size();
    const std::string_view line = ndjson.substr(start, end - start);
    start = end + 1;
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    const Result<json::Value> object = parse_line(line);
    add_parsed(parsed, number,
               object.ok() ? parse_label(object.value()) : Result<NewLabel>(object.error()));
  }
  return parsed;
}

ParsedLabels parse_label_list(const json::Array& list) {
  ParsedLabels parsed;
  std::int64_t number = 0;
  for (const json::Value& object : list) add_parsed(parsed, ++number, parse_label(object));
  return parsed;
}

LabelReceipt post_labels(storage::Database& database, const Clock& clock,
                         serving::PredictionLog& log, const std::string& endpoint,
                         const ParsedLabels& labels) {
  const serving::EndpointRow row = database.read_returning<serving::EndpointRow>(
      [&](storage::Session& session) { return serving::get_endpoint(session, endpoint); });
  const TimeUs now = clock.now();
  const TimeUs watermark = log.watermark(endpoint);
  const TimeUs untimed =
      row.clock == serving::EndpointClock::kEvent && watermark > 0 ? watermark : now;

  std::vector<std::string> ids;
  for (const NewLabel& label : labels.labels) ids.push_back(label.prediction_id);
  const std::vector<PredictionPlace> places = find_predictions(log, ids);

  ParsedLabels outcome;
  outcome.errors = labels.errors;
  outcome.failed = labels.failed;
  std::vector<Planned> planned;
  for (std::size_t i = 0; i < labels.labels.size(); ++i) {
    Planned next{labels.labels[i], places[i]};
    if (next.label.event_time == 0) next.label.event_time = untimed;
    if (next.label.event_time > now + kLabelAheadMax) {
      add_error(outcome, labels.lines[i], "`event_time` is more than 5 minutes ahead of now");
    } else if (next.place.position != 0 && next.place.endpoint != endpoint) {
      add_error(outcome, labels.lines[i],
                "prediction " + next.label.prediction_id + " was answered by endpoint `" +
                    next.place.endpoint + "`, not `" + endpoint + "`");
    } else {
      planned.push_back(std::move(next));
    }
  }

  LabelReceipt receipt;
  receipt.failed = outcome.failed;
  receipt.errors = std::move(outcome.errors);
  std::sort(receipt.errors.begin(), receipt.errors.end(),
            [](const LabelError& a, const LabelError& b) { return a.line < b.line; });
  if (planned.empty()) return receipt;
  database.write([&](storage::Transaction& transaction) {
    for (const Planned& label : planned) {
      if (!insert(transaction, endpoint, label, now)) {
        ++receipt.duplicates;
        continue;
      }
      ++receipt.accepted;
      if (label.place.position == 0) ++receipt.orphans;
    }
  });
  return receipt;
}

LabelCounts count_labels(storage::Session& session, const std::string& endpoint) {
  storage::Statement row = session.query(
      "SELECT COUNT(*), COALESCE(SUM(orphan), 0), COALESCE(MAX(event_time), 0) FROM label "
      "WHERE endpoint = ?1",
      endpoint);
  row.step();
  return {row.int64(0), row.int64(1), row.int64(2)};
}

std::optional<Label> find_label(storage::Session& session, const std::string& prediction_id) {
  storage::Statement row = session.query(
      select("WHERE prediction_id = ?1 AND orphan = 0 ORDER BY seq DESC LIMIT 1"), prediction_id);
  if (!row.step()) return std::nullopt;
  return read_row(row);
}

std::vector<Label> labels_after(storage::Session& session, const std::string& endpoint,
                                std::int64_t after_seq, std::int64_t limit) {
  std::vector<Label> labels;
  storage::Statement row = session.query(select("WHERE endpoint = ?1 AND seq > ?2 "
                                                "ORDER BY seq LIMIT ?3"),
                                         endpoint, after_seq, limit);
  while (row.step()) labels.push_back(read_row(row));
  return labels;
}

std::optional<Label> label_before(storage::Session& session, const std::string& prediction_id,
                                  std::int64_t seq) {
  storage::Statement row =
      session.query(select("WHERE prediction_id = ?1 AND orphan = 0 AND seq < ?2 "
                           "ORDER BY seq DESC LIMIT 1"),
                    prediction_id, seq);
  if (!row.step()) return std::nullopt;
  return read_row(row);
}

std::optional<Label> label_known_at(storage::Session& session, const std::string& prediction_id,
                                    TimeUs until, std::int64_t seq_max) {
  storage::Statement row = session.query(
      select("WHERE prediction_id = ?1 AND orphan = 0 AND seq <= ?2 AND event_time <= ?3 "
             "ORDER BY seq DESC LIMIT 1"),
      prediction_id, seq_max, until);
  if (!row.step()) return std::nullopt;
  return read_row(row);
}

std::int64_t newest_label_seq(storage::Session& session) {
  storage::Statement row = session.query("SELECT COALESCE(MAX(seq), 0) FROM label");
  row.step();
  return row.int64(0);
}

std::vector<LabelledDay> newest_labelled_days(storage::Session& session,
                                              const std::string& endpoint, TimeUs until,
                                              std::int64_t seq_max, std::int64_t limit) {
  std::vector<LabelledDay> days;
  storage::Statement row = session.query(
      "SELECT prediction_time / 86400000000 AS day, COUNT(DISTINCT prediction_id), MIN(position), "
      "MAX(position) FROM label WHERE endpoint = ?1 AND orphan = 0 AND seq <= ?2 AND "
      "event_time <= ?3 AND prediction_time <= ?3 GROUP BY day ORDER BY day DESC LIMIT ?4",
      endpoint, seq_max, until, limit);
  while (row.step()) {
    days.push_back({row.int64(0), row.int64(1), row.int64(2), row.int64(3)});
  }
  return days;
}

}  // namespace slipway::monitoring
