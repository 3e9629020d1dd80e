// SPDX-License-Identifier: Apache-2.0
#include <ostream>

#include "base/process.h"
#include "cli/dvc_verbs.h"
#include "cli/verbs.h"
#include "pipeline/tracked_data.h"

namespace slipway::cli {

int dvc_checkout(const Arguments& arguments, Context& context) {
  return dvc_edge(context, kDvcFailed, "", [&] {
    SystemProcessRunner processes;
    const std::filesystem::path current = std::filesystem::current_path();
    data::Workspace workspace(current, processes);
    const DvcLines lines = dvc_lines(context, arguments.flag("quiet"));
    const pipeline::CheckoutResult result =
        pipeline::checkout_data(workspace, current, arguments.list("TARGET"),
                                arguments.flag("force"), {lines.info, lines.warning});
    for (const std::string& path : result.modified) lines.info("M       " + path);
    for (const std::string& path : result.added) lines.info("A       " + path);
    if (result.failed.empty()) return int{kDone};
    context.err << "ERROR: Checkout failed for following targets:\n";
    for (const std::string& path : result.failed) context.err << path << '\n';
    context.err << "Is your cache up to date?\n<https://error.dvc.org/missing-files>\n";
    return kDvcFailed;
  });
}

}  // namespace slipway::cli
