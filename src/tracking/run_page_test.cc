// SPDX-License-Identifier: Apache-2.0
#include "tracking/run_page.h"

#include <cmath>

#include "tracking/dataset_input.h"
#include "tracking/testing.h"

namespace slipway::tracking {
namespace {

class RunPage : public TrackingTest {
 protected:
  static std::string described(const tracking::Run& run) {
    std::string text = run.info.id + " " + run.info.name;
    for (const LatestMetric& m : run.metrics) {
      text += " " + m.key + "=" + std::to_string(m.value) + "@" + std::to_string(m.time_ms) + "/" +
              std::to_string(m.step);
    }
    for (const auto& [key, value] : run.params) text += " p:" + key + "=" + value;
    for (const auto& [key, value] : run.tags) text += " t:" + key + "=" + value;
    for (const DatasetInput& d : run.datasets) {
      text += " d:" + d.name + "/" + d.digest + "/" + d.source_type + "/" + d.source + "/" +
              d.schema + "/" + d.profile;
      for (const auto& [key, value] : d.tags) text += "," + key + "=" + value;
    }
    for (const std::string& model : run.model_inputs) text += " in:" + model;
    for (const ModelOutput& model : run.model_outputs)
      text += " out:" + model.model_id + "@" + std::to_string(model.step);
    return text;
  }
};

// More runs than one statement takes, in an order that is not the table's.
TEST_F(RunPage, HoldsWhatRunsHoldOneByOne) {
  std::vector<RunInfo> infos;
  for (int i = 0; i < 412; ++i) {
    infos.push_back(make_run("r" + std::to_string(i), i));
    if (i % 3 == 0) log(infos.back(), "m", {{1, 2, i % 2 == 0 ? std::nan("") : .5}, {0, 1, 7}});
    if (i % 4 == 0) log_pairs(infos.back(), {{"b", "1"}, {"a", std::to_string(i)}}, {{"t", "ü"}});
    if (i % 50 == 0) {
      write([&](storage::Transaction& tx) {
        log_inputs(tx, infos.back().id,
                   {{"z", "1", "local", "file", "schema", "profile", {{"k", "v"}, {"c", "d"}}},
                    {"a", "2", "http", "url", "", "", {}}},
                   {"m-2", "m-1"});
        log_outputs(tx, infos.back().id, {{"m-3", 4}});
      });
    }
  }
  std::vector<std::int64_t> keys;
  std::string expected;
  for (std::size_t i = 0; i < infos.size(); ++i) {
    const RunInfo& info = infos[i * 7 % infos.size()];
    keys.push_back(info.key);
    expected += described(load(info)) + "\n";
  }
  std::string found;
  database_.read([&](storage::Session& session) {
    load_runs(session, keys, [&](const tracking::Run& run) {
      found += described(run) + "\n";
      return true;
    });
  });
  EXPECT_EQ(found, expected);
  EXPECT_NE(found.find(" d:z/1/local/file/schema/profile,c=d,k=v d:a/2/http/url// in:m-1 in:m-2 "
                       "out:m-3@4"),
            std::string::npos);
}

TEST_F(RunPage, EndsWhenItIsTold) {
  std::vector<std::int64_t> keys;
  for (int i = 0; i < 5; ++i) keys.push_back(make_run().key);
  std::vector<std::int64_t> seen;
  database_.read([&](storage::Session& session) {
    load_runs(session, keys, [&](const tracking::Run& run) {
      seen.push_back(run.info.key);
      return seen.size() < 3;
    });
  });
  EXPECT_EQ(seen, std::vector<std::int64_t>(keys.begin(), keys.begin() + 3));
}

TEST_F(RunPage, AMissingRunIsDamage) {
  const RunInfo info = make_run();
  EXPECT_EQ(refusal_of([&] {
              database_.read([&](storage::Session& session) {
                load_runs(session, std::vector<std::int64_t>{info.key, info.key + 1},
                          [](const tracking::Run&) { return true; });
              });
            }),
            "data_loss: run 2 is missing from the store");
}

}  // namespace
}  // namespace slipway::tracking
