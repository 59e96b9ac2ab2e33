// Replays the requests of the official Terraform provider, in the same order and with the same explicit nulls. Responses
// are decoded strictly by the generated Go SDK. As in the provider, responses are compared with the plan: a difference
// would mean "inconsistent result after apply", or a change in the next plan.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"reflect"
	"strings"
	"time"

	windlass "example.invalid/windlass/sdk"
)

type object = map[string]any

func check(right bool, what string, values ...any) {
	if !right {
		log.Panicf("%s: %v", what, values)
	}
}

// call sends a body unchanged and decodes the response; strictly if `into` is a type of the SDK.
func call(method, path string, body any, status int, into any) {
	var reader io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		check(err == nil, "encoding a body", err)
		reader = bytes.NewReader(text)
	}
	request, err := http.NewRequest(method, os.Getenv("WINDLASS_URL")+path, reader)
	check(err == nil, "creating a request", err)
	request.Header.Set("Authorization", "Token "+os.Getenv("WINDLASS_TOKEN"))
	request.Header.Set("User-Agent", "Terraform provider 1.0.0")
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := http.DefaultClient.Do(request)
	check(err == nil, method+" "+path, err)
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	check(response.StatusCode == status, method+" "+path, response.StatusCode, string(text))
	if into != nil {
		check(json.Unmarshal(text, into) == nil, method+" "+path+": the response cannot be decoded", string(text), json.Unmarshal(text, into))
	}
}

// read gets a resource, into a new map each time, because decoding into a map keeps its old entries.
func read(path string) object {
	answer := object{}
	call("GET", path, nil, 200, &answer)
	return answer
}

func create(path string, body object) string {
	var answer object
	status := http.StatusCreated
	if strings.HasSuffix(path, "/project") || strings.HasSuffix(path, "/deploymentStage") {
		status = http.StatusOK
	}
	call("POST", path, body, status, &answer)
	return answer["id"].(string)
}

// same compares a response with the attributes that the provider planned.
func same(answer, planned object, path string) {
	for key, wanted := range planned {
		found, there := answer[key]
		if inner, ok := wanted.(object); ok {
			next, ok := found.(object)
			check(ok, path+"."+key+" is not an object", found)
			same(next, inner, path+"."+key)
		} else if wanted == nil {
			check(found == nil, path+"."+key+" is not null", found)
		} else {
			check(there && reflect.DeepEqual(plain(found), plain(wanted)), path+"."+key, found, wanted)
		}
	}
}

func plain(value any) any {
	text, _ := json.Marshal(value)
	var out any
	_ = json.Unmarshal(text, &out)
	return out
}

func probes() object {
	kind := object{"tcp": nil, "http": nil, "grpc": nil, "exec": object{"command": []string{"true"}}}
	probe := object{"type": kind, "initial_delay_seconds": 30, "period_seconds": 10, "timeout_seconds": 5, "success_threshold": 1, "failure_threshold": 3}
	return object{"readiness_probe": nil, "liveness_probe": probe}
}

func jobRequest(name, registry string) object {
	return object{
		"name": name, "cpu": 500, "memory": 512, "max_nb_restart": 0, "max_duration_seconds": 300, "auto_preview": false,
		"port": nil, "auto_deploy": nil, "icon_uri": "app://qovery-console/cron-job", "healthchecks": probes(),
		"source":             object{"image": object{"image_name": "busybox", "tag": "1.36.1", "registry_id": registry}, "docker": nil},
		"schedule":           object{"cronjob": object{"scheduled_at": "*/30 * * * *", "entrypoint": "/bin/true", "arguments": []string{"-x"}}},
		"annotations_groups": []object{}, "labels_groups": []object{},
	}
}

// planned returns the attributes of a request that the response must repeat unchanged.
func planned(request object) object {
	out := object{}
	for key, value := range request {
		if key != "healthchecks" && key != "source" && key != "auto_deploy" && !strings.HasSuffix(key, "_groups") {
			out[key] = value
		}
	}
	source := request["source"].(object)
	for _, kind := range []string{"image", "docker"} {
		if source[kind] != nil {
			out["source"] = object{kind: source[kind]}
		}
	}
	return out
}

// refresh reads everything that a plan is based on, and checks what the provider relies on.
func refresh(id string, request object) {
	var strict windlass.JobResponse
	answer := read("/job/" + id)
	call("GET", "/job/"+id, nil, 200, &strict)
	same(answer, planned(request), "job")
	check(len(answer["source"].(object)) == 1, "more than one source", answer["source"])
	var stage windlass.DeploymentStageResponse
	call("GET", "/service/"+id+"/deploymentStage", nil, 200, &stage)
	check(len(stage.GetServices()) > 0, "a stage without its services")
	for _, kind := range []string{"environmentVariable", "secret"} {
		var rows struct{ Results []object }
		call("GET", "/job/"+id+"/"+kind, nil, 200, &rows)
		for _, row := range rows.Results {
			description, there := row["description"]
			check(!there || description != nil, "a null description", row)
			check(row["variable_type"] != nil, "a variable without a type", row)
			if row["variable_type"] == "ALIAS" && kind == "environmentVariable" {
				check(row["value"] == row["aliased_variable"].(object)["key"], "the value of an alias must be the key of its target", row)
			}
		}
	}
	var variables windlass.EnvironmentVariableResponseList
	call("GET", "/job/"+id+"/environmentVariable", nil, 200, &variables)
	var secrets windlass.SecretResponseList
	call("GET", "/job/"+id+"/secret", nil, 200, &secrets)
	var external windlass.VariableResponseList
	call("GET", "/variable?parent_id="+id+"&scope=JOB&is_secret=false", nil, 200, &external)
	var status windlass.Status
	call("GET", "/job/"+id+"/status", nil, 200, &status)
	var restrictions windlass.JobDeploymentRestrictionResponseList
	call("GET", "/job/"+id+"/deploymentRestriction", nil, 200, &restrictions)
}

// advanced writes settings as the provider does: it sends the whole map back, with the changes of the user.
func advanced(id string, settings object) {
	path := "/job/" + id + "/advancedSettings"
	all := read(path)
	for key, value := range settings {
		all[key] = value
	}
	call("PUT", path, all, 201, nil)
	defaults := read("/defaultJobAdvancedSettings")
	// Unknown settings are dropped.
	delete(settings, "of.an.older.version")
	for key, value := range read(path) {
		_, known := defaults[key]
		wanted, set := settings[key]
		check(known, "a setting without a default", key)
		if set {
			check(fmt.Sprint(value) == fmt.Sprint(wanted), "a setting", key, value)
		} else {
			check(reflect.DeepEqual(value, defaults[key]), "a setting changed without a request", key, value)
		}
	}
}

func job(environment, stage, request object) {
	id := create("/environment/"+environment["id"].(string)+"/job", request)
	call("PUT", "/deploymentStage/"+stage["id"].(string)+"/service/"+id, object{"is_skipped": false}, 200, nil)
	advanced(id, object{"deployment.termination_grace_period_seconds": 61, "of.an.older.version": "1"})
	variables := "/job/" + id + "/environmentVariable"
	key := create(variables, object{"key": "KEY", "value": "value", "description": "a key"})
	create(variables+"/"+key+"/alias", object{"key": "ALIAS", "description": ""})
	secret := create("/job/"+id+"/secret", object{"key": "SECRET", "value": "a long secret"})
	create("/job/"+id+"/secret/"+secret+"/alias", object{"key": "SECRET_ALIAS", "description": ""})
	restriction := create("/job/"+id+"/deploymentRestriction", object{"mode": "MATCH", "type": "PATH", "value": "src/jobs/**"})
	refresh(id, request)
	// Change one attribute at a time.
	changes := []struct {
		key   string
		value any
	}{
		{"name", "another name"}, {"cpu", 250}, {"memory", 128}, {"max_nb_restart", 2}, {"max_duration_seconds", 60},
		{"auto_preview", true}, {"port", 8080}, {"icon_uri", "app://qovery-console/lifecycle-job"},
	}
	for _, change := range changes {
		request[change.key] = change.value
		call("PUT", "/job/"+id, request, 200, nil)
		refresh(id, request)
	}
	if schedule := request["schedule"].(object); schedule["cronjob"] != nil {
		for _, cron := range []object{
			{"scheduled_at": "0 0 31 2 *", "entrypoint": "/bin/true", "arguments": []string{}},
			{"scheduled_at": "@daily", "entrypoint": "", "arguments": []string{"-x"}},
		} {
			request["schedule"] = object{"cronjob": cron}
			call("PUT", "/job/"+id, request, 200, nil)
			refresh(id, request)
		}
	}
	call("PUT", variables+"/"+key, object{"key": "KEY", "value": "another value"}, 200, nil)
	call("DELETE", "/job/"+id+"/deploymentRestriction/"+restriction, nil, 204, nil)
	refresh(id, request)
	call("GET", "/job/"+id, nil, 200, nil)
	call("DELETE", "/job/"+id, nil, 204, nil)
	gone("/job/" + id + "/status")
}

// gone waits for a 404.
func gone(path string) {
	deadline := time.Now().Add(time.Minute)
	for {
		request, _ := http.NewRequest("GET", os.Getenv("WINDLASS_URL")+path, nil)
		request.Header.Set("Authorization", "Token "+os.Getenv("WINDLASS_TOKEN"))
		response, err := http.DefaultClient.Do(request)
		check(err == nil, path, err)
		response.Body.Close()
		if response.StatusCode == http.StatusNotFound {
			return
		}
		check(time.Now().Before(deadline), path+" was not deleted", response.StatusCode)
		time.Sleep(100 * time.Millisecond)
	}
}

// resource creates, reads, updates and deletes a resource; `hidden` names write-only attributes.
func resource(path string, request, change object, hidden ...string) {
	id := create(path, request)
	visible := func() object {
		out := object{}
		for key, value := range request {
			out[key] = value
		}
		for _, key := range hidden {
			delete(out, key)
		}
		return out
	}
	same(read(path+"/"+id), visible(), path)
	for key, value := range change {
		request[key] = value
	}
	call("PUT", path+"/"+id, request, 200, nil)
	same(read(path+"/"+id), visible(), path)
	call("DELETE", path+"/"+id, nil, 204, nil)
	gone(path + "/" + id)
}

func organizationResources(organization string) {
	pair := func(value string) []object { return []object{{"key": "team", "value": value}} }
	resource(organization+"/annotationsGroups",
		object{"name": "annotations", "annotations": pair("a"), "scopes": []string{"JOBS"}}, object{"annotations": pair("b")})
	label := func(value string) []object {
		return []object{{"key": "team", "value": value, "propagate_to_cloud_provider": true}}
	}
	resource(organization+"/labelsGroups", object{"name": "labels", "labels": label("a")}, object{"labels": label("b")})
	resource(organization+"/gitToken",
		object{"name": "git", "type": "GITLAB", "token": "a long token", "description": "for jobs"},
		object{"name": "another git"}, "token")
	// The server creates a role with a full permission matrix; an update replaces all of it.
	role := organization + "/customRole"
	id := create(role, object{"name": "deployers", "description": "who may deploy"})
	answer := read(role + "/" + id)
	check(len(answer["cluster_permissions"].([]any)) > 0 && len(answer["project_permissions"].([]any)) > 0, "a role without its permission matrix", answer)
	body := object{"name": "deployers", "description": "", "cluster_permissions": answer["cluster_permissions"], "project_permissions": answer["project_permissions"]}
	call("PUT", role+"/"+id, body, 200, nil)
	token := create(organization+"/apiToken", object{"name": "machine", "description": "", "role_id": id})
	var tokens struct{ Results []object }
	call("GET", organization+"/apiToken", nil, 200, &tokens)
	for _, one := range tokens.Results {
		check(one["token"] == nil, "a token was returned again")
	}
	call("DELETE", organization+"/apiToken/"+token, nil, 204, nil)
	call("DELETE", role+"/"+id, nil, 204, nil)
	gone(role + "/" + id)
}

// deployment deploys an environment and waits for it, as the provider does.
func deployment(environment string) {
	call("POST", environment+"/deploy", nil, 202, new(windlass.Status))
	deadline := time.Now().Add(time.Minute)
	for {
		var status windlass.EnvironmentStatus
		call("GET", environment+"/status", nil, 200, &status)
		if status.State == windlass.STATEENUM_DEPLOYED {
			return
		}
		check(time.Now().Before(deadline), "the environment is not deployed", status.State)
		time.Sleep(100 * time.Millisecond)
	}
}

func main() {
	var organizations struct{ Results []object }
	call("GET", "/organization", nil, 200, &organizations)
	organization := "/organization/" + organizations.Results[0]["id"].(string)
	registry := create(organization+"/containerRegistry",
		object{"name": "hub of the provider", "kind": "DOCKER_HUB", "url": "https://docker.io", "description": "images", "config": object{}})
	same(read(organization+"/containerRegistry/"+registry), object{"name": "hub of the provider", "url": "https://docker.io", "description": "images"}, "registry")
	project := create(organization+"/project", object{"name": "provider"})
	organizationResources(organization)
	same(read("/project/"+project), object{"name": "provider", "description": ""}, "project")
	id := create("/project/"+project+"/environment", object{"name": "provider", "mode": "DEVELOPMENT"})
	environment := read("/environment/" + id)
	same(environment, object{"name": "provider", "mode": "DEVELOPMENT"}, "environment")
	stage := object{"id": create("/environment/"+id+"/deploymentStage", object{"name": "after", "description": ""})}
	same(read("/deploymentStage/"+stage["id"].(string)), object{"name": "after", "description": ""}, "stage")

	job(environment, stage, jobRequest("cron", registry))
	lifecycle := jobRequest("lifecycle", registry)
	lifecycle["schedule"] = object{"on_start": object{"entrypoint": "/bin/true", "arguments": []string{}}, "lifecycle_type": "GENERIC"}
	job(environment, stage, lifecycle)
	built := jobRequest("built", registry)
	repository := object{"url": "https://git.example.invalid/team/jobs.git", "branch": "main", "root_path": "/", "git_token_id": nil, "provider": "GITLAB"}
	built["source"] = object{"image": nil, "docker": object{"git_repository": repository, "dockerfile_path": "./Dockerfile", "dockerfile_raw": nil}}
	job(environment, stage, built)

	request := jobRequest("deployed", registry)
	create("/environment/"+id+"/job", request)
	deployment("/environment/" + id)
	call("DELETE", "/deploymentStage/"+stage["id"].(string), nil, 204, nil)
	call("DELETE", "/environment/"+id, nil, 204, nil)
	gone("/environment/" + id + "/status")
	call("DELETE", "/project/"+project, nil, 204, nil)
	call("DELETE", organization+"/containerRegistry/"+registry, nil, 204, nil)
	fmt.Println("Terraform provider, replayed: all responses were decoded and no plan would change")
}
