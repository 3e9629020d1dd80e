// SPDX-License-Identifier: Apache-2.0
#include "serving/prediction_record.h"

#include <charconv>
#include <cstdio>

#include "base/error.h"
#include "serving/byte_codec.h"
#include "serving/log_frame.h"

namespace slipway::serving {
namespace {

// Bits of the flags byte.
constexpr std::uint8_t kError = 1, kSlow = 2, kNan = 4, kChallenger = 8, kSampled = 16,
                       kDirect = 32;

void put_tensors(ByteWriter& out, const std::vector<Tensor>& tensors) {
  out.put(static_cast<std::uint32_t>(tensors.size()));
  for (const Tensor& tensor : tensors) {
    out.put_text(tensor.name);
    out.put(static_cast<std::uint8_t>(tensor.type));
    out.put(static_cast<std::uint8_t>(tensor.shape.size()));
    for (const std::int64_t dimension : tensor.shape) out.put(dimension);
    if (tensor.type == DataType::kBytes) {
      for (const std::string& text : tensor.texts) out.put_text(text);
    } else {
      out.put_raw(
          {reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size()});  // NOLINT
    }
  }
}

std::vector<Tensor> get_tensors(ByteReader& in) {
  std::vector<Tensor> tensors;
  const auto count = in.get<std::uint32_t>();
  for (std::uint32_t i = 0; i < count; ++i) {
    Tensor tensor;
    tensor.name = std::string(in.text());
    const auto type = in.get<std::uint8_t>();
    if (type < 1 || type > static_cast<std::uint8_t>(DataType::kBytes)) {
      throw Error(Code::kDataLoss, "a record of the prediction log holds a tensor of unknown type");
    }
    tensor.type = static_cast<DataType>(type);
    tensor.shape.resize(in.get<std::uint8_t>());
    for (std::int64_t& dimension : tensor.shape) dimension = in.get<std::int64_t>();
    const auto elements = static_cast<std::uint64_t>(element_count(tensor.name, tensor.shape));
    if (tensor.type == DataType::kBytes) {
      if (elements > in.left())
        throw Error(Code::kDataLoss, "a record of the prediction log is shorter than it says");
      tensor.texts.resize(elements);
      for (std::string& text : tensor.texts) text = std::string(in.text());
    } else {
      const std::string_view bytes = in.raw(elements * element_bytes(tensor.type));
      const auto* first = reinterpret_cast<const std::byte*>(bytes.data());  // NOLINT
      tensor.bytes.assign(first, first + bytes.size());
    }
    tensors.push_back(std::move(tensor));
  }
  return tensors;
}

}  // namespace

std::string to_text(const PredictionId& id) {
  char text[40];
  const int size =
      std::snprintf(text, sizeof text, "%08x-%lld", id.writer, static_cast<long long>(id.seq));
  return {text, static_cast<std::size_t>(size)};
}

std::optional<PredictionRow> parse_prediction_row(std::string_view text) {
  PredictionRow row;
  const std::size_t slash = text.find('/');
  if (slash != std::string_view::npos) {
    const std::string_view digits = text.substr(slash + 1);
    const auto [end, fault] =
        std::from_chars(digits.data(), digits.data() + digits.size(), row.row);
    if (digits.empty() || fault != std::errc{} || end != digits.data() + digits.size() ||
        row.row < 0)
      return std::nullopt;
    text = text.substr(0, slash);
  }
  if (text.size() < 10 || text[8] != '-') return std::nullopt;
  const auto [writer_end, writer_fault] =
      std::from_chars(text.data(), text.data() + 8, row.id.writer, 16);
  if (writer_fault != std::errc{} || writer_end != text.data() + 8) return std::nullopt;
  const auto [seq_end, seq_fault] =
      std::from_chars(text.data() + 9, text.data() + text.size(), row.id.seq);
  if (seq_fault != std::errc{} || seq_end != text.data() + text.size() || row.id.seq < 1)
    return std::nullopt;
  // One spelling a name: it is a key of labels.
  if (to_text(row.id) != text) return std::nullopt;
  return row;
}

std::string encode(const PredictionRecord& record) {
  ByteWriter out;
  out.put(static_cast<std::uint8_t>(FrameKind::kPrediction));
  const unsigned flags = (record.error ? kError : 0U) | (record.slow ? kSlow : 0U) |
                         (record.nan ? kNan : 0U) |
                         (record.arm == Arm::kChallenger ? kChallenger : 0U) |
                         (record.sampled ? kSampled : 0U) | (record.direct ? kDirect : 0U);
  out.put(static_cast<std::uint8_t>(flags));
  out.put(static_cast<std::uint16_t>(record.status));
  out.put(record.step);
  out.put(record.id.writer);
  out.put(record.id.seq);
  out.put(record.recorded_at);
  out.put(record.event_time);
  out.put(record.version);
  out.put(record.latency_us);
  out.put(record.rows);
  out.put_text(record.endpoint);
  out.put_text(record.model);
  out.put_text(record.run_id);
  out.put_text(record.rollout);
  out.put_text(record.client_id);
  if (!record.sampled) {
    put_tensors(out, record.inputs);
    put_tensors(out, record.outputs);
  }
  return out.take();
}

PredictionRecord decode_prediction(std::string_view bytes, bool with_payload) {
  ByteReader in(bytes);
  if (in.get<std::uint8_t>() != static_cast<std::uint8_t>(FrameKind::kPrediction)) {
    throw Error(Code::kDataLoss, "a record of the prediction log is not a prediction");
  }
  PredictionRecord record;
  const auto flags = in.get<std::uint8_t>();
  record.error = (flags & kError) != 0;
  record.slow = (flags & kSlow) != 0;
  record.nan = (flags & kNan) != 0;
  record.arm = (flags & kChallenger) != 0 ? Arm::kChallenger : Arm::kChampion;
  record.sampled = (flags & kSampled) != 0;
  record.direct = (flags & kDirect) != 0;
  record.status = in.get<std::uint16_t>();
  record.step = in.get<std::int32_t>();
  record.id.writer = in.get<std::uint32_t>();
  record.id.seq = in.get<std::int64_t>();
  record.recorded_at = in.get<TimeUs>();
  record.event_time = in.get<TimeUs>();
  record.version = in.get<std::int64_t>();
  record.latency_us = in.get<std::int64_t>();
  record.rows = in.get<std::int64_t>();
  record.endpoint = std::string(in.text());
  record.model = std::string(in.text());
  record.run_id = std::string(in.text());
  record.rollout = std::string(in.text());
  record.client_id = std::string(in.text());
  if (with_payload && !record.sampled) {
    record.inputs = get_tensors(in);
    record.outputs = get_tensors(in);
  }
  return record;
}

}  // namespace slipway::serving
