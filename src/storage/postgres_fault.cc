// SPDX-License-Identifier: Apache-2.0
#include "storage/postgres_fault.h"

#include "base/error.h"

namespace slipway::storage {
namespace {

// libpq's messages end in a newline, and may have several lines.
std::string one_line(const std::string& text) {
  std::string line;
  for (const char c : text) line += c == '\n' || c == '\t' ? ' ' : c;
  while (!line.empty() && line.back() == ' ') line.pop_back();
  return line;
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

void throw_fault(const std::string& name, std::string_view state, const std::string& text) {
  const std::string said = "the database `" + name + "` refused a statement: " + one_line(text);
  const std::string_view kind = state.substr(0, 2);
  if (state == "53100") {
    throw Error(Code::kResourceExhausted,
                "the disk of the store is full; nothing of this write was kept",
                "free space on the machine of the database; reads and inference go on meanwhile");
  }
  if (state == "40001" || state == "40P01" || state == "55P03") {
    throw Error(Code::kUnavailable,
                said + " (another session is at the same rows; try again in a moment)");
  }
  if (state == "25006") {
    throw Error(Code::kUnavailable, said,
                "the database takes no writes: it is a standby, or default_transaction_read_only "
                "is on");
  }
  if (state == "42501") {
    throw Error(Code::kPermissionDenied, said,
                "the server's user needs CREATE on the schema that it uses, and owns its tables");
  }
  if (kind == "3F") {
    throw Error(Code::kFailedPrecondition, said,
                "CREATE SCHEMA makes the one that search_path in the URL names");
  }
  if (kind == "22" || state == "54000") throw Error(Code::kInvalidArgument, said);
  if (kind == "53" || kind == "57" || kind == "58" || kind == "08")
    throw Error(Code::kUnavailable, said);
  if (kind == "XX") throw Error(Code::kDataLoss, said);
  throw Error(Code::kInternal, said + " (" + std::string(state) + ")");
}

void throw_connect_fault(const std::string& name, const std::string& text) {
  const std::string said = "cannot open the store `" + name + "`: " + one_line(text);
  if (contains(text, "password") || contains(text, "authentication") ||
      contains(text, "pg_hba.conf")) {
    throw Error(Code::kPermissionDenied, said,
                "give the password in PGPASSWORD or ~/.pgpass, or in the URL");
  }
  if (contains(text, "does not exist")) {
    throw Error(Code::kFailedPrecondition, said, "createdb and createuser make what is missing");
  }
  throw Error(Code::kUnavailable, said, "pg_isready says whether the database answers");
}

void throw_lost(const std::string& name, const std::string& text) {
  throw Error(Code::kUnavailable,
              "the connection to the store `" + name + "` was lost: " + one_line(text) +
                  " (whether a write that was under way was kept is not known)",
              "the server connects again with the next request");
}

}  // namespace slipway::storage
