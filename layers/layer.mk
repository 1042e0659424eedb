# What the layers' Makefiles share: requirements.txt or the library → $(ARTIFACTS_DIR)/python.
# Wheels only, for the function's machine, so that any computer can build it; ARCH=x86_64 for Intel.
ARCH ?= arm64
PYTHON_VERSION := 3.13
PLATFORM := $(if $(filter arm64,$(ARCH)),aarch64,$(ARCH))-manylinux_2_34
HERE := $(dir $(abspath $(firstword $(MAKEFILE_LIST))))
UV := $(firstword $(shell command -v uv) $(wildcard $(HERE)../../.cache/uv/bin/uv))

define install
	@test -n "$(UV)" || { echo "the layers are built with uv: pip install uv"; exit 2; }
	$(UV) pip install --quiet --python-version $(PYTHON_VERSION) --python-platform $(PLATFORM) \
	  --only-binary :all: --require-hashes --no-compile --no-deps --target "$(ARTIFACTS_DIR)/python" -r requirements.txt
	rm -rf "$(ARTIFACTS_DIR)/python/bin" "$(ARTIFACTS_DIR)/python/.lock"
endef

# Functions cannot write beside their code: without these, every cold start compiles every module.
define compile
	$(UV) run --quiet --no-project --python $(PYTHON_VERSION) python -m compileall -qq \
	  --invalidation-mode unchecked-hash -j 0 -s "$(ARTIFACTS_DIR)" -p /opt "$(ARTIFACTS_DIR)/python"
endef
