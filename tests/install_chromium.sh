#!/bin/sh
# A Chromium for the browser tests: the one on PATH, else Debian's where we are root, else Playwright's own.
set -e
if command -v chromium > /dev/null || command -v chromium-browser > /dev/null || command -v google-chrome > /dev/null; then
  exit 0
fi
if [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium fonts-noto-cjk > /dev/null && exit 0
fi
"$1" -m playwright install chromium
