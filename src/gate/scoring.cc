// SPDX-License-Identifier: Apache-2.0
#include "gate/scoring.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "base/error.h"
#include "base/sha256.h"
#include "gate/evaluate.h"
#include "json/value.h"
#include "monitoring/row_loss.h"

namespace slipway::gate {
namespace {

constexpr std::int64_t kPage = 500;

// The outputs that a version gives now; none when it fails on these inputs.
std::vector<serving::Tensor> answer(const serving::ServedVersion& version,
                                    const serving::PredictionRecord& record) {
  try {
    return serving::score(version, record.inputs);
  } catch (const Error& error) {
    // A request that one version cannot answer is a loss of that version, not of the evaluation.
    if (error.code() != Code::kInvalidArgument && error.code() != Code::kInternal) throw;
    return {};
  }
}

// Scores one record after the other and adds up.
class Scorer {
 public:
  Scorer(const monitoring::LossSpec& loss, const serving::ServedVersion& champion,
         const serving::ServedVersion& challenger, std::int64_t rows_max)
      : loss_(loss), champion_(champion), challenger_(challenger), rows_max_(rows_max) {}

  bool full() const { return scores_.too_many; }

  void add(const serving::PredictionRecord& record,
           const std::vector<std::optional<std::string>>& labels) {
    const bool labelled = std::any_of(labels.begin(), labels.end(),
                                      [](const auto& label) { return label.has_value(); });
    if (!labelled) return;
    if (record.sampled || record.inputs.empty()) {
      scores_.unusable += std::count_if(labels.begin(), labels.end(),
                                        [](const auto& label) { return label.has_value(); });
      return;
    }
    serving::PredictionRecord afresh;
    afresh.rows = record.rows;
    afresh.outputs = answer(champion_, record);
    serving::PredictionRecord other;
    other.rows = record.rows;
    other.outputs = answer(challenger_, record);
    for (std::size_t row = 0; row < labels.size(); ++row) {
      if (labels[row]) add_row(record, static_cast<std::int64_t>(row), *labels[row], afresh, other);
    }
  }

  Scores finish() {
    for (const auto& [day, sums] : clusters_) scores_.clusters.push_back(sums);
    scores_.rows_hash = hash_.finish_hex();
    return std::move(scores_);
  }

 private:
  std::optional<double> loss(const serving::PredictionRecord& answered, std::int64_t row,
                             const std::string& label) const {
    const auto output = monitoring::find_row_output(answered, row, loss_);
    if (!output) return std::nullopt;
    return monitoring::loss_of(loss_, output->value, output->predicted, label);
  }

  void add_row(const serving::PredictionRecord& record, std::int64_t row, const std::string& label,
               const serving::PredictionRecord& champion,
               const serving::PredictionRecord& challenger) {
    if (!monitoring::loss_of(loss_, 0.5, "0", label)) {
      ++scores_.unusable;
      return;
    }
    const double most = monitoring::loss_scale(loss_);
    const std::optional<double> a = loss(champion, row, label);
    const std::optional<double> b = loss(challenger, row, label);
    if (!a) ++scores_.champion_missing;
    if (!b) ++scores_.challenger_missing;
    const double champion_loss = a.value_or(most);
    const double challenger_loss = b.value_or(most);
    if (static_cast<std::int64_t>(scores_.difference.size()) == rows_max_) {
      scores_.too_many = true;
      return;
    }
    const double difference = champion_loss - challenger_loss;
    const std::int64_t day = record.event_time / kMicrosPerDay;
    scores_.difference.push_back(difference);
    scores_.day.push_back(day);
    ClusterSums& sums = clusters_[day];
    sums.day = day;
    ++sums.n;
    sums.sum += difference;
    sums.sum_squares += difference * difference;
    sums.champion_sum += champion_loss;
    sums.challenger_sum += challenger_loss;
    if (scores_.from == 0 || record.event_time < scores_.from) scores_.from = record.event_time;
    scores_.to = std::max(scores_.to, record.event_time);
    std::string line = serving::to_text(record.id);
    line += '/';
    line += std::to_string(row);
    line += ',';
    line += label;
    line += ',';
    json::append_number(line, champion_loss);
    line += ',';
    json::append_number(line, challenger_loss);
    line += '\n';
    hash_.update(line);
  }

  const monitoring::LossSpec& loss_;
  const serving::ServedVersion& champion_;
  const serving::ServedVersion& challenger_;
  const std::int64_t rows_max_;
  Scores scores_;
  Sha256 hash_;
  std::map<std::int64_t, ClusterSums> clusters_;
};

}  // namespace

Scores score_days(storage::Database& database, serving::PredictionLog& log,
                  const std::string& endpoint, const monitoring::LossSpec& loss,
                  const std::vector<monitoring::LabelledDay>& days, std::int64_t seq_max,
                  const serving::ServedVersion& champion, const serving::ServedVersion& challenger,
                  std::int64_t rows_max) {
  Scorer scorer(loss, champion, challenger, rows_max);
  std::set<std::int64_t> wanted;
  std::int64_t from = INT64_MAX;
  std::int64_t last = 0;
  for (const monitoring::LabelledDay& day : days) {
    wanted.insert(day.day);
    from = std::min(from, day.first_position);
    last = std::max(last, day.last_position);
  }
  while (from <= last && !scorer.full()) {
    const std::vector<serving::PredictionRecord> records = log.read_from(from, kPage);
    if (records.empty()) break;
    for (const serving::PredictionRecord& record : records) {
      if (record.position > last || record.endpoint != endpoint || record.direct ||
          wanted.count(record.event_time / kMicrosPerDay) == 0) {
        continue;
      }
      std::vector<std::optional<std::string>> labels(static_cast<std::size_t>(record.rows));
      database.read([&](storage::Session& session) {
        for (std::size_t row = 0; row < labels.size(); ++row) {
          const std::string id = serving::to_text(record.id) + "/" + std::to_string(row);
          const auto label = monitoring::label_known_at(session, id, INT64_MAX, seq_max);
          if (label) labels[row] = label->value;
        }
      });
      scorer.add(record, labels);
    }
    from = records.back().position + 1;
  }
  return scorer.finish();
}

}  // namespace slipway::gate
