# Two commands matter: `make demo` and `make test`. Both set themselves up from Python ≥ 3.11 alone.
PYTHON ?= python3
UV := $(shell command -v uv 2>/dev/null || echo .cache/uv/bin/uv)
BIN := .venv/bin

.PHONY: help setup demo test test-bluesky test-mastodon test-matrix test-spark test-trino test-site test-kill test-faults test-platforms test-mistakes test-thorough lint lock layers lint-aws format bench docs screenshots renew clean

help:            ## this list
	@grep -E '^[a-z-]+: .*##|^[a-z-]+:  *##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 16

setup: .venv/ready  ## the environment in .venv

.cache/uv/bin/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Muster needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)"; exit 2; }
	$(PYTHON) -m venv .cache/uv
	.cache/uv/bin/pip install --quiet --disable-pip-version-check --require-hashes -r .ci/requirements.txt

.venv/ready: pyproject.toml uv.lock | $(UV)
	$(UV) sync --frozen --quiet --python "$$($(PYTHON) -c 'import sys; print(sys.executable)')"
	@touch $@

demo: .venv/ready     ## a simulated community: fetch, measure, report into .demo/
	$(BIN)/muster demo

test: .venv/ready     ## every test of the default suite
	$(BIN)/pytest -n auto --dist loadfile --no-loadscope-reorder $(TESTS)

test-bluesky: .venv/ready  ## the Bluesky connector against a real Bluesky network on loopback
	bash tests/real/bluesky/run.sh

test-matrix: .venv/ready   ## the Matrix connector against a real Synapse on loopback
	bash tests/real/matrix/run.sh

test-mastodon: .venv/ready  ## the Mastodon connector against Takahe, a server that speaks its API, on loopback
	bash tests/real/mastodon/run.sh

test-spark: .venv/ready .cache/spark/ready  ## every KPI on Spark: the values DuckDB gives (needs Java 17)
	PYTHONPATH=.cache/spark:tests/kpis:tests/real $(BIN)/pytest -s --timeout 3600 tests/real/spark/equal_values.py

.PHONY: test-athena
test-athena: .venv/ready   ## every KPI by engine: athena, on a loopback server that speaks its API
	PYTHONPATH=tests/kpis:tests/real:tests/real/spark $(BIN)/pytest -n 0 -s --timeout 3600 tests/real/trino/by_athena.py

test-trino: .venv/ready .cache/trino/ready  ## every KPI on Trino (TRINO_URL or TRINO_HOME), else only its driver
	PYTHONPATH=.cache/trino:tests/kpis:tests/real:tests/real/spark $(BIN)/pytest -n 0 -s -rs --timeout 7200 tests/real/trino/equal_values.py

.cache/spark/ready .cache/trino/ready: .cache/%/ready: tests/real/%/requirements.txt | $(UV)
	$(UV) pip install --quiet --require-hashes --target .cache/$* --python $(BIN)/python -r $<
	@touch $@

test-site: .venv/ready     ## every page of four sites at five widths, light, dark, print, without JavaScript
	MUSTER_BROWSER=all $(BIN)/pytest -n 0 --timeout 3600 tests/reports/test_browser.py tests/reports/test_asking.py

test-kill: .venv/ready     ## twenty kills at random points of a fetch, then the same lake
	MUSTER_THOROUGH=1 $(BIN)/pytest --timeout 1200 tests/test_promises.py

# The longest first, so that nothing long is left over at the end; three at once on two cores, as
# many of them wait.
LONGEST := $(addprefix tests/faults/,test_killed.py test_at_once.py test_network_s3.py)
test-faults: .venv/ready   ## the ten promises, tried to be broken for up to 20 minutes
	MUSTER_THOROUGH=1 $(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder --timeout 1200 \
	  $(LONGEST) $(filter-out $(LONGEST),$(wildcard tests/faults/test_*.py))

.PHONY: fuzz
fuzz: .venv/ready          ## a million bad inputs at every door, gone on with where it stopped (SEED=8)
	@mkdir -p .cache
	$(BIN)/python tests/faults/fuzz.py --seed $(or $(SEED),8)

test-platforms: .venv/ready ## every platform through many more examples, every request, every record
	MUSTER_THOROUGH=1 $(BIN)/pytest -n auto --dist load --timeout 1800 tests/sources/test_contract.py tests/sources/test_any_shape.py

test-mistakes: .venv/ready ## the mistakes of other tools, each put into a copy: its tests must fail
	MUSTER_THOROUGH=1 $(BIN)/pytest -n auto --dist load tests/kpis/test_mistakes.py

test-thorough: .venv/ready ## the default suite with many more examples, seeds, kills and mistakes
	MUSTER_THOROUGH=1 MUSTER_BROWSER=all $(BIN)/pytest -n auto --dist loadfile --timeout 3600 $(TESTS)

.PHONY: test-merge
test-merge: .venv/ready    ## eight writers, 10,000 batches on a real S3, kills at random: nothing lost or doubled
	MUSTER_BATCHES=10000 $(BIN)/pytest -n 0 -s --timeout 7200 tests/test_merge_on_s3.py

lint: .venv/ready     ## ruff, types, and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/ready   ## put the code into its one format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: | $(UV)  ## every list of dependencies anew, with hashes (UPGRADE=--upgrade for newer versions)
	UV=$(abspath $(UV)) .ci/lock.sh

layers: .venv/ready | $(UV)  ## the functions' layers for both processors: their sizes, and that they start
	UV=$(abspath $(UV)) layers/requirements.sh
	PATH="$(dir $(abspath $(UV))):$$PATH" $(BIN)/pytest -s tests/aws/built_layers.py

lint-aws: export AWS_DEFAULT_REGION := eu-central-1
lint-aws: export SAM_CLI_TELEMETRY := 0
lint-aws: .cache/aws/ready .cache/aws-policies/ready  ## template.yaml by sam, cfn-lint, checkov and parliament, and what they miss
	.cache/aws/bin/sam validate --lint
	.cache/aws/bin/python tests/aws/lint.py

.cache/aws/ready: tests/aws/requirements.txt | $(UV)
	$(UV) venv --quiet --clear .cache/aws
	$(UV) pip install --quiet --require-hashes --python .cache/aws -r $<
	@touch $@

.PHONY: aws-local test-aws
aws-local: .venv/ready .cache/aws/ready .cache/aws-emulator/ready .cache/aws-runtime/ready  ## the stack in a local AWS, run by its schedules
	PATH="$(dir $(abspath $(UV))):$$PATH" $(BIN)/python tests/aws/local.py

test-aws: .venv/ready .cache/aws/ready .cache/aws-emulator/ready .cache/aws-runtime/ready .cache/aws-policies/ready  ## the same, asserted: deploy, run, trouble, upgrade, run again, roll back, destroy
	PATH="$(dir $(abspath $(UV))):$$PATH" $(BIN)/pytest -n 0 -x -s --timeout 1800 --tb short \
	  $(addprefix tests/aws/,built_layers.py lint_finds.py deployed.py questions.py troubled.py seldom.py forgotten.py \
	    upgraded.py expired.py allowed.py destroyed.py)

.PHONY: coldstart
coldstart: .venv/ready .cache/aws/ready .cache/aws-runtime/ready  ## how long each function takes to start, and on what
	PATH="$(dir $(abspath $(UV))):$$(dirname $$(cat .cache/aws-runtime/python)):$$PATH" ARCH=$$(uname -m | sed s/aarch64/arm64/) \
	  .cache/aws/bin/sam build --build-dir .cache/coldstart/built > .cache/coldstart.log 2>&1 || { tail -20 .cache/coldstart.log; exit 1; }
	$(BIN)/python bench/coldstart.py

# What plays AWS, and what a function finds beside its code: each in an environment of its own.
.cache/aws-emulator/ready .cache/aws-runtime/ready .cache/aws-policies/ready: .cache/aws-%/ready: tests/aws/requirements-%.txt | $(UV)
	python=$$($(PYTHON) tests/aws/interpreter.py) && $(UV) venv --quiet --clear --python $$python .cache/aws-$* \
	  && $(UV) pip install --quiet --require-hashes --compile-bytecode --python .cache/aws-$* -r $< && echo $$python > .cache/aws-$*/python
	@touch $@

.PHONY: release audit
release: .venv/ready       ## dist/: wheel, archive, bill of materials, checksums; built twice, equal to the byte
	$(BIN)/python -m release.build

audit: .venv/ready         ## everything locked against a database of vulnerabilities (ADVISORIES=FOLDER, else OSV)
	$(BIN)/python -m release.audit $(ADVISORIES)

docs: .venv/ready     ## the documents that are generated from the code
	$(BIN)/python docs/generate.py

renew: .venv/ready    ## write the golden files anew (look at the diff)
	$(BIN)/pytest -n auto --dist loadfile --renew tests/reports

bench: .venv/ready    ## benchmarks, as ratios within one run
	for program in $$(grep -l argparse bench/*.py); do echo "== $$program"; $(BIN)/python $$program; done

screenshots: .venv/ready  ## the demo's mail and site as pictures in docs/
	$(BIN)/python docs/screenshots.py

clean:           ## everything that make made, but not the lake of .demo
	rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
