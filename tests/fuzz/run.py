"""Fuzzes a running server with Schemathesis, and fails if a response violates a contract.

Usage: run.py URL TOKEN FOLDER SEED [CONTRACT...]. The server must not be able to run anything, because commands are random, too.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import urllib.request

# For each contract: its file, the phases, the examples for each operation, and the least number of calls. The JSON:API
# has no coverage phase, because the combinations of its query parameters alone would take minutes.
CONTRACTS = {
    "qovery": ("openapi.json", "coverage,fuzzing", 45, 20_000),
    "terrakube": ("terrakube.yaml", "fuzzing", 24, 5_000),
}
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


class Server:
    def __init__(self, url, token):
        self.url, self.token = url, token

    def call(self, method, path, body=None, kind="application/json"):
        data = None if body is None else (body if isinstance(body, str) else json.dumps(body)).encode()
        headers = {"Authorization": f"Token {self.token}", "Content-Type": kind}
        request = urllib.request.Request(self.url + path, data=data, method=method, headers=headers)
        with urllib.request.urlopen(request, timeout=10) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def post(self, path, body):
        return self.call("POST", path, body)["id"]

    def first(self, path):
        return self.call("GET", path)["results"]


def furnish(server):
    """Creates several of everything, so that some may be deleted; returns ids by path parameter."""
    organization = server.first("/organization")[0]["id"]
    base = f"/organization/{organization}"
    ids = {"organizationId": [organization]}

    def add(name, *found):
        ids.setdefault(name, []).extend(found)

    registry = server.post(f"{base}/containerRegistry", {"name": "r", "kind": "DOCKER_HUB", "config": {}})
    add("containerRegistryId", registry)
    projects = [server.post(f"{base}/project", {"name": f"fuzz {n}"}) for n in range(2)]
    add("projectId", *projects)
    environments = [server.post(f"/project/{projects[0]}/environment", {"name": f"e{n}"}) for n in range(6)]
    add("environmentId", *environments)
    add("deploymentRuleId", *environments)
    local = server.first(f"{base}/cluster")[0]["id"]
    for number in range(3):
        body = {
            "name": f"rule {number}", "mode": "DEVELOPMENT", "cluster_id": local, "wildcard": "", "auto_stop": False,
            "timezone": "UTC", "start_time": "1970-01-01T08:00:00Z", "stop_time": "1970-01-01T19:00:00Z",
            "weekdays": ["MONDAY"],
        }
        add("deploymentRuleId", server.post(f"/project/{projects[0]}/deploymentRule", body))
    jobs = []
    for number, environment in enumerate(environments * 2):
        command = {"entrypoint": "/bin/true"}
        schedule = {"on_start": command} if number % 2 else {"cronjob": {"scheduled_at": "@daily"}}
        source = {"image": {"image_name": "library/busybox", "tag": "1", "registry_id": registry}}
        body = {"name": f"j{number}", "healthchecks": {}, "source": source, "schedule": schedule}
        jobs.append(server.post(f"/environment/{environment}/job", body))
    add("jobId", *jobs)
    add("serviceId", *jobs)
    for parent, kind in [(projects[0], "project"), (environments[0], "environment"), (jobs[0], "job")]:
        for number in range(3):
            body = {"key": f"V{number}", "value": "x"}
            add("environmentVariableId", server.post(f"/{kind}/{parent}/environmentVariable", body))
            body = {"key": f"S{number}", "value": "x"}
            add("secretId", server.post(f"/{kind}/{parent}/secret", body))
    add("variableId", *ids["environmentVariableId"], *ids["secretId"])
    for environment in environments[:3]:
        found = [stage["id"] for stage in server.first(f"/environment/{environment}/deploymentStage")]
        add("deploymentStageId", *found)
        add("stageId", *found)
    for number in range(3):
        group = {"name": f"a{number}", "annotations": [{"key": "k", "value": "v"}], "scopes": ["PODS"]}
        add("annotationsGroupId", server.post(f"{base}/annotationsGroups", group))
        label = {"key": "k", "value": "v", "propagate_to_cloud_provider": False}
        add("labelsGroupId", server.post(f"{base}/labelsGroups", {"name": f"l{number}", "labels": [label]}))
        token = {"name": f"g{number}", "type": "GITHUB", "token": "t"}
        add("gitTokenId", server.post(f"{base}/gitToken", token))
        add("apiTokenId", server.post(f"{base}/apiToken", {"name": f"t{number}", "role_id": None}))
        add("customRoleId", server.post(f"{base}/customRole", {"name": f"role {number}"}))
        add("inviteId", server.post(f"{base}/inviteMember", {"email": f"p{number}@example.com"}))
        hook = {"kind": "STANDARD", "target_url": "https://hooks.example.com", "events": ["DEPLOYMENT_STARTED"]}
        add("webhookId", server.post(f"{base}/webhook", hook))
        add("pushHookId", server.post(f"{base}/pushHook", {"name": f"p{number}"}))
        cluster = {"name": f"c{number}", "region": "r", "cloud_provider": "ON_PREMISE", "kubernetes": "SELF_MANAGED"}
        add("clusterId", server.post(f"{base}/cluster", cluster))
        restriction = {"mode": "MATCH", "type": "PATH", "value": f"p{number}/"}
        add("deploymentRestrictionId", server.post(f"/job/{jobs[0]}/deploymentRestriction", restriction))
    for job in jobs[:4]:
        status = server.call("POST", f"/job/{job}/deploy", {})
        if status["deployment_request_id"]:
            add("deploymentRequestId", status["deployment_request_id"])
    server.call("POST", f"/job/{jobs[0]}/deploy?forceEvent=CRON", {})
    return ids


def furnish_terrakube(server, ids):
    """Does the same for the Terrakube-compatible API."""
    [organization] = ids["organizationId"]
    base = f"/api/v1/organization/{organization}"

    def add(name, kind, attributes, path=None, workspace=None):
        data = {"type": kind, "attributes": attributes}
        if workspace:
            data["relationships"] = {"workspace": {"data": {"type": "workspace", "id": workspace}}}
        body = server.call("POST", f"{base}/{path or kind}", {"data": data}, "application/vnd.api+json")
        ids.setdefault(name, []).append(body["data"]["id"])
        return body["data"]["id"]

    found = server.call("GET", f"{base}/template")["data"]
    ids["templateId"] = [template["id"] for template in found]
    for number in range(3):
        workspace = add("workspaceId", "workspace", {"name": f"w{number}"})
        for kind, attributes in [
            ("variable", {"key": "k", "value": "v", "category": "ENV"}),
            ("access", {"name": "G"}),
            ("schedule", {"cron": "0 0 4 * * ?", "templateReference": found[0]["id"]}),
        ]:
            add(f"{kind}Id", kind, attributes, f"workspace/{workspace}/{kind}")
        add("globalvarId", "globalvar", {"key": f"k{number}", "value": "v", "category": "TERRAFORM"})
        add("teamId", "team", {"name": f"T{number}"})
        add("vcsId", "vcs", {"name": f"v{number}"})
        add("sshId", "ssh", {"name": f"s{number}", "privateKey": "k"})
        tag = add("tagId", "tag", {"name": f"t{number}"})
        add("workspacetagId", "workspacetag", {"tagId": tag}, f"workspace/{workspace}/workspaceTag")
        job = add("workspaceJobId", "job", {"templateReference": found[0]["id"]}, workspace=workspace)
        steps = server.call("GET", f"{base}/job/{job}/step")["data"]
        ids.setdefault("stepId", []).extend(step["id"] for step in steps)
    ids["jobId"] = [int(number) for number in ids.pop("workspaceJobId")]
    return ids


def write_config(path, ids):
    lines = []
    for name, values in sorted(ids.items()):
        lines += [f"[dictionaries.{name}]", f"values = {json.dumps(values)}", ""]
    parents = ids["projectId"] + ids.get("environmentId", []) + ids["jobId"]
    lines += ["[dictionaries.parents]", f"values = {json.dumps(parents)}", "", "[parameters]"]
    for name in sorted(ids):
        lines.append(f'"path.{name}" = {{ dictionary = "{name}", probability = 0.85 }}')
    lines.append('"query.parent_id" = { dictionary = "parents", probability = 0.85 }')
    # A followed log does not end before its run.
    lines.append('"query.follow" = false')
    lines.append('"query.service_id" = { dictionary = "jobId", probability = 0.85 }')
    path.write_text("\n".join(lines) + "\n")


def fuzz(url, token, folder, seed, name, ids):
    """Fuzzes one contract; returns what is wrong, if anything."""
    contract, phases, examples, least = CONTRACTS[name]
    config = folder / f"{name}.toml"
    write_config(config, ids)
    program = pathlib.Path(sys.executable).parent / "schemathesis"
    # The limit is for answers that hang. How fast they are depends on what else runs: clients and fuzzing share the machine.
    command = [
        program, "--config-file", config, "--no-color", "run", f"{url}/{contract}",
        "--header", f"Authorization: Token {token}", "--phases", phases, "--checks", CHECKS,
        "--max-response-time", "30", "--seed", seed, "--max-examples", str(examples), "--workers", "1",
        "--continue-on-failure", "--no-shrink", "--warnings", "off", "--suppress-health-check", "all",
        "--generation-database", "none",
    ]
    environment = os.environ | {"SCHEMATHESIS_HOOKS": str(pathlib.Path(__file__).with_name("hooks.py").resolve())}
    done = subprocess.run([str(word) for word in command], cwd=folder, text=True, capture_output=True, env=environment)
    log = folder / ("fuzz.log" if name == "qovery" else f"{name}.log")
    log.write_text(done.stdout + done.stderr)
    print(done.stdout[-6000:], done.stderr[-2000:])
    calls = sum(int(number.replace(",", "")) for number in re.findall(r"([\d,]+) generated", done.stdout))
    print(f"fuzz: {calls} calls of the {name} contract")
    if done.returncode != 0:
        again = f"cargo xtask fuzz {seed} repeats the calls"
        return f"fuzz: a response violates the {name} contract; see {log.name}; {again}"
    return f"fuzz: {calls} calls are fewer than {least}" if calls < least else None


def main(url, token, folder, seed, *names):
    print(f"fuzz: seed {seed}; cargo xtask fuzz {seed} repeats the calls", flush=True)
    folder, server = pathlib.Path(folder), Server(url, token)
    ids = furnish(server)
    problems = []
    for name in names or CONTRACTS:
        if name == "terrakube":
            kept = {key: ids[key] for key in ["organizationId", "projectId"]}
            ids = furnish_terrakube(server, kept)
        problems.append(fuzz(url, token, folder, seed, name, ids))
    problems = [problem for problem in problems if problem]
    if problems:
        sys.exit("\n".join(problems))


if __name__ == "__main__":
    main(*sys.argv[1:])
