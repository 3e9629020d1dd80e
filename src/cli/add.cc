// SPDX-License-Identifier: Apache-2.0
#include "base/process.h"
#include "cli/dvc_verbs.h"
#include "cli/verbs.h"
#include "pipeline/tracked_data.h"

namespace slipway::cli {

int dvc_add(const Arguments& arguments, Context& context) {
  return dvc_edge(context, kFailed, "", [&] {
    SystemProcessRunner processes;
    const std::filesystem::path current = std::filesystem::current_path();
    data::Workspace workspace(current, processes);
    const DvcLines lines = dvc_lines(context, arguments.flag("quiet"));
    pipeline::add_data(workspace, current, arguments.list("PATH"), arguments.flag("no-commit"),
                       {lines.info, lines.warning});
    return int{kDone};
  });
}

}  // namespace slipway::cli
