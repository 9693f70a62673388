#!/bin/sh
# Installs what tests run beside our server, where it is missing: Debian's memcached with the tools of
# libmemcached, which the comparison tests need, and the client libraries of other languages. Never
# fails: tests of what cannot be had are skipped, and this says so loudly.

PATH="$PATH:/usr/sbin:/usr/bin"
python_packages="$(dirname "$0")/../../node_modules/.cache/python"

has_memcached() {
  command -v memcached > /dev/null && command -v memccapable > /dev/null
}

has_clients() {
  command -v saslpasswd2 > /dev/null &&
    php -r 'exit(extension_loaded("memcached") ? 0 : 1);' > /dev/null 2>&1 &&
    ruby -e 'require "dalli"' > /dev/null 2>&1 &&
    /usr/bin/python3 -c 'import pylibmc, pymemcache' > /dev/null 2>&1
}

has_bmemcached() {
  PYTHONPATH="$python_packages" /usr/bin/python3 -c 'import bmemcached' > /dev/null 2>&1
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo > /dev/null; then sudo -n "$@"
  else return 1
  fi
}

# Installs Debian packages, without the services that they would start (and so take port 11211).
apt_install() {
  command -v apt-get > /dev/null || return 1
  as_root apt-get update -q || return 1
  policy=/usr/sbin/policy-rc.d
  placed=no
  if [ ! -e $policy ] && printf '#!/bin/sh\nexit 101\n' | as_root tee $policy; then
    as_root chmod +x $policy
    placed=yes
  fi
  as_root apt-get install -q -y --no-install-recommends "$@"
  [ $placed = yes ] && as_root rm -f $policy
}

export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
if ! has_memcached; then
  echo 'memcached or libmemcached-tools is missing: installing both with apt-get'
  apt_install memcached libmemcached-tools > "$log" 2>&1 < /dev/null
  if has_memcached; then
    echo "installed $(memcached -V)"
  else
    echo '*****************************************************************************'
    echo '* memcached could not be installed: THE COMPARISON TESTS WILL BE SKIPPED.   *'
    echo '*****************************************************************************'
    tail -n 3 "$log"
  fi
fi
if ! has_clients; then
  echo 'client libraries of Python, PHP or Ruby are missing: installing them with apt-get'
  apt_install sasl2-bin libsasl2-modules python3-pylibmc python3-pymemcache php-cli php-memcached \
    ruby ruby-dalli > "$log" 2>&1 < /dev/null
  has_clients || { echo 'SOME CLIENT TESTS WILL BE SKIPPED:'; tail -n 3 "$log"; }
fi
if ! has_bmemcached; then
  # Debian does not have it. It is Python alone, so any Python's pip will do.
  python3 -m pip install -q --target "$python_packages" python-binary-memcached==0.33.0 \
    > "$log" 2>&1 < /dev/null
  has_bmemcached || {
    echo 'THE TEST OF python-binary-memcached WILL BE SKIPPED:'
    tail -n 1 "$log"
  }
fi
rm -f "$log"
exit 0
