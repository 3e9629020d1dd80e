// SPDX-License-Identifier: Apache-2.0
#include "storage/session.h"

#include <iterator>
#include <string>
#include <utility>

#include "base/error.h"
#include "storage/session_state.h"

namespace slipway::storage {
namespace {

constexpr std::size_t kStatementsMax = 400;        // prepared statements kept per connection
constexpr std::size_t kStatementBytesMax = 4'096;  // a longer text is prepared for one use
constexpr std::size_t kStatementCopiesMax = 32;    // of one text, open at the same time

[[noreturn]] void wrong_kind(int column, const char* wanted) {
  throw Error(Code::kInternal,
              "column " + std::to_string(column) + " of a statement is no " + wanted);
}

}  // namespace

// --- Statement

Statement::Statement(Statement&& other) noexcept : state_(other.state_) { other.state_ = nullptr; }

Statement::~Statement() {
  if (state_ == nullptr) return;
  if (!state_->cached) {
    delete state_;
    return;
  }
  state_->prepared->reset(true);
  state_->busy = false;
}

Statement& Statement::bind(int index, const Value& value) {
  state_->prepared->bind(index, value);
  return *this;
}

bool Statement::step() { return state_->prepared->step(); }
void Statement::send() { state_->prepared->send(); }
void Statement::reset() { state_->prepared->reset(false); }

bool Statement::is_null(int column) const { return state_->prepared->cell(column).null; }

std::int64_t Statement::int64(int column) const {
  const Value value = state_->prepared->cell(column);
  if (value.null || value.kind == Value::Kind::kInt) return value.integer;
  if (value.kind == Value::Kind::kReal) return static_cast<std::int64_t>(value.real);
  wrong_kind(column, "number");
}

double Statement::real(int column) const {
  const Value value = state_->prepared->cell(column);
  if (value.null || value.kind == Value::Kind::kReal) return value.real;
  if (value.kind == Value::Kind::kInt) return static_cast<double>(value.integer);
  wrong_kind(column, "number");
}

std::string_view Statement::text_view(int column) const {
  const Value value = state_->prepared->cell(column);
  if (value.null || value.kind == Value::Kind::kText || value.kind == Value::Kind::kBytes)
    return value.bytes;
  wrong_kind(column, "text");
}

std::string_view Statement::blob_view(int column) const { return text_view(column); }

std::string Statement::text(int column) const { return std::string(text_view(column)); }

std::optional<std::string> Statement::maybe_text(int column) const {
  if (is_null(column)) return std::nullopt;
  return text(column);
}

std::optional<std::int64_t> Statement::maybe_int64(int column) const {
  if (is_null(column)) return std::nullopt;
  return int64(column);
}

// --- Session

namespace {

// Gives up the statement that was not used for longest. False when all are in use.
template <typename Statements>
bool forget_oldest(Statements& statements) {
  auto oldest = statements.end();
  for (auto it = statements.begin(); it != statements.end(); ++it) {
    if (it->second->busy) continue;
    if (oldest == statements.end() || it->second->used < oldest->second->used) oldest = it;
  }
  if (oldest == statements.end()) return false;
  statements.erase(oldest);
  return true;
}

}  // namespace

Statement Session::prepare(std::string_view sql, Usage usage) {
  State::Statements& statements = state_->statements[static_cast<std::size_t>(usage)];
  const auto [first, last] = statements.equal_range(sql);
  std::size_t copies = 0;
  for (auto it = first; it != last; ++it, ++copies) {
    Statement::State& idle = *it->second;
    if (idle.busy) continue;
    idle.busy = true;
    idle.used = ++state_->uses;
    return Statement(&idle);
  }
  auto made = std::make_unique<Statement::State>();
  made->prepared = state_->connection->prepare(sql, usage);
  made->busy = true;
  made->used = ++state_->uses;
  const bool keeps = sql.size() <= kStatementBytesMax && copies < kStatementCopiesMax &&
                     (statements.size() < kStatementsMax || forget_oldest(statements));
  if (!keeps) return Statement(made.release());
  made->cached = true;
  Statement::State* const kept = made.get();
  statements.emplace(sql, std::move(made));
  return Statement(kept);
}

std::int64_t Session::returned_id(Statement& statement) {
  if (!statement.step()) throw Error(Code::kInternal, "an insertion returned no id");
  const std::int64_t id = statement.int64(0);
  while (statement.step()) {
  }
  return id;
}

void Session::execute_many(std::string_view sql, std::size_t count, const BindOne& bind,
                           const EachRow& each_row) {
  const bool gathers = count > 1 && state_->connection->engine() == Engine::kPostgres;
  Statement statement = prepare(sql, gathers ? Usage::kMany : Usage::kPlain);
  for (std::size_t i = 0; i < count; ++i) {
    bind(statement, i);
    if (gathers && i + 1 < count) continue;
    if (!each_row) statement.send();
    while (each_row && statement.step()) each_row(statement);
    statement.reset();
  }
}

std::int64_t Session::changes() const { return state_->connection->changes(); }

std::size_t Session::prepared(std::string_view sql) const {
  const auto [first, last] =
      state_->statements[static_cast<std::size_t>(Usage::kPlain)].equal_range(sql);
  return static_cast<std::size_t>(std::distance(first, last));
}

void Transaction::after_commit(std::function<void()> action) {
  state_->after_commit.push_back(std::move(action));
}

std::string like(std::string_view column, std::string_view place) {
  return std::string(column) + " LIKE " + std::string(place);
}

std::string like_any_case(std::string_view column, std::string_view place) {
  return "LOWER(" + std::string(column) + ") LIKE LOWER(" + std::string(place) + ")";
}

}  // namespace slipway::storage
