// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "cli/client.h"
#include "cli/output.h"
#include "cli/verbs.h"

namespace slipway::cli {
namespace {

int act(const Arguments& arguments, Context& context, const std::string& verb) {
  json::Object body;
  if (const auto reason = arguments.text("reason")) body.set("reason", *reason);
  Client client;
  print_object(context,
               client.post(api_path("/rollouts/{}/" + verb, {*arguments.text("ROLLOUT")}), body));
  return kDone;
}

}  // namespace

int rollout_list(const Arguments& arguments, Context& context) {
  Client client;
  const json::Value answer =
      client.get(api_path("/rollouts"), {{"endpoint", arguments.text_or("endpoint", "")}});
  const json::Value* const list = answer.find("rollouts");
  print_table(context, list == nullptr ? json::Array() : list->as_array(),
              {{"ROLLOUT", "id"},
               {"ENDPOINT", "endpoint"},
               {"FROM", "champion"},
               {"TO", "challenger"},
               {"STATE", "state"},
               {"STEP", "step"},
               {"REASON", "reason"}});
  return kDone;
}

int rollout_show(const Arguments& arguments, Context& context) {
  Client client;
  print_object(context, client.get(api_path("/rollouts/{}", {*arguments.text("ROLLOUT")})));
  return kDone;
}

int rollout_pause(const Arguments& arguments, Context& context) {
  return act(arguments, context, "pause");
}
int rollout_resume(const Arguments& arguments, Context& context) {
  return act(arguments, context, "resume");
}
// The alias rule's no is the gate's no.
int rollout_promote(const Arguments& arguments, Context& context) {
  try {
    return act(arguments, context, "promote");
  } catch (const Error& error) {
    if (error.code() != Code::kPermissionDenied) throw;
    print_error(context, error);
    return kRefused;
  }
}
int rollout_abort(const Arguments& arguments, Context& context) {
  return act(arguments, context, "abort");
}

}  // namespace slipway::cli
