#!/usr/bin/env bash
# Prints the folder with PostgreSQL's programs: the machine's own, or Debian's package unpacked into .tools/postgres, which needs no rights.
set -euo pipefail
own=$(command -v pg_config >/dev/null && pg_config --bindir || true)
for folder in "$own" /usr/lib/postgresql/*/bin; do
  [ -x "$folder/postgres" ] && [ -x "$folder/initdb" ] && echo "$folder" && exit
done
tools="$PWD/.tools/postgres"
if ! compgen -G "$tools/usr/lib/postgresql/*/bin/postgres" >/dev/null; then
  mkdir -p "$tools/packages"
  cd "$tools/packages"
  names=$(apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances postgresql |
    grep -E '^(postgresql-[0-9]+|libpq5|libllvm[0-9]+|libicu[0-9]+|libxml2|libxslt1.1|libldap-2.5-0|libz3-4)$' | sort -u)
  apt-get download -qq $names >&2
  for package in *.deb; do dpkg-deb -x "$package" "$tools"; done
fi
ls -d "$tools"/usr/lib/postgresql/*/bin
