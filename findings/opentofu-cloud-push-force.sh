#!/bin/sh
# `tofu state push` of OpenTofu 1.12.6 sends the same to a `cloud` block with and without `-force`.
#
# Without it, the state of another lineage and with a lower serial is not compared with what is there, and is sent. With it, the command marks
# the state as forced, and then stores it by a second call that takes the mark back: the version has `force: false`, too. Both have a serial one
# higher than that of the file. A good guess, from the other backends and from the attribute of the API, is that the program refuses the first
# push itself, and that the server is told about the second; in fact only the server can refuse, and cannot tell which of them was meant.
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
        self.send_header("TFP-API-Version", "2.5")
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
cat > module/other.tfstate <<'EOF'
{"version": 4, "terraform_version": "1.12.6", "serial": 20, "lineage": "elsewhere", "outputs": {}, "resources": []}
EOF
export TF_CLI_CONFIG_FILE="$folder/cli.tfrc" CHECKPOINT_DISABLE=1
cd module
"$folder/tofu" init -input=false -no-color > /dev/null
push() {
  rm -f "$folder/seen"
  "$folder/tofu" state push -no-color "$@" other.tfstate > /dev/null
  cat "$folder/seen"
}
without=$(push)
with=$(push -force)
echo "OpenTofu 1.12.6: a push of the serial 20 of another lineage over 53"
echo "without -force, sent: $without"
echo "with -force, sent: $with"
expected="lineage elsewhere, serial 21, force False"
[ "$without" = "$expected" ] && [ "$with" = "$expected" ] || { echo "this has changed" >&2; exit 1; }
