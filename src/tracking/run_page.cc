// SPDX-License-Identifier: Apache-2.0
#include "tracking/run_page.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "tracking/search_sql.h"

namespace slipway::tracking {
namespace {

constexpr std::size_t kBlockRuns = 200;

class RunBlock {
 public:
  RunBlock(storage::Session& session, std::span<const std::int64_t> keys)
      : session_(session), keys_(keys), runs_(keys.size()) {
    for (std::size_t i = 0; i < keys.size(); ++i) places_.emplace(keys[i], i);
  }

  const std::vector<Run>& load() {
    each_block(keys_, [&](const std::string& list, const BindBlock& bind) {
      load_rows(list, bind);
      load_metrics(list, bind);
      load_pairs("param", &Run::params, list, bind);
      load_pairs("tag", &Run::tags, list, bind);
      load_datasets(list, bind);
      load_models(list, bind);
    });
    return runs_;
  }

 private:
  Run& run(const storage::Statement& row) { return runs_[places_.at(row.int64(0))]; }

  void load_rows(const std::string& list, const BindBlock& bind) {
    auto rows = session_.prepare("SELECT " + std::string(run_columns()) +
                                 " FROM run r WHERE r.id IN " + list);
    for (bind(rows); rows.step();) run(rows).info = read_run_row(rows);
  }

  void load_metrics(const std::string& list, const BindBlock& bind) {
    auto rows =
        session_.prepare("SELECT run, key, value, nan, time_ms, step FROM latest WHERE run IN " +
                         list + " ORDER BY run, key");
    for (bind(rows); rows.step();) {
      run(rows).metrics.push_back({rows.text(1), rows.int64(3) != 0 ? std::nan("") : rows.real(2),
                                   rows.int64(4), rows.int64(5)});
    }
  }

  void load_pairs(const std::string& table, Pairs Run::*pairs, const std::string& list,
                  const BindBlock& bind) {
    auto rows = session_.prepare("SELECT run, key, value FROM " + table + " WHERE run IN " + list +
                                 " ORDER BY run, key");
    for (bind(rows); rows.step();) (run(rows).*pairs).emplace_back(rows.text(1), rows.text(2));
  }

  void load_datasets(const std::string& list, const BindBlock& bind) {
    std::unordered_map<std::int64_t, std::pair<Run*, std::size_t>> inputs;
    {
      auto rows = session_.prepare(
          "SELECT i.run, i.id, d.name, d.digest, d.source_type, d.source, d.schema_json, "
          "d.profile_json FROM dataset_input i JOIN dataset d ON d.id = i.dataset WHERE i.run IN " +
          list + " ORDER BY i.id");
      for (bind(rows); rows.step();) {
        Run& owner = run(rows);
        inputs.emplace(rows.int64(1), std::pair(&owner, owner.datasets.size()));
        owner.datasets.push_back({rows.text(2),
                                  rows.text(3),
                                  rows.text(4),
                                  rows.text(5),
                                  rows.text(6),
                                  rows.text(7),
                                  {}});
      }
    }
    if (inputs.empty()) return;
    auto rows = session_.prepare(
        "SELECT t.input, t.key, t.value FROM dataset_input i JOIN dataset_input_tag t ON t.input = "
        "i.id WHERE i.run IN " +
        list + " ORDER BY t.input, t.key");
    for (bind(rows); rows.step();) {
      const auto& [owner, place] = inputs.at(rows.int64(0));
      owner->datasets[place].tags.emplace_back(rows.text(1), rows.text(2));
    }
  }

  void load_models(const std::string& list, const BindBlock& bind) {
    auto rows = session_.prepare("SELECT run, output, model_id, step FROM run_model WHERE run IN " +
                                 list + " ORDER BY run, output, model_id");
    for (bind(rows); rows.step();) {
      if (rows.int64(1) == 0) {
        run(rows).model_inputs.push_back(rows.text(2));
      } else {
        run(rows).model_outputs.push_back({rows.text(2), rows.int64(3)});
      }
    }
  }

  storage::Session& session_;
  std::span<const std::int64_t> keys_;
  std::vector<Run> runs_;
  std::unordered_map<std::int64_t, std::size_t> places_;
};

}  // namespace

void load_runs(storage::Session& session, std::span<const std::int64_t> keys,
               const std::function<bool(const Run&)>& take) {
  while (!keys.empty()) {
    const auto block = keys.first(std::min(kBlockRuns, keys.size()));
    RunBlock runs(session, block);
    const std::vector<Run>& loaded = runs.load();
    for (std::size_t i = 0; i < block.size(); ++i) {
      if (loaded[i].info.key != block[i]) {
        throw Error(Code::kDataLoss,
                    "run " + std::to_string(block[i]) + " is missing from the store");
      }
      if (!take(loaded[i])) return;
    }
    keys = keys.subspan(block.size());
  }
}

}  // namespace slipway::tracking
