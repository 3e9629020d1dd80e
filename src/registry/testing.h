// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <gtest/gtest.h>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "ledger/event.h"
#include "ledger/evidence.h"
#include "registry/model_version.h"
#include "registry/registered_model.h"
#include "storage/database.h"
#include "storage/testing.h"

namespace slipway::registry {

// A store in memory with a clock that stands still: what the tests of this folder (and of those
// above it) begin with.
class RegistryWorld : public testing::Test {
 protected:
  template <typename T>
  T write(const std::function<T(storage::Transaction&)>& work) {
    return database_.write_returning<T>(work);
  }
  void write_void(const std::function<void(storage::Transaction&)>& work) { database_.write(work); }
  template <typename T>
  T read(const std::function<T(storage::Session&)>& work) {
    return database_.read_returning<T>(work);
  }

  // "CODE: message" of the Error that `work` throws inside a write; "" when it throws none.
  std::string refusal(const std::function<void(storage::Transaction&)>& work) {
    try {
      database_.write(work);
    } catch (const Error& error) {
      return std::string(code_name(error.code())) + ": " + error.what();
    }
    return "";
  }

  void make_model(const std::string& name) {
    write_void([&](storage::Transaction& tx) {
      create_model(tx, clock_, NewModel{name, std::nullopt, {}, "user:a"});
    });
  }
  ModelVersion make_version(const std::string& model) {
    return write<ModelVersion>([&](storage::Transaction& tx) {
      NewVersion version;
      version.model = model;
      version.source = "s3://bucket/" + model;
      version.actor = "user:a";
      return create_version(tx, clock_, version);
    });
  }
  std::string put_verdict(const std::string& subject, const std::string& verdict) {
    return write<std::string>([&](storage::Transaction& tx) {
      const std::string hash = ledger::put_evidence(tx, clock_, "gate", subject,
                                                    json::Object{{"subject", subject},
                                                                 {"verdict", verdict},
                                                                 {"reason", "said by the test"},
                                                                 {"at", clock_.now()}});
      ledger::Event event;
      event.type = "gate.evaluated";
      event.subject = "gate:g";
      event.actor = "user:a";
      event.evidence = {hash};
      ledger::append(tx, clock_, event);
      return hash;
    });
  }

  FakeClock clock_{1'700'000'000'000'000};
  storage::FreshStore store_;
  storage::Database database_{store_.options()};
};

}  // namespace slipway::registry
