// SPDX-License-Identifier: Apache-2.0
#include "automation/wiring.h"

#include "monitoring/export.h"
#include "monitoring/monitor.h"

namespace slipway::automation {

Deps wire(const Parts& parts) {
  serving::PredictionLog& log = parts.log;
  serving::Manager& manager = parts.manager;
  storage::Database& database = parts.database;
  const tracking::ArtifactStore& artifacts = parts.artifacts;
  Deps deps{
      .database = parts.database,
      .clock = parts.clock,
      .processes = parts.processes,
      .places = parts.places,
      .watermark = [&log](const std::string& endpoint) { return log.watermark(endpoint); },
      .first_event_time = [&log](
                              const std::string& endpoint,
                              std::int64_t from) { return log.first_event_time(endpoint, from); },
      .log_position = [&log] { return log.end_position(); },
      .synced_log_position = [&log] { return log.synced_position(); },
      .counters = [&log](const std::string& rollout,
                         int step) { return log.counters(rollout, step); },
      .baseline = [&log](const std::string& endpoint,
                         std::int64_t version) { return log.baseline(endpoint, version); },
      .flush_log = [&log] { log.flush(); },
      .retain_log = [&log](const std::string& holder,
                           std::int64_t position) { log.retain_from(holder, position); },
      .refresh_serving =
          [&manager](const std::string& endpoint) { return manager.refresh_now(endpoint); },
      .follow_labels = parts.follow_labels,
      .export_labelled =
          [&database, &log, &artifacts](const std::string& monitor,
                                        const monitoring::ExportOptions& options,
                                        const std::function<void(std::string_view)>& write) {
            return monitoring::export_labelled(database, log, artifacts, monitor, options, write);
          },
      .evaluate_gate = parts.evaluate_gate,
      .requests_per_day = requests_per_day};
  return deps;
}

InvariantFacts invariant_facts(const serving::PredictionLog& log) {
  InvariantFacts facts;
  facts.recount =
      [&log](
          const serving::RolloutRow& rollout) -> std::optional<std::vector<serving::StepCounters>> {
    if (log.first_position() > rollout.log_position) {
      return std::nullopt;
    }
    return serving::recount(log, rollout.id, rollout.log_position, rollout.steps.size());
  };
  return facts;
}

std::optional<double> requests_per_day(storage::Session& session, const std::string& endpoint) {
  for (const monitoring::Monitor& monitor : monitoring::list_monitors(session)) {
    if (monitor.spec.endpoint != endpoint || monitor.spec.block == monitoring::Block::kNone) {
      continue;
    }
    std::int64_t predictions = 0;
    TimeUs covered = 0;
    for (const monitoring::BlockRow& block :
         monitoring::list_blocks(session, monitor.name, kTrafficBlocks)) {
      if (block.closed) {
        predictions += block.predictions;
        covered += block.end - block.start;
      }
    }
    if (covered > 0 && predictions > 0) {
      return static_cast<double>(predictions) * static_cast<double>(kMicrosPerDay) /
             static_cast<double>(covered);
    }
  }
  return std::nullopt;
}

}  // namespace slipway::automation
