// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tracking/metric_chunk.h"
#include "tracking/run_table.h"

namespace slipway::api::mlflow {

// Writes the long answers straight into text, printed as answer() prints: runs/search can have
// 50,000 runs, a history 25,000 points, and a tree of values in between costs more than reading
// them from the store. Each writer is one answer's own: for one thread.

// {"runs": [...], "next_page_token": "..."}; both are left out when there are none. The text stands
// in memory once, and whoever adds ends the page when bytes() reaches kAnswerBytesMax.
class RunWriter {
 public:
  static constexpr std::size_t kAnswerBytesMax = 64U << 20;

  void add(const tracking::Run& run);
  std::size_t bytes() const { return out_.size(); }
  std::string finish(std::string_view next_page_token) &&;

 private:
  std::string out_;
};

// {"metrics": [...], "next_page_token": "..."} of points that are added one by one.
class PointWriter {
 public:
  // `run_id` "" leaves that field out.
  void add(std::string_view key, const tracking::Point& point, std::string_view run_id);
  std::string finish(std::string_view next_page_token) &&;

 private:
  std::string out_;
};

// {"metrics":[…],"next_page_token":"…"} on one line, in pieces: for histories that are too long to
// stand in memory as a whole.
class PointLine {
 public:
  explicit PointLine(std::string_view key);
  // Appends the next points, the first ones with what comes before them.
  void add(const std::vector<tracking::Point>& points, std::string& out);
  void finish(std::string_view next_page_token, std::string& out);
  std::size_t point_bytes_max() const;

 private:
  std::string head_;  // of each point
  bool started_ = false;
};

}  // namespace slipway::api::mlflow
