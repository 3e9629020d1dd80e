// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "base/process.h"
#include "json/value.h"

namespace slipway::pipeline {

// What a command runs in, as far as it can be told cheaply: {"os", "kernel", "cpu", "cpus",
// "python", "python_packages"}.
//   python           the interpreter's version, of the `python` (else `python3`) in PATH
//   python_packages  SHA-256 of `python -m pip list --format=freeze`; kept in `cache_file` by the
//   interpreter's path, its time and those of its
//                    package folders, so that it costs a process only after something was installed
// Keys that cannot be found out are absent. Never throws for a missing interpreter.
json::Object environment_facts(ProcessRunner& processes, const std::filesystem::path& cache_file);

}  // namespace slipway::pipeline
