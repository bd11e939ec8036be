#!/usr/bin/env bash
# Installs Chromium and Firefox from Debian's packages unless they are there. Elsewhere it only says so.
set -euo pipefail
missing=()
for browser in chromium firefox-esr; do
  command -v "$browser" >/dev/null || missing+=("$browser")
done
[ ${#missing[@]} -eq 0 ] && exit 0
sudo=''
[ "$(id -u)" -eq 0 ] || sudo='sudo -n'
if ! command -v apt-get >/dev/null || ! { [ -z "$sudo" ] || $sudo true 2>/dev/null; }; then
  echo "no ${missing[*]}: tests in pages are left out (Debian: apt-get install ${missing[*]})"
  exit 0
fi
echo "installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -qq
$sudo apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
