// SPDX-License-Identifier: Apache-2.0
#include "cli/command.h"
#include "cli/verbs.h"

namespace slipway::cli {
namespace {

using Kind = Option::Kind;

Option positional(std::string name, std::string help) {
  return {std::move(name), Kind::kPositional, std::move(help), "", true};
}
Option text(std::string flags, std::string value_name, std::string help) {
  return {std::move(flags), Kind::kText, std::move(help), std::move(value_name)};
}
Option integer(std::string flags, std::string help) {
  return {std::move(flags), Kind::kInteger, std::move(help), "N"};
}
Option flag(std::string flags, std::string help) {
  return {std::move(flags), Kind::kFlag, std::move(help)};
}

const Option kReason = text("--reason", "TEXT", "why; kept with the change");
const Option kReasonNeeded{"--reason", Kind::kText, "why; kept with the change", "TEXT", true};

std::vector<Command> server_commands() {
  return {
      {"server",
       "start everything: tracking, registry, serving, monitoring, automation and the page",
       {"slipway server", "slipway server --data /srv/slipway --listen 127.0.0.1:8000"},
       {text("--data", "DIR", "the store (default .slipway)"),
        text("--listen", "HOST:PORT", "address (default 127.0.0.1:5000; port 0 takes a free one)"),
        {"--allow-host", Kind::kRepeated,
         "a name besides localhost that requests may be addressed to", "NAME"},
        text("--store", "URL",
             "where metadata is kept: postgresql://USER@HOST:PORT/DATABASE (default SQLite in "
             "--data)"),
        text("--durability", "kill|power",
             "what an acknowledged write survives (default kill: kill -9; power: a power cut too)"),
        text("--default-permission", "PERMISSION",
             "what users may do where no grant speaks: NO_PERMISSIONS (default), READ, USE, EDIT, "
             "MANAGE")},
       server_run,
       false,
       false},
      {"platform status",
       "what the server is, holds and is doing",
       {"slipway platform status"},
       {},
       platform_status},
      {"doctor",
       "check that every promotion, refusal, counter and prediction can be recomputed; 3 if not",
       {"slipway doctor"},
       {},
       doctor},
  };
}

std::vector<Command> tracking_commands() {
  return {
      {"experiment list",
       "experiments of the server",
       {"slipway experiment list"},
       {},
       experiment_list},
      {"run list",
       "runs, newest first",
       {"slipway run list --filter \"metrics.log_loss < 0.5\" --order-by \"metrics.log_loss ASC\"",
        "slipway run list --experiment flights --limit 5"},
       {text("--experiment", "NAME", "only this one, by name or id"),
        text("--filter", "EXPRESSION", "as mlflow.search_runs"),
        text("--order-by", "COLUMN", "as mlflow.search_runs"),
        integer("--limit", "at most that many (default 20)")},
       run_list},
      {"run show",
       "parameters, metrics and tags of a run",
       {"slipway run show 3f0c9d…"},
       {positional("RUN", "run id, or its first characters")},
       run_show},
  };
}

std::vector<Command> registry_commands() {
  return {
      {"model list",
       "registered models and where their aliases point",
       {"slipway model list"},
       {},
       model_list},
      {"model show",
       "the versions of a model",
       {"slipway model show late-arrival"},
       {positional("MODEL", "name")},
       model_show},
      {"model history",
       "every move of a model's aliases: who, why and on which evidence",
       {"slipway model history late-arrival",
        "slipway model history late-arrival --alias champion --json"},
       {positional("MODEL", "name"), text("--alias", "ALIAS", "only this one")},
       model_history},
      {"model promote",
       "put a version through the gate, then into production; 8 if the gate says no",
       {"slipway model promote late-arrival/2",
        "slipway model promote late-arrival/2 --reason \"new features\""},
       {positional("NAME/VERSION", "model version"),
        text("--alias", "ALIAS", "the alias to move (default champion)"), kReason},
       model_promote},
      {"gate list", "gates and what they compare", {"slipway gate list"}, {}, gate_list},
      {"gate evaluate",
       "compare a version with the champion on the newest labelled inputs; 8 if it does not pass",
       {"slipway gate evaluate late-arrival --challenger 3"},
       {positional("GATE", "name"), {"--challenger", Kind::kInteger, "version number", "N", true}},
       gate_evaluate},
  };
}

std::vector<Command> serving_commands() {
  const Option endpoint = positional("ENDPOINT", "name");
  const Option rollout = positional("ROLLOUT", "rollout id, or its first characters");
  return {
      {"endpoint list",
       "endpoints and what they serve",
       {"slipway endpoint list"},
       {},
       endpoint_list},
      {"endpoint show",
       "versions, rollout, hold, watermark and counters of an endpoint",
       {"slipway endpoint show late-arrival"},
       {endpoint},
       endpoint_show},
      {"endpoint replay",
       "send recorded requests in event time, and their labels when they were known",
       {"slipway endpoint replay flights.jsonl --endpoint late-arrival",
        "slipway endpoint replay flights.jsonl --endpoint late-arrival --until 2013-04-01"},
       {positional("FILE",
                   "JSON lines: id, event_time, inputs, label, label_time; in order of event_time"),
        {"--endpoint", Kind::kText, "endpoint", "NAME", true},
        text("--from", "DATE", "first day (default: the file's)"),
        text("--until", "DATE", "stop before this day"),
        integer("--settle-timeout",
                "seconds to wait after each day for what it caused (default 1800)")},
       endpoint_replay},
      {"rollback",
       "serve the previous version at once, and hold automation off until it is released",
       {"slipway rollback late-arrival --reason \"wrong prices\" --ttl 2h"},
       {endpoint, kReason, text("--ttl", "DURATION", "the hold ends by itself after this long")},
       rollback},
      {"endpoint release",
       "end the hold that a rollback set",
       {"slipway endpoint release late-arrival"},
       {endpoint},
       endpoint_release},
      {"rollout list",
       "rollouts, newest first",
       {"slipway rollout list"},
       {text("--endpoint", "NAME", "only this one")},
       rollout_list},
      {"rollout show",
       "steps, counters and e-values of a rollout",
       {"slipway rollout show 01J…"},
       {rollout},
       rollout_show},
      {"rollout pause",
       "the champion answers everything and nothing is decided, until resumed",
       {"slipway rollout pause 01J…"},
       {rollout},
       rollout_pause},
      {"rollout resume",
       "decide again",
       {"slipway rollout resume 01J…"},
       {rollout},
       rollout_resume},
      {"rollout promote",
       "give the challenger all traffic now; the gate's rule still holds",
       {"slipway rollout promote 01J… --reason \"fair is over\""},
       {rollout, kReasonNeeded},
       rollout_promote},
      {"rollout abort",
       "give the champion all traffic now",
       {"slipway rollout abort 01J… --reason \"answers look wrong\""},
       {rollout, kReasonNeeded},
       rollout_abort},
      {"explain",
       "where a prediction came from: model, run, stage, data, commit; and replay it",
       {"slipway explain 0a1b2c3d-42", "slipway explain 0a1b2c3d-42 --json"},
       {positional("PREDICTION", "prediction id")},
       explain},
  };
}

std::vector<Command> monitoring_commands() {
  return {
      {"label add",
       "what became of predictions: JSON lines {prediction, value, event_time, source}",
       {"slipway label add labels.jsonl --endpoint late-arrival"},
       {positional("FILE", "JSON lines; - for standard input"),
        {"--endpoint", Kind::kText, "endpoint", "NAME", true}},
       label_add},
      {"monitor list",
       "monitors and how near they are to an alarm",
       {"slipway monitor list"},
       {},
       monitor_list},
      {"monitor show",
       "a monitor's blocks, detector, blindness and alarms",
       {"slipway monitor show late-arrival"},
       {positional("MONITOR", "name")},
       monitor_show},
      {"monitor export",
       "labelled predictions as CSV",
       {"slipway monitor export late-arrival --labelled --until 2013-06-30 -o labelled.csv"},
       {positional("MONITOR", "name"),
        flag("--labelled", "only rows whose label is known (the only kind there is)"),
        text("--until", "TIME", "predictions before this event time (default: the watermark)"),
        text("--format", "csv", "csv"),
        text("-o,--output", "FILE", "write there instead of stdout")},
       monitor_export,
       false,
       false},
      {"alarm list",
       "alarms with their numbers",
       {"slipway alarm list"},
       {text("--monitor", "NAME", "only this one")},
       alarm_list},
  };
}

std::vector<Command> automation_commands() {
  const Option trigger = positional("TRIGGER", "name");
  const Option file =
      text("-f,--file", "FILE", "desired state (default slipway.yaml, and slipway/*.yaml)");
  return {
      {"plan",
       "show what apply would change, and what it would cost",
       {"slipway plan", "slipway plan -o change.plan --detailed-exitcode"},
       {file, text("-o,--out", "FILE", "keep the plan for `slipway apply FILE`"),
        flag("--prune", "also delete what this file made and no longer names"),
        integer("--allow-destroy", "that many deletions are meant, whatever their share"),
        flag("--detailed-exitcode", "0 no changes, 1 failure, 2 changes")},
       plan},
      {"apply",
       "make production what the files say, all of it or nothing",
       {"slipway apply", "slipway apply change.plan"},
       {{"PLAN", Kind::kPositional, "a plan kept by `slipway plan -o`"},
        file,
        flag("--prune", "also delete what this file made and no longer names"),
        integer("--allow-destroy", "that many deletions are meant, whatever their share")},
       apply},
      {"trigger list", "triggers and their state", {"slipway trigger list"}, {}, trigger_list},
      {"trigger show",
       "what a trigger did, retraining by retraining",
       {"slipway trigger show retrain"},
       {trigger},
       trigger_show},
      {"trigger pause",
       "fire no more until resumed",
       {"slipway trigger pause retrain --reason \"data is being mended\""},
       {trigger, kReasonNeeded},
       trigger_pause},
      {"trigger resume",
       "fire again",
       {"slipway trigger resume retrain"},
       {trigger},
       trigger_resume},
      {"trigger fire",
       "retrain now",
       {"slipway trigger fire retrain"},
       {trigger, kReason},
       trigger_fire},
      {"trigger log",
       "what a retraining printed",
       {"slipway trigger log 01J…"},
       {positional("RETRAINING", "retraining id")},
       trigger_log,
       false,
       false},
      {"event list",
       "everything that happened, in order",
       {"slipway event list --type alarm.",
        "slipway event list --subject endpoint:late-arrival --json"},
       {text("--type", "PREFIX", "only types that begin so"),
        text("--subject", "SUBJECT", "only about this, as endpoint:NAME"),
        {"--after", Kind::kInteger, "only later ones", "SEQ"},
        integer("--limit", "at most that many (default 100)")},
       event_list},
      {"event show",
       "one event",
       {"slipway event show 01J…"},
       {positional("EVENT", "event id")},
       event_show},
      {"evidence show",
       "the grounds of a decision, to recompute it",
       {"slipway evidence show 9f2c…"},
       {positional("HASH", "SHA-256 of the document, or its first characters")},
       evidence_show},
      {"story",
       "alarms, retrainings, comparisons, promotions and refusals with their numbers",
       {"slipway story", "slipway story --json"},
       {text("--endpoint", "NAME", "only this one")},
       story},
  };
}

std::vector<Command> access_commands() {
  const Option user = positional("USER", "name");
  const Option kind = positional(
      "KIND", "experiment, registered_model, prompt, endpoint; or, with *, operations, run …");
  const Option thing = positional("THING", "the experiment's id, the model's name …; * for all");
  return {
      {"user list", "accounts", {"slipway user list"}, {}, user_list},
      {"user create",
       "make an account; the password is read from standard input",
       {"slipway user create ann --admin", "slipway user create bob < password.txt"},
       {user, flag("--admin", "may do everything (the first account may in any case)")},
       user_create},
      {"user show",
       "what a user may do, grant by grant",
       {"slipway user show ann"},
       {user},
       user_show},
      {"user password",
       "give an account another password, read from standard input",
       {"slipway user password ann"},
       {user},
       user_password},
      {"user admin",
       "make a user an administrator, or no longer",
       {"slipway user admin ann", "slipway user admin ann --off"},
       {user, flag("--off", "no longer")},
       user_admin},
      {"user delete",
       "delete an account with its tokens and permissions",
       {"slipway user delete bob"},
       {user},
       user_delete},
      {"user grant",
       "let a user READ, USE, EDIT or MANAGE a thing; DENY refuses whatever other grants say",
       {"slipway user grant ann experiment 7 EDIT",
        "slipway user grant bob registered_model late-arrival READ",
        "slipway user grant bob operations '*' READ"},
       {user, kind, thing, positional("PERMISSION", "READ, USE, EDIT, MANAGE or DENY")},
       user_grant},
      {"user revoke",
       "take such a grant back",
       {"slipway user revoke ann experiment 7"},
       {user, kind, thing},
       user_revoke},
      {"token list",
       "tokens of accounts, never their text",
       {"slipway token list", "slipway token list --user ann"},
       {text("--user", "USER", "only this one's")},
       token_list},
      {"token create",
       "make a token that acts for a user, and print it: the one time that it is shown",
       {"slipway token create laptop", "slipway token create ci --user ann --ttl 90d"},
       {positional("NAME", "what to call it"), text("--user", "USER", "whose (default: who asks)"),
        text("--ttl", "DURATION", "ends after 12h, 90d … (default: never)")},
       token_create},
      {"token revoke",
       "end a token",
       {"slipway token revoke ci --user ann"},
       {positional("NAME", "its name"), {"--user", Kind::kText, "whose", "USER", true}},
       token_revoke},
      {"audit list",
       "who changed what and who was refused, newest first",
       {"slipway audit list", "slipway audit list --refused --limit 20",
        "slipway audit list --actor user:ann --json"},
       {text("--actor", "ACTOR", "only this one: user:NAME, token:server, nobody"),
        flag("--refused", "refusals alone"), integer("--limit", "at most that many (default 100)")},
       audit_list},
  };
}

std::vector<Command> local_commands() {
  const Option targets{"TARGET", Kind::kPositionals,
                       "stages, dvc.yaml files, .dvc files or outputs"};
  const Option quiet = flag("-q,--quiet", "print nothing");
  return {
      {"stats",
       "any statistic as a calculator: JSON in, JSON out; `stats list` names them",
       {"slipway stats list", "echo '{\"k\":3,\"n\":20}' | slipway stats wilson"},
       {{"NAME", Kind::kPositionals, "a name of `stats list`", "", true},
        flag("--jsonl", "one input a line, one output a line"),
        flag("--json", "accepted; the output is JSON anyway")},
       stats,
       false,
       false},
      {"init",
       "make this folder a DVC repository",
       {"slipway init", "slipway init --no-scm"},
       {flag("--no-scm", "without git"), flag("--subdir", "below the root of a git repository"),
        flag("-f,--force", "replace an existing .dvc"), quiet},
       dvc_init,
       true,
       false},
      {"add",
       "track files or folders",
       {"slipway add data/flights.csv"},
       {{"PATH", Kind::kPositionals, "files or folders", "", true},
        flag("--no-commit", "do not put them into the cache"),
        quiet},
       dvc_add,
       true,
       false},
      {"checkout",
       "put tracked files into the workspace",
       {"slipway checkout", "slipway checkout data.dvc"},
       {targets, flag("-f,--force", "overwrite files that are not in the cache"), quiet},
       dvc_checkout,
       true,
       false},
      {"commit",
       "record the workspace as it is",
       {"slipway commit -f"},
       {targets, flag("-f,--force", "also what changed"), quiet},
       dvc_commit,
       true,
       false},
      {"repro",
       "run what changed, record each stage as a run",
       {"slipway repro", "slipway repro train", "slipway repro --dry"},
       {targets, flag("-f,--force", "run also what did not change"),
        flag("-s,--single-item", "only the named stages, not what is above them"),
        flag("--dry", "only say what would run"),
        flag("--no-commit", "do not put outputs into the cache"),
        flag("--no-run-cache", "run even where the same run is in the cache"), quiet},
       dvc_repro,
       true,
       false},
      {"status",
       "what changed since it was recorded",
       {"slipway status", "slipway status --json"},
       {targets, flag("--json", "DVC's JSON"), quiet},
       dvc_status,
       true,
       false},
  };
}

std::vector<Command> make_commands() {
  std::vector<Command> all;
  for (auto part :
       {server_commands(), automation_commands(), registry_commands(), serving_commands(),
        monitoring_commands(), tracking_commands(), access_commands(), local_commands()}) {
    for (Command& command : part) all.push_back(std::move(command));
  }
  return all;
}

}  // namespace

const std::vector<Command>& commands() {
  static const std::vector<Command> table = make_commands();
  return table;
}

}  // namespace slipway::cli
