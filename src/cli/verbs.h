// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/command.h"

// What the rows of the command table run, one file a noun or verb. Each returns an exit code or
// throws Error.
namespace slipway::cli {

int server_run(const Arguments&, Context&);

int experiment_list(const Arguments&, Context&);
int run_list(const Arguments&, Context&);
int run_show(const Arguments&, Context&);

int model_list(const Arguments&, Context&);
int model_show(const Arguments&, Context&);
int model_history(const Arguments&, Context&);
int model_promote(const Arguments&, Context&);

int plan(const Arguments&, Context&);
int apply(const Arguments&, Context&);
int rollback(const Arguments&, Context&);

int endpoint_list(const Arguments&, Context&);
int endpoint_show(const Arguments&, Context&);
int endpoint_release(const Arguments&, Context&);
int endpoint_replay(const Arguments&, Context&);

int rollout_list(const Arguments&, Context&);
int rollout_show(const Arguments&, Context&);
int rollout_pause(const Arguments&, Context&);
int rollout_resume(const Arguments&, Context&);
int rollout_promote(const Arguments&, Context&);
int rollout_abort(const Arguments&, Context&);

int label_add(const Arguments&, Context&);
int monitor_list(const Arguments&, Context&);
int monitor_show(const Arguments&, Context&);
int monitor_export(const Arguments&, Context&);
int alarm_list(const Arguments&, Context&);

int gate_list(const Arguments&, Context&);
int gate_evaluate(const Arguments&, Context&);

int trigger_list(const Arguments&, Context&);
int trigger_show(const Arguments&, Context&);
int trigger_pause(const Arguments&, Context&);
int trigger_resume(const Arguments&, Context&);
int trigger_fire(const Arguments&, Context&);
int trigger_log(const Arguments&, Context&);

int user_list(const Arguments&, Context&);
int user_create(const Arguments&, Context&);
int user_show(const Arguments&, Context&);
int user_password(const Arguments&, Context&);
int user_admin(const Arguments&, Context&);
int user_delete(const Arguments&, Context&);
int user_grant(const Arguments&, Context&);
int user_revoke(const Arguments&, Context&);
int token_list(const Arguments&, Context&);
int token_create(const Arguments&, Context&);
int token_revoke(const Arguments&, Context&);
int audit_list(const Arguments&, Context&);

int event_list(const Arguments&, Context&);
int event_show(const Arguments&, Context&);
int evidence_show(const Arguments&, Context&);
int story(const Arguments&, Context&);
int explain(const Arguments&, Context&);
int platform_status(const Arguments&, Context&);
int doctor(const Arguments&, Context&);

int stats(const Arguments&, Context&);

// DVC's verbs: dvc_verbs.h does the work on local files.
int dvc_init(const Arguments&, Context&);
int dvc_add(const Arguments&, Context&);
int dvc_checkout(const Arguments&, Context&);
int dvc_commit(const Arguments&, Context&);
int dvc_repro(const Arguments&, Context&);
int dvc_status(const Arguments&, Context&);

}  // namespace slipway::cli
