#!/bin/sh
# @NAME@ @VERSION@: one file that carries the Deno runtime and the program. The lines up to __PAYLOAD__ unpack both once into a
# cache folder and start them; the rest is a gzip-compressed tar archive. `@NAME@ help` says what the program does.
{ # A shell reads a block to its end before it runs any of it: half a download runs nothing.
set -eu
mask=$(umask); umask 077
digest=@DIGEST@ lines=@LINES@ runtime_bytes=@RUNTIME_BYTES@ content="@CONTENT@"
# A pipe would take the place of a stream that is closed, and hold what another program reads.
{ true 3<&0; } 2>/dev/null || exec </dev/null
{ true 3>&1; } 2>/dev/null || exec >/dev/null
true 3>&2 || exec 2>/dev/null
self=$0
# A shell that was told to run this file names it as it was typed; one that found it through PATH may name it without its folder.
case $self in */*) ;; *) if [ -f "./$self" ]; then self=./$self; else self=$(command -v "$self") || self=$0; fi ;; esac
fail() { printf '@NAME@: %s\n' "$1" >&2; [ -z "${2:-}" ] || printf '  fix: %s\n' "$2" >&2; exit 1; }

mode() { ls -ldnL -- "$1" 2>/dev/null; }

# A folder is trusted only where no other user can write to it: a folder, no link, ours, closed to others.
private() {
  [ -d "$1" ] && [ ! -L "$1" ] && [ -O "$1" ] || return 1
  case $(mode "$1") in d???------*) return 0 ;; *) return 1 ;; esac
}

# Nor may anybody else be able to put another folder in its place: the parent is ours or the system's, and what stands in it
# is for its owners alone to rename, because others may not write there or because of the sticky bit.
safe_parent() {
  about=$(mode "$1") || return 1
  case $about in d????-??-*|d????????[tT]*) ;; *) return 1 ;; esac
  # shellcheck disable=SC2086
  set -- $about # ls -n: mode, links, owner
  [ "$3" = 0 ] || [ "$3" = "$(id -u)" ]
}

# Whether $1 can hold our folder, or holds it already; a complete one may be on a file system that cannot be written.
usable() {
  case $1 in /*) ;; *) return 1 ;; esac
  mkdir -p -- "$1" 2>/dev/null || [ -d "$1" ] || return 1
  safe_parent "$1" || return 1
  folder=${1%/}/$2 home=${1%/}/$2/$digest
  mkdir -m 700 -- "$folder" 2>/dev/null || true
  private "$folder" || return 1
  [ -w "$folder" ] || unpacked
}

find_cache() {
  if [ -n "${PINTLE_CACHE_HOME:-}" ]; then
    usable "$PINTLE_CACHE_HOME" @NAME@ && return 0
    fail "PINTLE_CACHE_HOME=$PINTLE_CACHE_HOME cannot be used: it and its @NAME@ must be folders that no other user can write" \
      "name a folder that you own, mode 700"
  fi
  usable "${XDG_CACHE_HOME:-}" @NAME@ && return 0
  usable "${HOME:+$HOME/.cache}" @NAME@ && return 0
  usable "${TMPDIR:-/tmp}" "@NAME@-$(id -u)" && return 0
  fail "no folder to unpack into is yours alone: ${HOME:+$HOME/.cache and }${TMPDIR:-/tmp} cannot be used" \
    "set PINTLE_CACHE_HOME to a folder that you own, mode 700"
}

# A sum of what is unpacked in $1. Cleaners of temporary folders take single files, crashes and full disks leave them empty or full of zeros:
# the program is read as a whole, the runtime in five places, since its 100 MB would take half a second.
content_of() {
  (
    cd "$1/app" && find . -type f ! -name '.nfs*' -exec cksum {} + | LC_ALL=C sort
    cd .. && for quarter in 0 1 2 3 4; do
      dd if=deno bs=65536 skip=$((runtime_bytes / 65536 * quarter / 4)) count=1
    done | cksum
  ) 2>/dev/null | cksum
}

# In a shell of its own: it needs the system's tools, whatever PATH the caller has.
unpacked() (
  PATH="${PATH:+$PATH:}/usr/bin:/bin"
  [ -x "$home/deno" ] && [ -d "$home/app" ] && [ ! -L "$home/app" ] &&
    [ -n "$(find "$home/deno" -type f -size "${runtime_bytes}c" 2>/dev/null)" ] && [ "$(content_of "$home")" = "$content" ]
)

sum() {
  if command -v sha256sum >/dev/null 2>&1; then sha256sum; else shasum -a 256; fi | cut -d ' ' -f 1
}

payload() { tail -n +"$lines" -- "$self"; }

# Several first runs at once all come here. Either the whole folder takes its place in one rename, or, where an incomplete one
# or another process's stands there, each file takes its own: at no moment is one missing that another process starts with.
place() {
  [ -d "$home" ] || rm -f -- "$home" 2>/dev/null || true # not -r: another process's folder may stand there by now
  if [ ! -e "$home" ] && mv -- "$fresh" "$home" 2>/dev/null; then
    rm -rf -- "${home:?}/${fresh##*/}" # it went inside, where another process was faster by a moment
  fi
  if unpacked || [ ! -d "$fresh" ]; then return 0; fi
  (
    cd "$fresh" && find . -type d | while IFS= read -r path; do
      # Another process may have made the folder by now: then there is nothing to remove.
      if [ -L "$home/$path" ] || [ ! -d "$home/$path" ]; then rm -f -- "$home/$path" || true; fi
      mkdir -p -- "$home/$path"
    done
    find "$home/app" -type f | while IFS= read -r path; do [ -f "$fresh/${path#"$home"/}" ] || rm -f -- "$path"; done
    find . -type f | while IFS= read -r path; do
      if [ -d "$home/$path" ]; then rm -rf -- "${home:?}/$path"; fi
      mv -f -- "$path" "$home/$path"
    done
  ) 2>/dev/null
}

unpack() {
  for tool in tar gzip tail mktemp; do command -v "$tool" >/dev/null 2>&1 || fail "$tool is needed to unpack" "install it"; done
  command -v sha256sum >/dev/null 2>&1 || command -v shasum >/dev/null 2>&1 || fail "sha256sum is needed to unpack" "install it"
  # What a run that was killed left behind is never trusted, and goes after a day.
  find "$folder" -type d -name '.unpack.*' -mtime +0 -prune -exec rm -rf -- {} + 2>/dev/null || true
  space="free some disk space: 150 MB are needed"
  fresh=$(mktemp -d "$folder/.unpack.XXXXXX" 2>/dev/null) || fail "cannot unpack into $folder: is the disk full?" "$space"
  trap 'rm -rf -- "$fresh"' EXIT
  trap 'exit 130' INT; trap 'exit 143' TERM; trap 'exit 129' HUP
  [ "$(payload 2>/dev/null | sum)" = "$digest" ] || fail "$self is damaged: its content is not what was packed" "download it again"
  # -o: files are ours, whatever user packed them.
  { payload | gzip -dc | tar -xof - -C "$fresh"; } 2>/dev/null || fail "cannot unpack into $folder: is the disk full?" "$space"
  place
  rm -rf -- "$fresh"
  trap - EXIT INT TERM HUP
  unpacked || [ ! -x "$home/deno" ] || fail "cannot unpack into $folder" "remove it and try again"
}

find_cache
unpacked || unpack
[ -x "$home/deno" ] || fail "programs cannot be run from $folder" "set PINTLE_CACHE_HOME to a folder whose file system is not mounted noexec"
umask "$mask"; unset PINTLE_CACHE_HOME
export DENO_DIR="$home/cache" DENO_NO_UPDATE_CHECK=1
# Of many malloc arenas each keeps what its thread once needed: a single one holds 13 MB less.
export MALLOC_ARENA_MAX="${MALLOC_ARENA_MAX:-1}"
exec "$home/deno" run -q --no-prompt --no-config --no-lock @PERMISSIONS@ "$home/app/main.js" "$@"
exit 1
}
__PAYLOAD__
