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

// A nested list of numbers, or of texts, as a tensor whose shape is how it nests.
Tensor read_nested(PullReader& reader, std::string name) {
  Tensor tensor;
  tensor.name = std::move(name);
  std::vector<std::int64_t> counts;  // elements so far at each open level
  std::vector<std::int64_t> shape;
  std::vector<double> values;
  std::optional<bool> texts;
  const auto ragged = [&] {
    refuse("input `" + tensor.name + "` is no regular nested list of numbers or texts");
  };
  const auto scalar = [&] {
    const bool text = reader.kind() == PullKind::kString;
    if (texts && *texts != text) ragged();
    texts = text;
    if (values.size() + tensor.texts.size() >= static_cast<std::size_t>(kTensorElementsMax))
      refuse("input `" + tensor.name + "` has too many elements");
    if (text)
      tensor.texts.emplace_back(reader.text());
    else if (reader.kind() == PullKind::kBool)
      values.push_back(reader.boolean() ? 1 : 0);
    else if (reader.kind() == PullKind::kNull) {
      reader.null();
      values.push_back(std::numeric_limits<double>::quiet_NaN());
    } else
      values.push_back(reader.number());
  };
  std::optional<std::size_t> leaf_depth;
  const auto visit = [&] {  // a value within the innermost open list
    if (reader.kind() == PullKind::kArray) {
      if (leaf_depth && counts.size() >= *leaf_depth) ragged();
      if (counts.size() >= kTensorDimensionsMax)
        refuse("input `" + tensor.name + "` nests deeper than " +
               std::to_string(kTensorDimensionsMax) + " levels");
      reader.enter_array();
      counts.push_back(0);
      return;
    }
    if (reader.kind() == PullKind::kObject) ragged();
    if (!leaf_depth) leaf_depth = counts.size();
    if (*leaf_depth != counts.size()) ragged();
    scalar();
  };
  visit();
  while (!counts.empty()) {
    if (reader.next_element()) {
      ++counts.back();
      visit();
      continue;
    }
    const std::size_t level = counts.size() - 1;
    if (shape.size() <= level) shape.resize(level + 1, -1);
    if (shape[level] >= 0 && shape[level] != counts.back()) ragged();
    shape[level] = counts.back();
    counts.pop_back();
  }
  tensor.shape = shape;
  tensor.type = texts.value_or(false) ? DataType::kBytes : DataType::kFp64;
  if (tensor.type == DataType::kFp64) {
    tensor.bytes.resize(values.size() * sizeof(double));
    if (!values.empty()) std::memcpy(tensor.bytes.data(), values.data(), tensor.bytes.size());
  }
  if (static_cast<std::size_t>(element_count(tensor.name, tensor.shape)) !=
      values.size() + tensor.texts.size())
    ragged();
  return tensor;
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

Frame read_csv_frame(std::string_view text) {
  Frame frame;
  std::size_t at = 0;
  const auto read_line = [&](std::vector<std::pair<std::string, bool>>& cells) {
    cells.clear();
    while (true) {
      std::string cell;
      const bool quoted = at < text.size() && text[at] == '"';
      if (quoted) {
        ++at;
        while (true) {
          if (at >= text.size()) refuse("the CSV ends within a quoted cell");
          if (text[at] != '"')
            cell.push_back(text[at++]);
          else if (at + 1 < text.size() && text[at + 1] == '"') {
            cell.push_back('"');
            at += 2;
          } else {
            ++at;
            break;
          }
        }
        if (at < text.size() && text[at] != ',' && text[at] != '\n' && text[at] != '\r')
          refuse("text follows a quoted CSV cell");
      } else {
        while (at < text.size() && text[at] != ',' && text[at] != '\n' && text[at] != '\r')
          cell.push_back(text[at++]);
      }
      cells.emplace_back(std::move(cell), quoted);
      if (cells.size() > kFrameColumnsMax)
        refuse("the CSV has more than " + std::to_string(kFrameColumnsMax) + " columns");
      if (at < text.size() && text[at] == ',') {
        ++at;
        continue;
      }
      if (at < text.size() && text[at] == '\r') ++at;
      if (at < text.size() && text[at] == '\n') ++at;
      return;
    }
  };
  std::vector<std::pair<std::string, bool>> cells;
  if (text.empty()) refuse("the CSV is empty; its first line names the columns");
  read_line(cells);
  for (auto& [name, quoted] : cells) frame.columns.push_back(std::move(name));
  while (at < text.size()) {
    read_line(cells);
    if (cells.size() == 1 && cells[0].first.empty() && frame.columns.size() > 1)
      continue;  // a blank line
    if (cells.size() != frame.columns.size()) {
      refuse("row " + std::to_string(frame.rows.size()) + " of the CSV has " +
             std::to_string(cells.size()) + " cells, expected " +
             std::to_string(frame.columns.size()));
    }
    std::vector<Frame::Cell> row;
    for (auto& [cell, quoted] : cells) {
      std::int64_t integer = 0;
      double number = 0;
      const char* const end = cell.data() + cell.size();
      if (cell.empty() && !quoted)
        row.emplace_back();
      else if (const auto i = std::from_chars(cell.data(), end, integer);
               !quoted && i.ec == std::errc{} && i.ptr == end)
        row.emplace_back(integer);
      else if (const auto d = std::from_chars(cell.data(), end, number);
               !quoted && d.ec == std::errc{} && d.ptr == end)
        row.emplace_back(number);
      else if (!quoted && (cell == "True" || cell == "False"))
        row.emplace_back(cell == "True");
      else
        row.emplace_back(std::move(cell));
    }
    frame.rows.push_back(std::move(row));
    check_cells(frame, frame.columns.size());
  }
  return frame;
}

}  // namespace slipway::serving
