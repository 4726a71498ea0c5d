#!/bin/sh
# Puts the pre-commit hook beside this file into the git repository that you stand in. Never overwrites a hook that is there.
set -eu

source=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)/pre-commit
folder=$(git rev-parse --git-path hooks)
target=$folder/pre-commit

if [ -e "$target" ] || [ -L "$target" ]; then
    if cmp -s "$source" "$target"; then
        echo "$target is in place already"
        exit 0
    fi
    echo "$target exists and was left as it is" >&2
    echo "  to run both, copy $source to $folder/reliability and add this line to $target:" >&2
    echo "  \"\$(git rev-parse --git-path hooks)/reliability\" || exit 1" >&2
    exit 1
fi
mkdir -p "$folder"
cp "$source" "$target"
chmod +x "$target"
echo "$target is in place"
