#!/bin/sh
# Installs Debian packages, whose names are its arguments, without starting the services that they bring. Needs root. The
# test command may call it in several processes at once.
set -eu

exec 9>/tmp/chat-api-service-packages.lock
flock 9

install() {
  DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "$@" 9>&- >&2
}

# What packages ask before they start a service. Should this script be killed, the file forbids nothing any more.
policy=/usr/sbin/policy-rc.d
mark='Made by the tests of chat-api-service; may be deleted.'
if [ ! -e "$policy" ] || grep -q "$mark" "$policy"; then
  trap 'rm -f "$policy"' EXIT
  trap 'exit 1' HUP INT TERM
  printf '#!/bin/sh\n# %s\nkill -0 %s 2>/dev/null && exit 101\nexit 0\n' "$mark" $$ >"$policy"
  chmod 755 "$policy"
fi

# The lists of packages may be missing or too old.
install "$@" || { apt-get -qq update >&2 && install "$@"; }

# Nor are they to start with the machine.
[ ! -d /run/systemd/system ] || systemctl disable --quiet --now "$@" >&2
