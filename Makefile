# SPDX-License-Identifier: GPL-2.0
# The front door. Each target hands over to Kbuild, CMake or a script.

SHELL := /bin/bash
.DEFAULT_GOAL := all

# The kernel to build for: the running one, unless KDIR or KVER says otherwise.
KVER ?= $(shell uname -r)
KDIR ?= /lib/modules/$(KVER)/build
PREFIX ?= /usr/local
JOBS ?= $(shell nproc)
TOOL := build/tool/wgtool

.PHONY: all help module tool install install-module install-tool uninstall demo demo-compare \
	check check-debug check-memory check-secrets check-slow check-arch check-avx512 check-parity host-test \
	core-check static-check docs-check fuzz coverage bench bench-tool goodput kselftest interop-matrix \
	soak selftest-tools vm-module vm-shell clean need-cxx need-kdir

all: module tool

help:
	@echo 'On your own machine:'
	@echo '  make                  the module for the running kernel, and wgtool'
	@echo '  make module           the module (KDIR=... or KVER=... for another kernel)'
	@echo '  make tool             wgtool, in $(TOOL)'
	@echo '  make install          both, as root: module to updates/, wgtool with manual, completion'
	@echo '                        and units to PREFIX (/usr/local)'
	@echo '  make install-tool     wgtool and its files alone'
	@echo '  make uninstall        removes all of it again'
	@echo 'In a throwaway virtual machine, which loads nothing here:'
	@echo '  make demo             a homelab network through the tunnel, from packages to file'
	@echo '  make demo-compare     the same, and then with the in-tree module'
	@echo '  make check            every test but those of the debug kernel'
	@echo '  make check-debug      the kernel selftests in a kernel with KASAN, lockdep, kmemleak, faults'
	@echo '  make kselftest        the kernel selftests alone (TESTS="ping roaming" for some)'
	@echo '  make check-memory     looks for keys in the memory of a machine that has had a tunnel'
	@echo '  make interop-matrix   with the in-tree module and wireguard-go; writes the table in testing.md'
	@echo '  make soak             random changes under traffic in the debug kernel for SOAK_SECONDS (600);'
	@echo '                        WGPP_SEED=... repeats them'
	@echo '  make vm-shell         a root shell with the module built and its path in $$WGPP_MODULE'
	@echo 'For who works on the code:'
	@echo '  make host-test        the unit tests, g++ with sanitizers (CXX=clang++ for the other)'
	@echo '  make core-check       that the core uses nothing it must not'
	@echo '  make check-secrets    that no branch or address depends on a secret, and none stays'
	@echo '  make check-slow       unit tests that take minutes'
	@echo '  make check-arch       unit tests of the core on other architectures, emulated'
	@echo '  make check-avx512     that level in an emulated processor, for who has no such one'
	@echo '  make check-parity     CASES (5000) generated commands for wgtool and wg, on wireguard-go; as root'
	@echo '  make static-check     formatting and static analysis'
	@echo '  make docs-check       manual, completion and units against the tool'
	@echo '  make fuzz             every fuzz target for FUZZ_SECONDS (60) seconds'
	@echo '  make coverage         lines and branches that the unit tests run, file by file'
	@echo '  make bench            wgpp beside the code of others, in cycles'
	@echo '  make bench-tool       wgtool beside wg on a device with 1000 peers'
	@echo '  make goodput          TCP through wgpp and through the in-tree module, in one virtual machine'
	@echo '  make clean            removes what was built, and keeps the fetched kernels'

# One line that says what to install beats a page of compiler errors; $(error) prints just that.
need-kdir:
	@$(if $(wildcard $(KDIR)/Makefile),:,$(error no kernel headers in $(KDIR): \
		install the package linux-headers-$(KVER), or give KDIR=))

need-cxx:
	@$(if $(call cxx_complaint),$(error $(call cxx_complaint)),:)

tool_cxx := $(if $(filter default undefined,$(origin CXX)),g++,$(CXX))
define cxx_script
if ! command -v $(tool_cxx) >/dev/null; then
	echo "no C++ compiler $(tool_cxx): install the package g++ (11 or newer)"; exit;
fi;
want=11; case "$$($(tool_cxx) --version | head -n 1)" in *clang*) want=14;; esac;
have=$$($(tool_cxx) -dumpversion | cut -d . -f 1);
if [ "$$have" -lt "$$want" ]; then
	echo "$(tool_cxx) is version $$have, C++20 needs g++ 11 or clang++ 14: install a newer one";
fi
endef
cxx_complaint = $(shell $(cxx_script))

module: need-kdir need-cxx
	+$(MAKE) -C $(KDIR) M=$(CURDIR)/module modules

tool: need-cxx
	@$(if $(shell command -v cmake),:,$(error cmake is missing: install the package cmake))
	@$(if $(shell command -v pkg-config),:,$(error pkg-config is missing: install the package pkg-config))
	@$(if $(shell pkg-config --exists libnl-genl-3.0 && echo yes),:,$(error \
		libnl is missing: install the package libnl-genl-3-dev))
	cmake -S . -B build/tool -DWGPP_TESTS=OFF -DWGPP_TOOL=ON -DCMAKE_BUILD_TYPE=RelWithDebInfo \
		-DCMAKE_RUNTIME_OUTPUT_DIRECTORY='$(CURDIR)/build/tool'
	cmake --build build/tool --target wgtool -j $(JOBS)

# The release string of the headers, which names the directory to install to.
release = $(or $(shell sed -n 's/^.define UTS_RELEASE "\(.*\)"/\1/p' \
	'$(KDIR)/include/generated/utsrelease.h' 2>/dev/null),$(KVER))

soak:
	@scripts/soak.sh

interop-matrix: vm-module selftest-tools
	scripts/interop-matrix.sh

selftest-tools: tool
	cmake --build build/tool --target selftest-tools -j $(JOBS)

# What of the tool goes where below PREFIX: file, mode, destination.
installed = \
	$(TOOL):755:bin/wgtool \
	man/wgtool.8:644:share/man/man8/wgtool.8 \
	man/wgtool.conf.5:644:share/man/man5/wgtool.conf.5 \
	completions/wgtool.bash:644:share/bash-completion/completions/wgtool \
	completions/_wgtool:644:share/zsh/site-functions/_wgtool \
	completions/wgtool.fish:644:share/fish/vendor_completions.d/wgtool.fish \
	systemd/wgtool@.service:644:lib/systemd/system/wgtool@.service \
	systemd/wgtool.target:644:lib/systemd/system/wgtool.target
define newline


endef
part = $(word $(2),$(subst :, ,$(1)))
# A machine that runs systemd has to hear of units that came and went.
reload_units = $(if $(DESTDIR),,@[ ! -d /run/systemd/system ] || systemctl daemon-reload)

install: install-module install-tool

install-module:
	@[ -e module/wgpp.ko ] || { echo "make: no module built yet; run 'make' first" >&2; exit 1; }
	install -D -m 644 module/wgpp.ko '$(DESTDIR)/lib/modules/$(release)/updates/wgpp.ko'
	$(if $(DESTDIR),@echo 'DESTDIR is set: run depmod when the files are in place',PATH="$$PATH:/usr/sbin:/sbin" depmod -a '$(release)')

install-tool:
	@[ -x $(TOOL) ] || { echo "make: no wgtool built yet; run 'make tool' first" >&2; exit 1; }
	$(foreach one,$(installed),install -D -m $(call part,$(one),2) \
		'$(call part,$(one),1)' '$(DESTDIR)$(PREFIX)/$(call part,$(one),3)'$(newline))
	sed -i 's|/usr/local/bin/|$(PREFIX)/bin/|' '$(DESTDIR)$(PREFIX)/lib/systemd/system/wgtool@.service'
	$(reload_units)

uninstall:
	rm -f '$(DESTDIR)/lib/modules/$(release)/updates/wgpp.ko'
	$(foreach one,$(installed),rm -f '$(DESTDIR)$(PREFIX)/$(call part,$(one),3)'$(newline))
	$(if $(DESTDIR),,PATH="$$PATH:/usr/sbin:/sbin" depmod -a '$(release)')
	$(reload_units)

demo:
	@scripts/demo.sh

demo-compare:
	@scripts/demo.sh --compare

check:
	@scripts/check.sh

check-debug:
	@scripts/check-debug.sh $(TESTS)

host-test:
	@scripts/host-test.sh '$(tool_cxx)'

check-secrets:
	@scripts/check-constant-time.sh

check-slow:
	@scripts/check-slow.sh

check-arch:
	@scripts/check-arch.sh

check-avx512:
	@scripts/check-avx512.sh

check-parity:
	@scripts/check-parity.sh

core-check: vm-module
	scripts/check-core.sh

static-check:
	scripts/check-static.sh

docs-check: tool
	@scripts/check-docs.sh

fuzz:
	@scripts/fuzz.sh $(TARGETS)

coverage:
	@scripts/coverage.sh

bench:
	@scripts/setup.sh bench
	@scripts/bench.sh $(PROGRAMS)

bench-tool: tool
	@bench/tool.py $(TOOL)

goodput:
	@scripts/goodput.sh

vm-module:
	@scripts/build-module.sh

kselftest: vm-module selftest-tools
	@scripts/kselftest.sh $(TESTS)

check-memory: vm-module tool
	@scripts/check-memory.sh

vm-shell: vm-module tool
	@kver=$$(scripts/kernel.sh --print kver) && \
	scripts/vm.sh --shell -k "$$kver" -e WGPP_MODULE="$$PWD/build/module-$$kver/wgpp.ko" \
		-e WGTOOL="$$PWD/$(TOOL)"

clean:
	find module -type f \( -name '*.o' -o -name '*.ko' -o -name '*.mod' -o -name '*.mod.c' \
		-o -name '*.cmd' -o -name '*.order' -o -name Module.symvers -o -name '*.o.d' \) -delete
	find build -mindepth 1 -maxdepth 1 ! -name kernel -exec rm -rf {} + 2>/dev/null || true
