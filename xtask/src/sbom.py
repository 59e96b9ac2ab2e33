"""Narrows a bill of materials to the crates that cargo builds into the program, and checks it.

The tool that writes it also lists crates of optional features that nothing has switched on.
"""

import json
import sys

source, target, root = sys.argv[1:]
# Lines such as `serde v1.0.0 (proc-macro) (*)`.
wanted = {tuple(line.split()[:2]) for line in sys.stdin if line.strip()}
with open(source, encoding="utf-8") as file:
    # The ids of the crates of the workspace contain its folder on this machine.
    materials = json.loads(file.read().replace(root, "/windlass"))

def key(component):
    return component["name"], "v" + component["version"]

program = materials["metadata"]["component"]
materials["components"] = [one for one in materials["components"] if key(one) in wanted]
every = [program, *materials["components"]]
listed = {key(one) for one in every}
if missing := sorted(wanted - listed):
    sys.exit(f"the bill of materials lacks {missing}")
if len(listed) != len(every):
    sys.exit("the bill of materials lists a crate twice")
if bare := [one["name"] for one in every if not one.get("licenses")]:
    sys.exit(f"the bill of materials does not say the licence of {bare}")

references = {one["bom-ref"] for one in every}
edges = [one for one in materials["dependencies"] if one["ref"] in references]
for edge in edges:
    edge["dependsOn"] = [one for one in edge.get("dependsOn", []) if one in references]
materials["dependencies"] = edges
if alone := references - {program["bom-ref"]} - {one for edge in edges for one in edge["dependsOn"]}:
    sys.exit(f"nothing in the bill of materials depends on {sorted(alone)}")

with open(target, "w", encoding="utf-8") as file:
    json.dump(materials, file, indent=1)
    file.write("\n")
print(len(every))
