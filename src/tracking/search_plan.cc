// SPDX-License-Identifier: Apache-2.0
#include "tracking/search_plan.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

#include "base/error.h"

namespace slipway::tracking {
namespace {

constexpr std::int64_t kBudgetGrowth = 4;
// What collecting a row costs more than walking past one: it comes from all over the table, and all
// its order values are looked up. Measured with bench/search.py.
constexpr double kCollectCost = 2.5;
constexpr double kExactIntegerMax = 9'007'199'254'740'992.0;  // 2^53: a Comparison holds a double

struct Row {
  std::int64_t id = 0;
  SortKey key;
};

struct Level {
  Filter filter;
  std::span<const OrderTerm> order;
  SortKey after;  // empty: from the first
};

SortValue read_value(const storage::Statement& row, int column, ValueKind kind) {
  SortValue value;
  switch (kind) {
    case ValueKind::kInteger: value.value = row.int64(column); break;
    case ValueKind::kReal: value.value = row.real(column); break;
    case ValueKind::kText: value.value = row.text(column); break;
  }
  return value;
}

// The sort columns of an order, as they stand in a statement.
struct Columns {
  std::string text;  // ", rank, value, …"
  std::string joins;
  std::vector<SortColumn> columns;

  Columns(SearchSql& sql, const SearchTable& table, std::span<const OrderTerm> order,
          const Access* walked) {
    for (std::size_t i = 0; i < order.size(); ++i) {
      if (i == 0 && walked != nullptr && walked->group_is_value) {
        columns.push_back({"", walked->group, walked->group_kind});
      } else {
        columns.push_back(table.sort_column(sql, joins, order[i], i));
      }
      const SortColumn& column = columns.back();
      if (!column.rank.empty()) text += ", " + column.rank;
      text += ", " + column.value;
    }
  }

  // The first value of the key.
  SortValue first(const storage::Statement& row, int at) const {
    const SortColumn& column = columns.front();
    const auto rank = column.rank.empty() ? 0 : static_cast<int>(row.int64(at++));
    return rank == SortValue::kValue ? read_value(row, at, column.kind) : SortValue{rank, {}};
  }

  SortKey read(const storage::Statement& row, int first) const {
    SortKey key;
    key.reserve(columns.size());
    for (const SortColumn& column : columns) {
      const auto rank = column.rank.empty() ? 0 : static_cast<int>(row.int64(first++));
      if (rank == SortValue::kValue) {
        key.push_back(read_value(row, first, column.kind));
      } else {
        key.push_back({rank, {}});
      }
      ++first;
    }
    return key;
  }
};

// Of the rows it is given those that come first behind where the page begins, as many as are
// wanted.
class Best {
 public:
  explicit Best(const Level& level) : level_(level) {}

  // Before the first row: how many are wanted.
  void begin(std::size_t wanted) {
    wanted_ = wanted;
    rows_.clear();
  }

  // The row's id is column 0, its key begins at `column`.
  void add(const storage::Statement& row, int column, const Columns& columns) {
    const bool full = rows_.size() == wanted_;
    if (wanted_ == 0) return;
    if (full && compare(columns.first(row, column), rows_.front().key.front(),
                        level_.order.front().ascending) > 0) {
      return;  // most rows end here: what follows the first value need not be read
    }
    Row added{row.int64(0), columns.read(row, column)};
    if (!level_.after.empty() && compare(added.key, level_.after, level_.order) <= 0) return;
    const auto before = [this](const Row& a, const Row& b) { return is_before(a, b); };
    if (!full) {
      rows_.push_back(std::move(added));
      if (rows_.size() == wanted_) std::make_heap(rows_.begin(), rows_.end(), before);
    } else if (is_before(added, rows_.front())) {
      std::pop_heap(rows_.begin(), rows_.end(), before);
      rows_.back() = std::move(added);
      std::push_heap(rows_.begin(), rows_.end(), before);
    }
  }

  // Appends their ids, in order.
  void take(std::vector<std::int64_t>& out) {
    if (rows_.size() > 1) {
      std::sort(rows_.begin(), rows_.end(),
                [this](const Row& a, const Row& b) { return is_before(a, b); });
    }
    for (const Row& row : rows_) out.push_back(row.id);
    rows_.clear();
  }

  void clear() { rows_.clear(); }

 private:
  bool is_before(const Row& a, const Row& b) const {
    return compare(a.key, b.key, level_.order) < 0;
  }

  const Level& level_;
  std::size_t wanted_ = 0;
  std::vector<Row> rows_;  // a heap with its last row on top, once it is full
};

class PlannedSearch {
 public:
  PlannedSearch(storage::Session& session, const SearchTable& table, const PlanOptions& options)
      : session_(session), table_(table), options_(options) {}

  // Appends until `out` has `wanted` rows or there are no more.
  void search(const Level& level, std::size_t wanted, std::vector<std::int64_t>& out);

  storage::Statement open(const SearchSql& sql, storage::Usage usage) const {
    if (options_.trace != nullptr) options_.trace->push_back(sql.text);
    return sql.open(session_, usage);
  }
  std::string residual(SearchSql& sql, const Filter& filter, const Driver& driver,
                       const Access& access) const;
  std::int64_t count(const Filter& filter, const Driver& driver, std::int64_t most) const;
  const SearchTable& table() const { return table_; }
  const PlanOptions& options() const { return options_; }

  std::int64_t examined = 0;  // rows that walks have looked at

 private:
  void collect(const Level& level, const Driver& driver, std::size_t wanted,
               std::vector<std::int64_t>& out) const;
  bool forced(const Level& level, std::size_t wanted, std::vector<std::int64_t>& out);

  storage::Session& session_;
  const SearchTable& table_;
  const PlanOptions& options_;
};

// One index, or several merged, in the order of the level's first term.
class Walk {
 public:
  Walk(PlannedSearch& search, const Level& level, const Driver& driver, std::size_t wanted,
       std::vector<std::int64_t>& out)
      : search_(search),
        level_(level),
        driver_(driver),
        wanted_(wanted),
        out_(out),
        segments_(search.table().segments(level.order.front())),
        group_(level) {}

  // Goes on for about `budget` rows. True: the page is full, or there are no more rows.
  bool advance(std::int64_t budget);

 private:
  struct Stream {
    storage::Statement rows;
    Columns columns;
    SortValue group;
    bool exact = true;  // the group can be said with a comparison
  };

  const OrderTerm& term() const { return level_.order.front(); }
  bool full() const { return out_.size() >= wanted_; }
  bool begins_here(const SortValue& value) const {
    return !level_.after.empty() && compare(value, level_.after.front(), term().ascending) == 0;
  }
  void open(const Seek* seek);
  bool step(Stream& stream, bool is_value) const;
  Stream* least();
  bool is_behind(const Segment& segment) const;
  void open_first();
  bool is_too_wide(const Stream& stream) const;
  void search_group();
  void drop(const Stream& stream);
  bool take_rows(std::int64_t stop);
  void close_group();
  void search_within(Comparison only, const SortValue& value);
  Comparison equals(const SortValue& value) const;

  PlannedSearch& search_;
  const Level& level_;
  const Driver driver_;
  const std::size_t wanted_;
  std::vector<std::int64_t>& out_;
  const std::vector<Segment> segments_;
  std::size_t segment_ = 0;
  bool opened_ = false;
  bool group_is_value_ = true;
  std::vector<Stream> streams_;
  Best group_;  // of the open group, those that pass
  std::int64_t group_rows_ = 0;
  SortValue group_value_;
};

void Walk::open(const Seek* seek) {
  streams_.clear();
  const std::size_t parts = search_.table().parts(driver_);
  for (std::size_t part = 0; part < parts; ++part) {
    SearchSql sql;
    const Access access = search_.table().access(sql, level_.filter, driver_, &term(), part, seek);
    group_is_value_ = access.group_is_value;
    Columns columns(sql, search_.table(), level_.order, &access);
    std::string where = access.where;
    SearchSql::append(where, access.join_on);
    std::string passes = search_.residual(sql, level_.filter, driver_, access);
    sql.text = "SELECT " + std::string(search_.table().key()) + ", " + access.group + ", " +
               (passes.empty() ? "1" : "CASE WHEN " + passes + " THEN 1 ELSE 0 END") +
               columns.text + " FROM " + access.from + access.join + columns.joins +
               (where.empty() ? "" : " WHERE " + where) + " ORDER BY " + access.group +
               (term().ascending ? " ASC" : " DESC");
    Stream stream{search_.open(sql, storage::Usage::kWalk), std::move(columns), {}, true};
    stream.group.value = access.group_kind == ValueKind::kInteger
                             ? SortValue{0, std::int64_t{0}}.value
                         : access.group_kind == ValueKind::kReal ? SortValue{0, 0.0}.value
                                                                 : SortValue{0, ""}.value;
    if (step(stream, access.group_is_value)) streams_.push_back(std::move(stream));
  }
  opened_ = true;
}

bool Walk::step(Stream& stream, bool is_value) const {
  if (!stream.rows.step()) return false;
  const auto kind = static_cast<ValueKind>(stream.group.value.index());
  stream.group = read_value(stream.rows, 1, kind);
  if (kind == ValueKind::kText && !is_value) {
    const auto& text = std::get<std::string>(stream.group.value);
    stream.exact = head_of(text + "x").size() > text.size();
  } else if (kind == ValueKind::kInteger) {
    stream.exact = std::abs(static_cast<double>(std::get<std::int64_t>(stream.group.value))) <
                   kExactIntegerMax;
  }
  return true;
}

Walk::Stream* Walk::least() {
  Stream* least = nullptr;
  for (Stream& stream : streams_) {
    if (least == nullptr || compare(stream.group, least->group, term().ascending) < 0)
      least = &stream;
  }
  return least;
}

Comparison Walk::equals(const SortValue& value) const {
  Comparison only;
  only.entity = term().entity;
  only.key = term().key;
  only.numeric = !std::holds_alternative<std::string>(value.value);
  if (const auto* whole = std::get_if<std::int64_t>(&value.value)) {
    only.number = static_cast<double>(*whole);
  } else if (const auto* real = std::get_if<double>(&value.value)) {
    only.number = *real;
  } else {
    only.texts = {std::get<std::string>(value.value)};
  }
  return only;
}

void Walk::search_within(Comparison only, const SortValue& value) {
  Level inner;
  inner.filter = level_.filter;
  inner.filter.push_back(std::move(only));
  inner.order = level_.order.subspan(1);
  if (begins_here(value)) inner.after.assign(level_.after.begin() + 1, level_.after.end());
  search_.search(inner, wanted_, out_);
}

void Walk::close_group() {
  group_.take(out_);
  group_rows_ = 0;
}

// Where all terms before it are equal the last one is different for every row: its groups need no
// search of their own.
bool Walk::is_too_wide(const Stream& stream) const {
  return group_rows_ >= search_.options().group_rows_max && stream.exact && level_.order.size() > 1;
}

// The rows of the group by a search of its own; the walk goes on behind them.
void Walk::search_group() {
  const SortValue value = group_value_;
  group_.clear();
  group_rows_ = 0;
  streams_.clear();
  search_within(equals(value), value);
  if (full()) return;
  const Seek beyond{value, false};
  open(&beyond);
}

// Statements cannot be assigned, so the others move into a new list.
void Walk::drop(const Stream& stream) {
  std::vector<Stream> left;
  left.reserve(streams_.size());
  for (Stream& other : streams_) {
    if (&other != &stream) left.push_back(std::move(other));
  }
  streams_.swap(left);
}

// True: the segment's rows are at an end, or the page is full.
bool Walk::take_rows(std::int64_t stop) {
  while (true) {
    Stream* stream = least();
    const bool new_group =
        group_rows_ > 0 &&
        (stream == nullptr || compare(stream->group, group_value_, term().ascending) != 0);
    if (new_group) {
      close_group();
      if (full()) return true;
    }
    if (stream == nullptr) return true;
    // Inside a group only where it cannot be searched by itself, as it may then be the whole table;
    // others are as good as done, and what they gave is known at their end.
    if (search_.examined >= stop && (group_rows_ == 0 || !stream->exact)) return false;
    if (group_rows_ == 0) {
      group_value_ = stream->group;
      group_.begin(wanted_ - out_.size());
    }
    if (is_too_wide(*stream)) {
      search_group();
      if (full()) return true;
      continue;
    }
    ++group_rows_;
    ++search_.examined;
    if (stream->rows.int64(2) == 1) group_.add(stream->rows, 3, stream->columns);
    if (!step(*stream, group_is_value_)) drop(*stream);
  }
}

// Whether all of it stands before where this page begins.
bool Walk::is_behind(const Segment& segment) const {
  if (level_.after.empty()) return false;
  const SortValue& after = level_.after.front();
  return segment.only.has_value() ? compare(segment.value, after, term().ascending) < 0
                                  : after.rank != SortValue::kValue;
}

void Walk::open_first() {
  const bool seeks = !level_.after.empty();
  const Seek seek{seeks ? level_.after.front() : SortValue{}, true};
  open(seeks ? &seek : nullptr);
}

bool Walk::advance(std::int64_t budget) {
  const std::int64_t stop = search_.examined + budget;
  for (; segment_ < segments_.size(); ++segment_) {
    const Segment& segment = segments_[segment_];
    if (is_behind(segment)) continue;
    if (!segment.only.has_value()) {
      if (!opened_) open_first();
      if (!take_rows(stop)) return false;
      streams_.clear();
    } else {
      if (search_.examined >= stop) return false;
      search_within(*segment.only, segment.value);
    }
    if (full()) return true;
  }
  return true;
}

std::string PlannedSearch::residual(SearchSql& sql, const Filter& filter, const Driver& driver,
                                    const Access& access) const {
  std::string passes = table_.scope(sql, driver);
  for (std::size_t i = 0; i < filter.size(); ++i) {
    if (std::find(access.met.begin(), access.met.end(), i) == access.met.end())
      SearchSql::append(passes, table_.condition(sql, filter[i]));
  }
  return passes;
}

std::int64_t PlannedSearch::count(const Filter& filter, const Driver& driver,
                                  std::int64_t most) const {
  SearchSql sql;
  const Access access = table_.access(sql, filter, driver, nullptr, 0, nullptr);
  sql.text = "SELECT COUNT(*) FROM (SELECT 1 FROM " + access.from +
             (access.where.empty() ? "" : " WHERE " + access.where) + " LIMIT " + sql.bind(most) +
             ") counted";
  auto row = open(sql, storage::Usage::kPlain);
  row.step();
  return row.int64(0);
}

void PlannedSearch::collect(const Level& level, const Driver& driver, std::size_t wanted,
                            std::vector<std::int64_t>& out) const {
  SearchSql sql;
  const Access access = table_.access(sql, level.filter, driver, nullptr, 0, nullptr);
  const Columns columns(sql, table_, level.order, nullptr);
  std::string where = access.where;
  SearchSql::append(where, access.join_on);
  // In a CASE: SQLite would put "column = ?" into the other terms, and no longer know the index of
  // an expression by them.
  if (const std::string passes = residual(sql, level.filter, driver, access); !passes.empty())
    SearchSql::append(where, "CASE WHEN " + passes + " THEN 1 ELSE 0 END = 1");
  sql.text = "SELECT " + std::string(table_.key()) + columns.text + " FROM " + access.from +
             access.join + columns.joins + (where.empty() ? "" : " WHERE " + where);
  Best best(level);
  best.begin(wanted - out.size());
  auto rows = open(sql, storage::Usage::kWalk);
  while (rows.step()) best.add(rows, 1, columns);
  best.take(out);
}

bool PlannedSearch::forced(const Level& level, std::size_t wanted, std::vector<std::int64_t>& out) {
  if (options_.force == PlanOptions::Force::kNone) return false;
  const std::vector<Driver> walks = table_.walks(level.filter, level.order.front());
  if (options_.force == PlanOptions::Force::kWalk && !walks.empty()) {
    Walk walk(*this, level, walks[options_.choice % walks.size()], wanted, out);
    while (!walk.advance(std::numeric_limits<std::int32_t>::max())) {
    }
    return true;
  }
  const std::vector<Driver> drivers = table_.drivers(level.filter);
  collect(level, drivers[options_.choice % drivers.size()], wanted, out);
  return true;
}

void PlannedSearch::search(const Level& level, std::size_t wanted, std::vector<std::int64_t>& out) {
  assert(!level.order.empty());
  if (out.size() >= wanted || forced(level, wanted, out)) return;
  const std::size_t begin = out.size();
  const std::vector<Driver> drivers = table_.drivers(level.filter);

  // Of the walks, the one whose comparison matches least; where all match much, any will do.
  std::vector<Driver> walks = table_.walks(level.filter, level.order.front());
  std::erase_if(walks, [&](const Driver& d) { return table_.parts(d) > options_.parts_max; });
  std::size_t chosen = 0;
  std::int64_t fewest = std::numeric_limits<std::int64_t>::max();
  for (std::size_t i = 1; i < walks.size(); ++i) {
    const std::int64_t rows = count(level.filter, walks[i], options_.rows_first);
    if (rows < fewest) {
      fewest = rows;
      chosen = i;
    }
  }
  std::optional<Walk> walk;
  if (!walks.empty()) walk.emplace(*this, level, walks[chosen], wanted, out);

  const auto need = static_cast<std::int64_t>(wanted - begin);
  std::int64_t budget = 2 * need + options_.rows_first / 16;
  const std::int64_t examined_before = examined;
  while (true) {
    if (walk && walk->advance(budget)) return;
    budget = budget < options_.rows_first ? options_.rows_first : budget * kBudgetGrowth;
    // Counting is some ten times cheaper than walking, so it looks further ahead.
    const Driver* driver = nullptr;
    std::int64_t least = budget * kBudgetGrowth;
    for (const Driver& candidate : drivers) {
      const std::int64_t rows = count(level.filter, candidate, least);
      if (rows < least) {
        least = rows;
        driver = &candidate;
      }
    }
    if (driver == nullptr) continue;
    // What the walk has left, if what follows is as what was.
    const auto got = static_cast<std::int64_t>(out.size() - begin);
    const double left = static_cast<double>(need - got) *
                        static_cast<double>(examined - examined_before) /
                        static_cast<double>(std::max<std::int64_t>(got, 1));
    if (walk && left < kCollectCost * static_cast<double>(least)) continue;
    walk.reset();
    out.resize(begin);
    collect(level, *driver, wanted, out);
    return;
  }
}

}  // namespace

std::vector<std::int64_t> find_keys(storage::Session& session, const SearchTable& table,
                                    const Filter& filter, std::span<const OrderTerm> order,
                                    const SortKey& after, std::size_t limit,
                                    const PlanOptions& options) {
  std::vector<std::int64_t> keys;
  PlannedSearch(session, table, options).search({filter, order, after}, limit, keys);
  return keys;
}

KeyPage find_page(storage::Session& session, const SearchTable& table, const Filter& filter,
                  std::span<const OrderTerm> order, std::string_view token, std::string_view mark,
                  std::int64_t limit, const PlanOptions& options) {
  SearchSql kinds_sql;
  const Columns columns(kinds_sql, table, order, nullptr);
  std::vector<KeyPart> parts;
  parts.reserve(columns.columns.size());
  for (const SortColumn& column : columns.columns)
    parts.push_back({column.kind, !column.rank.empty()});
  const PagePlace place = parse_page_token(token, mark, parts);

  // One more tells whether there is a next page.
  const auto wanted = static_cast<std::size_t>(limit) + 1;
  const auto skip = static_cast<std::size_t>(place.offset);
  KeyPage page;
  page.keys = find_keys(session, table, filter, order, place.after, wanted + skip, options);
  page.keys.erase(page.keys.begin(), page.keys.begin() + static_cast<std::ptrdiff_t>(
                                                             std::min(skip, page.keys.size())));
  if (page.keys.size() < wanted) return page;
  page.keys.pop_back();
  page.next_page_token = token_behind(session, table, order, mark, page.keys.back());
  return page;
}

std::string token_behind(storage::Session& session, const SearchTable& table,
                         std::span<const OrderTerm> order, std::string_view mark,
                         std::int64_t key) {
  SearchSql sql;
  const Columns columns(sql, table, order, nullptr);
  sql.text = "SELECT " + columns.text.substr(2) + " FROM " + std::string(table.main()) +
             columns.joins + " WHERE " + std::string(table.key()) + " = " + sql.bind(key);
  auto row = sql.open(session);
  if (!row.step()) throw Error(Code::kDataLoss, "a row that a search found is missing");
  return make_page_token(columns.read(row, 0), mark);
}

}  // namespace slipway::tracking
