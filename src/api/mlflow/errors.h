// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "http/message.h"
#include "http/router.h"

namespace slipway::api::mlflow {

// How an Error looks to MLflow's clients. The client retries 408, 429 and 5xx for minutes, so
// nothing that the user must mend may answer with one of these.
struct WireError {
  std::string_view error_code;   // "RESOURCE_DOES_NOT_EXIST"
  int status;                    // HTTP
  std::string_view sqlstate;     // "" = the field is left out
  std::string_view error_class;  // likewise
};

// The one table from our codes to theirs.
//   source  MLflow 3.17.2: protos/databricks.proto, error_classification.py
WireError wire_error(Code code);

// {"error_code", "message", "sqlstate", "error_class"} on one line, with the table's status. A hint
// is added to the message.
http::Response error_response(const Error& error);

// The same for an answer that is not its code's row of the table.
http::Response error_response(const WireError& wire, std::string message);

// What MLflow's server with accounts says to those who are not known, and to those who may not:
// plain words, as its clients and its page expect.
http::Response unauthenticated_response();  // 401, asks for Basic
http::Response forbidden_response();        // 403 "Permission denied"

// Small HTML as MLflow's server has it, for requests that no handler of its API looks at: 400, 404,
// 405 with their sentences.
http::Response error_page(int status);

// The answer of MLflow's paths for ServerHooks::refuse: error_response for what a handler threw;
// small HTML for an unknown path (404) and a wrong method (405), which the client takes for "this
// server is too old for that" instead of an error of the user's.
http::Response refuse(const http::Request& request, const http::Route* route, const Error& error,
                      int status);

}  // namespace slipway::api::mlflow
