// SPDX-License-Identifier: Apache-2.0
#include "storage/postgres_connection.h"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <utility>

#include "base/error.h"
#include "storage/dialect.h"
#include "storage/postgres_link.h"
#include "storage/postgres_value.h"

namespace slipway::storage {
namespace {

// Rows that a walk fetches at once: at first, and at most.
constexpr int kFetchFirst = 128;
constexpr int kFetchMost = 4'096;

// Short statements gain nothing by being compiled, and wait for it.
constexpr const char* kSettings =
    "SET jit = off; SET client_min_messages = error; SET standard_conforming_strings = on;"
    "SET default_transaction_isolation = 'read committed'";
constexpr const char* kPowerSafe = "; SET synchronous_commit = on";

// The rows of an answer, one after the other.
class Rows {
 public:
  void take(PostgresResult result) {
    result_ = std::move(result);
    row_ = -1;
    rows_ = result_ == nullptr ? 0 : pq_.rows(result_.get());
  }
  void clear() { take(nullptr); }
  bool next() { return ++row_ < rows_; }
  int count() const { return rows_; }
  const PGresult* result() const { return result_.get(); }

  Value cell(int column) const {
    const PGresult* const result = result_.get();
    if (pq_.is_null(result, row_, column) != 0) return {};
    return decode(pq_.field_type(result, column),
                  {pq_.value(result, row_, column),
                   static_cast<std::size_t>(pq_.length(result, row_, column))});
  }

 private:
  const PostgresLibrary& pq_ = postgres_library();
  PostgresResult result_;
  int row_ = -1;
  int rows_ = 0;
};

class PlainStatement final : public PreparedStatement {
 public:
  PlainStatement(PostgresLink& link, std::string_view sql, bool many)
      : link_(link), sql_(sql), many_(many) {}

  void bind(int index, const Value& value) override {
    const auto place = static_cast<std::size_t>(index) - 1;
    if (many_)
      parameters_.append(place, value);
    else
      parameters_.set(place, value);
  }

  bool step() override {
    if (!ran_) {
      send();
      rows_.take(link_.wait());
      if (sql_ == "COMMIT" && link_.changes() < 0)
        throw Error(Code::kInternal, "a statement of a write failed, so nothing of it was kept");
    }
    return rows_.next();
  }

  void send() override {
    if (many_) parameters_.end_arrays();
    link_.send(sql_, many_, parameters_);
    ran_ = true;
  }

  void reset(bool unbind) override {
    ran_ = false;
    rows_.clear();
    if (unbind || many_) parameters_.clear();
  }

  Value cell(int column) const override { return rows_.cell(column); }

 private:
  PostgresLink& link_;
  const std::string sql_;
  const bool many_;
  PostgresParameters parameters_;
  bool ran_ = false;
  Rows rows_;
};

// Reads through a cursor: of a long list only what is asked for is made and sent.
class Walk final : public PreparedStatement {
 public:
  Walk(PostgresLink& link, std::string_view sql, std::int64_t number)
      : link_(link), name_("walk" + std::to_string(number)) {
    declare_ = "DECLARE " + name_ + " NO SCROLL CURSOR FOR " + to_postgres(sql);
  }
  ~Walk() override { close(); }

  void bind(int index, const Value& value) override {
    parameters_.set(static_cast<std::size_t>(index) - 1, value);
  }

  bool step() override {
    if (!opened_) {
      link_.send_once(declare_, parameters_);
      opened_ = true;
      generation_ = link_.generation();
      fetch(kFetchFirst);
    }
    if (rows_.next()) return true;
    if (rows_.count() < fetched_) return false;
    fetch(std::min(2 * fetched_, kFetchMost));
    return rows_.next();
  }

  void send() override {
    while (step()) {
    }
  }

  void reset(bool unbind) override {
    close();
    rows_.clear();
    if (unbind) parameters_.clear();
  }

  Value cell(int column) const override { return rows_.cell(column); }

 private:
  void fetch(int rows) {
    link_.send_once("FETCH FORWARD " + std::to_string(rows) + " FROM " + name_, {});
    fetched_ = rows;
    rows_.take(link_.wait());
  }

  // A cursor ends with its transaction, so it need not be closed when that has failed.
  void close() {
    if (!opened_) return;
    opened_ = false;
    if (generation_ == link_.generation() && link_.sound()) {
      try {
        link_.send_once("CLOSE " + name_, {});
      } catch (const Error&) {
        // The connection is gone, and the cursor with it.
      }
    }
  }

  PostgresLink& link_;
  const std::string name_;
  std::string declare_;
  PostgresParameters parameters_;
  bool opened_ = false;
  std::int64_t generation_ = 0;
  int fetched_ = 0;
  Rows rows_;
};

class PostgresConnection final : public Connection {
 public:
  PostgresConnection(const std::string& url, const std::string& name, bool writes,
                     std::string settings)
      : Connection(Engine::kPostgres, name),
        link_(url, name, writes, std::move(settings)),
        begin_(link_, writes ? "BEGIN" : "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", false),
        rollback_(link_, "ROLLBACK", false) {}

  std::unique_ptr<PreparedStatement> prepare(std::string_view sql, Usage usage) override {
    if (usage == Usage::kWalk) return std::make_unique<Walk>(link_, sql, ++walks_);
    return std::make_unique<PlainStatement>(link_, sql, usage == Usage::kMany);
  }

  using Connection::run;
  void run(const std::string& script, const std::function<void()>& meanwhile) override {
    link_.script(to_postgres(script), meanwhile);
  }

  void begin() override {
    link_.ensure();
    begin_.send();
    begin_.reset(true);
    begun_ = true;
  }

  void end() noexcept override {
    begun_ = false;
    try {
      if (!link_.connected()) return;
      rollback_.send();
      rollback_.reset(true);
      link_.part();
    } catch (const std::exception&) {
      // The connection is gone: the next begin() makes another, or says why not.
    }
  }

  bool in_transaction() const override {
    return link_.waits() ? link_.connected() && begun_ : link_.open();
  }

  std::int64_t changes() override {
    if (link_.waits()) link_.wait();
    return link_.changes();
  }

  void committed() override {}

 private:
  PostgresLink link_;
  PlainStatement begin_;
  PlainStatement rollback_;
  bool begun_ = false;  // begin() was sent, and perhaps not answered yet
  std::int64_t walks_ = 0;
};

// The database as messages may show it: without user and password.
std::string name_of(const std::string& url) {
  const PostgresLibrary& pq = postgres_library();
  PQconninfoOption* const options = pq.conninfo_parse(url.c_str(), nullptr);
  if (options == nullptr) {
    throw Error(Code::kInvalidArgument,
                "the URL of the store is not one that PostgreSQL's library can read",
                "postgresql://USER@HOST:PORT/DATABASE; characters like @ and / in a password are "
                "written %40 and %2F");
  }
  std::string host;
  std::string port;
  std::string database;
  for (const PQconninfoOption* option = options; option->keyword != nullptr; ++option) {
    if (option->val == nullptr) continue;
    const std::string_view keyword = option->keyword;
    if (keyword == "host") host = option->val;
    if (keyword == "port") port = option->val;
    if (keyword == "dbname") database = option->val;
  }
  pq.conninfo_free(options);
  const bool local = host.starts_with('/');
  std::string name = "postgresql://" + (local ? "" : host);
  if (!port.empty()) name += ":" + port;
  name += "/" + database;
  if (local) name += "?host=" + host;
  return name;
}

}  // namespace

bool is_postgres_url(std::string_view text) {
  return text.starts_with("postgresql://") || text.starts_with("postgres://");
}

std::unique_ptr<Connection> open_postgres_writer(const std::string& url, bool power_safe) {
  std::string settings = kSettings;
  if (power_safe) settings += kPowerSafe;
  return std::make_unique<PostgresConnection>(url, name_of(url), true, std::move(settings));
}

std::unique_ptr<Connection> open_postgres_reader(const std::string& url) {
  return std::make_unique<PostgresConnection>(url, name_of(url), false, kSettings);
}

}  // namespace slipway::storage
