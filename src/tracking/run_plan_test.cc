// SPDX-License-Identifier: Apache-2.0
#include "tracking/run_plan.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <random>

#include "base/id.h"
#include "json/value.h"
#include "tracking/dataset_input.h"
#include "tracking/run_search.h"
#include "tracking/search_token.h"
#include "tracking/testing.h"

namespace slipway::tracking {
namespace {

// Searches over random stores against an evaluator that knows nothing of SQL: it looks at every
// run. Whatever way the planner takes, or is made to take, pages must hold the same runs in the
// same order.

// --- the evaluator

bool matches_like(std::string_view text, std::string_view pattern) {
  if (pattern.empty()) return text.empty();
  if (pattern.front() == '%') {
    for (std::size_t i = 0; i <= text.size(); ++i) {
      if (matches_like(text.substr(i), pattern.substr(1))) return true;
    }
    return false;
  }
  if (text.empty()) return false;
  if (pattern.front() == '_') {
    std::size_t length = 1;
    while (length < text.size() && (static_cast<unsigned char>(text[length]) & 0xC0U) == 0x80U)
      ++length;
    return matches_like(text.substr(length), pattern.substr(1));
  }
  return text.front() == pattern.front() && matches_like(text.substr(1), pattern.substr(1));
}

std::string lower_ascii(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

bool meets_text(const std::optional<std::string>& value, const Comparison& c) {
  if (c.op == Operator::kIsNull) return !value;
  if (!value) return false;
  if (c.op == Operator::kIsNotNull) return true;
  const auto listed = std::find(c.texts.begin(), c.texts.end(), *value) != c.texts.end();
  switch (c.op) {
    case Operator::kEqual:
    case Operator::kIn: return listed;
    case Operator::kNotEqual:
    case Operator::kNotIn: return !listed;
    case Operator::kLike: return matches_like(*value, c.texts.front());
    case Operator::kIlike: return matches_like(lower_ascii(*value), lower_ascii(c.texts.front()));
    default: return false;
  }
}

bool meets_number(std::optional<double> value, const Comparison& c) {
  if (!value) return false;
  if (std::isnan(*value)) return c.op == Operator::kNotEqual;
  switch (c.op) {
    case Operator::kEqual: return *value == c.number;
    case Operator::kNotEqual: return *value != c.number;
    case Operator::kLess: return *value < c.number;
    case Operator::kLessEqual: return *value <= c.number;
    case Operator::kGreater: return *value > c.number;
    case Operator::kGreaterEqual: return *value >= c.number;
    default: return false;
  }
}

std::optional<std::string> text_of(const Run& run, Entity entity, const std::string& key) {
  if (entity == Entity::kParam || entity == Entity::kTag) {
    const std::string* found = entity == Entity::kParam ? run.param(key) : run.tag(key);
    return found == nullptr ? std::nullopt : std::optional(*found);
  }
  if (key == "run_id") return run.info.id;
  if (key == "run_name") return run.info.name;
  if (key == "user_id") return run.info.user_id;
  if (key == "artifact_uri") return run.info.artifact_uri;
  return std::string(status_name(run.info.status));
}

std::optional<double> number_of(const Run& run, Entity entity, const std::string& key) {
  if (entity == Entity::kMetric) {
    for (const LatestMetric& metric : run.metrics) {
      if (metric.key == key) return metric.value;
    }
    return std::nullopt;
  }
  if (key == "start_time") return static_cast<double>(run.info.start_time_ms);
  if (!run.info.end_time_ms) return std::nullopt;
  return static_cast<double>(*run.info.end_time_ms);
}

bool is_numeric(Entity entity, const std::string& key) {
  return entity == Entity::kMetric ||
         (entity == Entity::kAttribute && (key == "start_time" || key == "end_time"));
}

bool meets(const Run& run, const Comparison& c) {
  if (c.entity == Entity::kDataset) {
    return std::any_of(run.datasets.begin(), run.datasets.end(), [&](const DatasetInput& input) {
      if (c.key == "name") return meets_text(input.name, c);
      if (c.key == "digest") return meets_text(input.digest, c);
      return std::any_of(input.tags.begin(), input.tags.end(), [&](const auto& tag) {
        return tag.first == "mlflow.data.context" && meets_text(tag.second, c);
      });
    });
  }
  return is_numeric(c.entity, c.key) ? meets_number(number_of(run, c.entity, c.key), c)
                                     : meets_text(text_of(run, c.entity, c.key), c);
}

// < 0, 0, > 0.
int compare_by(const Run& a, const Run& b, const OrderTerm& term) {
  int sign = 0;
  if (is_numeric(term.entity, term.key)) {
    const auto x = number_of(a, term.entity, term.key);
    const auto y = number_of(b, term.entity, term.key);
    const auto rank = [](std::optional<double> v) { return !v ? 2 : std::isnan(*v) ? 1 : 0; };
    if (rank(x) != rank(y)) return rank(x) - rank(y);
    if (rank(x) != 0) return 0;
    sign = *x < *y ? -1 : *x > *y ? 1 : 0;
  } else {
    const auto x = text_of(a, term.entity, term.key);
    const auto y = text_of(b, term.entity, term.key);
    if (x.has_value() != y.has_value()) return x ? -1 : 1;
    if (!x) return 0;
    sign = x->compare(*y);
  }
  return term.ascending ? sign : -sign;
}

// --- random worlds and searches

constexpr std::array<const char*, 7> kTexts = {"a", "ab", "b", "Über", "über", "日本", "x_%y"};
// Longer than what is indexed, equal up to there.
const std::string kLong = std::string(70, 'l');

class RunPlan : public TrackingTest {
 protected:
  std::uint64_t pick(std::uint64_t n) { return random_() % n; }
  bool chance(std::uint64_t percent) { return pick(100) < percent; }

  std::string text() {
    if (chance(10)) return kLong + kTexts[pick(3)];
    if (chance(5)) return "";
    return kTexts[pick(kTexts.size())];
  }

  double number() {
    constexpr std::array<double, 6> kNumbers = {-1.5, 0, -0.0, 0.25, 3, 1e300};
    if (chance(12)) return std::nan("");
    return chance(70) ? kNumbers[pick(kNumbers.size())] : static_cast<double>(pick(1'000)) / 7;
  }

  void fill(std::size_t runs) {
    const std::array<std::int64_t, 3> experiments = {0, make_experiment("one"),
                                                     make_experiment("two")};
    for (std::size_t i = 0; i < runs; ++i) {
      NewRun run;
      run.experiment_id = experiments[pick(chance(70) ? 1 : 3)];
      run.name = chance(15) ? kLong + std::to_string(pick(3)) : kTexts[pick(kTexts.size())];
      run.user_id = text();
      run.start_time_ms = static_cast<std::int64_t>(pick(12));
      const RunInfo info = database_.write_returning<RunInfo>(
          [&](storage::Transaction& tx) { return create_run(tx, run); });
      Batch batch;
      batch.run_id = info.id;
      for (const char* key : {"m", "n"}) {
        if (chance(75)) batch.metrics.push_back({key, {1, 0, number()}, "", "", ""});
        if (chance(20)) batch.metrics.push_back({key, {2, 1, number()}, "", "", ""});
      }
      for (const char* key : {"p", "q"}) {
        if (chance(75)) batch.params.emplace_back(key, text());
        if (chance(75)) batch.tags.emplace_back(key, text());
      }
      check_batch(batch);
      write([&](storage::Transaction& tx) {
        log_batch(tx, batch);
        if (chance(20)) set_run_tag(tx, info.id, "p", text());
        if (chance(10) && !batch.tags.empty()) delete_run_tag(tx, info.id, batch.tags.back().first);
        if (chance(20)) {
          log_inputs(tx, info.id,
                     {{chance(50) ? "flights" : "Trains",
                       chance(50) ? "d1" : "d2",
                       "local",
                       "f",
                       "",
                       "",
                       {{"mlflow.data.context", chance(50) ? "train" : "test"}}},
                      {"both", "d1", "local", "f", "", "", {}}},
                     {});
        }
        RunChange change;
        change.run_id = info.id;
        if (chance(70)) change.status = static_cast<RunStatus>(1 + pick(5));
        if (chance(60)) change.end_time_ms = static_cast<std::int64_t>(pick(9));
        update_run(tx, change);
        if (chance(15)) delete_run(tx, info.id, 1);
      });
      ids_.push_back(info.id);
    }
    experiments_.assign(experiments.begin(), experiments.end());
    load_all();
  }

  void load_all() {
    all_.clear();
    for (const std::string& id : ids_)
      all_.push_back(read<tracking::Run>([&](storage::Session& s) { return get_run(s, id); }));
  }

  std::string quoted_text() {
    std::string value = chance(10) ? std::string("none") : text();
    return "'" + value + "'";
  }
  std::string pattern() {
    constexpr std::array<const char*, 8> kPatterns = {"a%", "%b", "_b", "%",
                                                      "Ü%", "ü%", "l%", "x\\_%"};
    return "'" + std::string(kPatterns[pick(kPatterns.size())]) + "'";
  }
  std::string text_comparison(const std::string& name, bool nullable, bool lists) {
    switch (pick(nullable || lists ? 6 : 4)) {
      case 0: return name + " = " + quoted_text();
      case 1: return name + " != " + quoted_text();
      case 2: return name + " LIKE " + pattern();
      case 3: return name + " ILIKE " + pattern();
      case 4: return nullable ? name + " IS NULL" : name + " IN (" + quoted_text() + ", 'zz')";
      default:
        return nullable ? name + " IS NOT NULL" : name + " NOT IN (" + quoted_text() + ", 'zz')";
    }
  }
  std::string number_comparison(const std::string& name) {
    constexpr std::array<const char*, 6> kOperators = {"=", "!=", "<", "<=", ">", ">="};
    constexpr std::array<const char*, 6> kLiterals = {"0", "0.25", "3", "-1.5", "7", "1e300"};
    return name + " " + kOperators[pick(6)] + " " + kLiterals[pick(6)];
  }
  std::string comparison() {
    switch (pick(14)) {
      case 0:
      case 1: return number_comparison("metrics.m");
      case 2: return number_comparison("metrics.n");
      case 3: return text_comparison("params.p", true, false);
      case 4: return text_comparison("params.q", true, false);
      case 5: return text_comparison("tags.p", true, false);
      case 6: return text_comparison("tags.q", true, false);
      case 7: return number_comparison("start_time");
      case 8: return number_comparison("end_time");
      case 9: return text_comparison("run_name", false, false);
      case 10: return text_comparison("user_id", false, false);
      case 11:
        return std::string("status ") + (chance(70) ? "=" : "!=") + " '" +
               (chance(90) ? std::string(status_name(static_cast<RunStatus>(1 + pick(5)))) : "3") +
               "'";
      case 12:
        return chance(50) ? "run_id IN ('" + ids_[pick(ids_.size())] + "', '" +
                                ids_[pick(ids_.size())] + "')"
                          : "run_id != '" + ids_[pick(ids_.size())] + "'";
      default:
        switch (pick(3)) {
          case 0: return "dataset.name ILIKE 't%'";
          case 1: return "dataset.digest = 'd1'";
          default: return "dataset.context != 'test'";
        }
    }
  }

  RunSearch random_search() {
    RunSearch search;
    search.experiment_ids = {experiments_[0]};
    if (chance(40)) search.experiment_ids.push_back(experiments_[1]);
    if (chance(20)) search.experiment_ids.push_back(experiments_[2]);
    const std::array<ViewType, 4> views = {ViewType::kActiveOnly, ViewType::kActiveOnly,
                                           ViewType::kAll, ViewType::kDeletedOnly};
    search.view = views[pick(views.size())];
    for (std::uint64_t n = pick(4); n > 0; --n)
      search.filter += (search.filter.empty() ? "" : " AND ") + comparison();
    std::vector<std::string> terms = {
        "metrics.m", "metrics.n", "params.p",   "params.q", "tags.p", "tags.q",      "run_name",
        "user_id",   "status",    "start_time", "end_time", "run_id", "artifact_uri"};
    std::shuffle(terms.begin(), terms.end(), random_);
    terms.resize(pick(4));
    for (std::string& term : terms) term += chance(50) ? " DESC" : " ASC";
    search.order_by = terms;
    return search;
  }

  std::vector<std::string> expected(const RunSearch& search) const {
    const auto filter = parse_filter(search.filter, run_language());
    auto order = parse_order(search.order_by, run_language());
    order.push_back({Entity::kAttribute, "start_time", false});
    order.push_back({Entity::kAttribute, "run_id", true});
    std::vector<const tracking::Run*> found;
    for (const tracking::Run& run : all_) {
      const auto& ids = search.experiment_ids;
      if (std::find(ids.begin(), ids.end(), run.info.experiment_id) == ids.end()) continue;
      if (search.view != ViewType::kAll &&
          run.info.deleted != (search.view == ViewType::kDeletedOnly))
        continue;
      if (std::all_of(filter.begin(), filter.end(),
                      [&](const Comparison& c) { return meets(run, c); }))
        found.push_back(&run);
    }
    std::sort(found.begin(), found.end(), [&](const tracking::Run* a, const tracking::Run* b) {
      for (const OrderTerm& term : order) {
        if (const int sign = compare_by(*a, *b, term); sign != 0) return sign < 0;
      }
      return false;
    });
    std::vector<std::string> ids;
    for (const tracking::Run* run : found) ids.push_back(run->info.id);
    return ids;
  }

  KeyPage page(const RunSearch& search, const PlanOptions& options = {}) {
    return read<KeyPage>([&](storage::Session& s) { return search_runs(s, search, options); });
  }
  std::vector<std::string> ids_of(const KeyPage& page) {
    return read<std::vector<std::string>>([&](storage::Session& s) {
      std::vector<std::string> ids;
      for (const std::int64_t key : page.keys) ids.push_back(load_run_info(s, key).id);
      return ids;
    });
  }
  std::vector<std::string> all_pages(RunSearch search, std::int64_t limit,
                                     const PlanOptions& options) {
    search.limit = limit;
    std::vector<std::string> ids;
    do {
      const KeyPage found = page(search, options);
      EXPECT_LE(static_cast<std::int64_t>(found.keys.size()), limit);
      EXPECT_TRUE(found.next_page_token.empty() ||
                  static_cast<std::int64_t>(found.keys.size()) == limit);
      for (const std::string& id : ids_of(found)) ids.push_back(id);
      search.page_token = found.next_page_token;
    } while (!search.page_token.empty() && ids.size() <= all_.size());
    return ids;
  }
  static std::string described(const RunSearch& search) {
    std::string text = search.filter + " ORDER BY";
    for (const std::string& term : search.order_by) text += " " + term;
    return text + " view " + std::to_string(static_cast<int>(search.view)) + " of " +
           std::to_string(search.experiment_ids.size());
  }

  std::mt19937_64 random_{20'260'101};
  std::vector<std::int64_t> experiments_;
  std::vector<std::string> ids_;
  std::vector<tracking::Run> all_;
};

TEST_F(RunPlan, EveryWayFindsTheSameRunsInTheSameOrder) {
  fill(150);
  using Force = PlanOptions::Force;
  std::size_t rows = 0;
  for (int round = 0; round < 40; ++round) {
    const RunSearch search = random_search();
    const std::vector<std::string> right = expected(search);
    rows += right.size();
    const std::string what = described(search);
    EXPECT_EQ(all_pages(search, 1'000, {}), right) << what;
    // Limits so small that counts, switches and groups of their own come up in every search.
    for (const std::int64_t limit : {std::int64_t{3}, std::int64_t{17}}) {
      PlanOptions tiny;
      tiny.rows_first = static_cast<std::int64_t>(1 + pick(20));
      tiny.group_rows_max = static_cast<std::int64_t>(1 + pick(4));
      EXPECT_EQ(all_pages(search, limit, tiny), right)
          << "by cost, pages of " << limit << ": " << what;
    }
    for (std::size_t choice = 0; choice < 4; ++choice) {
      PlanOptions forced;
      forced.choice = choice;
      forced.group_rows_max = static_cast<std::int64_t>(1 + pick(6));
      for (const Force force : {Force::kCollect, Force::kWalk}) {
        forced.force = force;
        EXPECT_EQ(all_pages(search, 40, forced), right)
            << "forced " << static_cast<int>(force) << "/" << choice << ": " << what;
      }
    }
    if (HasFailure()) break;
  }
  EXPECT_GT(rows, 200U);  // else the searches were too narrow to say anything
}

TEST_F(RunPlan, APageTokenHoldsItsPlaceWhileRunsAreAdded) {
  fill(80);
  for (const std::vector<std::string>& order : {std::vector<std::string>{},
                                                {"metrics.m DESC"},
                                                {"params.p"},
                                                {"status", "run_name DESC"}}) {
    RunSearch search{.experiment_ids = {0}, .order_by = order};
    load_all();
    const std::vector<std::string> before = expected(search);
    search.limit = 10;
    std::vector<std::string> seen;
    std::int64_t start = 0;
    do {
      const KeyPage found = page(search);
      for (const std::string& id : ids_of(found)) seen.push_back(id);
      search.page_token = found.next_page_token;
      // One in front of everything, one somewhere.
      const RunInfo first = make_run("a", 1'000 + start);
      const RunInfo other = make_run("b", start++ % 12);
      log(first, "m", {{1, 0, 1e301}});
      log_pairs(other, {{"p", "ab"}}, {});
      ids_.push_back(first.id);
      ids_.push_back(other.id);
    } while (!search.page_token.empty());
    // Every run of before once and in its order; new ones may stand between.
    std::vector<std::string> old;
    for (const std::string& id : seen) {
      if (std::find(before.begin(), before.end(), id) != before.end()) old.push_back(id);
    }
    EXPECT_EQ(old, before);
    std::sort(seen.begin(), seen.end());
    EXPECT_EQ(std::adjacent_find(seen.begin(), seen.end()), seen.end());
  }
}

// A run that moves in the order is met twice or not at all; no other is.
TEST_F(RunPlan, ARunThatMovesBetweenPagesShiftsNoOther) {
  std::vector<RunInfo> runs;
  for (int i = 0; i < 9; ++i) {
    runs.push_back(make_run("r" + std::to_string(i), i));
    log(runs.back(), "m", {{1, 0, static_cast<double>(i)}});
  }
  RunSearch search{.experiment_ids = {0}, .limit = 3, .order_by = {"metrics.m"}};
  const auto names = [&] {
    const KeyPage found = page(search);
    search.page_token = found.next_page_token;
    std::string text;
    for (const std::int64_t key : found.keys) {
      text += read<std::string>([&](storage::Session& s) { return load_run_info(s, key).name; });
    }
    return text;
  };
  EXPECT_EQ(names(), "r0r1r2");
  log(runs[0], "m", {{2, 1, 4.5}});   // from the first page to where it is still to come
  log(runs[7], "m", {{2, 1, -1.0}});  // and back
  EXPECT_EQ(names(), "r3r4r0");
  log(runs[2], "m", {{2, 1, 0.5}});  // the one that the first token names
  EXPECT_EQ(names(), "r5r6r8");
  EXPECT_EQ(search.page_token, "");
}

TEST_F(RunPlan, TokensBelongToTheirSearch) {
  fill(30);
  RunSearch search{.experiment_ids = {0}, .limit = 2, .order_by = {"metrics.m"}};
  const std::string token = page(search).next_page_token;
  ASSERT_NE(token, "");
  search.page_token = token;
  search.limit = 5;
  EXPECT_EQ(page(search).keys.size(), 5U);  // the size of a page may change
  std::vector<RunSearch> others(4, search);
  others[0].filter = "metrics.m > 0";
  others[1].order_by = {"metrics.n"};
  others[2].view = ViewType::kAll;
  others[3].experiment_ids.push_back(1);
  for (const RunSearch& other : others) {
    EXPECT_EQ(refusal_of([&] { page(other); }),
              "invalid_argument: Invalid page token: it belongs to a search with another filter, "
              "order, view or experiments");
  }
  search.page_token = make_page_token({{0, 1.0}, {0, std::string("x")}}, "0123456789abcdef");
  EXPECT_NE(refusal_of([&] { page(search); }).find("belongs to a search"), std::string::npos);
}

// A place that no row can have is no token: it would be a page with nothing on it.
TEST_F(RunPlan, TokensHoldOnlyWhatAnOrderCanHave) {
  fill(30);
  const SortValue missing{SortValue::kMissing, {}};
  const SortValue nan{SortValue::kNan, {}};
  const SortValue time{SortValue::kValue, std::int64_t{5}};
  const SortValue id{SortValue::kValue, std::string("x")};
  struct Case {
    std::string order;
    SortValue first;
    bool good;
  };
  for (const Case& c : {Case{"metrics.m", nan, true}, Case{"metrics.m", missing, true},
                        Case{"params.p", missing, true}, Case{"params.p", nan, false},
                        Case{"end_time", missing, true}, Case{"end_time", nan, false},
                        Case{"run_name", missing, false}, Case{"status", nan, false}}) {
    RunSearch search{.experiment_ids = {0}, .limit = 2, .order_by = {c.order}};
    std::string text;
    ASSERT_TRUE(base64_decode(page(search).next_page_token, text));
    const std::string mark = json::parse(text).find("query")->as_string();
    search.page_token = make_page_token({c.first, time, id}, mark);
    EXPECT_EQ(refusal_of([&] { page(search); }),
              c.good ? "" : "invalid_argument: Invalid page token, could not be read")
        << c.order;
    search.page_token = make_page_token({c.first, missing, id}, mark);
    EXPECT_NE(refusal_of([&] { page(search); }), "") << c.order;
  }
}

TEST_F(RunPlan, OffsetTokensAreStillRead) {
  fill(40);
  RunSearch search{.experiment_ids = {0}, .order_by = {"params.p DESC"}};
  const std::vector<std::string> right = expected(search);
  ASSERT_GT(right.size(), 12U);
  search.page_token = make_offset_token(5);
  search.limit = 4;
  const KeyPage found = page(search);
  EXPECT_EQ(ids_of(found), std::vector<std::string>(right.begin() + 5, right.begin() + 9));
  search.page_token = found.next_page_token;
  EXPECT_EQ(ids_of(page(search)), std::vector<std::string>(right.begin() + 9, right.begin() + 13));
  search.page_token = make_offset_token(kOffsetMax);
  EXPECT_TRUE(page(search).keys.empty());
  search.page_token = make_offset_token(kOffsetMax + 1);
  EXPECT_EQ(refusal_of([&] { page(search); }),
            "invalid_argument: Invalid page token: its offset 1000001 is beyond 1000000");
  search.page_token = make_offset_token(std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(refusal_of([&] { page(search); }),
            "invalid_argument: Invalid page token: its offset 9223372036854775807 is beyond "
            "1000000");
}

TEST_F(RunPlan, ASearchTakesSoManyExperiments) {
  fill(5);
  RunSearch search;
  for (std::int64_t id = 0; id < static_cast<std::int64_t>(kSearchExperimentsMax); ++id)
    search.experiment_ids.push_back(id);
  EXPECT_FALSE(page(search).keys.empty());
  search.experiment_ids.push_back(0);
  EXPECT_EQ(refusal_of([&] { page(search); }),
            "invalid_argument: Invalid value for parameter 'experiment_ids' supplied: 10001 "
            "experiments, a search takes at most 10000");
}

// Texts that are equal as far as the index has them are one group. It is not held: pages go on
// within it, and where a comparison leads to few of its rows the planner finds out.
TEST_F(RunPlan, AGroupOfLongTextsIsReadInPages) {
  constexpr int kRuns = 600;
  for (int i = 0; i < kRuns; ++i) {
    const RunInfo run = make_run("r", i);
    log_pairs(run, {{"p", std::string(64, 'x') + std::to_string(i * 7919 % kRuns)}}, {});
    if (i % 200 == 7) log_pairs(run, {{"few", "y"}}, {});
    ids_.push_back(run.id);
  }
  load_all();
  for (const char* order : {"params.p", "params.p DESC"}) {
    const RunSearch search{.experiment_ids = {0}, .order_by = {order}};
    PlanOptions walk;
    walk.force = PlanOptions::Force::kWalk;
    EXPECT_EQ(all_pages(search, 37, walk), expected(search));
    EXPECT_EQ(all_pages(search, 37, {}), expected(search));
    RunSearch few = search;
    few.filter = "params.few = 'y'";
    std::vector<std::string> statements;
    PlanOptions options;
    options.rows_first = 32;
    options.trace = &statements;
    EXPECT_EQ(all_pages(few, 10, options), expected(few));
    EXPECT_TRUE(std::any_of(statements.begin(), statements.end(), [](const std::string& text) {
      return text.starts_with("SELECT COUNT(*)");
    }));
  }
}

// Which of the statement's parameters a read of the index begins with.
int parameter_of_seek(storage::Session& session, const std::string& statement) {
  std::map<std::int64_t, int> registers;  // register -> parameter
  auto row = session.prepare("EXPLAIN " + statement);
  while (row.step()) {
    const std::string code = row.text(1);
    if (code == "Variable") registers[row.int64(3)] = static_cast<int>(row.int64(2));
    // From register P3 on so many as P4 says: the last is the bound.
    if (code == "SeekGE" || code == "SeekGT" || code == "SeekLE" || code == "SeekLT")
      return registers[row.int64(4) + std::stoll(row.text(5)) - 1];
  }
  return 0;
}

// A page deep in the list begins at its token, not at the bound that the filter gives.
TEST_F(RunPlan, PagesBeginAtTheirToken) {
  for (int i = 0; i < 40; ++i) {
    const RunInfo run = make_run("name" + std::to_string(10 + i), i);
    log(run, "m", {{1, 0, static_cast<double>(i)}});
    log_pairs(run, {{"p", "value" + std::to_string(10 + i)}}, {});
    RunChange change;
    change.run_id = run.id;
    change.end_time_ms = i;
    write([&](storage::Transaction& tx) { update_run(tx, change); });
  }
  struct Case {
    std::string filter;
    std::string order;
  };
  for (const Case& c :
       {Case{"start_time >= 3 AND start_time <= 30", "start_time"},
        Case{"start_time >= 3 AND start_time <= 30", "start_time DESC"},
        Case{"end_time > 3 AND end_time < 30", "end_time"},
        Case{"metrics.m > 3 AND metrics.m < 30", "metrics.m DESC"},
        Case{"params.p LIKE 'val%'", "params.p"}, Case{"params.p LIKE 'val%'", "params.p DESC"},
        Case{"run_name LIKE 'na%'", "run_name"}}) {
    RunSearch search{.experiment_ids = {0}, .filter = c.filter, .limit = 4, .order_by = {c.order}};
    PlanOptions options;
    options.force = PlanOptions::Force::kWalk;
    search.page_token = page(search, options).next_page_token;
    std::vector<std::string> statements;
    options.trace = &statements;
    page(search, options);
    ASSERT_FALSE(statements.empty());
    if (!storage::test_database_url().empty()) continue;  // PostgreSQL has no such EXPLAIN
    const std::string& walk = statements.front();
    const int parameter = database_.read_returning<int>(
        [&](storage::Session& session) { return parameter_of_seek(session, walk); });
    // The seek is the first condition behind WHERE.
    const std::string bound = walk.substr(walk.rfind(" WHERE ") + 7);
    const std::string first = bound.substr(0, bound.find(" AND "));
    EXPECT_EQ(first.substr(first.rfind('?')), "?" + std::to_string(parameter))
        << c.filter << " by " << c.order << "\n"
        << walk;
    EXPECT_NE(first.find(c.order.ends_with("DESC") ? " <" : " >"), std::string::npos) << first;
  }
}

// No statement of a search may read a whole table or sort in the store.
TEST_F(RunPlan, StatementsFollowIndexes) {
  fill(60);
  std::vector<std::string> statements;
  for (int round = 0; round < 200; ++round) {
    PlanOptions options;
    options.rows_first = 4;
    options.group_rows_max = 2;
    options.trace = &statements;
    RunSearch search = random_search();
    search.limit = 5;
    search.experiment_ids.resize(1);
    search.page_token = page(search, options).next_page_token;
    page(search, options);
  }
  std::sort(statements.begin(), statements.end());
  statements.erase(std::unique(statements.begin(), statements.end()), statements.end());
  EXPECT_GT(statements.size(), 100U);
  if (!storage::test_database_url().empty()) return;  // PostgreSQL chooses by what it counted
  database_.read([&](storage::Session& session) {
    for (const std::string& statement : statements) {
      storage::Statement row = session.prepare("EXPLAIN QUERY PLAN " + statement);
      while (row.step()) {
        const std::string step = row.text(3);
        const bool walks_ids = step.starts_with("SCAN r USING") &&
                               step.find("sqlite_autoindex_run_1") != std::string::npos;
        const bool of_subquery =
            step.starts_with("SCAN (subquery") || step == "SCAN d" || step == "SCAN counted";
        EXPECT_TRUE(walks_ids || of_subquery || !step.starts_with("SCAN")) << step << "\n"
                                                                           << statement;
        const bool by_head = step.find("run_by_name") != std::string::npos &&
                             statement.find("substr(r.name, 1, 64) = ?") != std::string::npos;
        EXPECT_TRUE(!by_head || step.find("<expr>") != std::string::npos) << step << "\n"
                                                                          << statement;
        EXPECT_TRUE(step.find("FOR ORDER BY") == std::string::npos &&
                    step.find("OF ORDER BY") == std::string::npos)
            << step << "\n"
            << statement;
      }
    }
  });
}

TEST(SearchSql, PrefixesBecomeRanges) {
  SearchSql sql;
  EXPECT_EQ(sql.prefix_condition("c", "ab%c"), "c >= ?1 AND c < ?2");
  EXPECT_EQ(sql.prefix_condition("c", "%ab"), "");
  EXPECT_EQ(sql.prefix_condition("c", "_ab"), "");
  EXPECT_EQ(head_of(std::string(65, 'x')).size(), 64U);
  EXPECT_EQ(head_of("日本"), "日本");
  std::string long_text;
  for (int i = 0; i < 65; ++i) long_text += "ü";
  EXPECT_EQ(head_of(long_text).size(), 128U);
}

}  // namespace
}  // namespace slipway::tracking
