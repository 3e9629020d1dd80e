// SPDX-License-Identifier: Apache-2.0
#include "base/process.h"
#include "cli/dvc_verbs.h"
#include "cli/verbs.h"
#include "pipeline/tracked_data.h"

namespace slipway::cli {

int dvc_init(const Arguments& arguments, Context& context) {
  return dvc_edge(context, kFailed, "failed to initiate DVC - ", [&] {
    SystemProcessRunner processes;
    pipeline::InitOptions options;
    options.no_scm = arguments.flag("no-scm");
    options.subdir = arguments.flag("subdir");
    options.force = arguments.flag("force");
    pipeline::init_repository(std::filesystem::current_path(), processes, options);
    const DvcLines lines = dvc_lines(context, arguments.flag("quiet"));
    lines.info("Initialized DVC repository.\n");
    if (!options.no_scm) lines.info("You can now commit the changes to git.\n");
    return int{kDone};
  });
}

}  // namespace slipway::cli
