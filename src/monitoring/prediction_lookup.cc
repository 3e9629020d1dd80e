// SPDX-License-Identifier: Apache-2.0
#include "monitoring/prediction_lookup.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

namespace slipway::monitoring {
namespace {

// Up to that many records are read in vain rather than looking up the next one by itself.
constexpr std::int64_t kGapMax = 256;
// Numbers are taken before records are written, so neighbours may have changed places by that much.
constexpr std::int64_t kDisorder = 1'024;
constexpr std::int64_t kPage = 1'000;

// Fewer are looked up one by one.
constexpr std::size_t kWalkMin = 32;

using Key = std::pair<std::uint32_t, std::int64_t>;
using Found = std::map<Key, std::pair<PredictionPlace, std::int64_t>>;  // place and rows

Key key_of(const serving::PredictionId& id) { return {id.writer, id.seq}; }

void note(Found& wanted, const serving::PredictionRecord& record) {
  const auto found = wanted.find(key_of(record.id));
  if (found == wanted.end()) return;
  found->second = {{record.position, record.event_time, record.endpoint}, record.rows};
}

// One walk from the smallest number's record to the greatest one's, where that is not much longer
// than the batch.
void walk(serving::PredictionLog& log, Found& wanted) {
  const auto place_of = [&](const Key& key) {
    const auto record = log.find({key.first, key.second});
    if (record) note(wanted, *record);
    return record ? record->position : std::int64_t{0};
  };
  const std::int64_t first = place_of(wanted.begin()->first);
  const std::int64_t last = place_of(wanted.rbegin()->first);
  if (first == 0 || last == 0) return;
  const std::int64_t from = std::max<std::int64_t>(1, std::min(first, last) - kDisorder);
  const std::int64_t to = std::max(first, last) + kDisorder;
  if (to - from > 8 * static_cast<std::int64_t>(wanted.size()) + 4 * kDisorder) return;
  log.each(from, std::min(to, log.synced_position()), false,
           [&](const serving::PredictionRecord& record) {
             note(wanted, record);
             return true;
           });
}

}  // namespace

std::vector<PredictionPlace> find_predictions(serving::PredictionLog& log,
                                              const std::vector<std::string>& ids) {
  std::vector<std::optional<serving::PredictionRow>> rows;
  Found wanted;
  for (const std::string& id : ids) {
    rows.push_back(serving::parse_prediction_row(id));
    if (rows.back()) wanted[key_of(rows.back()->id)] = {};
  }
  if (!wanted.empty()) {
    if (log.synced_position() < log.end_position()) log.flush();
    if (wanted.size() >= kWalkMin) walk(log, wanted);
    for (auto& [key, place] : wanted) {  // what the walk left
      if (place.first.position != 0) continue;
      if (const auto record = log.find({key.first, key.second})) note(wanted, *record);
    }
  }
  std::vector<PredictionPlace> places;
  for (const auto& row : rows) {
    PredictionPlace place;
    if (row) {
      const auto& [found, row_count] = wanted[key_of(row->id)];
      if (row->row >= 0 && row->row < row_count) place = found;
    }
    places.push_back(std::move(place));
  }
  return places;
}

void visit_positions(const serving::PredictionLog& log, const std::vector<std::int64_t>& positions,
                     const std::function<void(const serving::PredictionRecord&)>& visit) {
  for (std::size_t i = 0; i < positions.size();) {
    std::size_t last = i;
    while (last + 1 < positions.size() && positions[last + 1] - positions[last] <= kGapMax) ++last;
    std::size_t next = i;
    std::int64_t from = positions[i];
    while (next <= last && from <= positions[last]) {
      const std::int64_t most = std::min(positions[last] - from + 1, kPage);
      const auto records = log.read_from(from, most);
      for (const serving::PredictionRecord& record : records) {
        while (next <= last && positions[next] < record.position) ++next;
        if (next <= last && positions[next] == record.position) visit(record);
      }
      if (records.empty()) break;
      from = records.back().position + 1;
    }
    i = last + 1;
  }
}

}  // namespace slipway::monitoring
