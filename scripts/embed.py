#!/usr/bin/env python3
"""embed.py FOLDER PREFIX OUT.S OUT.cc: every file below FOLDER as bytes of the program, with a table of names."""
import pathlib
import sys

folder, prefix, assembly, table = pathlib.Path(sys.argv[1]), sys.argv[2], pathlib.Path(sys.argv[3]), pathlib.Path(sys.argv[4])
files = sorted(p for p in folder.rglob("*") if p.is_file()) if folder.is_dir() else []
asm, declarations, rows = [".section .rodata"], [], []
for index, path in enumerate(files):
    symbol = f"{prefix}_{index}"
    asm += [f".global {symbol}", f".global {symbol}_end", ".balign 16", f"{symbol}:", f'.incbin "{path.resolve()}"', f"{symbol}_end:", ".byte 0"]
    declarations.append(f'extern "C" const char {symbol}[];\nextern "C" const char {symbol}_end[];')
    rows.append(f'    {{"{path.relative_to(folder).as_posix()}", {{{symbol}, static_cast<std::size_t>({symbol}_end - {symbol})}}}},')
asm.append('.section .note.GNU-stack,"",@progbits')
assembly.write_text("\n".join(asm) + "\n")
table.write_text("\n".join([
    "#include <string_view>", "#include <utility>", "#include <vector>", *declarations,
    f"std::vector<std::pair<std::string_view, std::string_view>> {prefix}_table();",
    f"std::vector<std::pair<std::string_view, std::string_view>> {prefix}_table() {{", "  return {", *rows, "  };", "}", ""]))
