// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/error.h"
#include "http/message.h"

namespace slipway::api::inference {

// How the Open Inference Protocol says no: {"error": text}, with Triton's status codes
//   400 invalid_argument · 401 unauthenticated · 403 permission_denied · 404 not_found · 501
//   unimplemented · 503 failed_precondition, resource_exhausted, unavailable · 504
//   deadline_exceeded · 500 the rest
// or `status` where the server itself refuses (405, 413).
http::Response error_response(const Error& error, int status = 0);

// How MLflow's scoring server says it: {"error_code": "BAD_REQUEST", "message": text}; codes of
// mlflow/exceptions.py (3.17).
http::Response scoring_error_response(const Error& error, int status = 0);

}  // namespace slipway::api::inference
