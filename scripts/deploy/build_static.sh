#!/usr/bin/env bash
# Builds the console and the widget into one folder that any host of static files serves (vercel.json calls this).
#
#   scripts/deploy/build_static.sh [folder]      public
#
# It needs Node 22.12 or newer and npm; pnpm comes by the lock in requirements/pnpm.
set -euo pipefail
cd "$(dirname "$0")/../.."
out="${1:-public}"

npm ci --loglevel=error --prefix requirements/pnpm
pnpm="$PWD/requirements/pnpm/node_modules/.bin/pnpm"
for name in frontend widget; do
  "$pnpm" --dir "services/$name" install --frozen-lockfile --silent
  "$pnpm" --dir "services/$name" run build
done
rm -rf "$out"
mkdir -p "$out"
cp -R services/frontend/dist "$out/console"
cp -R services/widget/dist/widget services/widget/dist/embed.js* "$out/"
rm -rf "$out/console/.vite"
find "$out" -type f \( -name '*.br' -o -name '*.gz' -o -name .built \) -delete  # such hosts compress by themselves
echo "built: $out"
