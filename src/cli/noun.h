// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "cli/client.h"
#include "cli/command.h"
#include "json/value.h"

namespace slipway::cli {

// A kind of thing that the server keeps, and how to ask for all of it: what `list`, `show` and the
// acting verbs of every noun have in common.
struct Noun {
  std::string_view word;    // "endpoint": as the user says it, and the command's noun
  std::string_view plural;  // "endpoints": the route, and the list in its answer
  std::string_view identified_by{"name"};  // the member by which a user names one of them
  std::size_t page_max = 0;  // the most that the server sends of them; 0 = all that there are
};

inline constexpr Noun kAlarms{"alarm", "alarms", "id", 1'000};
inline constexpr Noun kEndpoints{"endpoint", "endpoints"};
inline constexpr Noun kGates{"gate", "gates"};
inline constexpr Noun kModels{"model", "registered_models"};
inline constexpr Noun kMonitors{"monitor", "monitors"};
inline constexpr Noun kRollouts{"rollout", "rollouts", "id", 1'000};
inline constexpr Noun kTriggers{"trigger", "triggers"};

// The list that stands in an answer; empty where there is none.
json::Array list_in(const json::Value& answer, std::string_view key);

// All of them, or those that the query lets through; where the server has a largest page, the
// newest that it holds. Models come from MLflow's route, page by page.
json::Array list_of(Client& client, const Noun& noun, Client::Query query = {});

// Whether the list holds as many as the server sends, so that there may be more.
bool is_full(const Noun& noun, const json::Array& list);

// ", did you mean `late-arrival`?" where one of the known names is near to what was typed; else "".
std::string did_you_mean(const std::string& typed, const std::vector<std::string>& known);

// Runs a call that is about the thing of this name. Where it fails with kNotFound, and the list of
// these things lacks the name too, the error is "there is no endpoint `late-arival`, did you mean
// `late-arrival`?" with the list as its hint; a kNotFound about something else passes as it is.
void about(Client& client, const Noun& noun, const std::string& name,
           const std::function<void()>& call);

// GET of one of them. Throws as `about`.
json::Value get_one(Client& client, const Noun& noun, const std::string& name);

// POST /PLURAL/NAME/VERB with the command's --reason, if it has one. Throws as `about`.
json::Value act_on(Client& client, const Noun& noun, const std::string& name,
                   const std::string& verb, const Arguments& arguments);

// The id that begins so, where a user typed only its first characters. As it was typed where none
// or the whole one begins so (the server then says what is wrong); kInvalidArgument where it is the
// beginning of more than one.
//   ids  all that are known; case of letters does not matter
std::string whole_id(std::string_view word, const std::string& typed,
                     const std::vector<std::string>& ids);

}  // namespace slipway::cli
