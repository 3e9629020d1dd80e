// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace slipway::tracing {

inline constexpr std::size_t kPreviewCharactersMax = 1'000;

// What a list of traces shows of a request or response, a JSON text: the text of the last message
// of `role` where it is a chat of OpenAI's forms (messages, choices, input, output, request), else
// all of it; cut to kPreviewCharactersMax with "..." at the end.
//   source  MLflow 3.17.2 tracing/utils/truncation.py
std::string make_preview(std::string_view text, std::string_view role);

}  // namespace slipway::tracing
