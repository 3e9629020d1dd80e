// SPDX-License-Identifier: Apache-2.0
// OTLP requests, protobuf and JSON: what is read becomes spans whose stored text is JSON again.
#include "tracing/otlp.h"

#include "fuzz.h"
#include "tracing/python_json.h"
#include "tracing/span.h"

namespace slipway {
namespace {

void check(const std::vector<tracing::OtlpResource>& resources) {
  std::size_t given = 0;
  for (const auto& resource : resources) given += resource.spans.size();
  fuzz::require(given <= tracing::kOtlpSpansMax, "the limit of spans holds");
  std::vector<tracing::SpanBatch> batches;
  if (!fuzz::accepts([&] { batches = tracing::make_batches(resources); })) return;
  std::size_t made = 0;
  for (const tracing::SpanBatch& batch : batches) {
    made += batch.spans.size();
    for (const tracing::Span& span : batch.spans) {
      fuzz::require(span.trace_id == batch.trace_id && span.trace_id.size() == 35,
                    "a batch is one trace");
      fuzz::require(span.span_id.size() == 16, "ids are 16 digits");
      const auto content = tracing::read_json(span.content);
      fuzz::require(content.has_value() && content->is_object(), "a stored span is JSON");
      fuzz::require(content->find("attributes")->is_object(), "with attributes");
    }
  }
  fuzz::require(made == given, "no span is lost");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  std::vector<tracing::OtlpResource> resources;
  if (fuzz::accepts([&] { resources = tracing::parse_otlp_protobuf(text); })) check(resources);
  if (fuzz::accepts([&] { resources = tracing::parse_otlp_json(text); })) check(resources);
  return 0;
}

}  // namespace slipway
