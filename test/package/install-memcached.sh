#!/bin/sh
# Installs Debian's memcached and libmemcached-tools if they are missing: the comparison tests run the
# real server next to ours. Never fails: without it those tests are skipped, and this says so loudly.

has_all() {
  command -v memcached > /dev/null && command -v memccapable > /dev/null
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo > /dev/null; then sudo -n "$@"
  else return 1
  fi
}

PATH="$PATH:/usr/sbin:/usr/bin"
has_all && exit 0
echo 'memcached or libmemcached-tools is missing: installing both with apt-get'
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
# The package would start its service, and so take port 11211.
policy=/usr/sbin/policy-rc.d
if command -v apt-get > /dev/null; then
  {
    as_root apt-get update -q
    if [ ! -e $policy ] && printf '#!/bin/sh\nexit 101\n' | as_root tee $policy; then
      as_root chmod +x $policy
      placed=yes
    fi
    as_root apt-get install -q -y --no-install-recommends memcached libmemcached-tools
    [ "$placed" = yes ] && as_root rm -f $policy
  } > "$log" 2>&1 < /dev/null
fi
if has_all; then
  echo "installed $(memcached -V)"
else
  echo '*****************************************************************************'
  echo '* memcached could not be installed: THE COMPARISON TESTS WILL BE SKIPPED.   *'
  echo '*****************************************************************************'
  tail -n 3 "$log"
fi
rm -f "$log"
exit 0
