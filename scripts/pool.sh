# Sourced by scripts that unpack packages of Debian's pool by name and checksum: no index is needed,
# every machine gets the same, and nothing on the system is changed.
helper=/usr/lib/apt/apt-helper

mirror() {
  local found
  found="$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.sources 2>/dev/null |
    grep -oE 'https?://[^ ]+/debian/?( |$)' | head -n 1 | tr -d ' ' || true)"
  echo "${found:-http://deb.debian.org/debian}"
}

can_unpack() {
  [ -x "$helper" ] && command -v dpkg-deb >/dev/null && return
  echo "$(basename "$0"): needs apt and dpkg-deb" >&2
  return 1
}

# download "name folder version arch sha256" FILE: one package, checked
download() {
  local name folder version arch sha256
  read -r name folder version arch sha256 <<<"$1"
  "$helper" -qq -o APT::Sandbox::User=root -o Acquire::Retries=3 download-file \
    "$(mirror)/pool/main/$folder/${name}_${version}_$arch.deb" "$2" "SHA256:$sha256"
}

# once PROGRAM COMMAND...: run it unless the program is there; of several at once one does
once() {
  local program="$1"
  shift
  [ -x "$program" ] && return
  mkdir -p "$root/.cache"
  (
    flock 9
    if [ ! -x "$program" ]; then "$@"; fi
  ) 9>"$root/.cache/$(basename "$0").lock" >&2
}
