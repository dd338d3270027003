# Blindstamp: make demo shows the main job, make test proves it. See README.md.
#   CC=clang            another compiler        SANITIZE=1   AddressSanitizer and UndefinedBehaviorSanitizer
#   PREFIX=/usr/local   where install puts it   DESTDIR=     staging folder        BUILD=build   output folder
PREFIX ?= /usr/local
BUILD ?= build
SANITIZE ?= 0
OPT ?= -O2
GUIDED ?= 0
VERSION := $(shell sed -n 's/^.define BST_VERSION "\(.*\)"/\1/p' base/base.h)
SOVERSION := $(firstword $(subst ., ,$(VERSION)))

PACKAGES := libsodium sqlite3 libpng zlib libbrotlidec libjpeg libwebp libexif exempi-2.0 libcbor jansson openblas lapack libcrypto libprotobuf-c
DEBS := build-essential pkg-config libsodium-dev libsqlite3-dev libpng-dev zlib1g-dev libbrotli-dev libjpeg62-turbo-dev libwebp-dev libexif-dev \
  libexempi-dev libcbor-dev libjansson-dev libopenblas-dev libssl-dev libcurl4-openssl-dev libprotobuf-c-dev protobuf-c-compiler
TEST_DEBS := libcmocka-dev clang clang-format sqlite3 openssl libimage-exiftool-perl jq \
  libjpeg-turbo-progs netpbm python3 python3-venv gcc-aarch64-linux-gnu qemu-user-static $(if $(shell command -v npm),,nodejs npm)

PKGS := $(filter-out libcbor lapack,$(PACKAGES))
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
# Loaded when they are needed: OpenBLAS by gen/train_blas.c, libcurl by provenance/http.c, exempi by provenance/xmp.c.
LINKED := $(filter-out openblas exempi-2.0,$(PKGS))
PKG_LIBS := $(shell pkg-config --libs $(LINKED) 2>/dev/null)
WARN := -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes
# Bits must not depend on the compiler: no contraction, no fast-math anywhere.
CFLAGS_ALL = -std=c17 -D_POSIX_C_SOURCE=200809L -D_DEFAULT_SOURCE $(OPT) -g -fPIC -fvisibility=default $(WARN) \
  -ffp-contract=off -fno-fast-math -pthread -Ibase -Igen -Iprovenance -Iaudit -I. -I$(BUILD)/gen $(PKG_CFLAGS) \
  $(CFLAGS)
LIBS = $(PKG_LIBS) -lcbor -pthread -lm $(LDFLAGS)
ifeq ($(SANITIZE),1)
CFLAGS_ALL += -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
LIBS += -fsanitize=address,undefined
override BUILD := $(BUILD)/sanitize
else ifneq ($(OPT),-O0)
CFLAGS_ALL += -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
endif
# What drives a fuzz target: our own loop, which any compiler builds, or clang's libFuzzer, which follows what the code reaches.
FUZZDRIVER := tests/fuzz/main.c
ifeq ($(GUIDED),1)
CFLAGS_ALL += -fsanitize=fuzzer-no-link
FUZZDRIVER := -fsanitize=fuzzer
override BUILD := $(BUILD)/guided
endif
ifneq ($(shell $(CC) -dumpmachine 2>/dev/null | grep x86_64),)
AVX2FLAGS := -mavx2 -mfma
AVX512FLAGS := -mavx512f -mfma
endif

LIBDIRS := base gen provenance audit
LIBSRC := $(sort $(foreach d,$(LIBDIRS),$(wildcard $(d)/*.c)))
CLISRC := $(sort $(wildcard cli/*.c))
LIBOBJ := $(LIBSRC:%.c=$(BUILD)/%.o) $(BUILD)/gen/onnx.pb-c.o $(BUILD)/provenance/ledger_sql.o
CLIOBJ := $(CLISRC:%.c=$(BUILD)/%.o)
TESTSRC := $(sort $(wildcard tests/unit/test_*.c))
TESTBIN := $(TESTSRC:tests/unit/%.c=$(BUILD)/tests/%)
FUZZSRC := $(sort $(wildcard tests/fuzz/fuzz_*.c))
FUZZBIN := $(FUZZSRC:tests/fuzz/%.c=$(BUILD)/fuzz/%)
BENCHSRC := $(sort $(wildcard tests/bench/bench_*.c))
BENCHBIN := $(BENCHSRC:tests/bench/%.c=$(BUILD)/bench/%)
LIBA := $(BUILD)/lib/libblindstamp.a
# What runs a network, and nothing else: for tests/interop/bits.sh, which builds it many times.
ENGINEOBJ := $(patsubst %.c,$(BUILD)/%.o,$(filter-out gen/train%,$(filter base/% gen/%,$(LIBSRC)))) $(BUILD)/gen/onnx.pb-c.o
LIBSO := $(BUILD)/lib/libblindstamp.so.$(VERSION)
BIN := $(BUILD)/bin/blindstamp

SILENT := --no-print-directory $(if $(V),,-s)

.PHONY: all deps test-deps demo test check bench bench-engine bench-table bench-credentials bench-credentials-table fuzz unit tests-built c2patool install uninstall dist clean format
.PHONY: fuzz-guided fuzz-built
.DELETE_ON_ERROR:
all: $(BIN) $(LIBSO) $(BUILD)/share/blindstamp/models

$(BIN): $(CLIOBJ) $(LIBA)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) -o $@ $(CLIOBJ) $(LIBA) $(LIBS)
# The built binary finds its data in ../share, as the installed one does.
$(BUILD)/share/blindstamp/models:
	@mkdir -p $(@D)
	ln -sfn $(abspath gen/models) $@
$(LIBA): $(LIBOBJ)
	@mkdir -p $(@D)
	rm -f $@
	$(AR) rcs $@ $^
# The shared library shows its public names alone; the folders' private ones are nobody's business.
$(LIBSO): $(LIBOBJ)
	@mkdir -p $(@D)
	echo '{ global: bst_*; local: *; };' > $(@D)/blindstamp.map
	$(CC) $(CFLAGS_ALL) -shared -Wl,--version-script=$(@D)/blindstamp.map -Wl,-soname,libblindstamp.so.$(SOVERSION) -o $@ $^ $(LIBS)

$(BUILD)/%_avx2.o: CFLAGS_ALL += $(AVX2FLAGS)
$(BUILD)/%_avx512.o: CFLAGS_ALL += $(AVX512FLAGS)
# Training need not repeat across compilers, so its loops may be vectorised.
$(BUILD)/gen/train_%.o: CFLAGS_ALL += -O3
$(BUILD)/%.o: %.c | $(BUILD)/gen/onnx.pb-c.h
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

# Generated sources: the ONNX wire format by protoc-c, the ledger's schema as a C string.
$(BUILD)/gen/onnx.pb-c.h $(BUILD)/gen/onnx.pb-c.c &: gen/onnx.proto
	@mkdir -p $(BUILD)/gen
	protoc-c --proto_path=gen --c_out=$(BUILD)/gen gen/onnx.proto
$(BUILD)/gen/onnx.pb-c.o: $(BUILD)/gen/onnx.pb-c.c
	$(CC) $(filter-out $(WARN),$(CFLAGS_ALL)) -c -o $@ $<
$(BUILD)/provenance/ledger_sql.c: schema/ledger.sql
	@mkdir -p $(@D)
	{ echo 'extern const char bst_ledger_sql[]; const char bst_ledger_sql[] ='; \
	  sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/^/"/' -e 's/$$/\\n"/' $<; echo ';'; } > $@
$(BUILD)/provenance/ledger_sql.o: $(BUILD)/provenance/ledger_sql.c
	$(CC) $(filter-out $(WARN),$(CFLAGS_ALL)) -c -o $@ $<

$(BUILD)/tests/%: tests/unit/%.c $(LIBA)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) -Wno-missing-prototypes -MMD -MP -MF $@.d -o $@ $< $(LIBA) -lcmocka $(LIBS)
$(BUILD)/fuzz/%: tests/fuzz/%.c $(LIBA)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) -Wno-missing-prototypes -MMD -MP -MF $@.d -o $@ $< $(FUZZDRIVER) $(LIBA) $(LIBS)
$(BUILD)/bench/%: tests/bench/%.c $(LIBA)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) -Wno-missing-prototypes -MMD -MP -MF $@.d -o $@ $< $(LIBA) $(LIBS)
$(BUILD)/interop/bits: tests/interop/bits.c $(ENGINEOBJ)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) -MMD -MP -MF $@.d -o $@ $< $(ENGINEOBJ) $(LIBS)
$(BUILD)/interop/%: tests/interop/%.c $(LIBA)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) -MMD -MP -MF $@.d -o $@ $< $(LIBA) $(LIBS)

unit: $(TESTBIN)
	tests/run $(TESTBIN)
fuzz: $(FUZZBIN)
	tests/run $(FUZZBIN)
# For long: FUZZ names the targets, FUZZ_SECONDS how long each is tried. Needs clang's runtime (package libclang-rt-14-dev).
# What was learnt stays in build/sanitize/guided/fuzz/learnt, what broke a target in found beside it.
FUZZ ?= $(FUZZSRC:tests/fuzz/fuzz_%.c=%)
FUZZ_SECONDS ?= 3600
fuzz-guided:
	@$(MAKE) $(SILENT) -j2 CC=clang SANITIZE=1 OPT=-O1 GUIDED=1 fuzz-built
	@tests/fuzz/guided $(BUILD)/sanitize/guided/fuzz $(FUZZ_SECONDS) $(FUZZ)
fuzz-built: $(FUZZBIN)
tests-built: all $(TESTBIN) $(FUZZBIN)

# ---- what people call ----

demo: deps
	@echo "Building (make V=1 demo shows the commands)"
	@$(MAKE) $(SILENT) -j2 all
	@cli/demo $(BIN)
test: deps test-deps
	@echo "Building (make V=1 test shows the commands)"
	@$(MAKE) $(SILENT) -j2 tests-built
	@$(MAKE) $(SILENT) check
# The same without installing anything: unit, fuzz, command-line and interoperability tests.
check: tests-built
	@BUILD=$(abspath $(BUILD)) CC="$(CC)" tests/run tests/style.sh $(TESTBIN) $(FUZZBIN) $(wildcard tests/cli/*.sh) $(wildcard tests/interop/*.sh)
bench: all $(BENCHBIN)
	@BUILD=$(abspath $(BUILD)) tests/bench/run
# The engine against its peers; tests/bench/engine.sh says how to ask for less. bench-table writes it into the README.
bench-engine: $(BUILD)/bench/engine_ours
	@BUILD=$(abspath $(BUILD)) tests/bench/engine.sh
bench-table: $(BUILD)/bench/engine_ours
	@BUILD=$(abspath $(BUILD)) tests/bench/engine.sh README.md

# The reference's own program, which tests/interop/c2pa_readers.sh asks when it is there: a quarter of an hour of cargo.
c2patool: $(BUILD)/peers/bin/c2patool
$(BUILD)/peers/bin/c2patool:
	cargo install c2patool --version 0.27.22 --locked --root $(BUILD)/peers

# verify and sign against c2patool, c2pa-python and openssl; bench-credentials-table writes what came out into the README.
bench-credentials: all $(BUILD)/bench/bench_judge
	@BUILD=$(abspath $(BUILD)) tests/bench/credentials.sh
bench-credentials-table: all $(BUILD)/bench/bench_judge
	@BUILD=$(abspath $(BUILD)) tests/bench/credentials.sh README.md

# Debian packages that are missing, named before they are installed; nothing happens when none is.
define install_debs
@missing=$$(for p in $(1); do dpkg-query -W -f='$${Status}\n' $$p 2>/dev/null | grep -q '^install ok' || echo $$p; done); \
[ -z "$$missing" ] || { echo "Installing Debian packages:" $$missing; \
  as_root=; [ "$$(id -u)" = 0 ] || as_root=sudo; \
  $$as_root apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$as_root apt-get install -y -qq --no-install-recommends $$missing >/dev/null; }
endef
deps:
	$(call install_debs,$(DEBS))
test-deps:
	$(call install_debs,$(TEST_DEBS))

INSTALL_DIRS = bin lib/pkgconfig include/blindstamp share/blindstamp/models share/blindstamp/schema \
  share/man/man1 share/bash-completion/completions
install: all
	for d in $(INSTALL_DIRS); do install -d $(DESTDIR)$(PREFIX)/$$d; done
	install -m 755 $(BIN) $(DESTDIR)$(PREFIX)/bin/
	install -m 644 $(LIBA) $(DESTDIR)$(PREFIX)/lib/
	install -m 755 $(LIBSO) $(DESTDIR)$(PREFIX)/lib/
	ln -sf $(notdir $(LIBSO)) $(DESTDIR)$(PREFIX)/lib/libblindstamp.so.$(SOVERSION)
	ln -sf libblindstamp.so.$(SOVERSION) $(DESTDIR)$(PREFIX)/lib/libblindstamp.so
	install -m 644 $(foreach d,$(LIBDIRS),$(d)/$(d).h) $(DESTDIR)$(PREFIX)/include/blindstamp/
	install -m 644 $(wildcard gen/models/*.onnx gen/models/*.card.json) $(DESTDIR)$(PREFIX)/share/blindstamp/models/
	install -m 644 schema/*.sql schema/*.json schema/*.md $(DESTDIR)$(PREFIX)/share/blindstamp/schema/
	install -m 644 cli/blindstamp.1 $(DESTDIR)$(PREFIX)/share/man/man1/
	install -m 644 cli/blindstamp.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/blindstamp
	printf '%s\n' 'prefix=$(PREFIX)' 'Name: blindstamp' 'Description: Generated pictures with provable origin' \
	  'Version: $(VERSION)' 'Cflags: -I$${prefix}/include/blindstamp' 'Libs: -L$${prefix}/lib -lblindstamp' \
	  'Requires.private: $(LINKED)' 'Libs.private: -lcbor -pthread -lm' \
	  > $(DESTDIR)$(PREFIX)/lib/pkgconfig/blindstamp.pc
uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/blindstamp $(DESTDIR)$(PREFIX)/lib/libblindstamp.* \
	  $(DESTDIR)$(PREFIX)/lib/pkgconfig/blindstamp.pc $(DESTDIR)$(PREFIX)/share/man/man1/blindstamp.1 \
	  $(DESTDIR)$(PREFIX)/share/bash-completion/completions/blindstamp
	rm -rf $(DESTDIR)$(PREFIX)/include/blindstamp $(DESTDIR)$(PREFIX)/share/blindstamp
dist:
	@mkdir -p $(BUILD)
	git archive --prefix=blindstamp-$(VERSION)/ -o $(BUILD)/blindstamp-$(VERSION).tar.gz HEAD
	@echo $(BUILD)/blindstamp-$(VERSION).tar.gz
clean:
	rm -rf $(BUILD)
format:
	clang-format -i $(shell git ls-files '*.c' '*.h')

-include $(LIBOBJ:.o=.d) $(CLIOBJ:.o=.d) $(TESTBIN:=.d) $(FUZZBIN:=.d) $(wildcard $(BUILD)/bench/*.d $(BUILD)/interop/*.d)
