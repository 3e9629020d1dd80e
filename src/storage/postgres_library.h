// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <libpq-fe.h>
#include <memory>

namespace slipway::storage {

// The functions of libpq that we call. The library is loaded when the first connection is made:
// who keeps the store in SQLite neither needs it nor pays for it.
struct PostgresLibrary {
  decltype(&::PQclear) clear = nullptr;
  decltype(&::PQcmdStatus) cmd_status = nullptr;
  decltype(&::PQcmdTuples) cmd_tuples = nullptr;
  decltype(&::PQconnectdbParams) connect = nullptr;
  decltype(&::PQconninfoFree) conninfo_free = nullptr;
  decltype(&::PQconninfoParse) conninfo_parse = nullptr;
  decltype(&::PQconsumeInput) consume_input = nullptr;
  decltype(&::PQenterPipelineMode) enter_pipeline = nullptr;
  decltype(&::PQerrorMessage) error_message = nullptr;
  decltype(&::PQexec) exec = nullptr;
  decltype(&::PQexitPipelineMode) exit_pipeline = nullptr;
  decltype(&::PQfinish) finish = nullptr;
  decltype(&::PQflush) flush = nullptr;
  decltype(&::PQfreemem) freemem = nullptr;
  decltype(&::PQftype) field_type = nullptr;
  decltype(&::PQgetResult) get_result = nullptr;
  decltype(&::PQgetisnull) is_null = nullptr;
  decltype(&::PQgetlength) length = nullptr;
  decltype(&::PQgetvalue) value = nullptr;
  decltype(&::PQisBusy) is_busy = nullptr;
  decltype(&::PQntuples) rows = nullptr;
  decltype(&::PQpipelineSync) pipeline_sync = nullptr;
  decltype(&::PQresultErrorField) error_field = nullptr;
  decltype(&::PQresultErrorMessage) result_error = nullptr;
  decltype(&::PQresultStatus) result_status = nullptr;
  decltype(&::PQsendPrepare) send_prepare = nullptr;
  decltype(&::PQsendQuery) send_query = nullptr;
  decltype(&::PQsendQueryParams) send_params = nullptr;
  decltype(&::PQsendQueryPrepared) send_prepared = nullptr;
  decltype(&::PQsetNoticeProcessor) set_notice_processor = nullptr;
  decltype(&::PQsocket) socket = nullptr;
  decltype(&::PQstatus) status = nullptr;
  decltype(&::PQtransactionStatus) transaction_status = nullptr;
};

// Throws kUnavailable naming the Debian package when libpq is not there.
const PostgresLibrary& postgres_library();

struct ClearResult {
  void operator()(PGresult* result) const;
};
using PostgresResult = std::unique_ptr<PGresult, ClearResult>;

}  // namespace slipway::storage
