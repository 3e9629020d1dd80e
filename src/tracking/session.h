// SPDX-License-Identifier: Apache-2.0
#pragma once

// The store's types as tracking's functions take them: `storage::Session&` reads one consistent
// state, `storage::Transaction&` is one write, all or nothing, on the writer thread. Callers above
// (api/) get them from here.
#include "storage/database.h"
