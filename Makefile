# What a newcomer types. Everything runs through npm scripts, because they find the Node that the
# project brings along (node_modules/.bin/node) where the system's own is older.

.DEFAULT_GOAL := help
.PHONY: help run test check native bench node memcached

FLAGS ?= -v
NPM = npm --no-update-notifier
INSTALLED = node_modules/.installed

help: ## What there is to make
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: node native ## Start the server on port 11211; FLAGS="-m 1024 -t 2" passes its flags
	@$(NPM) --silent start -- $(FLAGS)

test: node memcached native check ## Check, then run all tests, against memcached where it can be had
	@$(NPM) --silent test

check: node ## Formatter, linter and types
	@$(NPM) --silent run check
	@$(NPM) --silent run check:native

native: node ## Build the native addon if its sources changed and there is a Rust to do it
	@$(NPM) --silent run build:native || true

bench: node native ## Measure against memcached
	@$(NPM) --silent run bench

# The packages, again whenever their list changes.
$(INSTALLED): package-lock.json package.json
	@command -v npm > /dev/null || { \
	  echo 'npm is missing: install it first (Debian: apt-get install npm)'; exit 1; }
	$(NPM) ci --no-audit --no-fund --loglevel=error
	@touch $@

node: $(INSTALLED)
	@test -x node_modules/.bin/node || { \
	  echo 'node_modules/.bin/node is missing: the install script of the npm package "node" did not'; \
	  echo 'run; allow it (npm install-scripts approve node), remove node_modules, and try again.'; \
	  exit 1; }

# The real memcached and client libraries, which tests start. What cannot be had is skipped.
memcached:
	@sh test/package/install-memcached.sh
