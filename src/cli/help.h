// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <iosfwd>
#include <string>

#include "cli/command.h"

namespace slipway::cli {

// All three are made from the command table alone.
void print_help(std::ostream& out, bool as_dvc);  // every command, a line each
void print_noun_help(std::ostream& out,
                     const std::string& noun);  // the verbs of one noun, a line each
void print_command_help(std::ostream& out, const Command& command);  // examples first, then options

// "slipway 0.1.0", or with `json` the build's facts.
void print_version(std::ostream& out, bool json);

// The same table as Markdown: docs/guide/command-line.md holds exactly this between its markers; a
// test compares.
std::string commands_as_markdown();

}  // namespace slipway::cli
