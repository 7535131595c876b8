#!/usr/bin/env bash
# shellcheck disable=SC2154,SC2034 # variables are shared with rehearse.sh
# The part of the rehearsal that rotates keys as docs/releasing.md says; sourced
# by rehearse.sh. Every installed version is asked what it believes.
echo '-- keys'
for key in third fourth; do new_key "$key"; done
prefix=$work/keys state=$work/keys-state
put() { # VERSION: as if it had been installed long ago
  rm -rf "$prefix" "$state"
  mkdir -p "$prefix"
  tar -xzf "$work/www/$1/trustfix_$1_${os}_$arch.tar.gz" -C "$prefix" trustfix
}
tf() { "$prefix/trustfix" "$@" --state-dir "$state"; }
becomes() { # VERSION
  tf update --source "$base/$1" >/dev/null
  says "$("$prefix/trustfix" version)" "trustfix $1"
  tf update --check --source "$base/$1" >/dev/null || fail "$1 does not believe its own release"
}

# A release that does not compile in the key that signs it is not made.
refused_for 'none of the keys' 1 plain 2.0.0 ours "$(public next),$(public third)"

# Planned rotation: NEXT signs, and becomes the current one. 1.0.0 holds it.
plain 2.0.0 next "$(public next),$(public third)"
put 1.0.0
becomes 2.0.0
# The one after that. Who missed the release in between is told, and goes by it.
plain 3.0.0 third "$(public third),$(public fourth)"
put 1.0.0
refused_for "$(id third)" 1 tf update --source "$base/3.0.0"
becomes 2.0.0
becomes 3.0.0

# The current key was stolen: the thief publishes, then NEXT revokes.
plain 1.9.9 ours "$keys"
TRUSTFIX_REVOKED=1.9.9 TRUSTFIX_REVOKED_KEYS=$(id ours) plain 2.1.0 next "$(public next),$(public third)"
put 1.0.0
becomes 2.1.0
# Where the old program is put back, it still knows what was revoked.
tf update --rollback >/dev/null
says "$("$prefix/trustfix" version)" 'trustfix 1.0.0'
refused_for "$(id ours) was revoked" 1 tf update --source "$base/1.9.9"
becomes 2.1.0
# A thief with the current key cannot revoke the next one.
TRUSTFIX_REVOKED_KEYS=$(id next) plain 1.9.8 ours "$keys"
put 1.0.0
becomes 1.9.8
becomes 2.0.0
