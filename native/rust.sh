# To be sourced from the root of the project: looks for a Rust that is new enough for the crate. Sets
# PATH to it, or why_not to the reason; rustup puts it where PATH may not lead, and a distribution's
# own, which is in PATH, is often too old.

wanted=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' native/Cargo.toml)

# Whether the Rust of this PATH, if there is one, will do.
is_new_enough() {
  command -v cargo > /dev/null && command -v rustc > /dev/null || return 1
  found=$(rustc --version 2> /dev/null | sed -n 's/^rustc \([0-9]*\.[0-9]*\).*/\1/p')
  [ -n "$found" ] || return 1
  [ "$(printf '%s\n%s\n' "$wanted" "$found" | sort -t . -k 1,1n -k 2,2n | head -n 1)" = "$wanted" ]
}

why_not=
found=
if ! is_new_enough; then
  of_system=$found
  PATH="${CARGO_HOME:-${HOME:-}/.cargo}/bin:$PATH"
  if ! is_new_enough; then
    found=${found:-$of_system}
    why_not="it needs Rust $wanted or newer, and there is ${found:-none}"
  fi
fi
