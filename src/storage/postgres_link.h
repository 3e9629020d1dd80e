// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "storage/postgres_library.h"
#include "storage/session.h"
#include "storage/value.h"

namespace slipway::storage {

// The parameters of one statement, in PostgreSQL's binary formats.
class PostgresParameters {
 public:
  void clear() { count_ = 0; }
  void set(std::size_t place, const Value& value);     // from 0
  void append(std::size_t place, const Value& value);  // one more element of an array
  void end_arrays();                                   // once, before sending

  std::string_view signature() const { return {signature_.data(), count_}; }  // a letter a type
  std::size_t count() const { return count_; }

 private:
  friend class PostgresLink;
  struct Parameter {
    Value::Kind kind = Value::Kind::kUnknown;
    bool null = true;
    bool array = false;
    std::int32_t elements = 0;
    std::string bytes;
  };
  Parameter& at(std::size_t place);

  std::vector<Parameter> parameters_;  // may be more than count_: their room is kept
  std::string signature_;
  std::size_t count_ = 0;
};

// The conversation with the server: what was sent, what of it was answered, and which statements it
// has prepared. One thread at a time. Faults throw Error as Database says.
class PostgresLink {
 public:
  // `name` is what messages call the database. `settings` run on every new connection.
  PostgresLink(std::string url, std::string name, bool writes, std::string settings);
  ~PostgresLink();
  PostgresLink(const PostgresLink&) = delete;
  PostgresLink& operator=(const PostgresLink&) = delete;

  // Connects, or connects anew when the connection is lost or was closed meanwhile.
  void ensure();

  // Sends a statement to be answered later; it is prepared on the way when it has not been yet.
  void send(std::string_view sql, bool many, const PostgresParameters& parameters);
  // One that is not kept: ready for PostgreSQL as it stands.
  void send_once(const std::string& sql, const PostgresParameters& parameters);

  // Waits until all is answered; the answer to what was sent last. The first fault is thrown.
  PostgresResult wait();
  // Asks for answers without waiting for them: the next ensure() does.
  void part();
  // Several statements at once, as they stand.
  void script(const std::string& sql, const std::function<void()>& meanwhile);

  bool waits() const { return !sent_.empty(); }  // for answers
  bool connected() const { return connection_ != nullptr; }
  // When answers came last: a transaction was open; and no fault had spoilt it.
  bool open() const { return status_ == PQTRANS_INTRANS || status_ == PQTRANS_INERROR; }
  bool sound() const { return status_ == PQTRANS_INTRANS; }
  std::int64_t changes() const { return changes_; }
  // Grows with every connection: what belonged to one is gone with it.
  std::int64_t generation() const { return generation_; }

 private:
  struct Plan {
    std::string name;
    std::string sql;
    enum class State { kUnknown, kSent, kPrepared } state = State::kUnknown;
  };
  struct Sent {
    Plan* prepares = nullptr;
  };

  void connect();
  void close();
  void check_server();
  void take_lock();
  bool still_there();
  Plan& plan_of(std::string_view sql, bool many, const PostgresParameters& parameters);
  void fill(const PostgresParameters& parameters);
  PostgresResult collect();
  PostgresResult answer_of(Sent& sent, PostgresResult& fault);
  [[noreturn]] void lost(const std::string& detail);
  [[noreturn]] void fail(const PGresult* fault) const;

  const std::string url_;
  const std::string name_;
  const bool writes_;
  const std::string settings_;
  const PostgresLibrary& pq_;
  PGconn* connection_ = nullptr;
  std::int64_t generation_ = 0;
  std::int64_t changes_ = 0;
  std::deque<Sent> sent_;
  PGTransactionStatusType status_ = PQTRANS_IDLE;
  bool parted_ = false;  // the answers were asked for already
  std::unordered_map<std::string, Plan> plans_;
  std::int64_t plans_made_ = 0;
  std::string key_;  // of a plan; kept for its room, as are the next three
  std::vector<const char*> values_;
  std::vector<int> lengths_;
  std::vector<int> formats_;
};

}  // namespace slipway::storage
