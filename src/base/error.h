// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace slipway {

// Why a request or command cannot be done. Each edge (HTTP per API, CLI, worker) has one table from
// these to its wire codes.
enum class Code {
  kInvalidArgument,     // the caller's input is wrong; the message names the field and what is
                        // accepted
  kNotFound,            // the named thing does not exist
  kAlreadyExists,       // the name is taken
  kFailedPrecondition,  // the thing exists but its state forbids this (deleted, frozen, on hold)
  kConflict,            // somebody else changed it meanwhile: stale plan, lock held, version moved
  kUnauthenticated,     // no token, or one that is not known
  kPermissionDenied,  // known, but not allowed; or a rule said no, and the message holds its reason
  kResourceExhausted,  // a limit was reached: queue, body size, rate, disk
  kUnavailable,        // a server, network or engine cannot be reached now; trying again may help
  kDeadlineExceeded,   // ran out of its time
  kUnimplemented,      // known, but not offered here
  kDataLoss,           // stored bytes are not what was written
  kInternal,           // an operating-system or library failure that the caller did not cause
};

// The lower-case name of a code, as it stands in logs and in `--json` errors ("invalid_argument").
std::string_view code_name(Code code);

// The one exception of this program: "this request or command cannot be done".
// Caught only at the edges (HTTP dispatch, gRPC dispatch, CLI main, worker loops). Programming
// errors assert instead, and outcomes that a caller expects are in return types.
//   message  lower case, no full stop; names the thing and the way out
//   hint     optional: a command or setting that helps, runnable as printed
class Error : public std::runtime_error {
 public:
  Error(Code code, const std::string& message, std::string hint = {})
      : std::runtime_error(message), code_(code), hint_(std::move(hint)) {}

  Code code() const { return code_; }
  const std::string& hint() const { return hint_; }

 private:
  Code code_;
  std::string hint_;
};

// Error with the text of an errno value appended: "cannot open `x`: No such file or directory".
// ENOENT maps to kNotFound, EACCES and EPERM to kPermissionDenied, ENOSPC and EDQUOT to
// kResourceExhausted, others to kInternal.
Error errno_error(int error_number, const std::string& what);

}  // namespace slipway
