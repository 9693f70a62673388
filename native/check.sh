#!/bin/sh
# Formatter and linter of the crate, where there is a Rust that has them; else one line says why they
# did not run, which is no failure.

cd "$(dirname "$0")/.." || exit 1
. native/rust.sh

skip() {
  echo "The Rust sources are not checked: $1."
  exit 0
}

[ -z "$why_not" ] || skip "$why_not"
cd native || exit 1
cargo fmt --version > /dev/null 2>&1 || skip 'cargo fmt is not installed'
cargo clippy --version > /dev/null 2>&1 || skip 'cargo clippy is not installed'
cargo fmt --check || exit 1
CARGO_NET_RETRY=0 CARGO_HTTP_TIMEOUT=20 cargo fetch --locked --quiet > /dev/null 2>&1 ||
  skip 'the crates that it depends on cannot be fetched'
cargo clippy --quiet --locked --lib --examples -- -D warnings
