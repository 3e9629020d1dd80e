// SPDX-License-Identifier: Apache-2.0
#include "automation/plan.h"

#include <filesystem>
#include <ostream>

#include "automation/slipway_yaml.h"
#include "base/error.h"
#include "base/file.h"
#include "base/process.h"
#include "cli/client.h"
#include "cli/output.h"
#include "cli/verbs.h"

namespace slipway::cli {
namespace {

constexpr int kPlanDetailedFailure = 1;  // as Terraform
constexpr int kPlanDetailedChanges = 2;

enum class Shown { kNoChanges, kChanges, kCannotBeApplied };

// What the files of this folder ask for, as the server's request.
json::Object desired_request(const Arguments& arguments) {
  SystemProcessRunner processes;
  const std::string folder = std::filesystem::current_path().string();
  automation::Desired desired = automation::read_desired(folder, arguments.text_or("file", ""));
  automation::PlanRequest request;
  request.objects = std::move(desired.objects);
  request.source = automation::read_source(processes, folder, desired.path);
  request.prune = arguments.flag("prune");
  request.allow_destroy = arguments.integer("allow-destroy").value_or(0);
  return automation::to_json(request);
}

json::Value read_plan(const std::string& file) {
  const std::string text = read_file(file);
  try {
    return json::parse(text);
  } catch (const Error& error) {
    throw Error(Code::kInvalidArgument, "`" + file + "` is no plan: " + error.what(),
                "slipway plan -o " + file);
  }
}

bool has_changes(const json::Value& plan) {
  for (const std::string_view key : {"summary.create", "summary.update", "summary.delete"}) {
    const json::Value* const count = at(plan, key);
    if (count != nullptr && count->is_integer() && count->as_int() > 0) return true;
  }
  return false;
}

bool has_errors(const json::Value& plan) {
  const json::Value* const errors = plan.find("errors");
  return errors != nullptr && errors->is_array() && !errors->as_array().empty();
}

Shown show_plan(const Arguments& arguments, Context& context) {
  const json::Object desired =
      desired_request(arguments);  // faults of the file before faults of the network
  Client client;
  const json::Value plan = client.post(api_path("/plan"), desired);
  if (context.json)
    print_json(context, plan);
  else
    context.out << automation::plan_text(plan.as_object()) << "\n";
  if (const auto file = arguments.text("out")) {
    write_file_atomic(*file, json::write(plan, {.indent = 2}) + "\n", true);
    context.err << "kept in " << *file << ": slipway apply " << *file << "\n";
  }
  if (has_errors(plan)) return Shown::kCannotBeApplied;
  return has_changes(plan) ? Shown::kChanges : Shown::kNoChanges;
}

}  // namespace

int plan(const Arguments& arguments, Context& context) {
  const bool detailed = arguments.flag("detailed-exitcode");
  try {
    const Shown shown = show_plan(arguments, context);
    if (shown == Shown::kCannotBeApplied) return detailed ? kPlanDetailedFailure : kUsage;
    return detailed && shown == Shown::kChanges ? kPlanDetailedChanges : kDone;
  } catch (const Error& error) {
    if (!detailed) throw;
    print_error(context, error);
    return kPlanDetailedFailure;
  }
}

int apply(const Arguments& arguments, Context& context) {
  json::Value request;
  if (const auto file = arguments.text("PLAN")) {
    json::Value plan = read_plan(*file);
    if (plan.find("resource_changes") == nullptr) {
      throw Error(Code::kInvalidArgument, "`" + *file + "` is no plan", "slipway plan -o " + *file);
    }
    request = json::Object{{"plan", std::move(plan)}};
  } else {
    request = desired_request(arguments);
  }
  Client client;
  const json::Value done = client.post(api_path("/apply"), request);
  if (context.json) {
    print_json(context, done);
    return kDone;
  }
  const json::Value* const plan = done.find("plan");
  if (plan != nullptr && plan->is_object())
    context.out << automation::plan_text(plan->as_object()) << "\n";
  context.out << "applied\n";
  return kDone;
}

}  // namespace slipway::cli
