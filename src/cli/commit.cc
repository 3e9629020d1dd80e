// SPDX-License-Identifier: Apache-2.0
#include "base/process.h"
#include "cli/dvc_verbs.h"
#include "cli/verbs.h"
#include "pipeline/tracked_data.h"

namespace slipway::cli {

int dvc_commit(const Arguments& arguments, Context& context) {
  const std::vector<std::string> targets = arguments.list("TARGET");
  const std::string name = targets.size() == 1 ? " " + targets.front() : "";
  return dvc_edge(context, kFailed, "failed to commit" + name + " - ", [&] {
    SystemProcessRunner processes;
    const std::filesystem::path current = std::filesystem::current_path();
    data::Workspace workspace(current, processes);
    const DvcLines lines = dvc_lines(context, arguments.flag("quiet"));
    pipeline::commit_data(workspace, current, targets, arguments.flag("force"),
                          {lines.info, lines.warning});
    return int{kDone};
  });
}

}  // namespace slipway::cli
