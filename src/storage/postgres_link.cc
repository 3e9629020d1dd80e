// SPDX-License-Identifier: Apache-2.0
#include "storage/postgres_link.h"

#include <array>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <poll.h>
#include <thread>
#include <utility>

#include "base/error.h"
#include "storage/dialect.h"
#include "storage/postgres_fault.h"
#include "storage/postgres_value.h"

namespace slipway::storage {
namespace {

constexpr std::size_t kPlansMax = 500;  // prepared statements kept by the server for a connection
constexpr const char* kConnectTimeoutS = "10";
// A network that swallows everything is noticed.
constexpr const char* kKeepaliveS = "30";
constexpr const char* kAnswerTimeoutMs = "60000";
constexpr int kVersionMin = 14;
constexpr int kLookEveryMs = 1'000;  // while a script runs
// A server that was killed leaves its lock behind until the database notices.
constexpr int kLockTries = 50;
constexpr std::chrono::milliseconds kBetweenLockTries{100};

// No other server writes to the same schema of the same database.
constexpr const char* kLockSql =
    "SELECT pg_try_advisory_lock(hashtextextended('slipway ' || coalesce(current_schema(), ''), "
    "0))";

bool is_good(ExecStatusType status) {
  return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

char letter_of(Value::Kind kind) {
  constexpr std::string_view kLetters = "uirtb";
  return kLetters[static_cast<std::size_t>(kind)];
}

}  // namespace

// --- parameters

PostgresParameters::Parameter& PostgresParameters::at(std::size_t place) {
  if (place >= parameters_.size()) {
    parameters_.resize(place + 1);
    signature_.resize(place + 1, 'u');
  }
  for (; count_ <= place; ++count_) {  // what is never bound is null
    Parameter& fresh = parameters_[count_];
    fresh.kind = Value::Kind::kUnknown;
    fresh.null = true;
    fresh.array = false;
    fresh.elements = 0;
    fresh.bytes.clear();
    signature_[count_] = 'u';
  }
  return parameters_[place];
}

void PostgresParameters::set(std::size_t place, const Value& value) {
  Parameter& parameter = at(place);
  parameter.kind = value.kind;
  // As on SQLite, which has no NaN.
  parameter.null = value.null || (value.kind == Value::Kind::kReal && std::isnan(value.real));
  parameter.bytes.clear();
  if (!parameter.null) encode(value, parameter.bytes);
  signature_[place] = letter_of(value.kind);
}

void PostgresParameters::append(std::size_t place, const Value& value) {
  Parameter& parameter = at(place);
  if (parameter.kind == Value::Kind::kUnknown) parameter.kind = value.kind;
  parameter.null = false;
  parameter.array = true;
  ++parameter.elements;
  encode_element(value, parameter.bytes);
  signature_[place] = letter_of(parameter.kind);
}

void PostgresParameters::end_arrays() {
  std::string head;
  for (std::size_t i = 0; i < count_; ++i) {
    Parameter& parameter = parameters_[i];
    head.clear();
    encode_array_head(parameter.kind, parameter.elements, head);
    parameter.bytes.insert(0, head);
  }
}

// --- connection

PostgresLink::PostgresLink(std::string url, std::string name, bool writes, std::string settings)
    : url_(std::move(url)),
      name_(std::move(name)),
      writes_(writes),
      settings_(std::move(settings)),
      pq_(postgres_library()) {
  connect();
}

PostgresLink::~PostgresLink() { close(); }

void PostgresLink::close() {
  if (connection_ != nullptr) pq_.finish(std::exchange(connection_, nullptr));
  sent_.clear();
  plans_.clear();
  parted_ = false;
  status_ = PQTRANS_IDLE;
}

void PostgresLink::connect() {
  close();
  ++generation_;
  // What stands in the URL overrides what stands before it here, and nothing behind it.
  const std::array<const char*, 8> keywords = {"connect_timeout",
                                               "keepalives_idle",
                                               "tcp_user_timeout",
                                               "dbname",
                                               "client_encoding",
                                               "fallback_application_name",
                                               nullptr};
  const std::array<const char*, 8> values = {
      kConnectTimeoutS, kKeepaliveS, kAnswerTimeoutMs, url_.c_str(), "UTF8", "slipway", nullptr};
  connection_ = pq_.connect(keywords.data(), values.data(), 1);
  if (connection_ == nullptr || pq_.status(connection_) != CONNECTION_OK) {
    const std::string text =
        connection_ == nullptr ? "out of memory" : pq_.error_message(connection_);
    close();
    throw_connect_fault(name_, text);
  }
  pq_.set_notice_processor(
      connection_, [](void*, const char*) {}, nullptr);
  const PostgresResult set(pq_.exec(connection_, settings_.c_str()));
  if (!is_good(pq_.result_status(set.get()))) fail(set.get());
  check_server();
  if (writes_) take_lock();
  if (pq_.enter_pipeline(connection_) == 0) lost(pq_.error_message(connection_));
}

void PostgresLink::check_server() {
  const PostgresResult answer(pq_.exec(connection_,
                                       "SELECT current_setting('server_version_num')::int / 10000, "
                                       "current_setting('server_encoding')"));
  if (!is_good(pq_.result_status(answer.get()))) fail(answer.get());
  const std::string version = pq_.value(answer.get(), 0, 0);
  const std::string encoding = pq_.value(answer.get(), 0, 1);
  if (std::atoi(version.c_str()) < kVersionMin) {
    close();
    throw Error(Code::kFailedPrecondition, "the store `" + name_ + "` is in PostgreSQL " + version +
                                               "; version " + std::to_string(kVersionMin) +
                                               " or newer is needed");
  }
  if (encoding != "UTF8") {
    close();
    throw Error(
        Code::kFailedPrecondition,
        "the database of the store `" + name_ + "` has encoding " + encoding + "; UTF8 is needed",
        "createdb --encoding UTF8 --template template0 NAME");
  }
}

void PostgresLink::take_lock() {
  for (int i = 0; i < kLockTries; ++i) {
    const PostgresResult answer(pq_.exec(connection_, kLockSql));
    if (!is_good(pq_.result_status(answer.get()))) fail(answer.get());
    if (pq_.value(answer.get(), 0, 0)[0] == 't') return;
    std::this_thread::sleep_for(kBetweenLockTries);
  }
  close();
  throw Error(Code::kUnavailable, "another server has the store `" + name_ + "` open",
              "end that server, or give this one a database or schema of its own");
}

// A database that was restarted while nobody asked has closed the connection.
bool PostgresLink::still_there() {
  for (;;) {
    pollfd look{pq_.socket(connection_), POLLIN, 0};
    if (poll(&look, 1, 0) == 0) return true;
    if (pq_.consume_input(connection_) == 0 || pq_.status(connection_) != CONNECTION_OK)
      return false;
  }
}

void PostgresLink::ensure() {
  if (connection_ != nullptr && waits()) {
    try {
      wait();
    } catch (const Error&) {
      // Nobody waited for it. Whether the connection is still there is looked at next.
    }
  }
  if (connection_ == nullptr || !still_there()) connect();
}

void PostgresLink::lost(const std::string& detail) {
  const std::string text = detail;  // it stands in what is freed next
  close();
  throw_lost(name_, text);
}

void PostgresLink::fail(const PGresult* fault) const {
  const char* const state = pq_.error_field(fault, PG_DIAG_SQLSTATE);
  const char* const text = pq_.error_field(fault, PG_DIAG_MESSAGE_PRIMARY);
  throw_fault(name_, state == nullptr ? "" : state,
              text == nullptr ? pq_.result_error(fault) : text);
}

// --- statements

PostgresLink::Plan& PostgresLink::plan_of(std::string_view sql, bool many,
                                          const PostgresParameters& parameters) {
  key_.assign(1, many ? 'm' : 'p');
  key_ += parameters.signature();
  key_ += ' ';
  key_ += sql;
  const auto found = plans_.find(key_);
  if (found != plans_.end()) return found->second;
  Plan plan;
  plan.name = "s" + std::to_string(++plans_made_);
  if (many) {
    std::string types;
    for (std::size_t i = 0; i < parameters.count(); ++i) {
      types += i == 0 ? "" : ",";
      types += postgres_type_name(parameters.parameters_[i].kind);
    }
    plan.sql = to_postgres(to_postgres_many(sql, types));
  } else {
    plan.sql = to_postgres(sql);
  }
  return plans_.emplace(key_, std::move(plan)).first->second;
}

void PostgresLink::fill(const PostgresParameters& parameters) {
  values_.clear();
  lengths_.clear();
  for (std::size_t i = 0; i < parameters.count(); ++i) {
    const auto& parameter = parameters.parameters_[i];
    values_.push_back(parameter.null ? nullptr : parameter.bytes.data());
    lengths_.push_back(static_cast<int>(parameter.bytes.size()));
  }
  formats_.assign(parameters.count(), 1);
}

void PostgresLink::send(std::string_view sql, bool many, const PostgresParameters& parameters) {
  if (connection_ == nullptr) lost("it was lost before");
  if (plans_.size() >= kPlansMax && sent_.empty()) {
    plans_.clear();
    send_once("DEALLOCATE ALL", {});
  }
  Plan& plan = plan_of(sql, many, parameters);
  if (plan.state == Plan::State::kUnknown) {
    std::vector<unsigned> types;
    for (std::size_t i = 0; i < parameters.count(); ++i) {
      const auto& parameter = parameters.parameters_[i];
      types.push_back(parameter.array ? postgres_array_type(parameter.kind)
                                      : postgres_type(parameter.kind));
    }
    if (pq_.send_prepare(connection_, plan.name.c_str(), plan.sql.c_str(),
                         static_cast<int>(types.size()), types.data()) == 0)
      lost(pq_.error_message(connection_));
    plan.state = Plan::State::kSent;
    sent_.push_back({&plan});
  }
  fill(parameters);
  if (pq_.send_prepared(connection_, plan.name.c_str(), static_cast<int>(values_.size()),
                        values_.data(), lengths_.data(), formats_.data(), 1) == 0)
    lost(pq_.error_message(connection_));
  sent_.push_back({nullptr});
}

void PostgresLink::send_once(const std::string& sql, const PostgresParameters& parameters) {
  if (connection_ == nullptr) lost("it was lost before");
  fill(parameters);
  std::vector<unsigned> types;
  for (std::size_t i = 0; i < parameters.count(); ++i)
    types.push_back(postgres_type(parameters.parameters_[i].kind));
  if (pq_.send_params(connection_, sql.c_str(), static_cast<int>(types.size()), types.data(),
                      values_.data(), lengths_.data(), formats_.data(), 1) == 0)
    lost(pq_.error_message(connection_));
  sent_.push_back({nullptr});
}

// The answer to one thing that was sent; its fault, when it is the first.
PostgresResult PostgresLink::answer_of(Sent& sent, PostgresResult& fault) {
  PostgresResult last;
  while (PGresult* const one = pq_.get_result(connection_)) {
    last.reset(one);
    const ExecStatusType status = pq_.result_status(one);
    if (sent.prepares != nullptr)
      sent.prepares->state = is_good(status) ? Plan::State::kPrepared : Plan::State::kUnknown;
    if (status == PGRES_FATAL_ERROR && fault == nullptr) fault = std::move(last);
    if (pq_.status(connection_) == CONNECTION_BAD) break;
  }
  return last;
}

PostgresResult PostgresLink::collect() {
  PostgresResult last;
  PostgresResult fault;
  for (Sent& sent : sent_) {
    last = answer_of(sent, fault);
    if (pq_.status(connection_) == CONNECTION_BAD) break;
  }
  sent_.clear();
  parted_ = false;
  if (pq_.status(connection_) == CONNECTION_BAD) lost(pq_.error_message(connection_));
  const PostgresResult sync(pq_.get_result(connection_));
  if (pq_.status(connection_) == CONNECTION_BAD) lost(pq_.error_message(connection_));
  status_ = pq_.transaction_status(connection_);
  if (fault != nullptr) fail(fault.get());
  if (last != nullptr) {
    changes_ = std::strtoll(pq_.cmd_tuples(last.get()), nullptr, 10);
    // A transaction that a fault has spoilt is rolled back by COMMIT, which calls that a success.
    if (std::string_view(pq_.cmd_status(last.get())) == "ROLLBACK") changes_ = -1;
  }
  return last;
}

PostgresResult PostgresLink::wait() {
  if (connection_ == nullptr) lost("it was lost before");
  if (!parted_ && pq_.pipeline_sync(connection_) == 0) lost(pq_.error_message(connection_));
  return collect();
}

void PostgresLink::part() {
  if (connection_ == nullptr || sent_.empty() || parted_) return;
  parted_ = pq_.pipeline_sync(connection_) != 0;
}

void PostgresLink::script(const std::string& sql, const std::function<void()>& meanwhile) {
  if (waits()) {
    try {
      wait();
    } catch (const Error&) {
      if (connection_ == nullptr) throw;
      // Of what nobody waited for: the script (a rollback) comes all the same.
    }
  }
  if (connection_ == nullptr) lost("it was lost before");
  if (pq_.exit_pipeline(connection_) == 0 || pq_.send_query(connection_, sql.c_str()) == 0)
    lost(pq_.error_message(connection_));
  while (meanwhile && pq_.is_busy(connection_) != 0) {
    pollfd look{pq_.socket(connection_), POLLIN, 0};
    if (poll(&look, 1, kLookEveryMs) > 0 && pq_.consume_input(connection_) == 0) break;
    meanwhile();
  }
  PostgresResult fault;
  Sent sent;
  const PostgresResult last = answer_of(sent, fault);
  if (pq_.status(connection_) == CONNECTION_BAD) lost(pq_.error_message(connection_));
  status_ = pq_.transaction_status(connection_);
  if (pq_.enter_pipeline(connection_) == 0) lost(pq_.error_message(connection_));
  if (fault != nullptr) fail(fault.get());
}

}  // namespace slipway::storage
