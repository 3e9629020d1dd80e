// SPDX-License-Identifier: Apache-2.0
#include <charconv>
#include <cstring>
#include <limits>
#include <optional>

#include "base/error.h"
#include "serving/tensor_json.h"

namespace slipway::serving {
namespace {

using json::PullKind;
using json::PullReader;

[[noreturn]] void refuse(const std::string& what) { throw Error(Code::kInvalidArgument, what); }

Frame::Cell read_cell(PullReader& reader) {
  switch (reader.kind()) {
    case PullKind::kNull: reader.null(); return {};
    case PullKind::kBool: return reader.boolean();
    case PullKind::kString: return std::string(reader.text());
    case PullKind::kNumber:
      if (reader.is_integer()) return reader.integer();
      return reader.number();
    default:
      refuse("a cell of the table at byte " + std::to_string(reader.position()) +
             " is neither number, text, true, false nor null");
  }
}

std::vector<Frame::Cell> read_row(PullReader& reader) {
  std::vector<Frame::Cell> row;
  reader.enter_array();
  while (reader.next_element()) {
    if (row.size() >= kFrameColumnsMax)
      refuse("a row has more than " + std::to_string(kFrameColumnsMax) + " cells");
    row.push_back(read_cell(reader));
  }
  return row;
}

void check_cells(const Frame& frame, std::size_t width) {
  if (static_cast<std::int64_t>(frame.rows.size() * width) > kFrameCellsMax) {
    refuse("the table has more than " + std::to_string(kFrameCellsMax) + " cells");
  }
}

Frame read_split(PullReader& reader) {
  Frame frame;
  bool data = false;
  reader.enter_object();
  for (std::string_view key; reader.next_field(key);) {
    if (key == "columns") {
      reader.enter_array();
      while (reader.next_element()) {
        frame.columns.push_back(reader.kind() == PullKind::kString ? std::string(reader.text())
                                                                   : std::string(reader.raw()));
        if (frame.columns.size() > kFrameColumnsMax)
          refuse("`columns` has more than " + std::to_string(kFrameColumnsMax) + " names");
      }
    } else if (key == "data") {
      data = true;
      reader.enter_array();
      while (reader.next_element()) {
        frame.rows.push_back(read_row(reader));
        check_cells(frame, frame.rows.front().size());
      }
    } else if (key != "index") {
      refuse("`dataframe_split` has the unknown key `" + std::string(key.substr(0, 100)) +
             "`; it takes columns, index and data");
    }
  }
  if (!data) refuse("`dataframe_split` has no `data`");
  const std::size_t width = frame.columns.empty() && !frame.rows.empty() ? frame.rows.front().size()
                                                                         : frame.columns.size();
  for (std::size_t row = 0; row < frame.rows.size(); ++row) {
    if (frame.rows[row].size() != width) {
      refuse("row " + std::to_string(row) + " has " + std::to_string(frame.rows[row].size()) +
             " cells, expected " + std::to_string(width));
    }
  }
  return frame;
}

// Objects of column -> cell. A column that one row lacks is missing there.
Frame read_records(PullReader& reader, std::string_view what) {
  Frame frame;
  reader.enter_array();
  while (reader.next_element()) {
    if (reader.kind() != PullKind::kObject)
      refuse("`" + std::string(what) + "` must be a list of objects");
    std::vector<Frame::Cell> row(frame.columns.size());
    std::size_t guess = 0;  // rows nearly always have their columns in one order
    reader.enter_object();
    for (std::string_view key; reader.next_field(key);) {
      std::size_t place = guess;
      if (place >= frame.columns.size() || frame.columns[place] != key) {
        place = 0;
        while (place < frame.columns.size() && frame.columns[place] != key) ++place;
      }
      if (place == frame.columns.size()) {
        if (place >= kFrameColumnsMax)
          refuse("`" + std::string(what) + "` has more than " + std::to_string(kFrameColumnsMax) +
                 " columns");
        frame.columns.emplace_back(key);
        row.resize(frame.columns.size());
      }
      row[place] = read_cell(reader);
      guess = place + 1;
    }
    frame.rows.push_back(std::move(row));
    check_cells(frame, frame.columns.size());
  }
  for (auto& row : frame.rows) row.resize(frame.columns.size());
  return frame;
}

// Reads a nested list of numbers, or of texts, as a tensor whose shape is how it nests.
class NestedReader {
 public:
  NestedReader(PullReader& reader, std::string name) : reader_(reader) {
    tensor_.name = std::move(name);
  }

  Tensor read() {
    read_value();
    while (!counts_.empty()) {
      if (reader_.next_element()) {
        ++counts_.back();
        read_value();
      } else {
        close_list();
      }
    }
    return finished();
  }

 private:
  [[noreturn]] void refuse_ragged() const {
    refuse("input `" + tensor_.name + "` is no regular nested list of numbers or texts");
  }

  std::size_t elements() const { return values_.size() + tensor_.texts.size(); }

  // A value within the innermost open list.
  void read_value() {
    if (reader_.kind() == PullKind::kArray) {
      open_list();
      return;
    }
    if (reader_.kind() == PullKind::kObject) refuse_ragged();
    if (!leaf_depth_) leaf_depth_ = counts_.size();
    if (*leaf_depth_ != counts_.size()) refuse_ragged();
    read_element();
  }

  void open_list() {
    if (leaf_depth_ && counts_.size() >= *leaf_depth_) refuse_ragged();
    if (counts_.size() >= kTensorDimensionsMax)
      refuse("input `" + tensor_.name + "` nests deeper than " +
             std::to_string(kTensorDimensionsMax) + " levels");
    reader_.enter_array();
    counts_.push_back(0);
  }

  void close_list() {
    const std::size_t level = counts_.size() - 1;
    std::vector<std::int64_t>& shape = tensor_.shape;
    if (shape.size() <= level) shape.resize(level + 1, -1);
    if (shape[level] >= 0 && shape[level] != counts_.back()) refuse_ragged();
    shape[level] = counts_.back();
    counts_.pop_back();
  }

  void read_element() {
    const bool text = reader_.kind() == PullKind::kString;
    if (texts_ && *texts_ != text) refuse_ragged();
    texts_ = text;
    if (elements() >= static_cast<std::size_t>(kTensorElementsMax))
      refuse("input `" + tensor_.name + "` has too many elements");
    if (text) {
      tensor_.texts.emplace_back(reader_.text());
    } else if (reader_.kind() == PullKind::kBool) {
      values_.push_back(reader_.boolean() ? 1 : 0);
    } else if (reader_.kind() == PullKind::kNull) {
      reader_.null();
      values_.push_back(std::numeric_limits<double>::quiet_NaN());
    } else {
      values_.push_back(reader_.number());
    }
  }

  Tensor finished() {
    tensor_.type = texts_.value_or(false) ? DataType::kBytes : DataType::kFp64;
    tensor_.bytes.resize(values_.size() * sizeof(double));
    if (!values_.empty()) std::memcpy(tensor_.bytes.data(), values_.data(), tensor_.bytes.size());
    if (static_cast<std::size_t>(element_count(tensor_.name, tensor_.shape)) != elements())
      refuse_ragged();
    return std::move(tensor_);
  }

  PullReader& reader_;
  Tensor tensor_;
  std::vector<double> values_;             // of a tensor of numbers
  std::vector<std::int64_t> counts_;       // elements so far at each open level
  std::optional<bool> texts_;              // what the elements are; nullopt: none yet
  std::optional<std::size_t> leaf_depth_;  // lists around each element
};

Tensor read_nested(PullReader& reader, std::string name) {
  return NestedReader(reader, std::move(name)).read();
}

std::variant<Frame, LooseTensors> read_instances(PullReader& reader) {
  const std::string raw(reader.raw());
  PullReader probe(raw);
  if (probe.kind() != PullKind::kArray) refuse("`instances` must be a list");
  probe.enter_array();
  const bool records = probe.next_element() && probe.kind() == PullKind::kObject;
  PullReader again(raw);
  if (records) return read_records(again, "instances");
  LooseTensors loose;
  loose.tensors.push_back(read_nested(again, ""));
  return loose;
}

std::variant<Frame, LooseTensors> read_inputs(PullReader& reader) {
  LooseTensors loose;
  if (reader.kind() == PullKind::kArray) {
    loose.tensors.push_back(read_nested(reader, ""));
    return loose;
  }
  reader.enter_object();
  for (std::string_view key; reader.next_field(key);) {
    if (loose.tensors.size() >= kRequestTensorsMax) refuse("`inputs` has too many names");
    loose.tensors.push_back(read_nested(reader, std::string(key)));
  }
  return loose;
}

}  // namespace

std::variant<Frame, LooseTensors> read_scoring_request(std::string_view text) {
  constexpr std::string_view kFormats = "dataframe_split, dataframe_records, instances, inputs";
  PullReader reader(text);
  if (reader.kind() != PullKind::kObject) {
    refuse("Received a JSON value that is not an object. It must have exactly one of the keys " +
           std::string(kFormats));
  }
  std::optional<std::variant<Frame, LooseTensors>> found;
  std::string first;
  reader.enter_object();
  for (std::string_view key; reader.next_field(key);) {
    if (key == "params") continue;
    if (key != "dataframe_split" && key != "dataframe_records" && key != "instances" &&
        key != "inputs") {
      refuse("unknown key `" + std::string(key.substr(0, 100)) +
             "`. It must have exactly one of the keys " + std::string(kFormats));
    }
    if (found)
      refuse("both `" + first + "` and `" + std::string(key) +
             "` were sent. It must have exactly one of the keys " + std::string(kFormats));
    first = std::string(key);
    if (key == "dataframe_split")
      found = read_split(reader);
    else if (key == "dataframe_records")
      found = read_records(reader, "dataframe_records");
    else if (key == "instances")
      found = read_instances(reader);
    else
      found = read_inputs(reader);
  }
  reader.finish();
  if (!found) refuse("none of the keys " + std::string(kFormats) + " was sent");
  return std::move(*found);
}

namespace {

struct CsvCell {
  std::string text;
  bool quoted = false;  // a text whatever it looks like
};

// Reads the lines of a CSV (RFC 4180; a line may end in LF alone).
class CsvReader {
 public:
  explicit CsvReader(std::string_view text) : text_(text) {}

  bool at_end() const { return at_ >= text_.size(); }

  void read_line(std::vector<CsvCell>& cells) {
    cells.clear();
    for (;;) {
      const bool quoted = next_is('"');
      cells.push_back({quoted ? quoted_cell() : plain_cell(), quoted});
      if (cells.size() > kFrameColumnsMax)
        refuse("the CSV has more than " + std::to_string(kFrameColumnsMax) + " columns");
      if (!take(',')) break;
    }
    take('\r');
    take('\n');
  }

 private:
  bool next_is(char c) const { return at_ < text_.size() && text_[at_] == c; }

  bool take(char c) {
    if (!next_is(c)) return false;
    ++at_;
    return true;
  }

  bool cell_ends() const { return at_end() || next_is(',') || next_is('\n') || next_is('\r'); }

  std::string plain_cell() {
    const std::size_t start = at_;
    while (!cell_ends()) ++at_;
    return std::string(text_.substr(start, at_ - start));
  }

  // A quote within it is written twice.
  std::string quoted_cell() {
    std::string cell;
    take('"');
    for (;;) {
      if (at_end()) refuse("the CSV ends within a quoted cell");
      if (take('"') && !next_is('"')) break;
      cell.push_back(text_[at_++]);
    }
    if (!cell_ends()) refuse("text follows a quoted CSV cell");
    return cell;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

// A cell without quotes that reads as a number, True or False is one; without any text it is
// missing.
Frame::Cell cell_of(CsvCell cell) {
  if (cell.quoted) return std::move(cell.text);
  if (cell.text.empty()) return {};
  const char* const begin = cell.text.data();
  const char* const end = begin + cell.text.size();
  std::int64_t integer = 0;
  if (const auto read = std::from_chars(begin, end, integer);
      read.ec == std::errc{} && read.ptr == end) {
    return integer;
  }
  double number = 0;
  if (const auto read = std::from_chars(begin, end, number);
      read.ec == std::errc{} && read.ptr == end) {
    return number;
  }
  if (cell.text == "True" || cell.text == "False") return cell.text == "True";
  return std::move(cell.text);
}

}  // namespace

Frame read_csv_frame(std::string_view text) {
  if (text.empty()) refuse("the CSV is empty; its first line names the columns");
  Frame frame;
  CsvReader reader(text);
  std::vector<CsvCell> cells;
  reader.read_line(cells);
  for (CsvCell& cell : cells) frame.columns.push_back(std::move(cell.text));
  while (!reader.at_end()) {
    reader.read_line(cells);
    const bool blank = cells.size() == 1 && cells[0].text.empty();
    if (blank && frame.columns.size() > 1) continue;
    if (cells.size() != frame.columns.size()) {
      refuse("row " + std::to_string(frame.rows.size()) + " of the CSV has " +
             std::to_string(cells.size()) + " cells, expected " +
             std::to_string(frame.columns.size()));
    }
    std::vector<Frame::Cell> row;
    row.reserve(cells.size());
    for (CsvCell& cell : cells) row.push_back(cell_of(std::move(cell)));
    frame.rows.push_back(std::move(row));
    check_cells(frame, frame.columns.size());
  }
  return frame;
}

}  // namespace slipway::serving
