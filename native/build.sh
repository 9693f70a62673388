#!/bin/sh
# Builds the native addon into native/, when its sources have changed since. Where that cannot be
# done it says so in one line and ends with 1: the server runs without it, only slower. A file of
# older sources is removed then, so that nothing runs which is not what the sources say.

cd "$(dirname "$0")/.." || exit 1
log=native/target/build.log

# The files for this processor; Node's names of processors are not those of uname.
case $(uname -sm) in
  'Linux x86_64') mine='native/slabcached.linux-x64-*.node' ;;
  'Linux aarch64') mine='native/slabcached.linux-arm64-*.node' ;;
  *)
    echo "The native addon is not built: it is for Linux on x64 and arm64, not for $(uname -sm)."
    exit 1
    ;;
esac

is_up_to_date() {
  # One file at most is expected; without any the pattern stands for itself.
  set -- $mine
  [ -e "$1" ] || return 1
  newer=$(find native/src native/build.rs native/Cargo.toml native/Cargo.lock -newer "$1")
  [ -z "$newer" ]
}

give_up() {
  rm -f $mine
  echo "The native addon is not built: $1."
  exit 1
}

is_up_to_date && exit 0
. native/rust.sh
[ -z "$why_not" ] || give_up "$why_not"
command -v cc > /dev/null || give_up 'it needs a C compiler to link with (cc)'
echo "Building the native addon with Rust $found"
mkdir -p native/target
# Where the network is silent, cargo would go on asking for minutes.
if ! CARGO_NET_RETRY=0 CARGO_HTTP_TIMEOUT=20 \
  node_modules/.bin/node node_modules/.bin/napi build --platform --release --no-js \
    --dts target/addon.d.ts --manifest-path native/Cargo.toml --output-dir native -- --locked \
    > $log 2>&1 < /dev/null; then
  give_up "$(sed -n 's/^error[^:]*: //p' $log | head -n 1) ($log)"
fi
