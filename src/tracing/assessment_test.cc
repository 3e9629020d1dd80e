// SPDX-License-Identifier: Apache-2.0
#include "tracing/assessment_table.h"
#include "tracing/testing.h"

namespace slipway::tracing {
namespace {

class Assessments : public TracingTest {
 protected:
  void SetUp() override { start(make_info("tr-1")); }
  static Assessment make(json::Value value) {
    Assessment assessment;
    assessment.trace_id = "tr-1";
    assessment.name = "f";
    assessment.value = std::move(value);
    assessment.source_type = "HUMAN";
    return assessment;
  }
  Assessment create(const Assessment& assessment) {
    return database_.write_returning<Assessment>([&](storage::Transaction& transaction) {
      return create_assessment(transaction, assessment, kNowMs);
    });
  }
  Assessment load(std::string_view id) {
    return read<Assessment>(
        [&](storage::Session& session) { return get_assessment(session, "tr-1", id); });
  }
  Assessment update(std::string_view id, const AssessmentChange& change) {
    return database_.write_returning<Assessment>([&](storage::Transaction& transaction) {
      return update_assessment(transaction, "tr-1", id, change, kNowMs + 5);
    });
  }
};

TEST_F(Assessments, KeepWhatWasGiven) {
  Assessment given = make(json::Object{{"a", 1.0}, {"b", "é"}});
  given.source_id = "me";
  given.span_id = "s";
  given.rationale = "why";
  given.error = AssessmentError{"E", "m", std::nullopt};
  given.metadata = {{"z", "1"}, {"mlflow.assessment.sourceRunId", "r"}};
  const Assessment stored = create(given);
  EXPECT_TRUE(stored.assessment_id.starts_with("a-"));
  EXPECT_EQ(stored.assessment_id.size(), 34U);
  EXPECT_EQ(stored.value, given.value);
  EXPECT_EQ(stored.error, given.error);
  EXPECT_EQ(stored.metadata, given.metadata);
  EXPECT_EQ(stored.run_id, "r");
  EXPECT_EQ(stored.created_at_ms, kNowMs);
  EXPECT_TRUE(stored.valid);
  EXPECT_EQ(stored, load(stored.assessment_id));
  EXPECT_EQ(load_trace("tr-1").assessments, std::vector<Assessment>{stored});
}

TEST_F(Assessments, AnOverrideTakesTheOthersPlaceUntilItIsDeleted) {
  const Assessment first = create(make(true));
  Assessment second = make(false);
  second.overrides = first.assessment_id;
  const Assessment stored = create(second);
  EXPECT_FALSE(load(first.assessment_id).valid);
  write([&](storage::Transaction& transaction) {
    delete_assessment(transaction, "tr-1", stored.assessment_id);
    delete_assessment(transaction, "tr-1", stored.assessment_id);
    delete_assessment(transaction, "tr-none", "a-none");
  });
  EXPECT_TRUE(load(first.assessment_id).valid);
  second.overrides = "a-none";
  EXPECT_EQ(refusal_of([&] { create(second); }),
            "not_found: Assessment with ID 'a-none' not found for trace 'tr-1'");
}

TEST_F(Assessments, ChangeAndKeepTheRest) {
  Assessment given = make(true);
  given.metadata = {{"k", "v"}};
  const std::string id = create(given).assessment_id;
  AssessmentChange change;
  change.name = "g";
  change.feedback = json::Value("no");
  change.rationale = "because";
  change.metadata = {{"k", "w"}, {"m", "n"}};
  const Assessment changed = update(id, change);
  EXPECT_EQ(changed.name, "g");
  EXPECT_EQ(changed.value, json::Value("no"));
  EXPECT_EQ(changed.metadata, (tracking::Pairs{{"k", "w"}, {"m", "n"}}));
  EXPECT_EQ(changed.created_at_ms, kNowMs);
  EXPECT_EQ(changed.updated_at_ms, kNowMs + 5);
  EXPECT_EQ(changed, load(id));
  AssessmentChange wrong;
  wrong.expectation = json::Value(1);
  EXPECT_EQ(refusal_of([&] { update(id, wrong); }),
            "invalid_argument: Cannot update expectation value on a Feedback assessment.");
  wrong.feedback = json::Value(1);
  EXPECT_EQ(refusal_of([&] { update(id, wrong); }),
            "invalid_argument: Cannot specify both `expectation` and `feedback` parameters.");
}

TEST_F(Assessments, Refuse) {
  Assessment given = make(1);
  given.trace_id = "tr-none";
  EXPECT_EQ(refusal_of([&] { create(given); }), "not_found: Trace with ID 'tr-none' not found.");
  EXPECT_EQ(refusal_of([&] { load("a-none"); }),
            "not_found: Assessment with ID 'a-none' not found for trace 'tr-1'");
  given = make(1);
  given.name = std::string(250, 'n');
  create(given);
  given.name += 'n';
  EXPECT_EQ(refusal_of([&] { create(given); }),
            "invalid_argument: 'Assessment name' exceeds the maximum length of 250 characters");
  given = make(1);
  given.assessment_id = "a-mine";
  create(given);
  EXPECT_EQ(refusal_of([&] { create(given); }),
            "already_exists: Assessment with ID 'a-mine' already exists.");
}

TEST(AssessmentNumber, IsWhatSumsTake) {
  EXPECT_EQ(assessment_number(0.5), 0.5);
  EXPECT_EQ(assessment_number(3), 3.0);
  EXPECT_EQ(assessment_number(true), 1.0);
  EXPECT_EQ(assessment_number(" Yes "), 1.0);
  EXPECT_EQ(assessment_number("no"), 0.0);
  EXPECT_EQ(assessment_number("maybe"), std::nullopt);
  EXPECT_EQ(assessment_number(nullptr), std::nullopt);
  EXPECT_EQ(assessment_number(json::Array{1}), std::nullopt);
}

}  // namespace
}  // namespace slipway::tracing
