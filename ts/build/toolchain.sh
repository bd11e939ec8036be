#!/usr/bin/env bash
# Makes this machine able to build the crate to WebAssembly. Safe to run again: it does only what is missing.
#
#   1. a Rust toolchain that has the wasm32 standard library: the active one, else by rustup, else Debian's
#      rustc-web with the standard library built once from Debian's own source package;
#   2. wasm-bindgen and wasm-pack at the versions below, into .tools/ (ignored by git): released binaries where they can be had, else compiled.
#
# Writes .tools/env, which ts/build/wasm.sh reads: the toolchain and the linker to use.
# GRADUS_TOOLCHAIN=debian takes Debian's toolchain even where another would do.
set -euo pipefail
cd "$(dirname "$0")/../.."

WASM_PACK_VERSION=0.15.1
WASM_BINDGEN_VERSION=$(sed -n 's/^wasm-bindgen = .*"=\([0-9.]*\)".*/\1/p' Cargo.toml)
TARGET=wasm32-unknown-unknown
TOOLS=$PWD/.tools
mkdir -p "$TOOLS"

say() { printf '\033[2m[toolchain]\033[0m %s\n' "$*"; }
[ -n "$WASM_BINDGEN_VERSION" ] || { say 'found no wasm-bindgen = "=VERSION" in Cargo.toml'; exit 1; }
has_wasm_std() { [ -d "$(rustc ${1:+"+$1"} --print sysroot 2>/dev/null)/lib/rustlib/$TARGET/lib" ]; }
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

# The standard library for wasm32 from Debian's rust-web-src, with its dependencies vendored: built once, kept beside rustc.
build_std_from_debian() {
  local work=$TOOLS/build-std
  say "building the wasm32 standard library from Debian's source (about a minute, once)"
  rm -rf "$work" && mkdir -p "$work/src"
  printf '[package]\nname = "empty"\nversion = "0.0.0"\nedition = "2021"\n[lib]\npath = "src/lib.rs"\n[workspace]\n' > "$work/Cargo.toml"
  echo '#![no_std]' > "$work/src/lib.rs"
  (cd "$work" && RUSTUP_TOOLCHAIN= RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 RUSTFLAGS="--remap-path-prefix=/usr/lib/rustlib/src/rust=std --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=cargo" \
    /usr/bin/cargo build --quiet --release --target $TARGET -Zbuild-std=std,panic_abort)
  local lib=/usr/lib/rustlib/$TARGET/lib
  as_root mkdir -p "$lib"
  find "$work/target/$TARGET/release/deps" -name '*.rlib' ! -name 'libempty-*' -exec cp {} "$TOOLS" \;
  as_root sh -c "mv '$TOOLS'/*.rlib '$lib/'"
  rm -rf "$work"
}

# Debian's compiler with cargo, formatter, linter and the source of the standard library. Without rustup it is the only toolchain.
use_debian() {
  command -v apt-get >/dev/null || { say "no wasm32 standard library: run 'rustup target add $TARGET' where there is network"; exit 1; }
  local packages=(rustc-web cargo-web rust-web-src)
  if ! command -v rustup >/dev/null; then packages+=(rustfmt-web rust-web-clippy gcc libc6-dev); fi
  if ! dpkg-query -W "${packages[@]}" >/dev/null 2>&1; then
    say "installing Debian's ${packages[*]}"
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
  fi
  [ -d /usr/lib/rustlib/$TARGET/lib ] || build_std_from_debian
  if command -v rustup >/dev/null && ! rustup toolchain list | grep -q '^debian'; then rustup toolchain link debian /usr; fi
}

choose_toolchain() {
  if [ "${GRADUS_TOOLCHAIN:-}" = debian ]; then
    use_debian
    TOOLCHAIN=debian
    return
  fi
  command -v rustc >/dev/null || use_debian
  if has_wasm_std; then TOOLCHAIN=
  elif command -v rustup >/dev/null && rustup toolchain list | grep -q '^debian' && has_wasm_std debian; then TOOLCHAIN=debian
  elif command -v rustup >/dev/null && timeout 120 rustup target add $TARGET >/dev/null 2>&1; then TOOLCHAIN=
  else use_debian; TOOLCHAIN=debian
  fi
}

# Debian's rustc ships no linker for wasm: take rustup's rust-lld, else a system wasm-ld.
choose_linker() {
  LINKER=
  local host lld
  host=$(rustc -vV | sed -n 's/^host: //p')
  if [ "$TOOLCHAIN" != debian ] && [ -x "$(rustc --print sysroot)/lib/rustlib/$host/bin/rust-lld" ]; then return; fi
  if command -v rustup >/dev/null; then
    lld=$(rustc +stable --print sysroot 2>/dev/null)/lib/rustlib/$host/bin/rust-lld
    if [ -x "$lld" ]; then LINKER=$lld; return; fi
  fi
  LINKER=$(find /usr/bin -name 'wasm-ld*' | sort | tail -n 1)
  if [ -z "$LINKER" ]; then
    say "installing Debian's lld"
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends lld >/dev/null
    LINKER=$(find /usr/bin -name 'wasm-ld*' | sort | tail -n 1)
  fi
}

# released URL FOLDER FILE: one file of a released archive, into .tools/bin. Fails within seconds where there is no network.
released() {
  local work
  work=$(mktemp -d "$TOOLS/release.XXXXXX")
  mkdir -p "$TOOLS/bin"
  curl --fail --silent --location --connect-timeout 5 --max-time 60 "$1" 2>/dev/null | tar -xz -C "$work" 2>/dev/null &&
    "$work/$2/$3" --version >/dev/null 2>&1 && mv "$work/$2/$3" "$TOOLS/bin/$3"
  local code=$?
  rm -rf "$work"
  return $code
}

# told TOOL: of what cargo writes, a line for each 25 crates, and errors.
told() {
  awk -v tool="$1" '/^ *Compiling/ { if (++n % 25 == 0) { print "[toolchain] " tool ": " n " crates compiled"; fflush() } next }
    /^ *(Updating|Download|Locking|Adding|Install|Replac|Finished|Ignored)/ { next } { print; fflush() }'
}

has_version() { [ "$("$TOOLS/bin/$1" --version 2>/dev/null | awk '{print $2}')" = "$2" ]; }

# cargo_tool NAME CRATE VERSION FLAGS…: the released binary, else compiled without optimisation, as both are fast enough for one small crate.
# A target folder of its own lets the two compile at once.
cargo_tool() {
  local name=$1 crate=$2 version=$3
  shift 3
  if has_version "$name" "$version"; then return; fi
  local url folder
  url=$(release_of "$name" "$version")
  folder=$(basename "$url" .tar.gz)
  if [ -n "$url" ] && command -v curl >/dev/null && released "$url" "$folder" "$name" && has_version "$name" "$version"; then return; fi
  say "compiling $crate $version into .tools (two to four minutes of two cores for both tools, once)"
  CARGO_PROFILE_DEV_DEBUG=0 CARGO_INCREMENTAL=0 CARGO_TARGET_DIR="$TOOLS/target-$name" \
    cargo install --debug --force --root "$TOOLS" --version "$version" "$@" "$crate" 2>&1 | told "$crate"
  rm -rf "$TOOLS/target-$name"
}

# release_of NAME VERSION: the archive that the project of the tool releases for this machine, or nothing.
release_of() {
  local machine
  case "$(uname -sm)" in
    'Linux x86_64') machine=x86_64-unknown-linux-musl ;;
    'Linux aarch64') machine=aarch64-unknown-linux-gnu ;;
    'Darwin x86_64') machine=x86_64-apple-darwin ;;
    'Darwin arm64') machine=aarch64-apple-darwin ;;
    *) return 0 ;;
  esac
  local tag=$2
  if [ "$1" = wasm-pack ]; then
    tag=v$2
    if [ "$machine" = aarch64-unknown-linux-gnu ]; then machine=aarch64-unknown-linux-musl; fi
  fi
  echo "${GRADUS_RELEASES:-https://github.com/wasm-bindgen}/$1/releases/download/$tag/$1-$tag-$machine.tar.gz"
}

choose_toolchain
command -v rustup >/dev/null || TOOLCHAIN= # without rustup there is only one toolchain, and it has no name
choose_linker
if command -v rustup >/dev/null; then rustup component add rustfmt clippy >/dev/null 2>&1 || say "rustfmt or clippy is missing: make check needs both"; fi
{
  if [ -n "$TOOLCHAIN" ]; then echo "export RUSTUP_TOOLCHAIN=$TOOLCHAIN"; fi
  if [ -n "$LINKER" ]; then echo "export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=$LINKER"; fi
  echo 'export PATH="'"$TOOLS"'/bin:$PATH"'
} > "$TOOLS/env"
cargo_tool wasm-bindgen wasm-bindgen-cli "$WASM_BINDGEN_VERSION" --no-default-features --bin wasm-bindgen & bindgen=$!
cargo_tool wasm-pack wasm-pack "$WASM_PACK_VERSION" & pack=$!
# wasm-pack's own run finds the crate compiled, and says what is wrong where it could not be
ts/build/wasm.sh --compile 2>/dev/null & crate=$!
wait $bindgen
wait $pack
wait $crate || true
say "ready: $(RUSTUP_TOOLCHAIN=${TOOLCHAIN:-} rustc --version 2>/dev/null || rustc --version), wasm-bindgen $WASM_BINDGEN_VERSION, wasm-pack $WASM_PACK_VERSION"
