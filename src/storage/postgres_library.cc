// SPDX-License-Identifier: Apache-2.0
#include "storage/postgres_library.h"

#include <dlfcn.h>
#include <string>

#include "base/error.h"

namespace slipway::storage {
namespace {

constexpr const char* kLibrary = "libpq.so.5";

template <typename Function>
void find(void* library, const char* name, Function& function) {
  void* const symbol = dlsym(library, name);
  if (symbol == nullptr) {
    throw Error(Code::kUnavailable, std::string(kLibrary) + " has no function " + name +
                                        "; version 14 or newer of it is needed");
  }
  function = reinterpret_cast<Function>(
      symbol);  // NOLINT(cppcoreguidelines-pro-type-reinterpret-cast): dlsym's contract
}

PostgresLibrary load() {
  void* const library = dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    throw Error(Code::kUnavailable,
                std::string("cannot load ") + kLibrary + ", which talks to PostgreSQL",
                "apt-get install libpq5");
  }
  PostgresLibrary pq;
  find(library, "PQclear", pq.clear);
  find(library, "PQcmdStatus", pq.cmd_status);
  find(library, "PQcmdTuples", pq.cmd_tuples);
  find(library, "PQconnectdbParams", pq.connect);
  find(library, "PQconninfoFree", pq.conninfo_free);
  find(library, "PQconninfoParse", pq.conninfo_parse);
  find(library, "PQconsumeInput", pq.consume_input);
  find(library, "PQenterPipelineMode", pq.enter_pipeline);
  find(library, "PQerrorMessage", pq.error_message);
  find(library, "PQexec", pq.exec);
  find(library, "PQexitPipelineMode", pq.exit_pipeline);
  find(library, "PQfinish", pq.finish);
  find(library, "PQflush", pq.flush);
  find(library, "PQfreemem", pq.freemem);
  find(library, "PQftype", pq.field_type);
  find(library, "PQgetResult", pq.get_result);
  find(library, "PQgetisnull", pq.is_null);
  find(library, "PQgetlength", pq.length);
  find(library, "PQgetvalue", pq.value);
  find(library, "PQisBusy", pq.is_busy);
  find(library, "PQntuples", pq.rows);
  find(library, "PQpipelineSync", pq.pipeline_sync);
  find(library, "PQresultErrorField", pq.error_field);
  find(library, "PQresultErrorMessage", pq.result_error);
  find(library, "PQresultStatus", pq.result_status);
  find(library, "PQsendPrepare", pq.send_prepare);
  find(library, "PQsendQuery", pq.send_query);
  find(library, "PQsendQueryParams", pq.send_params);
  find(library, "PQsendQueryPrepared", pq.send_prepared);
  find(library, "PQsetNoticeProcessor", pq.set_notice_processor);
  find(library, "PQsocket", pq.socket);
  find(library, "PQstatus", pq.status);
  find(library, "PQtransactionStatus", pq.transaction_status);
  return pq;
}

}  // namespace

// A loaded library is a fact of the process: found once, never unloaded.
const PostgresLibrary& postgres_library() {
  static const PostgresLibrary pq = load();
  return pq;
}

void ClearResult::operator()(PGresult* result) const { postgres_library().clear(result); }

}  // namespace slipway::storage
