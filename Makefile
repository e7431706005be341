# Everything a newcomer needs: `make up` and `make test` each do all of their set-up.
.DEFAULT_GOAL := help
.PHONY: help up test test-compose lint format smoke redeploy password bench clean local-packages test-packages

PYTHON := .venv/bin/python
STATE := $(or $(PORTICO_STATE_DIR),.portico)
# The first Python that starts, whatever its version: bootstrap.py looks for the right one itself.
ANY_PYTHON := $(shell for name in python3.13 python3.12 python3.11 python3 python; do \
	$$name -c 'import sys; sys.exit(sys.version_info < (3, 7))' >/dev/null 2>&1 && { echo $$name; break; }; done)

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

up: local-packages ## Start Portico on this machine; prints the address and the first login
	@exec $(PYTHON) -m deploy.embedded.run

# All of them take two processes, file by file; those with a browser stay last.
test: test-packages ## Run all tests that need no Docker (ARGS="tests/deploy -k zip" for some)
	@CHROMIUM="$$($(PYTHON) deploy/chromium.py)" && export CHROMIUM && exec $(PYTHON) -m pytest -m "not containers" \
		$(or $(ARGS),-n 2 --dist loadfile --no-loadscope-reorder)

test-compose: test-packages ## Run all that touches AWS against docker-compose's LocalStack and its containers
	@CHROMIUM="$$($(PYTHON) deploy/chromium.py)" && export CHROMIUM PORTICO_TEST_TARGET=localstack && \
		exec $(PYTHON) -m pytest -m "(stack or browser or containers) and not (embedded or looks)" $(ARGS)

lint: test-packages ## Check style, types, imports between rooms, the template, migrations
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy .
	PYTHONPATH=.:lambda_docker .venv/bin/lint-imports
	.venv/bin/cfn-lint deploy/template.yaml
	$(PYTHON) -m deploy.checking
	PORTICO_ENV=local $(PYTHON) -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run

format: test-packages ## Put the code into the house's form
	$(PYTHON) -m ruff check --fix-only .
	$(PYTHON) -m ruff format .

smoke: local-packages ## Do what a user would, from sign-in to history, with each step's time (TARGET=localstack)
	@exec $(PYTHON) -m deploy.smoke --target $(or $(TARGET),embedded)

redeploy: local-packages ## Put changed function code live on docker-compose's stack
	@exec $(PYTHON) -m deploy redeploy

password: local-packages ## Set a new password for the first admin, while Portico runs or not
	@test -f "$(STATE)/portal.sqlite3" || { echo "There is no Portico in $(STATE) yet. Start one with: make up" >&2; exit 1; }
	@PORTICO_ENV=local exec $(PYTHON) manage.py changepassword admin

bench: test-packages ## Measure in ten minutes, beside MLflow and BentoML; figures and plots go to benchmarks/results
	@$(PYTHON) -m benchmarks all --quick; status=$$?; \
		$(PYTHON) -m benchmarks plots --figures benchmarks/results --out benchmarks/results && exit $$status

clean: ## Remove .venv and caches; what Portico keeps (.portico) stays
	rm -rf .venv .checkov .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

local-packages test-packages: %-packages:
	@test -n "$(ANY_PYTHON)" || { echo "Portico needs Python 3.11, 3.12 or 3.13. For instance: sudo apt install python3.13 python3.13-venv" >&2; exit 1; }
	@$(ANY_PYTHON) deploy/bootstrap.py $*
