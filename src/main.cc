// SPDX-License-Identifier: Apache-2.0
#include <iostream>

#include "cli/command.h"

int main(int argc, char** argv) {
  std::ios::sync_with_stdio(false);
  return slipway::cli::run(argv[0], {argv + 1, argv + argc}, std::cin, std::cout, std::cerr);
}
