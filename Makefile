# Two commands do all the set-up: `make up` runs the main job in the lab, `make test` passes the tests.
STACK ?= Pulumi.prod.yaml
LAB := bin/lab
PULUMI := $(LAB) run --stack $(STACK) -- pulumi
PYTHON := bin/python
PYTEST := $(PYTHON) -m pytest

.PHONY: help up preview refresh destroy down status test test-unit test-engine test-e2e test-shared check format schema bench

help: ## what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 14

up: ## set up the lab, run `pulumi up` of the stack in it, show what it made
	$(LAB) up --containers
	$(PULUMI) up --yes
	$(LAB) greet --stack $(STACK)

preview: ## what `make up` would change now
	$(PULUMI) preview --diff

refresh: ## read back what is really there
	$(PULUMI) refresh --yes

destroy: ## take everything down that the stack made
	$(PULUMI) destroy --run-program --yes

down: ## remove the lab; the cache stays
	$(LAB) down

status: ## what runs in the lab
	$(LAB) status

test: ## sets up everything, then passes all tests; those that read the specification only beside it
	bin/test

test-unit: ## the quick ones, without root
	$(PYTEST) tests/unit -m "not shared"

test-engine: ## the real CLI and provider
	$(PYTEST) tests/engine -m "not shared"

test-e2e: ## real containers
	$(PYTEST) tests/e2e -m "not shared"

test-shared: ## the tests that read the specification beside the checkout
	$(PYTEST) tests -m shared

check: ## format, lint, types, shell scripts, docs; warnings are errors
	bin/check

format: ## put the code into form
	$(PYTHON) -m ruff format . && $(PYTHON) -m ruff check --fix .

bench: ## the figures of docs/figures.md, measured here
	$(PYTHON) -m bench
