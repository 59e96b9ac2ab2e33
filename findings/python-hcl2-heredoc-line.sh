#!/bin/sh
# python-hcl2 8.1.4 loses the last line break of each here-document that it turns into a string.
#
# `preserve_heredocs=False` gives the text of a here-document instead of its source. HCL's own library counts the line break before the
# closing word as part of the value, whatever the indentation. A good guess is that loading and dumping a file keeps its values: here the
# dumped file is valid, has the same number of settings, and each of these values is one character shorter, which a program that compares
# the value of a file, a script or a certificate notices only later.
#
# Needs: python3 with venv, go, and their package indexes. Prints what it saw; fails if that changes.
set -eu
folder=$(mktemp -d)
trap 'chmod -R u+w "$folder"; rm -rf "$folder"' EXIT
cd "$folder"
export GOPATH="$folder/go" GOFLAGS=-mod=mod
python3 -m venv tools
tools/bin/pip install --quiet python-hcl2==8.1.4
cat > first.hcl <<'EOF'
plain = <<END
  one
END
indented = <<-END
    one
      two
  END
quoted = "one\n"
EOF
tools/bin/python - <<'EOF'
import hcl2

with open("first.hcl") as file:
    read = hcl2.load(file, serialization_options=hcl2.SerializationOptions(preserve_heredocs=False))
with open("second.hcl", "w") as file:
    file.write(hcl2.dumps(read))
EOF
cat > go.mod <<'EOF'
module main
go 1.23
require github.com/hashicorp/hcl/v2 v2.23.0
EOF
cat > main.go <<'EOF'
package main

import (
	"fmt"

	"github.com/hashicorp/hcl/v2/hclparse"
)

func main() {
	for _, name := range []string{"first.hcl", "second.hcl"} {
		file, problems := hclparse.NewParser().ParseHCLFile(name)
		if problems.HasErrors() {
			panic(problems)
		}
		attributes, _ := file.Body.JustAttributes()
		for _, key := range []string{"plain", "indented", "quoted"} {
			value, _ := attributes[key].Expr.Value(nil)
			fmt.Printf("%s %s %q\n", name, key, value.AsString())
		}
	}
}
EOF
seen=$(go run . 2>build.log) || { cat build.log; exit 1; }
printf "%s\n" "$seen"
expected='first.hcl plain "  one\n"
first.hcl indented "one\n  two\n"
first.hcl quoted "one\n"
second.hcl plain "  one"
second.hcl indented "one\n  two"
second.hcl quoted "one\n"'
[ "$seen" = "$expected" ] || { printf "expected:\n%s\n" "$expected"; exit 1; }
