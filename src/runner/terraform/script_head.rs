//! Pure: the beginning of all scripts.

/// The functions of every script. Background processes ignore SIGINT unless they install a handler, which Terraform
/// does; scripts do not, so they get SIGTERM. `declares` tells whether the module has a variable, and `early` whether the tool
/// accepts values when it initializes a module and when it applies a plan, where they must not have changed.
pub(super) const HEAD: &str = r#"[ -z "$WINDLASS_KEPT" ] || rm -f "$WINDLASS_KEPT/left"
child= stopped= changed= how=INT options= mask=$(umask)
stop() { stopped=1; [ -z "$child" ] || kill -"$how" "$child" 2>/dev/null; }
trap stop INT TERM
run() {
  [ -z "$stopped" ] || exit 130
  "$@" &
  child=$!
  wait "$child"; code=$?
  while kill -0 "$child" 2>/dev/null; do wait "$child"; code=$?; done
  child=
  return "$code"
}
shell() {
  how=TERM
  if command -v bash >/dev/null 2>&1; then run bash "$1"; else run sh "$1"; fi
  code=$?
  how=INT
  return "$code"
}
declares() {
  cat ./*.tf ./*.tofu 2>/dev/null | grep -Eq "^[[:space:]]*variable[[:space:]]+\"?$1\"?[[:space:]]*[{]" && return 0
  cat ./*.tf.json ./*.tofu.json 2>/dev/null | grep -q "\"$1\"[[:space:]]*:"
}
early() { case $version in Terraform* | 'OpenTofu v1.'[67].*) return 1 ;; esac; }
left=${WINDLASS_OUTPUT_FILE%/*}
commit=
[ ! -f "$WINDLASS_SOURCE/.windlass-commit" ] || read -r commit < "$WINDLASS_SOURCE/.windlass-commit"
quote=${commit:+\"}
tell() { printf '{"changes":%s,"commit":%s}\n' "$1" "$quote${commit:-null}$quote" > "$left/result.json"; }
tell null
"#;

/// The functions of a script that fetches its files itself. It retries, because the server may be down for a moment.
pub(super) const FETCH: &str = r#"trap 'exit 130' INT TERM
fetch() {
  if command -v wget >/dev/null 2>&1
  then wget -q -O "$2" --header "Authorization: $WINDLASS_AUTHORIZATION" "$WINDLASS_FILES/$1"
  else curl -sSf -o "$2" -H "Authorization: $WINDLASS_AUTHORIZATION" "$WINDLASS_FILES/$1"
  fi
}
send() {
  if command -v wget >/dev/null 2>&1
  then wget -q -O /dev/null --header "Authorization: $WINDLASS_AUTHORIZATION" --post-file "$1" "$WINDLASS_FILES/$2"
  else curl -sSf -o /dev/null -H "Authorization: $WINDLASS_AUTHORIZATION" --data-binary "@$1" "$WINDLASS_FILES/$2"
  fi
}
insist() { tries=0; until "$@"; do tries=$((tries + 1)); [ "$tries" -lt 20 ] || return 1; sleep 3; done; }
if [ -z "$WINDLASS_KEPT" ] || [ ! -f "$WINDLASS_KEPT/left" ]; then
  insist fetch source "$WINDLASS_SOURCE/.windlass.tar" || { echo 'the files of the step could not be fetched from the server' >&2; exit 1; }
  tar -xf "$WINDLASS_SOURCE/.windlass.tar" -C "$WINDLASS_SOURCE" && rm -f "$WINDLASS_SOURCE/.windlass.tar" || exit 1
fi
"#;
