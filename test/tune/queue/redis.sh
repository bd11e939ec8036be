#!/usr/bin/env bash
# Prints the path of a redis-server: the machine's own, or Debian's package unpacked into .tools/redis, which needs no rights.
set -euo pipefail
command -v redis-server && exit
folder="$PWD/.tools/redis"
server="$folder/usr/bin/redis-server"
if [ ! -x "$server" ]; then
  mkdir -p "$folder/packages"
  cd "$folder/packages"
  # redis-server is a link to redis-check-rdb of redis-tools
  names=$(apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances redis-server |
    grep -E '^(redis|libjemalloc|liblzf|liblua5|lua-)' | sort -u)
  apt-get download -qq $names >&2
  for package in *.deb; do dpkg-deb -x "$package" "$folder"; done
fi
export LD_LIBRARY_PATH="$folder/usr/lib/$(uname -m)-linux-gnu"
"$server" --version >&2
echo "$server"
