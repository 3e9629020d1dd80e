// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "storage/database.h"

namespace slipway::serving {

// Whose time an endpoint runs on. kWall: a request without a time has the time of its arrival.
// kEvent: it has the endpoint's watermark, so that a year can be replayed in minutes.
enum class EndpointClock { kWall, kEvent };
std::string_view clock_name(EndpointClock clock);  // "wall", "event"
std::optional<EndpointClock> find_clock(std::string_view name);

inline constexpr std::size_t kEndpointNameBytesMax = 128;

// A name that predictions are asked for at. It serves what an alias of its model points to, or a
// pinned version.
struct EndpointRow {
  std::string name;   // [A-Za-z0-9][A-Za-z0-9._-]*; the model name of the Open Inference Protocol
  std::string model;  // registered model
  std::string alias;  // follows this alias of it; "" when pinned
  std::int64_t version = 0;  // pinned to this version; 0 when it follows an alias
  EndpointClock clock = EndpointClock::kWall;
  std::int64_t latency_limit_us = 0;  // a request that takes longer counts as slow; 0 = none counts
  std::string canary;  // the canary policy as one line of JSON, for automation; "" = none: an alias
                       // move serves at once
  std::int64_t previous_version = 0;  // what was pinned before `version`; kept by put_endpoint
  TimeUs created_at = 0;
  TimeUs updated_at = 0;
  bool operator==(const EndpointRow&) const = default;
};

std::optional<EndpointRow> find_endpoint(storage::Session& session, const std::string& name);
EndpointRow get_endpoint(storage::Session& session, const std::string& name);  // throws kNotFound
std::vector<EndpointRow> list_endpoints(storage::Session& session);            // by name

// Who changed something and why, as the event of the change keeps it.
struct Change {
  std::string actor;
  std::string cause;      // event id, or ""
  TimeUs event_time = 0;  // 0 = none: before the endpoint's first request
};

// Creates or replaces the endpoint of that name, and appends endpoint.created or endpoint.updated;
// nothing happens when all is as it was. The times and previous_version of `row` are ignored.
// Throws kInvalidArgument for a bad name, an unnamed model, or not exactly one of alias and
// version. That model, alias and version exist is the Manager's to find out.
EndpointRow put_endpoint(storage::Transaction& transaction, const Clock& clock,
                         const EndpointRow& row, const Change& change);

// Removes it with its hold; endpoint.deleted. Throws kNotFound, and kFailedPrecondition while a
// rollout is under way.
void delete_endpoint(storage::Transaction& transaction, const Clock& clock, const std::string& name,
                     const Change& change);

// Break-glass: keeps automation off an endpoint until it is released or its time is up (wall
// clock).
struct HoldRow {
  std::string endpoint;
  std::string reason;
  std::string actor;
  TimeUs set_at = 0;
  TimeUs until = 0;          // 0 = until released
  std::int64_t version = 0;  // on a pinned endpoint: served instead of the pinned version; else 0
  bool operator==(const HoldRow&) const = default;
};

inline constexpr TimeUs kHoldDefaultUs = kMicrosPerDay;

// The hold in force at `now` (wall clock); nullopt when there is none or its time is up.
std::optional<HoldRow> find_hold(storage::Session& session, const std::string& endpoint,
                                 TimeUs now);

// Sets it (replacing one that is there); hold.set. Throws kNotFound for an unknown endpoint.
void set_hold(storage::Transaction& transaction, const Clock& clock, const HoldRow& hold,
              const Change& change);

// Ends it; hold.released. False when there was none.
bool release_hold(storage::Transaction& transaction, const Clock& clock,
                  const std::string& endpoint, const Change& change);

}  // namespace slipway::serving
