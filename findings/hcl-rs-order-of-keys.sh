#!/bin/sh
# hcl-rs 0.20.0, HCL for Rust, evaluates valid expressions to other values than HCL's own library, v2.23.0, without an error.
#
# A `for` over an object visits its keys in the order in which they were written; HCL visits them in lexical order, so that the order of
# writing does not matter. A conditional gives the chosen side as it is; HCL converts both sides to one type first, so that a number
# beside a text is a text. Sums are those of binary floating point; HCL computes with 512 bits and answers 0.3. A good guess is that a
# deterministic language without side effects has one result for one expression, whatever evaluates it.
#
# Needs: cargo, go, and their registries. Prints what it saw; fails if that changes.
set -eu
folder=$(mktemp -d)
trap 'chmod -R u+w "$folder"; rm -rf "$folder"' EXIT
cd "$folder"
export GOPATH="$folder/go" GOFLAGS=-mod=mod
cat > input.hcl <<'EOF'
keys     = [for key, value in { b = 1, a = 2, c = 3 } : key]
choice   = true ? 1 : "one"
sum      = 0.1 + 0.2
greeting = "%{ for name in ["a", "b"] ~}${name},%{ endfor ~} end"
EOF
mkdir src
cat > Cargo.toml <<'EOF'
[package]
name = "evaluate"
version = "0.1.0"
edition = "2024"
[dependencies]
hcl-rs = "=0.20.0"
[workspace]
EOF
cat > src/main.rs <<'EOF'
use hcl::eval::{Context, Evaluate};

fn main() {
    let body: hcl::Body = hcl::parse(&std::fs::read_to_string("input.hcl").unwrap()).unwrap();
    for attribute in body.attributes() {
        let value = attribute.expr().evaluate(&Context::new()).unwrap();
        println!("{} {}", attribute.key(), hcl::format::to_string(&hcl::Expression::from(value)).unwrap().replace("\n  ", "").replace('\n', ""));
    }
}
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
	"github.com/zclconf/go-cty/cty/json"
)

func main() {
	file, problems := hclparse.NewParser().ParseHCLFile("input.hcl")
	if problems.HasErrors() {
		panic(problems)
	}
	attributes, _ := file.Body.JustAttributes()
	for _, key := range []string{"keys", "choice", "sum", "greeting"} {
		value, problems := attributes[key].Expr.Value(nil)
		if problems.HasErrors() {
			panic(problems)
		}
		text, _ := json.Marshal(value, value.Type())
		fmt.Println(key, string(text))
	}
}
EOF
cargo run --quiet > rust.txt 2>build.log || { cat build.log; exit 1; }
go run . > go.txt 2>build.log || { cat build.log; exit 1; }
seen=$(sed 's/^/hcl-rs: /' rust.txt; sed 's/^/HCL:    /' go.txt)
printf '%s\n' "$seen"
expected='hcl-rs: keys ["b","a","c"]
hcl-rs: choice 1
hcl-rs: sum 0.30000000000000004
hcl-rs: greeting "a,b,end"
HCL:    keys ["a","b","c"]
HCL:    choice "1"
HCL:    sum 0.3
HCL:    greeting "a,b,end"'
[ "$seen" = "$expected" ] || { printf 'expected:\n%s\n' "$expected"; exit 1; }
