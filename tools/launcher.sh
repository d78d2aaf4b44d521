#!/bin/sh
# @NAME@ @VERSION@: one file that carries the Deno runtime and the program. The lines up to __PAYLOAD__ unpack both once into a
# cache folder and start them; the rest is a gzip-compressed tar archive. `@NAME@ help` says what the program does.
set -eu
mask=$(umask); umask 077
digest=@DIGEST@ lines=@LINES@ deno_bytes=@DENO_BYTES@
self=$0
case $self in */*) ;; *) self=$(command -v -- "$self") || self=$0 ;; esac

fail() { printf '@NAME@: %s\n' "$1" >&2; [ -z "${2:-}" ] || printf '  fix: %s\n' "$2" >&2; exit 1; }

# A folder is trusted only where nobody else can put files into it: a folder, no link, ours, closed to others.
private() {
  [ -d "$1" ] && [ ! -L "$1" ] && [ -O "$1" ] || return 1
  case $(ls -ld -- "$1") in d???------*) return 0 ;; *) return 1 ;; esac
}

sum() {
  if command -v sha256sum >/dev/null 2>&1; then sha256sum; else shasum -a 256; fi | cut -d ' ' -f 1
}

# Another user may own the parent, as /tmp: only a folder that we make in it ourselves counts then.
cache() {
  for base in "${PINTLE_CACHE_HOME:-}" "${XDG_CACHE_HOME:-}" "${HOME:+$HOME/.cache}"; do
    case $base in /*) ;; *) continue ;; esac
    mkdir -p -- "$base" 2>/dev/null || continue
    folder=$base/@NAME@
    mkdir -m 700 -- "$folder" 2>/dev/null || true
    if private "$folder" && [ -w "$folder" ]; then return 0; fi
  done
  folder=${TMPDIR:-/tmp}/@NAME@-$(id -u)
  mkdir -m 700 -- "$folder" 2>/dev/null || true
  private "$folder" && [ -w "$folder" ] && return 0
  fail "there is no folder of your own to unpack into: $folder is not yours alone, and neither home nor XDG_CACHE_HOME can be written" \
    "set PINTLE_CACHE_HOME to a folder that you own"
}

unpacked() { [ -f "$home/deno" ] && [ "$(wc -c <"$home/deno")" -eq "$deno_bytes" ] && [ -f "$home/app/main.js" ]; }

unpack() {
  fresh=$(mktemp -d "$folder/.unpack.XXXXXX") || fail "cannot unpack into $folder" "free some disk space"
  trap 'rm -rf -- "$fresh"' EXIT
  trap 'exit 130' INT; trap 'exit 143' TERM HUP
  [ "$(tail -n +"$lines" -- "$self" | sum)" = "$digest" ] || fail "$self is damaged: its content is not what was packed" "download it again"
  tail -n +"$lines" -- "$self" | gzip -dc | tar -xf - -C "$fresh" || fail "cannot unpack into $folder: is the disk full?" "free some disk space, 150 MB are needed"
  # Of several first runs at once one wins, and the others take its folder; a rename is atomic.
  if ! unpacked; then
    if [ -e "$home" ]; then mv -- "$home" "$fresh.broken" 2>/dev/null || true; fi
    mv -- "$fresh" "$home" 2>/dev/null || true
    rm -rf -- "${home:?}/${fresh##*/}" "$fresh.broken"
  fi
  rm -rf -- "$fresh"
  trap - EXIT INT TERM HUP
  unpacked || fail "cannot unpack into $folder" "remove it and try again"
}

cache
home=$folder/$digest
unpacked || unpack
umask "$mask"; unset PINTLE_CACHE_HOME
export DENO_DIR="$home/cache" DENO_NO_UPDATE_CHECK=1
exec "$home/deno" run -q --no-prompt --no-config --no-lock @PERMISSIONS@ "$home/app/main.js" "$@"
exit 1
__PAYLOAD__
