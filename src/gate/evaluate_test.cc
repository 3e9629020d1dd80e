// SPDX-License-Identifier: Apache-2.0
#include "gate/evaluate.h"

#include <cmath>
#include <cstdio>
#include <gtest/gtest.h>
#include <map>

#include "ledger/evidence.h"
#include "monitoring/testing.h"
#include "registry/alias.h"
#include "stats/cluster_se.h"

namespace slipway::gate {
namespace {

// A model of one input x [n, 1] and one output p [n, 1].
class FunctionModel final : public serving::LoadedModel {
 public:
  explicit FunctionModel(std::function<float(float)> function) : function_(std::move(function)) {}
  const std::vector<serving::TensorInfo>& inputs() const override { return inputs_; }
  const std::vector<serving::TensorInfo>& outputs() const override { return outputs_; }
  std::vector<serving::Tensor> run(std::span<const serving::Tensor> inputs,
                                   std::span<const std::string>) const override {
    if (!function_) throw Error(Code::kInvalidArgument, "wrong shape");
    std::vector<float> values;
    for (const double x : serving::numbers(inputs[0]))
      values.push_back(function_(static_cast<float>(x)));
    return {serving::floats("p", inputs[0].shape, values)};
  }

 private:
  std::function<float(float)> function_;
  std::vector<serving::TensorInfo> inputs_{{"x", serving::DataType::kFp32, {-1, 1}}};
  std::vector<serving::TensorInfo> outputs_{{"p", serving::DataType::kFp32, {-1, 1}}};
};

class EvaluateTest : public monitoring::MonitoringWorld {
 protected:
  void SetUp() override {
    make_monitor(R"({"endpoint": "late", "bound": 0.6})");
    write_void([&](storage::Transaction& tx) {
      put_gate(tx, "g", json::parse(R"({"model": "late", "monitor": "m"})"));
    });
    models_[1] = [](float x) { return x; };
    models_[2] = [](float x) { return x + 0.2F; };
  }
  // Rows of one day with different inputs, all of them "1".
  void day(int number) {
    for (int i = 0; i < 5; ++i) {
      const float x =
          0.3F + 0.03F * static_cast<float>(i) + 0.005F * static_cast<float>(number % 3);
      const TimeUs time = kDay0 + number * kMicrosPerDay + i;
      label(predict(time, x), "1");
    }
  }
  void days(int count) {
    for (int i = 0; i < count; ++i) day(i);
  }
  Result evaluate_version(std::int64_t challenger) {
    Deps deps{database_, clock_, *log_, [this](const std::string& model, std::int64_t version) {
                const auto found = models_.find(version);
                if (found == models_.end()) {
                  throw Error(Code::kFailedPrecondition, "no .onnx file");
                }
                auto served = std::make_shared<serving::ServedVersion>();
                served->model = model;
                served->version = version;
                served->loaded = std::make_shared<FunctionModel>(found->second);
                return std::shared_ptr<const serving::ServedVersion>(served);
              }};
    deps.rows_max = rows_max_;
    return evaluate(deps, {"g", challenger, "user:a", "", 0});
  }
  std::int64_t rows_max_ = kRowsMax;
  void promote(std::int64_t version) {
    write_void([&](storage::Transaction& tx) {
      registry::AliasChange change;
      change.model = "late";
      change.alias = "champion";
      change.version = version;
      registry::move_alias(tx, clock_, change);
    });
  }
  json::Value evidence_of(const Result& result) {
    return read<json::Value>([&](storage::Session& session) {
      return ledger::find_evidence(session, result.evidence)->body;
    });
  }

  static constexpr TimeUs kDay0 = monitoring::kFirstDay;
  std::map<std::int64_t, std::function<float(float)>> models_;
};

TEST_F(EvaluateTest, MoreRowsThanItMayCompareAreInsufficient) {
  promote(1);
  days(14);
  rows_max_ = 69;  // of 70
  const Result result = evaluate_version(2);
  EXPECT_EQ(result.verdict, Verdict::kInsufficient);
  EXPECT_EQ(result.reason,
            "the labelled days hold more than 69 rows; a gate cannot compare that many");
  EXPECT_EQ(events("gate.evaluated").size(), 1U);
  rows_max_ = 70;
  EXPECT_EQ(evaluate_version(2).rows, 70);
}

TEST_F(EvaluateTest, TheFirstVersionPassesAndSaysThatThereIsNoChampion) {
  const Result result = evaluate_version(1);
  EXPECT_EQ(result.verdict, Verdict::kPass);
  EXPECT_EQ(result.reason, "there is no champion: version 1 is the first");
  EXPECT_EQ(events("promotion.refused").size(), 0U);
  read<int>([&](storage::Session& session) {
    const auto evidence = ledger::latest_evidence(session, "gate", "gate/g/late/1/vs/none");
    EXPECT_EQ(evidence->hash, result.evidence);
    EXPECT_EQ(evidence->body.find("verdict")->as_string(), "pass");
    EXPECT_TRUE(evidence->body.find("champion")->is_null());
    return 0;
  });
}

TEST_F(EvaluateTest, ABetterChallengerPassesWithNumbersThatRecompute) {
  promote(1);
  days(14);
  const Result result = evaluate_version(2);
  ASSERT_EQ(result.verdict, Verdict::kPass) << result.reason;
  EXPECT_EQ(result.rows, 70);
  EXPECT_EQ(result.from, kDay0);
  EXPECT_EQ(result.to, kDay0 + 13 * kMicrosPerDay + 4);
  const Check& check = result.checks[0];
  ASSERT_EQ(check.clusters.size(), 14U);

  // Per row, by hand.
  std::vector<double> x;
  std::vector<std::int64_t> cluster;
  for (int d = 0; d < 14; ++d) {
    for (int i = 0; i < 5; ++i) {
      const float p = 0.3F + 0.03F * static_cast<float>(i) + 0.005F * static_cast<float>(d % 3);
      x.push_back(-std::log(static_cast<double>(p)) + std::log(static_cast<double>(p + 0.2F)));
      cluster.push_back(d);
    }
  }
  const stats::ClusterSe by_hand =
      stats::cluster_se(x, cluster, 0.95, stats::Alternative::kGreater);
  EXPECT_NEAR(check.estimate, by_hand.mean, 1e-12);
  EXPECT_NEAR(check.se, by_hand.se_cluster, 1e-12);
  EXPECT_NEAR(check.p, by_hand.p, 1e-12);
  EXPECT_NEAR(check.champion_loss - check.challenger_loss, check.estimate, 1e-12);

  // From the evidence alone: each day's mean as often as it has rows.
  const json::Value body = evidence_of(result);
  std::vector<double> means;
  std::vector<std::int64_t> days_of;
  const json::Value& stored = body.find("checks")->as_array()[0];
  for (const json::Value& sums : stored.find("clusters")->as_array()) {
    for (std::int64_t i = 0; i < sums.find("n")->as_int(); ++i) {
      means.push_back(sums.find("mean")->as_double());
      days_of.push_back(*parse_time(sums.find("day")->as_string()));
    }
  }
  const stats::ClusterSe again =
      stats::cluster_se(means, days_of, 0.95, stats::Alternative::kGreater);
  EXPECT_NEAR(stored.find("estimate")->as_double(), again.mean, 1e-12);
  EXPECT_NEAR(stored.find("p")->as_double(), again.p, 1e-9);
  EXPECT_EQ(body.find("challenger")->find("version")->as_int(), 2);
  EXPECT_EQ(body.find("rows_hash")->as_string().size(), 64U);
  EXPECT_EQ(result.reason.rfind("version 2 against version 1: ", 0), 0U);

  const auto events_found = events("gate.evaluated");
  ASSERT_EQ(events_found.size(), 1U);
  EXPECT_EQ(events_found[0].subject, "gate:g");
  EXPECT_EQ(events_found[0].event_time, result.to);
  EXPECT_EQ(events_found[0].evidence, std::vector<std::string>{result.evidence});
  EXPECT_EQ(events_found[0].body.find("days")->as_int(), 14);
}

TEST_F(EvaluateTest, AnotherSpecNeedsAnotherEvaluation) {
  write_void(
      [](storage::Transaction& tx) { registry::set_alias_rule(tx, "late", "champion", "g"); });
  evaluate_version(1);
  const auto put = [&](const char* spec) {
    write_void([&](storage::Transaction& tx) { put_gate(tx, "g", json::parse(spec)); });
  };
  put(R"({"model": "late", "monitor": "m", "alpha": 0.01})");
  EXPECT_THROW(promote(1), Error);
  put(R"({"model": "late", "monitor": "m"})");  // back again: the same document comes out
  EXPECT_THROW(promote(1), Error);
  evaluate_version(1);
  put(R"({"model": "late", "monitor": "m", "alpha": 0.05})");  // the same, said otherwise
  promote(1);
}

TEST_F(EvaluateTest, TheEvidenceOpensTheRuledAlias) {
  write_void(
      [](storage::Transaction& tx) { registry::set_alias_rule(tx, "late", "champion", "g"); });
  EXPECT_THROW(promote(1), Error);
  evaluate_version(1);
  promote(1);
  days(14);
  EXPECT_THROW(promote(2), Error);
  evaluate_version(2);
  promote(2);
  EXPECT_EQ(
      refusal([](storage::Transaction& tx) { delete_gate(tx, "g"); }),
      "failed_precondition: gate `g` guards alias `champion` of model `late`; remove that rule "
      "first");
}

TEST_F(EvaluateTest, AWorseChallengerFailsAndTheRefusalIsRecorded) {
  promote(1);
  days(14);
  models_[2] = [](float x) { return x - 0.1F; };
  const Result result = evaluate_version(2);
  EXPECT_EQ(result.verdict, Verdict::kFail);
  EXPECT_LT(result.checks[0].estimate, 0);
  EXPECT_GT(result.checks[0].p, 0.9);
  // The interval speaks of the same direction as the words before it.
  double loss = 0;
  double lo = 0;
  double hi = 0;
  ASSERT_EQ(std::sscanf(result.reason.c_str(),
                        "version 2 against version 1: %lf higher loss (95 %% interval %lf to %lf",
                        &loss, &lo, &hi),
            3)
      << result.reason;
  EXPECT_LE(lo, loss);
  EXPECT_LE(loss, hi);
  const auto refused = events("promotion.refused");
  ASSERT_EQ(refused.size(), 1U);
  EXPECT_EQ(refused[0].subject, "model:late");
  EXPECT_EQ(refused[0].cause, result.event_id);
  EXPECT_EQ(refused[0].body.find("by")->as_string(), "gate");
  EXPECT_EQ(refused[0].body.find("reason")->as_string(), result.reason);
}

TEST_F(EvaluateTest, FewerThanFourteenDaysAreInsufficient) {
  promote(1);
  days(13);
  const Result result = evaluate_version(2);
  EXPECT_EQ(result.verdict, Verdict::kInsufficient);
  EXPECT_EQ(result.reason, "13 labelled days, 14 are needed");
}

TEST_F(EvaluateTest, OnlyTheNewestDaysAreCompared) {
  promote(1);
  days(20);
  const Result result = evaluate_version(2);
  EXPECT_EQ(result.checks[0].clusters.size(), 14U);
  EXPECT_EQ(result.from, kDay0 + 6 * kMicrosPerDay);
}

TEST_F(EvaluateTest, TheSameAnswersAreNoDifference) {
  promote(1);
  days(14);
  models_[2] = models_[1];
  const Result result = evaluate_version(2);
  EXPECT_EQ(result.verdict, Verdict::kInsufficient);
  EXPECT_EQ(result.reason.rfind("no difference", 0), 0U) << result.reason;
}

TEST_F(EvaluateTest, AnswersThatAreMissingLoseTheMost) {
  promote(1);
  days(14);
  models_[2] = [](float x) { return x > 0.4F ? std::nanf("") : 0.99F; };
  const Result result = evaluate_version(2);
  const json::Value body = evidence_of(result);
  EXPECT_GT(body.find("challenger_missing")->as_int(), 0);
  EXPECT_EQ(body.find("champion_missing")->as_int(), 0);
  EXPECT_EQ(result.rows, 70);
  models_[2] = nullptr;
  EXPECT_EQ(evaluate_version(2).verdict, Verdict::kFail);
}

TEST_F(EvaluateTest, AnUnservableChallengerFails) {
  models_.erase(2);
  const Result result = evaluate_version(2);
  EXPECT_EQ(result.verdict, Verdict::kFail);
  EXPECT_EQ(result.reason, "version 2 cannot be served: no .onnx file");
}

TEST_F(EvaluateTest, TheSameLogGivesTheSameRowsHash) {
  promote(1);
  days(14);
  const std::string first = evidence_of(evaluate_version(2)).find("rows_hash")->as_string();
  EXPECT_EQ(evidence_of(evaluate_version(2)).find("rows_hash")->as_string(), first);
  day(14);
  EXPECT_NE(evidence_of(evaluate_version(2)).find("rows_hash")->as_string(), first);
}

TEST_F(EvaluateTest, WhatIsUnknownIsNamed) {
  EXPECT_THROW(evaluate_version(9), Error);
  promote(1);
  try {
    evaluate_version(1);
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kFailedPrecondition);
    EXPECT_STREQ(
        error.what(),
        "version 1 of model `late` holds alias `champion` already; there is nothing to compare");
  }
}

TEST(GateSpecTest, FaultsNameTheKey) {
  const auto fault = [](const std::string& spec) -> std::string {
    try {
      parse_gate_spec(json::parse(spec));
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(fault(R"({"monitor": "m"})"), "Gate spec: `model` is missing");
  EXPECT_EQ(fault(R"({"model": "m"})"), "Gate spec: `monitor` is missing");
  EXPECT_EQ(fault(R"({"model": "m", "monitor": "m", "clusters": 13})"),
            "Gate spec: `clusters` must be a whole number between 14 and 1000");
  EXPECT_EQ(fault(R"({"model": "m", "monitor": "m", "alpha": 0.5})"),
            "Gate spec: `alpha` must be above 0 and below 0.5");
  EXPECT_EQ(fault(R"({"model": "m", "monitor": "m", "method": "t-test"})"),
            "Gate spec: `method` must be one of cluster-se, not t-test");
  EXPECT_EQ(fault(R"({"model": "m", "monitor": "m", "clutser": "day"})"),
            "Gate spec: `clutser` is not a key of it, did you mean `cluster`?");
  EXPECT_EQ(fault(R"({"model": "m", "monitor": "m"})"), "");
}

}  // namespace
}  // namespace slipway::gate
