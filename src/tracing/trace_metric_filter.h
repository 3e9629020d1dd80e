// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "tracing/trace_metrics.h"
#include "tracking/search_sql.h"

namespace slipway::tracing {

// The experiments and filters of a query as " AND …" on `trace t`, `span s`, `assessment a`. A
// filter is one equality: trace.status, trace.tag.KEY, trace.metadata.KEY, and of its own view
// span.name, span.type, span.status, assessment.name, assessment.type. Throws kInvalidArgument in
// MLflow's words.
std::string metric_conditions(tracking::SearchSql& sql, const MetricQuery& query);

}  // namespace slipway::tracing
