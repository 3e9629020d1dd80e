// SPDX-License-Identifier: Apache-2.0
#include "http/outward.h"

#include <string>

#include "base/id.h"
#include "base/log.h"

namespace slipway::http {

Error outward(const std::exception& fault, std::string_view doing) {
  const auto* const error = dynamic_cast<const Error*>(&fault);
  if (error != nullptr && error->code() != Code::kInternal) return *error;
  const std::string id = random_hex32().substr(0, 8);
  log::error("a request failed",
             {{"id", id}, {"what", fault.what()}, {"request", std::string(doing)}});
  return Error(Code::kInternal,
               "internal error " + id + ": the server's log has more under this id");
}

}  // namespace slipway::http
