#!/bin/sh
# Go clients of OpenAPI Generator 7.26.0 send the body `null` for an optional body that is not set.
#
# The body is a nil pointer in an interface, which is not nil itself, so it is encoded: the four bytes `null`, with a Content-Type. A good
# guess is that a call without its optional body has no body; a server that insists on an object answers 400 to a valid call.
#
# Needs: python3 with venv, java, go, and their package indexes. Prints what it saw; fails if that changes.
set -eu
folder=$(mktemp -d)
trap 'chmod -R u+w "$folder"; rm -rf "$folder"' EXIT
cd "$folder"
export GOPATH="$folder/go" GOFLAGS=-mod=mod
python3 -m venv tools
tools/bin/pip install --quiet openapi-generator-cli==7.26.0
cat > api.yaml <<'EOF'
openapi: 3.0.3
info: {title: t, version: "1"}
servers: [{url: http://localhost}]
paths:
  /stop:
    post:
      operationId: stop
      tags: [Thing]
      requestBody:
        required: false
        content: {application/json: {schema: {$ref: '#/components/schemas/Options'}}}
      responses: {'204': {description: done}}
components:
  schemas:
    Options: {type: object, properties: {force: {type: boolean}}}
EOF
jar=$(tools/bin/python -c "import openapi_generator_cli as g; print(g.__path__[0])")/openapi-generator.jar
java -jar "$jar" generate -g go -i api.yaml -o client --additional-properties=packageName=client \
  --git-host=example.invalid --git-user-id=a --git-repo-id=client >/dev/null 2>&1
mkdir main && cd main
cat > main.go <<'EOF'
package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"example.invalid/a/client"
)

func main() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Printf("%s %q\n", r.Header.Get("Content-Type"), body)
		w.WriteHeader(204)
	}))
	defer server.Close()
	configuration := client.NewConfiguration()
	configuration.Servers = client.ServerConfigurations{{URL: server.URL}}
	api := client.NewAPIClient(configuration).ThingAPI
	if _, err := api.Stop(context.Background()).Execute(); err != nil {
		panic(err)
	}
}
EOF
go mod init example.com/main >/dev/null 2>&1
go mod edit -require example.invalid/a/client@v0.0.0 -replace example.invalid/a/client=../client
go mod tidy >/dev/null 2>&1
seen=$(go run .)
echo "OpenAPI Generator 7.26.0, $(go version | cut -d' ' -f3):"
echo "$seen"
expected='application/json "null\n"'
[ "$seen" = "$expected" ] || { echo "expected:"; echo "$expected"; exit 1; }
