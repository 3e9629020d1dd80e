// SPDX-License-Identifier: Apache-2.0
#include "api/mlflow/log_request.h"

#include <cmath>
#include <limits>

#include "api/mlflow/fields.h"
#include "api/mlflow/plain_batch.h"
#include "base/error.h"
#include "json/pull.h"
#include "tracking/key_rules.h"

namespace slipway::api::mlflow {
namespace {

// Ends the quick reading; nobody sees the text.
Error unusual() { return Error(Code::kInvalidArgument, "unusual"); }

std::string quick_text(json::PullReader& reader) {
  if (reader.kind() != json::PullKind::kString) throw unusual();
  std::string text(reader.text());
  if (text.find('\0') != std::string::npos) throw unusual();  // and refused, naming its field
  return text;
}

double quick_number(json::PullReader& reader) {
  if (reader.kind() == json::PullKind::kNumber) return reader.number();
  if (reader.kind() != json::PullKind::kString) throw unusual();
  const std::string_view text = reader.text();
  if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (text == "Infinity") return std::numeric_limits<double>::infinity();
  if (text == "-Infinity") return -std::numeric_limits<double>::infinity();
  throw unusual();
}

std::int64_t quick_integer(json::PullReader& reader) {
  if (reader.kind() != json::PullKind::kNumber || !reader.is_integer()) throw unusual();
  return reader.integer();
}

// True for null, which is as good as absent; the value is then read.
bool quick_null(json::PullReader& reader) {
  if (reader.kind() != json::PullKind::kNull) return false;
  reader.null();
  return true;
}

tracking::Metric quick_metric(json::PullReader& reader) {
  tracking::Metric metric;
  bool has_value = false;
  bool has_time = false;
  if (reader.kind() != json::PullKind::kObject) throw unusual();
  reader.enter_object();
  for (std::string_view field; reader.next_field(field);) {
    const std::string name(field);
    if (quick_null(reader)) continue;
    if (name == "key") {
      metric.key = quick_text(reader);
    } else if (name == "value") {
      metric.point.value = quick_number(reader);
      has_value = true;
    } else if (name == "timestamp") {
      metric.point.time_ms = quick_integer(reader);
      has_time = true;
    } else if (name == "step") {
      metric.point.step = quick_integer(reader);
    } else if (name == "model_id") {
      metric.model_id = quick_text(reader);
    } else if (name == "dataset_name") {
      metric.dataset_name = quick_text(reader);
    } else if (name == "dataset_digest") {
      metric.dataset_digest = quick_text(reader);
    } else {
      throw unusual();
    }
  }
  if (metric.key.empty() || !has_value || !has_time) throw unusual();
  return metric;
}

std::pair<std::string, std::string> quick_pair(json::PullReader& reader) {
  std::pair<std::string, std::string> pair;
  if (reader.kind() != json::PullKind::kObject) throw unusual();
  reader.enter_object();
  for (std::string_view field; reader.next_field(field);) {
    const bool is_key = field == "key";
    if (!is_key && field != "value") throw unusual();
    if (quick_null(reader)) continue;
    (is_key ? pair.first : pair.second) = quick_text(reader);
  }
  if (pair.first.empty()) throw unusual();
  return pair;
}

// Of more than `most` items the others are only counted: the batch will be refused.
template <typename Item, typename Read>
void quick_list(json::PullReader& reader, std::vector<Item>& out, std::size_t most,
                std::size_t& beyond, Read read) {
  if (reader.kind() != json::PullKind::kArray) throw unusual();
  reader.enter_array();
  while (reader.next_element()) {
    Item item = read(reader);
    if (out.size() < most) {
      out.push_back(std::move(item));
    } else {
      ++beyond;
    }
  }
}

tracking::Batch quick_batch(json::PullReader& reader) {
  tracking::Batch batch;
  if (reader.kind() != json::PullKind::kObject) throw unusual();
  reader.enter_object();
  for (std::string_view field; reader.next_field(field);) {
    const std::string name(field);
    if (quick_null(reader)) continue;
    if (name == "run_id") {
      batch.run_id = quick_text(reader);
    } else if (name == "metrics") {
      quick_list(reader, batch.metrics, tracking::kMetricsPerBatchMax, batch.metrics_beyond,
                 quick_metric);
    } else if (name == "params") {
      quick_list(reader, batch.params, tracking::kParamsPerBatchMax, batch.params_beyond,
                 quick_pair);
    } else if (name == "tags") {
      quick_list(reader, batch.tags, tracking::kTagsPerBatchMax, batch.tags_beyond, quick_pair);
    } else {
      throw unusual();
    }
  }
  reader.finish();
  if (batch.run_id.empty()) throw unusual();
  return batch;
}

}  // namespace

std::optional<tracking::Batch> read_batch_quickly(std::string_view body) {
  if (auto batch = read_plain_batch(body)) return batch;
  try {
    json::PullReader reader(body);
    return quick_batch(reader);
  } catch (const Error&) {
    return std::nullopt;
  }
}

tracking::Metric read_metric(const Parameters& parameters) {
  tracking::Metric metric;
  metric.key = parameters.required_text("key");
  metric.point.value = parameters.required_number("value");
  metric.point.time_ms = parameters.required_int64("timestamp");
  metric.point.step = parameters.maybe_int64("step").value_or(0);
  metric.model_id = parameters.text("model_id");
  metric.dataset_name = parameters.text("dataset_name");
  metric.dataset_digest = parameters.text("dataset_digest");
  return metric;
}

tracking::Batch read_batch(const Parameters& parameters) {
  tracking::Batch batch;
  batch.run_id = parameters.required_text("run_id");
  for (const Parameters& item : parameters.objects("metrics"))
    batch.metrics.push_back(read_metric(item));
  batch.params = read_pairs(parameters, "params", Keys::kRequired);
  batch.tags = read_pairs(parameters, "tags", Keys::kRequired);
  return batch;
}

}  // namespace slipway::api::mlflow
