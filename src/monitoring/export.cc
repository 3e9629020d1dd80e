// SPDX-License-Identifier: Apache-2.0
#include "monitoring/export.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/sha256.h"
#include "monitoring/label.h"
#include "monitoring/monitor.h"
#include "registry/model_version.h"
#include "serving/model_files.h"

namespace slipway::monitoring {
namespace {

constexpr std::int64_t kPage = 500;

// A cell of one row: its column and where it stands.
struct Column {
  std::string name;
  std::size_t tensor = 0;
  std::int64_t width = 1;  // of the tensor's rows
  std::int64_t place = 0;  // within the row
  bool operator==(const Column&) const = default;
};

std::int64_t row_width(const serving::Tensor& tensor) {
  std::int64_t width = 1;
  for (std::size_t i = 1; i < tensor.shape.size(); ++i) width *= tensor.shape[i];
  return width;
}

std::vector<Column> columns_of(const std::vector<serving::Tensor>& tensors,
                               const std::vector<serving::Column>& signature) {
  std::vector<Column> columns;
  for (std::size_t t = 0; t < tensors.size(); ++t) {
    const std::int64_t width = row_width(tensors[t]);
    if (columns.size() + static_cast<std::size_t>(width) > kExportColumnsMax) {
      throw Error(Code::kFailedPrecondition, "a prediction has more than " +
                                                 std::to_string(kExportColumnsMax) +
                                                 " values; an export cannot hold them");
    }
    const bool named = tensors.size() == 1 && static_cast<std::int64_t>(signature.size()) == width;
    for (std::int64_t place = 0; place < width; ++place) {
      std::string name = tensors[t].name;
      if (named && !signature[static_cast<std::size_t>(place)].name.empty()) {
        name = signature[static_cast<std::size_t>(place)].name;
      } else if (width > 1) {
        name += '.';
        name += std::to_string(place);
      }
      columns.push_back({std::move(name), t, width, place});
    }
  }
  return columns;
}

void append_quoted(std::string& out, std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
    out += text;
    return;
  }
  out += '"';
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

// Shortest text that reads back the same, in the precision that the tensor has.
void append_real(std::string& out, double value, bool single) {
  if (std::isnan(value)) return;
  if (std::isinf(value)) {
    out += value > 0 ? "inf" : "-inf";
    return;
  }
  char buffer[64];
  const auto end = single ? std::to_chars(buffer, buffer + sizeof buffer, static_cast<float>(value))
                          : std::to_chars(buffer, buffer + sizeof buffer, value);
  out.append(buffer, end.ptr);
}

void append_cell(std::string& out, const serving::Tensor& tensor, const Column& column,
                 std::int64_t row) {
  const std::int64_t at = row * column.width + column.place;
  using serving::DataType;
  if (tensor.type == DataType::kBytes) {
    append_quoted(out, tensor.texts[static_cast<std::size_t>(at)]);
    return;
  }
  const bool half_or_single = tensor.type == DataType::kFp16 || tensor.type == DataType::kFp32;
  append_real(out, serving::number_at(tensor, at), half_or_single);
}

// Writes rows in the columns of the first one.
class Table {
 public:
  struct Row {
    std::string id;
    TimeUs event_time = 0;
    std::int64_t version = 0;
    std::int64_t row = 0;
    std::string label;
  };

  // Appends to `piece_`, which take() hands out.
  void add(const Row& row, const serving::PredictionRecord& record,
           const serving::Signature& signature) {
    const std::vector<Column> inputs = columns_of(record.inputs, signature.inputs);
    const std::vector<Column> outputs = columns_of(record.outputs, signature.outputs);
    if (!started_) start(inputs, outputs);
    append_quoted(piece_, row.id);
    piece_ += ',';
    piece_ += format_time(row.event_time);
    piece_ += ',';
    piece_ += std::to_string(row.version);
    append_cells(inputs_, inputs, record.inputs, row.row);
    append_cells(outputs_, outputs, record.outputs, row.row);
    piece_ += ',';
    append_quoted(piece_, row.label);
    end_line();
  }

  std::size_t bytes() const { return piece_.size(); }

  void take(std::string& out) {
    hash_.update(piece_);
    out += piece_;
    piece_.clear();
  }

  // An export without rows has a header too.
  void finish() {
    if (!started_) start({}, {});
  }

  std::string hash() { return hash_.finish_hex(); }

 private:
  void start(const std::vector<Column>& inputs, const std::vector<Column>& outputs) {
    started_ = true;
    for (const Column& column : inputs) inputs_.push_back(column.name);
    for (const Column& column : outputs) outputs_.push_back(column.name);
    piece_ += "prediction_id,event_time,version";
    for (const auto* names : {&inputs_, &outputs_}) {
      for (const std::string& name : *names) {
        piece_ += ',';
        append_quoted(piece_, name);
      }
    }
    piece_ += ",label";
    end_line();
  }

  void append_cells(const std::vector<std::string>& names, const std::vector<Column>& columns,
                    const std::vector<serving::Tensor>& tensors, std::int64_t row) {
    for (std::size_t i = 0; i < names.size(); ++i) {
      piece_ += ',';
      const Column* column =
          i < columns.size() && columns[i].name == names[i] ? &columns[i] : nullptr;
      if (column == nullptr) {
        const auto found = std::find_if(columns.begin(), columns.end(),
                                        [&](const Column& c) { return c.name == names[i]; });
        if (found != columns.end()) column = &*found;
      }
      if (column != nullptr) append_cell(piece_, tensors[column->tensor], *column, row);
    }
  }

  void end_line() { piece_ += "\r\n"; }

  Sha256 hash_;
  std::string piece_;
  bool started_ = false;
  std::vector<std::string> inputs_;
  std::vector<std::string> outputs_;
};

// Signatures of the versions met, read once each. A version whose files are gone has none.
class Signatures {
 public:
  explicit Signatures(const tracking::ArtifactStore& artifacts) : artifacts_(artifacts) {}

  const serving::Signature& of(storage::Session& session, const std::string& model,
                               std::int64_t version) {
    const auto key = std::make_pair(model, version);
    const auto known = known_.find(key);
    if (known != known_.end()) return known->second;
    serving::Signature signature;
    if (registry::find_version(session, model, version)) {
      auto files = serving::find_model_files(session, artifacts_, model, version);
      if (auto* found = std::get_if<serving::ModelFiles>(&files)) {
        signature = std::move(found->signature);
      }
    }
    return known_.emplace(key, std::move(signature)).first->second;
  }

 private:
  const tracking::ArtifactStore& artifacts_;
  std::map<std::pair<std::string, std::int64_t>, serving::Signature> known_;
};

}  // namespace

struct LabelledExport::State {
  State(storage::Database& database_in, serving::PredictionLog& log_in,
        const tracking::ArtifactStore& artifacts)
      : database(database_in), log(log_in), signatures(artifacts) {}

  storage::Database& database;
  serving::PredictionLog& log;
  Signatures signatures;
  Table table;
  ExportSummary summary;
  std::string endpoint;
  TimeUs until = 0;
  std::int64_t seq_max = 0;
  std::set<std::int64_t> left_out;
  std::int64_t from = 0;  // next position to read
  std::int64_t end = 0;
  std::vector<serving::PredictionRecord> page;
  std::size_t record = 0;  // next in `page`
  std::int64_t row = 0;    // next in that record
  bool finished = false;

  bool wanted(const serving::PredictionRecord& candidate) const {
    return candidate.position < end && candidate.endpoint == endpoint && !candidate.direct &&
           !candidate.error && candidate.event_time <= until &&
           left_out.count(candidate.event_time / kMicrosPerDay) == 0;
  }

  // Reads on until the table holds a piece; false at the end.
  bool fill() {
    while (table.bytes() < kExportPieceBytes) {
      if (record == page.size()) {
        page = from < end ? log.read_from(from, kPage) : std::vector<serving::PredictionRecord>();
        record = 0;
        if (page.empty()) return false;
        from = page.back().position + 1;
      }
      database.read([&](storage::Session& session) { add_rows(session); });
    }
    return true;
  }

  void add_rows(storage::Session& session) {
    for (; record < page.size(); ++record, row = 0) {
      const serving::PredictionRecord& current = page[record];
      if (!wanted(current)) continue;
      for (; row < current.rows; ++row) {
        if (table.bytes() >= kExportPieceBytes) return;
        add_row(session, current);
      }
    }
  }

  void add_row(storage::Session& session, const serving::PredictionRecord& current) {
    const std::string id = serving::to_text(current.id) + "/" + std::to_string(row);
    const std::optional<Label> label = label_known_at(session, id, until, seq_max);
    if (!label) return;
    if (current.sampled || current.inputs.empty()) {
      ++summary.without_payload;
      return;
    }
    table.add({id, current.event_time, current.version, row, label->value}, current,
              signatures.of(session, current.model, current.version));
    if (summary.rows == 0) summary.first_event_time = current.event_time;
    summary.last_event_time = std::max(summary.last_event_time, current.event_time);
    ++summary.rows;
  }
};

LabelledExport::LabelledExport(storage::Database& database, serving::PredictionLog& log,
                               const tracking::ArtifactStore& artifacts, const std::string& monitor,
                               const ExportOptions& options)
    : state_(std::make_unique<State>(database, log, artifacts)) {
  if (options.leave_out_days < 0) {
    throw Error(Code::kInvalidArgument, "`leave_out` must not be below 0");
  }
  state_->until = options.until > 0 ? options.until : INT64_MAX;
  database.read([&](storage::Session& session) {
    state_->endpoint = get_monitor(session, monitor).spec.endpoint;
    state_->seq_max = newest_label_seq(session);
    for (const LabelledDay& day : newest_labelled_days(session, state_->endpoint, state_->until,
                                                       state_->seq_max, options.leave_out_days)) {
      state_->left_out.insert(day.day);
    }
  });
  if (log.synced_position() < log.end_position()) log.flush();
  state_->from = log.first_position();
  state_->end = log.synced_position();
}

LabelledExport::~LabelledExport() = default;

bool LabelledExport::next(std::string& out) {
  if (state_->finished) return false;
  if (!state_->fill()) {
    state_->table.finish();
    state_->finished = true;
  }
  state_->table.take(out);
  if (state_->finished) state_->summary.sha256 = state_->table.hash();
  return !state_->finished;
}

const ExportSummary& LabelledExport::summary() const { return state_->summary; }

ExportSummary export_labelled(storage::Database& database, serving::PredictionLog& log,
                              const tracking::ArtifactStore& artifacts, const std::string& monitor,
                              const ExportOptions& options,
                              const std::function<void(std::string_view)>& write) {
  LabelledExport data(database, log, artifacts, monitor, options);
  bool more = true;
  while (more) {
    std::string piece;
    more = data.next(piece);
    if (!piece.empty()) write(piece);
  }
  return data.summary();
}

}  // namespace slipway::monitoring
