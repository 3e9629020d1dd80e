#!/bin/sh
# What a pull request runs: shows what merging it would change, and fails only if the plan cannot be made.
# SLIPWAY_URL names the server; the result is 0 (nothing would change) or 0 with the plan in $PLAN_OUT, for a comment.
set -u
cd "$(dirname "$0")/.." || exit 1
out=${PLAN_OUT:-plan.json}
"${SLIPWAY:-slipway}" plan -o "$out" --detailed-exitcode
case $? in
  0) echo "nothing would change" ;;
  2) echo "the plan is in $out; after the merge: slipway apply $out" ;;
  *) echo "there is no plan" >&2; exit 1 ;;
esac
