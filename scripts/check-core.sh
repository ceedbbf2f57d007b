#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Proves on built objects and on the sources that the core stands on nothing but itself, and
# that the wall is all it shares with the C glue.
#
#	scripts/check-core.sh [--root DIR] [OBJDIR...]
#	scripts/check-core.sh --selftest
#
# OBJDIR holds the core's objects as the kernel build made them, or has them in OBJDIR/core.
# Without one, module/core and each build/module-*/core that has objects are checked, but not
# those for a kernel with sanitizers: their hooks, data and constructors are in the objects. --root
# names another source tree than this one. --selftest builds an offender for each property and
# makes sure that it is caught. Output: "ok - PROPERTY" or "not ok - PROPERTY" with the
# offending symbols and lines below it; the status is 0 when all hold.
set -euo pipefail
export LC_ALL=C

me=$(realpath "${BASH_SOURCE[0]}")
root=$(dirname "$(dirname "$me")")
# shellcheck source=scripts/report.sh
source "$root/scripts/report.sh"

# What the kernel gives to every object: C string functions, which compilers call on their own,
# and the hooks of stack protector, tracer and speculation mitigations.
allowed_symbols='mem(cpy|set|move|cmp)|__stack_chk_fail|__ref_stack_chk_guard|__fentry__'
allowed_symbols+='|__x86_return_thunk|__x86_indirect_thunk_[a-z0-9_]+'

# Helpers in libgcc and compiler-rt that stand in for instructions, __udivti3 and the like. The
# kernel has hardly any of them.
helper_symbols='__[a-z]+([qhsdtx][if]){1,2}[2-4]?'

# Sections that are writable by flag only: tables that the kernel's tools read or rewrite, and
# what the kernel makes read-only once the module is loaded (cpu.cc).
tool_sections='__mcount_loc|__patchable_function_entries|\.(return|retpoline|call|static_call)_sites'
tool_sections+='|\.data\.\.ro_after_init|\.ibt_endbr_seal|\.altinstructions|__jump_table|__bug_table|\.(kcfi_traps|cfi_sites)'

# XMM to ZMM, MMX, x87 and mask registers, and instructions that use them without a name.
vector_registers='%([xyzt]mm[0-9]+|mm[0-7]|st|k[0-7]|bnd[0-3])'
vector_mnemonics='(f[a-z0-9]+|w?f?emms|v?(ld|st)mxcsr|vzero(upper|all)|x(save|rstor)[a-z0-9]*)'

each_object() {
	local object
	for object in "${objects[@]}"; do
		"$@" "$object" | sed "s|^|$(basename "$object"): |"
	done
}

# ---- properties of the objects --------------------------------------------------------------

not_elf() {
	readelf -hW "$1" 2>&1 | grep -q 'Machine: .*X86-64' || echo 'not an x86-64 ELF object'
}

# nm complains about an object without symbols, which is fine here.
list_symbols() {
	nm "$@" 2>&1 | match -v ': no symbols$'
}

defined_symbols() {
	list_symbols --defined-only --extern-only --format=posix "$1" | awk '{ print $1 }'
}

foreign_symbols() {
	list_symbols --undefined-only --format=posix "$1" | awk '{ print $1 }' |
		match -v -x "$allowed_symbols" |
		awk 'FILENAME != "-" { is_core[$1] = 1; next } !is_core[$1]' "$work/defined" -
}

helper_relocations() {
	objdump -r "$1" | awk 'NF == 3 { sub(/[-+]0x.*/, "", $3); print $3 }' | sort -u |
		match -x "$helper_symbols"
}

constructors() {
	objdump -hw "$1" | awk '{ print $2 }' |
		match '^\.((pre)?init_array|fini_array|ctors|dtors|text\.(startup|exit|unlikely\.startup))'
	list_symbols "$1" | awk '{ print $NF }' |
		match '^(_GLOBAL__|_Z41__static_initialization|__cxx_global_var_init)'
}

# Vague linkage (V, W, u) ends in a group, or in two copies that the linker has to choose from.
comdat_groups() {
	readelf -gW "$1" | match -i 'comdat'
	list_symbols "$1" | match ' [VvWwu] '
}

writable_data() {
	objdump -hw "$1" | awk '$1 ~ /^[0-9]+$/ && /ALLOC/ && !/READONLY/ && $3 !~ /^0+$/ {
		print $2, "has 0x" $3, "bytes" }' | match -v "^($tool_sections) "
}

exception_tables() {
	objdump -hw "$1" | awk '{ print $2 }' | match '^\.gcc_except_table'
}

vector_code() {
	[[ $1 != *_simd.o ]] || return 0
	objdump -dw --no-show-raw-insn "$1" |
		awk -v registers="$vector_registers" -v mnemonics="^$vector_mnemonics\$" '
		/^[0-9a-f]+ <.*>:$/ { name = $2; next }
		/^ *[0-9a-f]+:\t/ {
			line = $0
			sub(/^ *[0-9a-f]+:\t/, "", line)
			sub(/ *[#<].*/, "", line)
			split(line, word, " ")
			if (line ~ registers || (word[1] ~ mnemonics && word[1] != "fs")) {
				print name, line
			}
		}'
}

foreign_names() {
	defined_symbols "$1" | match -v '^(wgc_|_ZN?K?2wg|_ZN?K?St2wg|__pfx_)'
}

# ---- properties of the sources --------------------------------------------------------------

# Tests and their helpers (test_*.hh) run on the host only.
core_sources() {
	find module/core -maxdepth 1 \( -name '*.cc' -o -name '*.hh' -o -name '*.h' \) \
		! -name '*_test.cc' ! -name 'test_*.hh' | sort
}

c_sources() {
	find module/glue module/include module/uapi \( -name '*.c' -o -name '*.h' \) | sort
}

# includes FILE...: "FILE:LINE:<name>" or "FILE:LINE:"name"" for each file that is included.
# What is neither, as a macro, stays as it is, for no rule allows it.
includes() {
	[[ $# == 0 ]] || match -Hn '^[[:space:]]*#[[:space:]]*(include|include_next|import)\>' "$@" |
		sed -E 's/^([^:]*:[^:]*:)[[:space:]]*#[[:space:]]*[a-z_]+[[:space:]]*(<[^>]*>|"[^"]*").*/\1\2/'
}

core_foreign_includes() {
	local -a files
	mapfile -t files < <(core_sources)
	[[ ${#files[@]} -gt 0 ]] || echo 'module/core has no sources'
	includes "${files[@]}" | while IFS= read -r line; do
		name=${line#*:*:}
		case $name in
		'<stddef.h>' | '<stdint.h>' | '"wgcore.h"') continue ;;
		'"test_'*) ;;
		'"'*.hh'"')
			name=${name//\"/}
			[[ $name == */* || ! -e module/core/$name ]] || continue
			;;
		esac
		echo "$line"
	done
}

glue_foreign_includes() {
	local -a files
	mapfile -t files < <(find module/glue \( -name '*.c' -o -name '*.h' \) | sort)
	[[ ${#files[@]} -gt 0 ]] || echo 'module/glue has no C sources'
	includes "${files[@]}" | while IFS= read -r line; do
		name=${line#*:*:}
		case $name in
		'<'*'>' | '"wgcore.h"' | '"../include/wgcore.h"') continue ;;
		'"'*.h'"')
			name=${name//\"/}
			[[ ! -e module/glue/$name && ! -e module/uapi/${name##*uapi/} ]] || continue
			;;
		esac
		echo "$line"
	done
}

cxx_headers_in_c() {
	local -a files
	mapfile -t files < <(c_sources)
	includes "${files[@]}" | match '\.(hh|hpp|cc|ipp)[>"]|:<c[a-z]+>$|:<[a-z_]+>$|core/'
}

standalone_errors() {
	local language=$1 compiler=$2 standard=$3
	command -v "$compiler" >/dev/null || die "no compiler '$compiler': install g++, or set CC and CXX"
	"$compiler" -x "$language" -std="$standard" -fsyntax-only -Wall -Wextra -Werror \
		module/include/wgcore.h 2>&1 || echo "refused by $compiler -std=$standard"
}

wall_functions() {
	"${CXX:-g++}" -x c++ -fpreprocessed -dD -E -P module/include/wgcore.h |
		grep -oE '\<wgc_[a-z0-9_]+ *\(' | tr -d ' (' | sort -u
}

wall_mismatches() {
	local name count
	wall_functions >"$work/wall_declared"
	sort "$work/defined" | match '^wgc_' | uniq -c >"$work/wall_defined"
	while read -r name; do
		count=$(awk -v name="$name" '$2 == name { print $1 }' "$work/wall_defined")
		[[ ${count:-0} == 1 ]] || echo "$name is declared once and defined ${count:-0} times"
	done <"$work/wall_declared"
	while read -r count name; do
		grep -qxF "$name" "$work/wall_declared" || echo "$name is defined and not declared in wgcore.h"
	done <"$work/wall_defined"
}

check_sources() {
	cd "$root"
	report 'core sources include only stddef.h, stdint.h, core headers and wgcore.h' \
		core_foreign_includes
	report 'glue sources include only kernel, glue and uapi headers and wgcore.h' \
		glue_foreign_includes
	report 'no C source includes C++' cxx_headers_in_c
	report 'wgcore.h compiles alone as C11' standalone_errors c "${CC:-gcc}" c11
	report 'wgcore.h compiles alone as C++20' standalone_errors c++ "${CXX:-g++}" c++20
}

check_objects() {
	local dir=$1
	[[ ! -d $dir/core ]] || dir=$dir/core
	mapfile -t objects < <(find "$dir" -maxdepth 1 -name '*.o' ! -name '*_test.o' ! -name '.*' | sort)
	echo "# ${#objects[@]} objects in $dir"
	if [[ ${#objects[@]} == 0 ]]; then
		report 'there are objects to check' echo "no *.o in $dir: build the module first"
		return
	fi
	each_object not_elf >"$work/not_elf"
	report 'objects are x86-64 ELF' cat "$work/not_elf"
	[[ ! -s $work/not_elf ]] || return 0

	local object
	for object in "${objects[@]}"; do defined_symbols "$object"; done >"$work/defined"
	report 'undefined symbols are from the allow list' each_object foreign_symbols
	report 'no relocation to a compiler helper' each_object helper_relocations
	report 'no constructors' each_object constructors
	report 'no COMDAT groups or weak symbols' each_object comdat_groups
	report 'no writable global data' each_object writable_data
	report 'no exception tables' each_object exception_tables
	report 'no SIMD or x87 outside *_simd.o' each_object vector_code
	report 'global symbols are wgc_ functions or in namespace wg' each_object foreign_names
	report 'each function of the wall is defined once' wall_mismatches
}

# ---- self-test ------------------------------------------------------------------------------

# A small tree that passes, with its objects.
plant_clean() {
	tree=$work/clean
	mkdir -p "$tree"/module/{core,glue,include,uapi}
	printf '%s\n' '#ifdef __cplusplus' 'extern "C" {' '#endif' \
		'/** wgc_one() - not wgc_two() */' 'int wgc_one(const int *values, int count);' \
		'#ifdef __cplusplus' '}' '#endif' >"$tree/module/include/wgcore.h"
	printf '%s\n' '#pragma once' '#include <stdint.h>' 'namespace wg { int sum(const int *, int); }' \
		>"$tree/module/core/sum.hh"
	printf '%s\n' '#include "sum.hh"' 'namespace wg {' 'const int kTable[2] = {1, 2};' \
		'int sum(const int *v, int n) { int s = 0; while (n--) s += v[n] * kTable[n & 1]; return s; }' \
		'}' >"$tree/module/core/sum.cc"
	printf '%s\n' '#include "wgcore.h"' '#include "sum.hh"' \
		'int wgc_one(const int *v, int n) { return wg::sum(v, n); }' >"$tree/module/core/shim.cc"
	printf '%s\n' 'void wg_init(void);' >"$tree/module/glue/main.h"
	printf '%s\n' '#define WGNL 1' >"$tree/module/uapi/wgnl.h"
	printf '%s\n' '#include <linux/module.h>' '#include "main.h"' '#include "wgcore.h"' \
		'#include "../uapi/wgnl.h"' >"$tree/module/glue/main.c"
	compile sum.cc
	compile shim.cc
}

# plant NAME: another one, in $work/NAME.
plant() {
	tree=$work/$1
	cp -r "$work/clean" "$tree"
}

# compile FILE [FLAG...]: a core source of the tree, nearly as the kernel build does. FLAGs come
# in place of the one that forbids vector registers.
compile() {
	local source=$tree/module/core/$1
	shift
	"${CXX:-g++}" -std=c++20 -O2 -w -ffreestanding -fno-pic -fno-exceptions -fno-rtti \
		-fno-threadsafe-statics -fno-asynchronous-unwind-tables -mno-red-zone -mcmodel=kernel \
		"${@:--mgeneral-regs-only}" -I"$tree/module/include" -c "$source" -o "${source%.cc}.o"
}

# expect PROPERTY OFFENDER: checks the tree; PROPERTY must fail, naming OFFENDER. With an empty
# PROPERTY all must hold for what OFFENDER describes.
expect() {
	local property=$1 offender=$2 output status=0
	output=$("$me" --root "$tree" "$tree/module/core" 2>&1) || status=$?
	if [[ -z $property ]]; then
		[[ $status != 0 ]] || output=''
		report "passes: $offender" printf '%s' "$output"
	elif [[ $status != 1 ]] ||
		! grep -A 20 -xF "not ok - $property" <<<"$output" | grep -qF -- "$offender"; then
		report "caught: $property ($offender)" echo "$output"
	else
		echo "ok - caught: $property ($offender)"
	fi
}

# offend NAME PROPERTY OFFENDER CODE [FLAG...]: an object from CODE beside the clean ones.
offend() {
	local name=$1 property=$2 offender=$3 code=$4
	shift 4
	plant "$name"
	printf '%s\n' "$code" >"$tree/module/core/$name.cc"
	compile "$name.cc" "$@"
	expect "$property" "$offender"
}

# intrude FILE LINE PROPERTY: LINE at the top of a source of the clean tree.
intrude() {
	plant "intrude-$((++num_intruders))"
	sed -i "1i $2" "$tree/module/$1"
	expect "$3" "$1:1:"
}

selftest() {
	num_intruders=0
	plant_clean
	expect '' 'a clean tree'

	plant empty
	rm "$tree"/module/core/*.o
	expect 'there are objects to check' 'no *.o in'
	plant text
	echo 'no object' >"$tree/module/core/sum.o"
	expect 'objects are x86-64 ELF' sum.o

	local property='undefined symbols are from the allow list'
	offend symbol "$property" _printk \
		'extern "C" int _printk(const char *, ...); namespace wg { void f() { _printk("x"); } }'
	offend new "$property" _Znwm 'namespace wg { int *f() { return new int; } }'
	offend helper 'no relocation to a compiler helper' __udivti3 \
		'namespace wg { using T = unsigned __int128; T f(T a, T b) { return a / b; } }'
	offend constructor 'no constructors' .init_array \
		'extern "C" int wgc_one(const int *, int); namespace wg { int x = wgc_one(nullptr, 0); }'
	offend comdat 'no COMDAT groups or weak symbols' _ZN2wg4twinEi \
		'namespace wg { [[gnu::noinline]] inline int twin(int a) { return a * a; }
		int f(int a) { return twin(a); } }'
	offend weak 'no COMDAT groups or weak symbols' _ZN2wg1fEv \
		'namespace wg { [[gnu::weak]] void f() {} }'
	offend data 'no writable global data' .data 'namespace wg { int counter = 1; }'
	offend bss 'no writable global data' .bss \
		'namespace wg { int f() { static int calls; return ++calls; } }'
	offend throwing 'no exception tables' .gcc_except_table \
		'namespace wg { void g(); struct S { ~S() { g(); } }; void f() { S s; g(); } }' -fexceptions

	property='no SIMD or x87 outside *_simd.o'
	local add='namespace wg { using V [[gnu::vector_size(16)]] = int; void f(V *a) { *a += *a; } }'
	offend vector "$property" %xmm "$add" -msse2
	offend x87 "$property" fld1 'namespace wg { void f() { asm("fld1; fstp %st(0)"); } }'
	offend mmx "$property" emms 'namespace wg { void f() { asm("emms"); } }'
	offend mask "$property" %k1 'namespace wg { void f() { asm("kxorw %k1, %k1, %k1"); } }'
	offend wide "$property" %zmm 'namespace wg { void f() { asm("vmovdqu64 (%rdi), %zmm17"); } }'
	offend add_simd '' 'vector code in *_simd.o' "$add" -msse2

	offend global 'global symbols are wgc_ functions or in namespace wg' stray 'void stray() {}'
	property='each function of the wall is defined once'
	offend twice "$property" 'wgc_one is declared once and defined 2 times' \
		'extern "C" int wgc_one(const int *, int) { return 0; }'
	offend extra "$property" 'wgc_extra is defined and not declared' 'extern "C" void wgc_extra() {}'
	plant absent
	rm "$tree/module/core/shim.o"
	expect "$property" 'wgc_one is declared once and defined 0 times'

	property='core sources include only stddef.h, stdint.h, core headers and wgcore.h'
	intrude core/sum.cc '#include <linux/skbuff.h>' "$property"
	intrude core/sum.hh '#  include <string.h>' "$property"
	intrude core/sum.cc '#include "../glue/main.h"' "$property"
	intrude core/shim.cc '#include SOME_HEADER' "$property"
	intrude core/shim.cc '#include "test_util.hh"' "$property"
	property='glue sources include only kernel, glue and uapi headers and wgcore.h'
	intrude glue/main.c '#include "other.h"' "$property"
	property='no C source includes C++'
	intrude glue/main.c '#include "../core/sum.hh"' "$property"
	intrude include/wgcore.h '#include <cstdint>' "$property"
	intrude include/wgcore.h 'typedef u32 wgc_index;' 'wgcore.h compiles alone as C11'
	intrude include/wgcore.h 'static int *class;' 'wgcore.h compiles alone as C++20'
}

# ---- main -----------------------------------------------------------------------------------

mode=check
while [[ $# -gt 0 ]]; do
	case $1 in
	--selftest) mode=selftest; shift ;;
	--root) root=$(realpath "${2:?"--root needs a directory"}"); shift 2 ;;
	-h | --help) sed -n '4,16s/^# \{0,1\}//p' "$me"; exit 0 ;;
	-*) die "unknown option '$1' (try --help)" ;;
	*) break ;;
	esac
done
for program in nm objdump readelf; do
	command -v $program >/dev/null || die "$program is missing: install the package binutils"
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if [[ $mode == selftest ]]; then
	selftest
else
	declare -a dirs=()
	for dir in "$@"; do
		dirs+=("$(realpath "$dir")")
	done
	if [[ ${#dirs[@]} == 0 ]]; then
		for dir in "$root/module/core" "$root"/build/module-*/core; do
			compgen -G "$dir/*.o" >/dev/null || continue
			if grep -qs -e '-fsanitize=' "$dir"/.*.o.cmd; then
				echo "# not checked: $dir, built for a kernel with sanitizers"
				continue
			fi
			dirs+=("$dir")
		done
		[[ ${#dirs[@]} -gt 0 ]] || dirs=("$root/module/core")
	fi
	check_sources
	for dir in "${dirs[@]}"; do
		check_objects "$dir"
	done
fi

end_report
