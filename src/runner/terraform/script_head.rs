//! Pure: the beginning of all scripts.

/// The functions of every script. Background processes ignore SIGINT unless they install a handler, which Terraform
/// does; scripts do not, so they get SIGTERM. A script finds the values of variables in a file that the tool reads by itself; the operation gets them
/// as an option, and must not find them among the files of the module, which may pack them. `declares` tells whether the module has a variable, and `early` whether the tool
/// accepts values when it initializes a module and when it applies a plan, where they must not have changed.
pub(super) const HEAD: &str = r#"[ -z "$WINDLASS_KEPT" ] || rm -f "$WINDLASS_KEPT/left"
child= stopped= changed= prepared= how=INT options= mask=$(umask)
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
  values || return 1
  if command -v bash >/dev/null 2>&1; then run bash "$1"; else run sh "$1"; fi
  code=$?
  [ -z "$prepared" ] || rm -f "$workingDirectory/zz_windlass.auto.tfvars"
  how=INT
  return "$code"
}
values() {
  [ -n "$prepared" ] || return 0
  rm -f "$workingDirectory/zz_windlass.auto.tfvars"
  (umask 077; cat "$WINDLASS_VALUES" > "$workingDirectory/zz_windlass.auto.tfvars")
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

/// The functions of a script that fetches its files itself. It retries, because the server may be down for a moment. The wget of GNU has to be told
/// which certificates the step trusts; curl reads the variable for it, and says why it fails.
pub(super) const FETCH: &str = r#"trap 'exit 130' INT TERM
trust=
case $(wget --version 2>/dev/null) in *GNU*) trust=${SSL_CERT_FILE:+--ca-certificate=$SSL_CERT_FILE} ;; esac
fetch() {
  if command -v curl >/dev/null 2>&1
  then curl -sSf -o "$2" -H "Authorization: $WINDLASS_AUTHORIZATION" "$WINDLASS_FILES/$1"
  else wget -q ${trust:+"$trust"} -O "$2" --header "Authorization: $WINDLASS_AUTHORIZATION" "$WINDLASS_FILES/$1"
  fi
}
send() {
  if command -v curl >/dev/null 2>&1
  then curl -sSf -o /dev/null -H "Authorization: $WINDLASS_AUTHORIZATION" --data-binary "@$1" "$WINDLASS_FILES/$2"
  else wget -q ${trust:+"$trust"} -O /dev/null --header "Authorization: $WINDLASS_AUTHORIZATION" --post-file "$1" "$WINDLASS_FILES/$2"
  fi
}
insist() { tries=0; until "$@"; do tries=$((tries + 1)); [ "$tries" -lt 20 ] || return 1; sleep 3; done; }
if [ -z "$WINDLASS_KEPT" ] || [ ! -f "$WINDLASS_KEPT/left" ]; then
  insist fetch source "$WINDLASS_SOURCE/.windlass.tar" || { echo 'the files of the step could not be fetched from the server' >&2; exit 1; }
  tar -xf "$WINDLASS_SOURCE/.windlass.tar" -C "$WINDLASS_SOURCE" && rm -f "$WINDLASS_SOURCE/.windlass.tar" || exit 1
fi
"#;
