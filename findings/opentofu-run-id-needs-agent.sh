#!/bin/sh
# With TF_IN_AUTOMATION and TFC_RUN_ID, OpenTofu 1.12.6 initializes no module that has a `cloud` and an `import` block.
#
# TF_IN_AUTOMATION is documented as a matter of what is printed, and TFC_RUN_ID as the id of a run for scripts and providers. With both, `init`
# takes it that an agent calls it, and insists on TFC_AGENT_VERSION, of 1.10 or later, if the module has an `import` block; modules without one are
# initialized, and `plan` does not look at it. A good guess is that neither variable changes what the program does, or that it matters where
# imports are planned.
#
# Needs: go with its module proxy, python3. Prints what it saw; fails if that changes.
set -eu
folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; chmod -R u+w "$folder"; rm -rf "$folder"' EXIT
cd "$folder"
export GOPATH="$folder/go" CGO_ENABLED=0
mkdir source module
go mod download -json github.com/opentofu/opentofu@v1.12.6 > download.json
cp -r "$(python3 -c 'import json; print(json.load(open("download.json"))["Dir"])')/." source
chmod -R u+w source
(cd source && go build -o "$folder/tofu" ./cmd/tofu)
cat > server.py <<'EOF'
import http.server, json

STATE = {"version": 4, "terraform_version": "1.12.6", "serial": 53, "lineage": "there", "outputs": {}, "resources": []}
WORKSPACE = {"id": "ws-1", "type": "workspaces", "attributes": {"name": "w", "operations": False, "execution-mode": "local",
    "terraform-version": "latest", "locked": False, "permissions": {"can-update": True, "can-lock": True, "can-unlock": True}}}

class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_): pass
    def answer(self, status, data=None):
        body = b"" if data is None else json.dumps(data).encode()
        self.send_response(status)
        self.send_header("TFP-API-Version", "2.6")
        self.send_header("Content-Type", "application/vnd.api+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def version(self, name, upload=None):
        base = "http://127.0.0.1:%d" % self.server.server_port
        return {"data": {"id": name, "type": "state-versions", "attributes": {"status": "finalized", "serial": 53,
            "hosted-state-download-url": base + "/state", "hosted-state-upload-url": upload and base + upload,
            "hosted-json-state-upload-url": upload and base + upload}}}
    def do_GET(self):
        path = self.path.split("?")[0]
        if path.endswith("/ping"): return self.answer(204)
        if path.endswith("/entitlement-set"):
            return self.answer(200, {"data": {"id": "o", "type": "entitlement-sets", "attributes": {"operations": True, "state-storage": True}}})
        if path == "/state": return self.answer(200, STATE)
        if "state-version" in path: return self.answer(200, self.version("sv-1"))
        self.answer(200, {"data": WORKSPACE})
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path.endswith("/state-versions"):
            sent = json.loads(body)["data"]["attributes"]
            with open("seen", "a") as seen:
                seen.write("lineage %s, serial %s, force %s\n" % (sent["lineage"], sent["serial"], sent["force"]))
            return self.answer(201, self.version("sv-2", "/upload"))
        self.answer(200, {"data": WORKSPACE})
    def do_PUT(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.answer(200)

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
open("port.new", "w").write(str(server.server_port))
import os; os.rename("port.new", "port")
server.serve_forever()
EOF
python3 server.py & server=$!
until [ -f port ]; do sleep 0.1; done
cat > cli.tfrc <<EOF
host "cloud.example" { services = { "tfe.v2" = "http://127.0.0.1:$(cat port)/api/v2/" } }
credentials "cloud.example" { token = "t" }
EOF
cat > module/main.tf <<'EOF'
terraform {
  cloud {
    hostname     = "cloud.example"
    organization = "o"
    workspaces { name = "w" }
  }
}
EOF
cat >> module/main.tf <<'EOF'
resource "terraform_data" "a" {}
EOF
export TF_CLI_CONFIG_FILE="$folder/cli.tfrc" CHECKPOINT_DISABLE=1
cd module
init() {
  if env "$@" "$folder/tofu" init -input=false -no-color > "$folder/log" 2>&1; then
    echo initialized
  else
    tr '\n' ' ' < "$folder/log" | grep -o 'TFC_AGENT_VERSION not present'
  fi
}
without_block=$(init TF_IN_AUTOMATION=1 TFC_RUN_ID=run-1)
cat >> main.tf <<'EOF'
import {
  to = terraform_data.a
  id = "there"
}
EOF
automation=$(init TF_IN_AUTOMATION=1)
run=$(init TFC_RUN_ID=run-1)
both=$(init TF_IN_AUTOMATION=1 TFC_RUN_ID=run-1)
agent=$(init TF_IN_AUTOMATION=1 TFC_RUN_ID=run-1 TFC_AGENT_VERSION=1.10.0)
planned=$(TF_IN_AUTOMATION=1 TFC_RUN_ID=run-1 "$folder/tofu" plan -input=false -no-color | grep '^Plan: ')
echo "OpenTofu 1.12.6, with a cloud block and local execution:"
echo "init, no import block, both variables: $without_block"
echo "init, an import block, TF_IN_AUTOMATION: $automation"
echo "init, an import block, TFC_RUN_ID: $run"
echo "init, an import block, both: $both"
echo "init, an import block, both and TFC_AGENT_VERSION: $agent"
echo "plan, an import block, both: $planned"
[ "$without_block $automation $run $agent" = "initialized initialized initialized initialized" ] &&
  [ "$both" = "TFC_AGENT_VERSION not present" ] &&
  [ "$planned" = "Plan: 1 to import, 0 to add, 0 to change, 0 to destroy." ] || { echo "this has changed" >&2; exit 1; }
