// SPDX-License-Identifier: Apache-2.0
#include "tracking/run_plan.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "tracking/run_table.h"

namespace slipway::tracking {
namespace {

enum Kind {
  kAll,      // run_by_start
  kStartId,  // run_by_start within one start time, by run id
  kIds,      // run ids that the filter lists
  kIdWalk,
  kName,
  kUser,
  kStatus,
  kEnd,
  kPair,      // a comparison of a parameter or tag
  kPairWalk,  // an order term on one
  kMetric,
  kMetricWalk,
  kDataset
};

// Indexes of `run` itself begin with experiment and deletion.
bool is_of_run(int kind) {
  return kind == kAll || kind == kStartId || kind == kName || kind == kUser || kind == kStatus ||
         kind == kEnd;
}

bool is_pair(Entity entity) { return entity == Entity::kParam || entity == Entity::kTag; }

bool is_attribute(const Comparison& c, std::string_view key) {
  return c.entity == Entity::kAttribute && c.key == key;
}
bool is_attribute(const OrderTerm& term, std::string_view key) {
  return term.entity == Entity::kAttribute && term.key == key;
}

// Equality with a text that an index holds whole.
bool is_short_equality(const Comparison& c) {
  return c.op == Operator::kEqual && !c.numeric &&
         head_of(c.texts.front() + "x").size() > c.texts.front().size();
}

bool is_start_range(const Comparison& c) { return is_attribute(c, "start_time") && is_range(c.op); }

std::string_view attribute_column(std::string_view key) {
  if (key == "run_id") return "r.uuid";
  if (key == "run_name") return "r.name";
  if (key == "user_id") return "r.user_id";
  if (key == "artifact_uri") return "r.artifact_uri";
  if (key == "start_time") return "r.start_time_ms";
  if (key == "end_time") return "r.end_time_ms";
  return "CASE r.status WHEN 1 THEN 'RUNNING' WHEN 2 THEN 'SCHEDULED' WHEN 3 THEN 'FINISHED' WHEN "
         "4 THEN 'FAILED' ELSE 'KILLED' END";
}

std::string_view pair_table(Entity entity) { return entity == Entity::kParam ? "param" : "tag"; }

std::string metric_condition(SearchSql& sql, const Comparison& c) {
  const std::string row =
      "EXISTS (SELECT 1 FROM latest m WHERE m.run = r.id AND m.key = " + sql.bind(c.key);
  if (c.op == Operator::kIsNull) return "NOT " + row + ")";
  if (std::isnan(c.number)) return row + " AND m.nan = 1)";
  if (c.op == Operator::kNotEqual)
    return row + " AND (m.nan = 1 OR " + sql.number_condition("m.value", c) + "))";
  return row + " AND m.nan = 0 AND " + sql.number_condition("m.value", c) + ")";
}

std::string dataset_row(SearchSql& sql, const Comparison& c) {
  if (c.key == "context") {
    return "EXISTS (SELECT 1 FROM dataset_input_tag t WHERE t.input = i.id AND t.key = "
           "'mlflow.data.context' AND " +
           sql.text_condition("t.value", c) + ")";
  }
  return sql.text_condition("x." + c.key, c);
}

// The index that can lead a search for what `c` asks, if there is one.
std::optional<int> driver_of(const Comparison& c) {
  const bool equal = c.op == Operator::kEqual;
  if (c.entity == Entity::kDataset) return kDataset;
  if (c.entity == Entity::kMetric || is_pair(c.entity)) {
    if (c.op == Operator::kIsNull) return std::nullopt;
    return c.entity == Entity::kMetric ? kMetric : kPair;
  }
  if (c.key == "run_name" || c.key == "user_id") {
    const bool prefix = c.op == Operator::kLike && c.texts.front().find_first_of("%_") != 0;
    if (!equal && !prefix) return std::nullopt;
    return c.key == "run_name" ? kName : kUser;
  }
  if (c.key == "run_id" && (equal || c.op == Operator::kIn)) return kIds;
  if (c.key == "status" && equal) return kStatus;
  if (c.key == "end_time" && is_range(c.op)) return kEnd;
  return std::nullopt;
}

// Indexes that give all that match in the order of their start.
std::vector<Driver> start_walks(const Filter& filter) {
  std::vector<Driver> walks = {{kAll, 0}};
  for (std::size_t i = 0; i < filter.size(); ++i) {
    const Comparison& c = filter[i];
    if (is_attribute(c, "status") && c.op == Operator::kEqual) walks.push_back({kStatus, i});
    if (!is_short_equality(c)) continue;
    if (is_pair(c.entity)) walks.push_back({kPair, i});
    if (is_attribute(c, "run_name")) walks.push_back({kName, i});
    if (is_attribute(c, "user_id")) walks.push_back({kUser, i});
  }
  return walks;
}

}  // namespace

// An access while it is written.
class RunTable::Entry {
 public:
  // Without a term: all parts.
  Entry(const RunTable& table, SearchSql& sql, const Filter& filter, const Driver& driver,
        const OrderTerm* term, std::size_t part)
      : table_(table), sql_(sql), filter_(filter), driver_(driver), term_(term), part_(part) {}

  Access write(const Seek* seek);

 private:
  const Comparison& comparison() const { return filter_[driver_.comparison]; }
  // Walks may be led by no comparison.
  bool is_led() const { return driver_.comparison < filter_.size(); }
  bool walks(std::string_view attribute) const {
    return term_ != nullptr && is_attribute(*term_, attribute);
  }

  std::string experiment_is(std::string_view column);
  std::string in_view() const;
  void group_by(std::string group, ValueKind kind) {
    access_.group = std::move(group);
    access_.group_kind = kind;
  }
  void meet(std::size_t place, const std::string& condition) {
    SearchSql::append(access_.where, condition);
    access_.met.push_back(place);
  }
  template <typename Belongs>
  void meet_all(std::string_view column, const Belongs& belongs);
  void narrow_head(const std::string& column, std::size_t place);
  void from_run(std::string_view index);
  void from_value(const std::string& table, std::string_view key);

  void by_start();
  void by_text(std::string_view index, std::string_view attribute);
  void by_status();
  void by_end();
  void by_pair();
  void by_pair_order();
  void by_metric(const std::string& key, bool ordered);
  void by_dataset();
  void begin_at(const Seek& seek);

  const RunTable& table_;
  SearchSql& sql_;
  const Filter& filter_;
  const Driver& driver_;
  const OrderTerm* term_;
  const std::size_t part_;
  Access access_;
};

RunTable::RunTable(std::vector<std::int64_t> experiment_ids, ViewType view)
    : experiment_ids_(std::move(experiment_ids)), view_(view) {
  std::sort(experiment_ids_.begin(), experiment_ids_.end());
  experiment_ids_.erase(std::unique(experiment_ids_.begin(), experiment_ids_.end()),
                        experiment_ids_.end());
}

std::vector<OrderTerm> RunTable::whole_order(std::vector<OrderTerm> order) {
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (!is_attribute(order[i], "run_id")) continue;
    order.resize(i + 1);  // no two runs are equal behind this
    return order;
  }
  const auto by_start = [](const OrderTerm& term) { return is_attribute(term, "start_time"); };
  if (std::none_of(order.begin(), order.end(), by_start))
    order.push_back({Entity::kAttribute, "start_time", false});
  order.push_back({Entity::kAttribute, "run_id", true});
  return order;
}

std::string RunTable::condition(SearchSql& sql, const Comparison& c) const {
  switch (c.entity) {
    case Entity::kAttribute:
      if (c.op == Operator::kIsNull) return std::string(attribute_column(c.key)) + " IS NULL";
      return c.numeric ? sql.number_condition(attribute_column(c.key), c)
                       : sql.text_condition(attribute_column(c.key), c);
    case Entity::kMetric: return metric_condition(sql, c);
    case Entity::kParam:
    case Entity::kTag: {
      const std::string row = "EXISTS (SELECT 1 FROM " + std::string(pair_table(c.entity)) +
                              " p WHERE p.run = r.id AND p.key = " + sql.bind(c.key);
      if (c.op == Operator::kIsNull) return "NOT " + row + ")";
      if (c.op == Operator::kIsNotNull) return row + ")";
      return row + " AND " + sql.text_condition("p.value", c) + ")";
    }
    case Entity::kDataset:
      return "EXISTS (SELECT 1 FROM dataset_input i JOIN dataset x ON x.id = i.dataset WHERE "
             "i.run = r.id AND " +
             dataset_row(sql, c) + ")";
  }
  return "1 = 0";
}

SortColumn RunTable::sort_column(SearchSql& sql, std::string& joins, const OrderTerm& term,
                                 std::size_t number) const {
  if (term.entity == Entity::kAttribute) {
    const std::string column(attribute_column(term.key));
    if (term.key == "end_time")
      return {"CASE WHEN " + column + " IS NULL THEN 2 ELSE 0 END", column, ValueKind::kInteger};
    return {"", column, term.key == "start_time" ? ValueKind::kInteger : ValueKind::kText};
  }
  const std::string alias = "s" + std::to_string(number);
  const bool metric = term.entity == Entity::kMetric;
  joins += " LEFT JOIN " + std::string(metric ? "latest" : pair_table(term.entity)) + " " + alias +
           " ON " + alias + ".run = r.id AND " + alias + ".key = " + sql.bind(term.key);
  if (metric) {
    return {"CASE WHEN " + alias + ".run IS NULL THEN 2 ELSE " + alias + ".nan END",
            alias + ".value", ValueKind::kReal};
  }
  return {"CASE WHEN " + alias + ".run IS NULL THEN 2 ELSE 0 END", alias + ".value", ValueKind::kText};
}

std::vector<Driver> RunTable::drivers(const Filter& filter) const {
  std::vector<Driver> drivers;
  for (std::size_t i = 0; i < filter.size(); ++i) {
    if (const std::optional<int> kind = driver_of(filter[i])) drivers.push_back({*kind, i});
  }
  drivers.push_back({kAll, 0});
  return drivers;
}

std::vector<Driver> RunTable::walks(const Filter& filter, const OrderTerm& term) const {
  if (term.entity == Entity::kMetric) return {{kMetricWalk, 0}};
  if (is_pair(term.entity)) return {{kPairWalk, 0}};
  if (term.key == "run_name") return {{kName, filter.size()}};
  if (term.key == "user_id") return {{kUser, filter.size()}};
  if (term.key == "end_time") return {{kEnd, filter.size()}};
  if (term.key == "status") return {{kStatus, filter.size()}};  // five segments, no index
  if (term.key == "run_id") {
    std::vector<Driver> walks = {{kIdWalk, 0}};
    for (std::size_t i = 0; i < filter.size(); ++i) {
      if (is_attribute(filter[i], "start_time") && filter[i].op == Operator::kEqual)
        walks.push_back({kStartId, i});
    }
    return walks;
  }
  return term.key == "start_time" ? start_walks(filter) : std::vector<Driver>{};
}

std::vector<Segment> RunTable::segments(const OrderTerm& term) const {
  const auto only = [&](Operator op, double number) {
    Comparison comparison{term.entity, term.key, op, op == Operator::kEqual, number, {}};
    return comparison;
  };
  std::vector<Segment> segments;
  if (is_attribute(term, "status")) {
    std::array<std::string, 5> names;
    for (std::size_t i = 0; i < names.size(); ++i)
      names[i] = status_name(static_cast<RunStatus>(i + 1));
    std::sort(names.begin(), names.end());
    if (!term.ascending) std::reverse(names.begin(), names.end());
    for (const std::string& name : names) {
      Comparison is{term.entity, term.key, Operator::kEqual, false, 0, {name}};
      segments.push_back({std::move(is), {SortValue::kValue, name}});
    }
    return segments;
  }
  segments.push_back({});
  if (term.entity == Entity::kMetric)
    segments.push_back({only(Operator::kEqual, std::nan("")), {SortValue::kNan, {}}});
  if (term.entity != Entity::kAttribute || term.key == "end_time")
    segments.push_back({only(Operator::kIsNull, 0), {SortValue::kMissing, {}}});
  return segments;
}

std::size_t RunTable::parts(const Driver& driver) const {
  if (driver.kind == kIdWalk) return 1;
  const bool both = is_of_run(driver.kind) && view_ == ViewType::kAll;
  return experiment_ids_.size() * (both ? 2 : 1);
}

std::string RunTable::Entry::experiment_is(std::string_view column) {
  if (term_ == nullptr)
    return std::string(column) + " IN " + sql_.bind_list(table_.experiment_ids_);
  const bool both = is_of_run(driver_.kind) && table_.view_ == ViewType::kAll;
  return std::string(column) + " = " + sql_.bind(table_.experiment_ids_[both ? part_ / 2 : part_]);
}

std::string RunTable::Entry::in_view() const {
  if (table_.view_ == ViewType::kActiveOnly) return "r.deleted = 0";
  if (table_.view_ == ViewType::kDeletedOnly) return "r.deleted = 1";
  if (term_ == nullptr) return "r.deleted IN (0, 1)";
  return part_ % 2 == 1 ? "r.deleted = 1" : "r.deleted = 0";
}

// Every comparison that narrows the same stretch of an index; an equality alone, as SQLite would
// else take the range and sort.
template <typename Belongs>
void RunTable::Entry::meet_all(std::string_view column, const Belongs& belongs) {
  const auto equal = std::find_if(filter_.begin(), filter_.end(), [&](const Comparison& c) {
    return belongs(c) && c.op == Operator::kEqual;
  });
  for (auto it = filter_.begin(); it != filter_.end(); ++it) {
    if (belongs(*it) && (equal == filter_.end() || it == equal)) {
      meet(static_cast<std::size_t>(it - filter_.begin()), sql_.number_condition(column, *it));
    }
  }
}

void RunTable::Entry::narrow_head(const std::string& column, std::size_t place) {
  const Comparison& c = filter_[place];
  if (c.op == Operator::kLike) {
    SearchSql::append(access_.where, sql_.prefix_condition(column, c.texts.front()));
  } else if (c.op == Operator::kEqual) {
    const std::string head = sql_.bind(head_of(c.texts.front()));
    // "=" would hide from SQLite that the index of an expression has the order asked for.
    const bool ordered = term_ != nullptr && !walks("start_time");
    SearchSql::append(access_.where, ordered
                                         ? column + " >= " + head + " AND " + column + " <= " + head
                                         : column + " = " + head);
    if (is_short_equality(c)) access_.met.push_back(place);
  }
}

void RunTable::Entry::from_run(std::string_view index) {
  access_.from = "run r" + SearchSql::by_index(index);
  access_.where = experiment_is("r.experiment") + " AND " + in_view();
}

void RunTable::Entry::from_value(const std::string& table, std::string_view key) {
  access_.from = table;
  access_.where = experiment_is("d.experiment") + " AND d.key = " + sql_.bind(key);
  access_.join = " CROSS JOIN run r";
  access_.join_on = "r.id = d.run";
}

void RunTable::Entry::by_start() {
  from_run("run_by_start");
  meet_all("r.start_time_ms", is_start_range);
  if (driver_.kind == kStartId) {
    group_by("r.uuid", ValueKind::kText);
  } else {
    group_by("r.start_time_ms", ValueKind::kInteger);
  }
}

void RunTable::Entry::by_text(std::string_view index, std::string_view attribute) {
  from_run(index);
  const std::string head = SearchSql::head_column(attribute_column(attribute));
  for (std::size_t i = 0; i < filter_.size(); ++i) {
    if (is_attribute(filter_[i], attribute) && (!is_led() || i == driver_.comparison))
      narrow_head(head, i);
  }
  if (walks(attribute)) {
    group_by(head, ValueKind::kText);
    access_.group_is_value = false;
  } else {
    meet_all("r.start_time_ms", is_start_range);
    group_by("r.start_time_ms", ValueKind::kInteger);
  }
}

void RunTable::Entry::by_status() {
  from_run("run_by_status");
  const std::string& name = comparison().texts.front();
  const auto status = parse_status(name);
  const bool named = status && status_name(*status) == name;  // and not its number
  meet(driver_.comparison,
       "r.status = " + sql_.bind(std::int64_t{named ? static_cast<int>(*status) : -1}));
  meet_all("r.start_time_ms", is_start_range);
  group_by("r.start_time_ms", ValueKind::kInteger);
}

void RunTable::Entry::by_end() {
  from_run("run_by_end");
  SearchSql::append(access_.where, "r.end_time_ms IS NOT NULL");
  meet_all("r.end_time_ms",
           [](const Comparison& c) { return is_attribute(c, "end_time") && is_range(c.op); });
  group_by("r.end_time_ms", ValueKind::kInteger);
}

void RunTable::Entry::by_pair() {
  const Comparison& c = comparison();
  from_value(std::string(pair_table(c.entity)) + "_by_value d", c.key);
  narrow_head("d.head", driver_.comparison);
  if (c.op == Operator::kIsNotNull) access_.met.push_back(driver_.comparison);
  if (c.op == Operator::kEqual) meet_all("d.start_time_ms", is_start_range);
  // A short value is its head: most that do not match need not be looked up.
  if (c.op == Operator::kLike || c.op == Operator::kIlike || c.op == Operator::kNotEqual) {
    SearchSql::append(access_.where,
                      "(" + sql_.text_condition("d.head", c) +
                          " OR LENGTH(d.head) >= " + std::to_string(kHeadCharacters) + ")");
  }
  group_by("d.start_time_ms", ValueKind::kInteger);
}

void RunTable::Entry::by_pair_order() {
  from_value(std::string(pair_table(term_->entity)) + "_by_value d", term_->key);
  for (std::size_t i = 0; i < filter_.size(); ++i) {
    if (filter_[i].entity == term_->entity && filter_[i].key == term_->key)
      narrow_head("d.head", i);
  }
  group_by("d.head", ValueKind::kText);
  access_.group_is_value = false;
}

void RunTable::Entry::by_metric(const std::string& key, bool ordered) {
  from_value("latest d" + SearchSql::by_index("latest_by_value"), key);
  const auto of_numbers = [&](const Comparison& c) {
    return c.entity == Entity::kMetric && c.key == key && is_range(c.op) && !std::isnan(c.number);
  };
  if (ordered || of_numbers(comparison())) {
    SearchSql::append(access_.where, "d.nan = 0");
    meet_all("d.value", of_numbers);
  } else if (std::isnan(comparison().number)) {
    meet(driver_.comparison, "d.nan = 1");
  }
  group_by("d.value", ValueKind::kReal);
}

void RunTable::Entry::by_dataset() {
  access_.from =
      "(SELECT DISTINCT i.run AS run FROM dataset x JOIN dataset_input i ON i.dataset = x.id "
      "WHERE " +
      experiment_is("x.experiment") + " AND " + dataset_row(sql_, comparison()) + ") d";
  access_.join = " CROSS JOIN run r";
  access_.join_on = "r.id = d.run";
  access_.met.push_back(driver_.comparison);
}

void RunTable::Entry::begin_at(const Seek& seek) {
  std::string bound;
  if (const auto* text = std::get_if<std::string>(&seek.value.value)) {
    bound = sql_.bind(access_.group_is_value ? std::string_view{*text} : head_of(*text));
  } else if (const auto* real = std::get_if<double>(&seek.value.value)) {
    bound = sql_.bind(*real);
  } else {
    bound = sql_.bind(std::get<std::int64_t>(seek.value.value));
  }
  // First: of two bounds on one side SQLite begins at the one that it meets first, and those of the
  // filter lie before this one.
  std::string where =
      access_.group + (term_->ascending ? " >" : " <") + (seek.inclusive ? "= " : " ") + bound;
  SearchSql::append(where, access_.where);
  access_.where = std::move(where);
}

Access RunTable::Entry::write(const Seek* seek) {
  switch (driver_.kind) {
    case kAll:
    case kStartId: by_start(); break;
    case kIds:
      access_.from = "run r";
      meet(driver_.comparison, sql_.text_condition("r.uuid", comparison()));
      break;
    case kIdWalk:
      access_.from = "run r" + SearchSql::by_index("sqlite_autoindex_run_1");
      group_by("r.uuid", ValueKind::kText);
      break;
    case kName: by_text("run_by_name", "run_name"); break;
    case kUser: by_text("run_by_user", "user_id"); break;
    case kStatus: by_status(); break;
    case kEnd: by_end(); break;
    case kPair: by_pair(); break;
    case kPairWalk: by_pair_order(); break;
    case kMetric: by_metric(comparison().key, false); break;
    case kMetricWalk: by_metric(term_->key, true); break;
    case kDataset: by_dataset(); break;
    default: break;
  }
  if (seek != nullptr) begin_at(*seek);
  return std::move(access_);
}

Access RunTable::access(SearchSql& sql, const Filter& filter, const Driver& driver,
                        const OrderTerm* term, std::size_t part, const Seek* seek) const {
  return Entry(*this, sql, filter, driver, term, part).write(seek);
}

std::string RunTable::scope(SearchSql& sql, const Driver& driver) const {
  if (is_of_run(driver.kind)) return "";
  std::string scope;
  if (driver.kind == kIds || driver.kind == kIdWalk)
    scope = "r.experiment IN " + sql.bind_list(experiment_ids_);
  if (view_ != ViewType::kAll)
    SearchSql::append(scope, view_ == ViewType::kActiveOnly ? "r.deleted = 0" : "r.deleted = 1");
  return scope;
}

}  // namespace slipway::tracking
