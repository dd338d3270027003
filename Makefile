# Blindstamp: make demo shows the main job, make test proves it. See README.md.
#   CC=clang            another compiler        SANITIZE=1   AddressSanitizer and UndefinedBehaviorSanitizer
#   PREFIX=/usr/local   where install puts it   DESTDIR=     staging folder        BUILD=build   output folder
PREFIX ?= /usr/local
BUILD ?= build
SANITIZE ?= 0
OPT ?= -O2
VERSION := $(shell sed -n 's/^.define BST_VERSION "\(.*\)"/\1/p' base/base.h)
SOVERSION := $(firstword $(subst ., ,$(VERSION)))

PACKAGES := libsodium sqlite3 libpng libjpeg libexif exempi-2.0 libcbor jansson openblas lapack libcrypto libprotobuf-c
DEBS := build-essential pkg-config libsodium-dev libsqlite3-dev libpng-dev libjpeg62-turbo-dev libexif-dev \
  libexempi-dev libcbor-dev libjansson-dev libopenblas-dev libssl-dev libprotobuf-c-dev protobuf-c-compiler
TEST_DEBS := libcmocka-dev clang sqlite3 openssl libimage-exiftool-perl nodejs npm jq

PKGS := $(filter-out libcbor lapack,$(PACKAGES))
WARN := -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes
# Bits must not depend on the compiler: no contraction, no fast-math anywhere.
CFLAGS_ALL = -std=c17 -D_POSIX_C_SOURCE=200809L -D_DEFAULT_SOURCE $(OPT) -g -fPIC -fvisibility=default $(WARN) \
  -ffp-contract=off -fno-fast-math -pthread -Ibase -Igen -Iprovenance -Iaudit -I. -I$(BUILD)/gen $(shell pkg-config --cflags $(PKGS) 2>/dev/null) \
  $(CFLAGS)
LIBS = $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lcbor -pthread -lm $(LDFLAGS)
ifeq ($(SANITIZE),1)
CFLAGS_ALL += -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
LIBS += -fsanitize=address,undefined
BUILD := $(BUILD)/sanitize
endif
ifneq ($(shell $(CC) -dumpmachine 2>/dev/null | grep x86_64),)
AVX2FLAGS := -mavx2 -mfma
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
LIBSO := $(BUILD)/lib/libblindstamp.so.$(VERSION)
BIN := $(BUILD)/bin/blindstamp

.PHONY: all deps test-deps demo test check bench fuzz unit install uninstall dist clean format
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
$(LIBSO): $(LIBOBJ)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) -shared -Wl,-soname,libblindstamp.so.$(SOVERSION) -o $@ $^ $(LIBS)

$(BUILD)/%_avx2.o: CFLAGS_ALL += $(AVX2FLAGS)
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
	$(CC) $(CFLAGS_ALL) -Wno-missing-prototypes -MMD -MP -MF $@.d -o $@ $< tests/fuzz/main.c $(LIBA) $(LIBS)
$(BUILD)/bench/%: tests/bench/%.c $(LIBA)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) -Wno-missing-prototypes -MMD -MP -MF $@.d -o $@ $< $(LIBA) $(LIBS)

unit: $(TESTBIN)
	@tests/run-unit $(TESTBIN)
fuzz: $(FUZZBIN)

clean:
	rm -rf $(BUILD)
format:
	clang-format -i $(shell git ls-files '*.c' '*.h')

-include $(LIBOBJ:.o=.d) $(CLIOBJ:.o=.d) $(TESTBIN:=.d) $(FUZZBIN:=.d) $(BENCHBIN:=.d)
