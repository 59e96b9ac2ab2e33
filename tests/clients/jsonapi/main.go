// Replays the calls of the Terrakube command line and Terraform provider, using the JSON:API library that both use.
//
// The clients themselves cannot be run here, because the Go module proxy does not serve them. The requests, their order
// and the comparisons follow their sources, and what the provider, built from its source, was seen to send. Every known attribute is
// sent, even if it is null.
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"reflect"
	"strings"
	"time"

	"github.com/google/jsonapi"
)

type Organization struct {
	ID            string  `jsonapi:"primary,organization"`
	Name          string  `jsonapi:"attr,name"`
	Description   *string `jsonapi:"attr,description"`
	ExecutionMode string  `jsonapi:"attr,executionMode"`
	Disabled      bool    `jsonapi:"attr,disabled"`
	Icon          *string `jsonapi:"attr,icon"`
}

type Workspace struct {
	ID               string  `jsonapi:"primary,workspace"`
	Name             string  `jsonapi:"attr,name"`
	Description      *string `jsonapi:"attr,description"`
	Source           string  `jsonapi:"attr,source"`
	Branch           string  `jsonapi:"attr,branch"`
	Folder           string  `jsonapi:"attr,folder"`
	TemplateID       *string `jsonapi:"attr,defaultTemplate"`
	IacType          string  `jsonapi:"attr,iacType"`
	TerraformVersion string  `jsonapi:"attr,terraformVersion"`
	ExecutionMode    string  `jsonapi:"attr,executionMode"`
	Deleted          bool    `jsonapi:"attr,deleted"`
	AllowRemoteApply bool    `jsonapi:"attr,allowRemoteApply"`
	Vcs              *Vcs    `jsonapi:"relation,vcs,omitempty"`
}

type Module struct {
	ID          string  `jsonapi:"primary,module"`
	Name        string  `jsonapi:"attr,name"`
	Description *string `jsonapi:"attr,description"`
	Provider    string  `jsonapi:"attr,provider"`
	Source      string  `jsonapi:"attr,source"`
	Folder      *string `jsonapi:"attr,folder"`
	TagPrefix   *string `jsonapi:"attr,tagPrefix"`
}

type Variable struct {
	ID          string  `jsonapi:"primary,variable"`
	Key         string  `jsonapi:"attr,key"`
	Value       *string `jsonapi:"attr,value"`
	Description *string `jsonapi:"attr,description"`
	Category    string  `jsonapi:"attr,category"`
	Sensitive   *bool   `jsonapi:"attr,sensitive"`
	Hcl         bool    `jsonapi:"attr,hcl"`
}

type GlobalVariable struct {
	ID          string  `jsonapi:"primary,globalvar"`
	Key         string  `jsonapi:"attr,key"`
	Value       *string `jsonapi:"attr,value"`
	Description *string `jsonapi:"attr,description"`
	Category    string  `jsonapi:"attr,category"`
	Sensitive   *bool   `jsonapi:"attr,sensitive"`
	Hcl         bool    `jsonapi:"attr,hcl"`
}

type Team struct {
	ID               string  `jsonapi:"primary,team"`
	Name             string  `jsonapi:"attr,name"`
	ManageState      bool    `jsonapi:"attr,manageState"`
	ManageWorkspace  bool    `jsonapi:"attr,manageWorkspace"`
	ManageModule     bool    `jsonapi:"attr,manageModule"`
	ManageProvider   bool    `jsonapi:"attr,manageProvider"`
	ManageVcs        bool    `jsonapi:"attr,manageVcs"`
	ManageTemplate   bool    `jsonapi:"attr,manageTemplate"`
	ManageJob        bool    `jsonapi:"attr,manageJob"`
	ManageCollection bool    `jsonapi:"attr,manageCollection"`
	PlanJob          bool    `jsonapi:"attr,planJob"`
	ApproveJob       bool    `jsonapi:"attr,approveJob"`
	Role             *string `jsonapi:"attr,role"`
}

type Template struct {
	ID          string  `jsonapi:"primary,template"`
	Name        string  `jsonapi:"attr,name"`
	Description *string `jsonapi:"attr,description"`
	Version     *string `jsonapi:"attr,version"`
	Content     string  `jsonapi:"attr,tcl"`
}

type Tag struct {
	ID   string `jsonapi:"primary,tag"`
	Name string `jsonapi:"attr,name"`
}

type WorkspaceTag struct {
	ID    string `jsonapi:"primary,workspacetag"`
	TagID string `jsonapi:"attr,tagId"`
}

type Schedule struct {
	ID         string `jsonapi:"primary,schedule"`
	Schedule   string `jsonapi:"attr,cron"`
	TemplateID string `jsonapi:"attr,templateReference"`
}

type Webhook struct {
	ID         string `jsonapi:"primary,webhook"`
	MigratedV2 *bool  `jsonapi:"attr,migratedV2"`
}

type WebhookEvent struct {
	ID         string `jsonapi:"primary,webhook_event"`
	Event      string `jsonapi:"attr,event"`
	Branch     string `jsonapi:"attr,branch"`
	Path       string `jsonapi:"attr,path"`
	TemplateID string `jsonapi:"attr,templateId"`
	Priority   int    `jsonapi:"attr,priority"`
}

type Access struct {
	ID              string `jsonapi:"primary,access"`
	Name            string `jsonapi:"attr,name"`
	ManageState     bool   `jsonapi:"attr,manageState"`
	ManageWorkspace bool   `jsonapi:"attr,manageWorkspace"`
	ManageJob       bool   `jsonapi:"attr,manageJob"`
}

type Vcs struct {
	ID           string  `jsonapi:"primary,vcs"`
	Name         string  `jsonapi:"attr,name"`
	Description  *string `jsonapi:"attr,description"`
	VcsType      string  `jsonapi:"attr,vcsType"`
	ClientID     *string `jsonapi:"attr,clientId"`
	ClientSecret *string `jsonapi:"attr,clientSecret"`
	Status       string  `jsonapi:"attr,status"`
}

type Ssh struct {
	ID         string  `jsonapi:"primary,ssh"`
	Name       string  `jsonapi:"attr,name"`
	PrivateKey *string `jsonapi:"attr,privateKey"`
	SSHType    string  `jsonapi:"attr,sshType"`
}

type Project struct {
	ID          string  `jsonapi:"primary,project"`
	Name        string  `jsonapi:"attr,name"`
	Description *string `jsonapi:"attr,description"`
}

// Job has every attribute that the command line knows.
type Job struct {
	ID                string     `jsonapi:"primary,job"`
	Command           string     `jsonapi:"attr,command"`
	Output            string     `jsonapi:"attr,output"`
	Status            string     `jsonapi:"attr,status"`
	ApprovalTeam      *string    `jsonapi:"attr,approvalTeam"`
	Comments          *string    `jsonapi:"attr,comments"`
	Tcl               *string    `jsonapi:"attr,tcl"`
	TemplateReference *string    `jsonapi:"attr,templateReference"`
	Via               *string    `jsonapi:"attr,via"`
	CreatedBy         *string    `jsonapi:"attr,createdBy"`
	Workspace         *Workspace `jsonapi:"relation,workspace,omitempty"`
	Steps             []*Step    `jsonapi:"relation,step,omitempty"`
}

type Step struct {
	ID     string  `jsonapi:"primary,step"`
	Number int     `jsonapi:"attr,stepNumber"`
	Status string  `jsonapi:"attr,status"`
	Output *string `jsonapi:"attr,output"`
}

// TeamToken is sent and listed as plain JSON.
type TeamToken struct {
	ID          string `json:"id,omitempty"`
	Description string `json:"description"`
	Days        int32  `json:"days"`
	Hours       int32  `json:"hours"`
	Minutes     int32  `json:"minutes"`
	Group       string `json:"group"`
	Value       string `json:"token,omitempty"`
}

var base, token string

func check(holds bool, format string, words ...any) {
	if !holds {
		fmt.Fprintf(os.Stderr, format+"\n", words...)
		os.Exit(1)
	}
}

func call(method, path string, body any) (int, []byte) {
	var payload io.Reader
	if body != nil {
		var buffer bytes.Buffer
		check(jsonapi.MarshalPayload(&buffer, body) == nil, "%s %s: the body cannot be encoded", method, path)
		payload = &buffer
	}
	request, err := http.NewRequest(method, base+"/api/v1/"+path, payload)
	check(err == nil, "%v", err)
	request.Header.Set("Authorization", "Bearer "+token)
	// The provider sends this header with every request, and no Accept header.
	request.Header.Set("Content-Type", "application/vnd.api+json")
	answer, err := http.DefaultClient.Do(request)
	check(err == nil, "%v", err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	check(err == nil, "%v", err)
	return answer.StatusCode, text
}

// plain sends and reads plain JSON, with the media type that the provider sends all the same.
func plain(method, path string, body, into any, status int) {
	sent, err := json.Marshal(body)
	check(err == nil, "%v", err)
	request, err := http.NewRequest(method, base+path, bytes.NewReader(sent))
	check(err == nil, "%v", err)
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/vnd.api+json")
	answer, err := http.DefaultClient.Do(request)
	check(err == nil, "%v", err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	check(err == nil, "%v", err)
	check(answer.StatusCode == status, "%s %s: %d %s", method, path, answer.StatusCode, text)
	if into != nil {
		err = json.Unmarshal(text, into)
		check(err == nil, "%s %s: %v %s", method, path, err, text)
	}
}

// claims reads a token as the provider does, without verifying it.
func claims(token string) map[string]any {
	parts := strings.Split(token, ".")
	check(len(parts) == 3, "the token is no JWT: it has %d parts", len(parts))
	body, err := base64.RawURLEncoding.DecodeString(parts[1])
	check(err == nil, "%v", err)
	found := map[string]any{}
	check(json.Unmarshal(body, &found) == nil, "the claims are not JSON: %s", body)
	return found
}

// teamToken creates, reads and deletes a token of a team.
func teamToken(team string) {
	const path = "/access-token/v1/teams"
	wanted := TeamToken{Description: "ci", Days: 0, Hours: 30, Minutes: 3, Group: team}
	var made TeamToken
	plain("POST", path, wanted, &made, 201)
	id, _ := claims(made.Value)["jti"].(string)
	find := func() *TeamToken {
		var list []TeamToken
		plain("GET", path, nil, &list, 202)
		for _, one := range list {
			if one.ID == id {
				return &one
			}
		}
		return nil
	}
	wanted.ID = id
	read := find()
	check(read != nil && *read == wanted, "the plan would not be empty: %+v is not %+v", read, wanted)
	plain("DELETE", path+"/"+id, nil, nil, 202)
	check(find() == nil, "the token is still there")
	fmt.Println("  created, read, deleted: TeamToken")
}

func one[T any](method, path string, body any, status int) *T {
	code, text := call(method, path, body)
	check(code == status, "%s %s: %d %s", method, path, code, text)
	decoded := new(T)
	err := jsonapi.UnmarshalPayload(bytes.NewReader(text), decoded)
	check(err == nil, "%s %s: %v %s", method, path, err, text)
	return decoded
}

func many[T any](path string) []*T {
	code, text := call("GET", path, nil)
	check(code == 200, "GET %s: %d %s", path, code, text)
	list, err := jsonapi.UnmarshalManyPayload(bytes.NewReader(text), reflect.TypeOf(new(T)))
	check(err == nil, "GET %s: %v %s", path, err, text)
	found := []*T{}
	for _, item := range list {
		found = append(found, item.(*T))
	}
	return found
}

// life creates, reads, updates, reads and deletes a resource, and compares what it reads as the provider does.
func life[T any](path string, first, second *T, id func(*T) *string) {
	kind := reflect.TypeOf(first).Elem().Name()
	made := one[T]("POST", path, first, 201)
	own := path + "/" + *id(made)
	same := func(wanted *T) {
		*id(wanted) = *id(made)
		read := one[T]("GET", own, nil, 200)
		hidden(read, wanted)
		check(reflect.DeepEqual(read, wanted), "%s: the plan would not be empty: %+v is not %+v", kind, read, wanted)
	}
	same(first)
	*id(second) = *id(made)
	code, text := call("PATCH", own, second)
	check(code == 204 && len(text) == 0, "PATCH %s: %d %s", own, code, text)
	same(second)
	code, text = call("DELETE", own, nil)
	check(code == 204, "DELETE %s: %d %s", own, code, text)
	code, _ = call("GET", own, nil)
	check(code == 404, "GET %s after the deletion: %d", own, code)
	fmt.Println("  created, read, updated, read, deleted:", kind)
}

// hidden restores write-only values, which the server never returns: clients keep the values that they sent.
func hidden(read, wanted any) {
	from, to := reflect.ValueOf(wanted).Elem(), reflect.ValueOf(read).Elem()
	for _, name := range []string{"ClientSecret", "PrivateKey"} {
		if field := to.FieldByName(name); field.IsValid() {
			check(field.IsNil(), "the server returned a secret: %s", name)
			field.Set(from.FieldByName(name))
		}
	}
	if sensitive := from.FieldByName("Sensitive"); sensitive.IsValid() && !sensitive.IsNil() && sensitive.Elem().Bool() {
		check(to.FieldByName("Value").IsNil(), "the server returned a sensitive value")
		to.FieldByName("Value").Set(from.FieldByName("Value"))
	}
}

func text(value string) *string { return &value }
func yes(value bool) *bool      { return &value }

func wait(organization, id string, until ...string) *Job {
	deadline := time.Now().Add(90 * time.Second)
	for {
		job := one[Job]("GET", "organization/"+organization+"/job/"+id+"?include=step", nil, 200)
		for _, status := range until {
			if job.Status == status {
				return job
			}
		}
		check(time.Now().Before(deadline), "timed out: job %s is still %s", id, job.Status)
		time.Sleep(100 * time.Millisecond)
	}
}

func main() {
	base, token = os.Getenv("WINDLASS_URL"), os.Getenv("WINDLASS_TOKEN")
	organizations := many[Organization]("organization")
	check(len(organizations) > 0, "there is no organization")
	name := organizations[0].Name
	found := many[Organization]("organization?filter=name==" + name)
	check(len(found) == 1 && found[0].ID == organizations[0].ID, "the organization cannot be found by name")
	organization := found[0].ID
	in := "organization/" + organization + "/"
	plan := many[Template](in + "template?filter[template]=name=='Plan'")
	check(len(plan) == 1, "the template Plan is missing")

	fmt.Println("resources of the Terraform provider")
	life(in+"team", &Team{Name: "T", ManageWorkspace: true, PlanJob: true}, &Team{Name: "T", ManageState: true, ApproveJob: true, Role: text("Write")}, func(it *Team) *string { return &it.ID })
	life(in+"template", &Template{Name: "Mine", Description: text("d"), Version: text("1.0.0"), Content: plan[0].Content}, &Template{Name: "Mine too", Content: plan[0].Content}, func(it *Template) *string { return &it.ID })
	life(in+"tag", &Tag{Name: "a"}, &Tag{Name: "b"}, func(it *Tag) *string { return &it.ID })
	life(in+"project", &Project{Name: "p", Description: text("d")}, &Project{Name: "q", Description: text("e")}, func(it *Project) *string { return &it.ID })
	life(in+"vcs", &Vcs{Name: "v", VcsType: "GITHUB", ClientID: text("c"), ClientSecret: text("s"), Status: "COMPLETED"}, &Vcs{Name: "v", VcsType: "GITLAB", ClientID: text("d"), ClientSecret: text("t"), Status: "COMPLETED"}, func(it *Vcs) *string { return &it.ID })
	life(in+"ssh", &Ssh{Name: "s", SSHType: "rsa", PrivateKey: text("k")}, &Ssh{Name: "t", SSHType: "ed25519", PrivateKey: text("l")}, func(it *Ssh) *string { return &it.ID })
	life(in+"module", &Module{Name: "m", Description: text("d"), Provider: "aws", Source: "https://git.invalid/m.git", Folder: text("a"), TagPrefix: text("a/")}, &Module{Name: "n", Description: text("e"), Provider: "azure", Source: "https://git.invalid/n.git", Folder: text("/")}, func(it *Module) *string { return &it.ID })
	life(in+"globalvar", &GlobalVariable{Key: "k", Value: text("v"), Description: text(""), Category: "ENV", Sensitive: yes(false)}, &GlobalVariable{Key: "k", Value: text("w"), Description: text(""), Category: "ENV", Sensitive: yes(true)}, func(it *GlobalVariable) *string { return &it.ID })
	teamToken("OPS")
	workspace := one[Workspace]("POST", in+"workspace", &Workspace{Name: "tour", Source: "empty", Branch: "remote-content", Folder: "/", IacType: "tofu", TerraformVersion: "1.12.6", ExecutionMode: "remote"}, 201)
	within := in + "workspace/" + workspace.ID + "/"
	life(within+"variable", &Variable{Key: "k", Value: text("[1]"), Category: "TERRAFORM", Sensitive: yes(false), Hcl: true}, &Variable{Key: "l", Value: text("x"), Category: "ENV", Sensitive: yes(true)}, func(it *Variable) *string { return &it.ID })
	life(within+"access", &Access{Name: "G", ManageState: true}, &Access{Name: "H", ManageJob: true}, func(it *Access) *string { return &it.ID })
	life("workspace/"+workspace.ID+"/schedule", &Schedule{Schedule: "0 0 4 ? * MON-FRI", TemplateID: plan[0].ID}, &Schedule{Schedule: "0 30 4 ? * 6#3", TemplateID: plan[0].ID}, func(it *Schedule) *string { return &it.ID })
	hook := one[Webhook]("POST", within+"webhook", &Webhook{MigratedV2: yes(true)}, 201)
	life(within+"webhook/"+hook.ID+"/events", &WebhookEvent{Event: "PUSH", Branch: "main", Path: ".*", TemplateID: plan[0].ID, Priority: 1}, &WebhookEvent{Event: "PULL_REQUEST", Branch: "main,next", Path: "infra/.*", TemplateID: plan[0].ID, Priority: 2}, func(it *WebhookEvent) *string { return &it.ID })
	tag := one[Tag]("POST", in+"tag", &Tag{Name: "kept"}, 201)
	mark := one[WorkspaceTag]("POST", within+"workspaceTag", &WorkspaceTag{TagID: tag.ID}, 201)
	check(many[Tag](in + "tag?filter[tag]=name==kept")[0].ID == mark.TagID, "the workspace has another tag")

	fmt.Println("commands of the command line")
	check(len(many[Workspace](in+"workspace?filter[workspace]=name==tour")) == 1, "the workspace cannot be found by name")
	source := os.Getenv("WINDLASS_SOURCE")
	code, body := call("PATCH", in+"workspace/"+workspace.ID, &Workspace{ID: workspace.ID, Name: "tour", Source: source, Branch: "main", Folder: "/", IacType: "tofu", TerraformVersion: "~> 1.0", ExecutionMode: "remote"})
	check(code == 204, "PATCH: %d %s", code, body)
	job := one[Job]("POST", in+"job", &Job{Command: "apply", Workspace: &Workspace{ID: workspace.ID}}, 201)
	done := wait(organization, job.ID, "completed", "failed")
	check(done.Status == "completed" && len(done.Steps) == 2, "the job ended as %s with %d steps", done.Status, len(done.Steps))
	check(len(many[Job](in+"job?filter[job]=status==completed")) >= 1, "the job is not listed")
	again := one[Job]("POST", in+"job", &Job{Command: "destroy", Workspace: &Workspace{ID: workspace.ID}}, 201)
	check(wait(organization, again.ID, "completed", "failed").Status == "completed", "the destroy job did not complete")
	code, body = call("DELETE", in+"job/"+again.ID, nil)
	check(code == 204, "DELETE: %d %s", code, body)

	fmt.Println("cleanup by the provider")
	code, body = call("PATCH", in+"workspace/"+workspace.ID, &Workspace{ID: workspace.ID, Name: "tour_DEL_1234", Deleted: true, Source: source, Branch: "main", Folder: "/", IacType: "tofu", ExecutionMode: "remote"})
	check(code == 204, "PATCH: %d %s", code, body)
	code, _ = call("GET", in+"workspace/"+workspace.ID, nil)
	check(code == 404, "the workspace is still there: %d", code)
	code, _ = call("DELETE", in+"tag/"+tag.ID, nil)
	check(code == 204, "the tag was not deleted")
	fmt.Println("Terrakube clients, replayed: all calls succeeded")
}
