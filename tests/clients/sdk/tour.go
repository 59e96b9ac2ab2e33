// Tests the generated Go SDK with the calls of a deployment tool, in its order. Responses are decoded strictly.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
	"sort"
	"strings"
	"time"

	windlass "example.invalid/windlass/sdk"
)

var (
	ctx    = context.Background()
	client *windlass.APIClient
)

func must[T any](value T, response *http.Response, err error) T {
	if err != nil {
		status := "no response"
		if response != nil {
			status = response.Request.Method + " " + response.Request.URL.Path + ": " + response.Status
		}
		if failure, ok := err.(*windlass.GenericOpenAPIError); ok {
			log.Panicf("%s: %v %s", status, err, failure.Body())
		}
		log.Panicf("%s: %v", status, err)
	}
	return value
}

func done(response *http.Response, err error) {
	must(0, response, err)
}

func check(right bool, what string, values ...any) {
	if !right {
		log.Panicf("%s: %v", what, values)
	}
}

func job(name string, registry string) windlass.JobRequest {
	request := windlass.NewJobRequest(name)
	image := windlass.NewJobRequestAllOfSourceImage()
	image.SetImageName("busybox")
	image.SetTag("1.36.1")
	image.SetRegistryId(registry)
	source := windlass.NewJobRequestAllOfSource()
	source.SetImage(*image)
	request.SetSource(*source)
	return *request
}

// jobs lists the jobs of an environment by name, as the command line looks them up.
func jobs(environment string) map[string]windlass.JobResponse {
	found := map[string]windlass.JobResponse{}
	for _, one := range must(client.JobsAPI.ListJobs(ctx, environment).Execute()).GetResults() {
		switch {
		case one.CronJobResponse != nil:
			check(one.CronJobResponse.UpdatedAt != nil, "updated_at", one.CronJobResponse.Name)
			found[one.CronJobResponse.Name] = one
		case one.LifecycleJobResponse != nil:
			check(one.LifecycleJobResponse.UpdatedAt != nil, "updated_at", one.LifecycleJobResponse.Name)
			found[one.LifecycleJobResponse.Name] = one
		default:
			log.Panic("a job without a type")
		}
	}
	return found
}

// watch waits for the last deployment state of an environment, as the official command line does.
func watch(environment string, wanted windlass.StateEnum) {
	deadline := time.Now().Add(90 * time.Second)
	for {
		statuses := must(client.EnvironmentMainCallsAPI.GetEnvironmentStatuses(ctx, environment).Execute())
		state := statuses.GetEnvironment().LastDeploymentState
		if state == wanted {
			return
		}
		check(!strings.HasSuffix(string(state), "ERROR"), "the deployment failed", state)
		check(time.Now().Before(deadline), "timed out waiting for the deployment", state)
		time.Sleep(200 * time.Millisecond)
	}
}

func deployAndStop(environment string, cron, lifecycle string, registry string) {
	tag := "1.36.1"
	request := windlass.NewDeployAllRequest()
	request.SetJobs([]windlass.DeployAllRequestJobsInner{{Id: &cron, ImageTag: &tag}, {Id: &lifecycle, ImageTag: &tag}})
	must(client.EnvironmentActionsAPI.DeployAllServices(ctx, environment).DeployAllRequest(*request).Execute())
	time.Sleep(500 * time.Millisecond)
	watch(environment, windlass.STATEENUM_DEPLOYED)
	must(client.JobActionsAPI.DeployJob(ctx, cron).JobDeployRequest(*windlass.NewJobDeployRequest()).Execute())
	time.Sleep(500 * time.Millisecond)
	watch(environment, windlass.STATEENUM_DEPLOYED)

	history := must(client.EnvironmentDeploymentHistoryAPI.ListEnvironmentDeploymentHistory(ctx, environment).Execute())
	check(len(history.GetResults()) >= 2, "the history", len(history.GetResults()))
	for _, one := range history.GetResults()[:2] {
		check(one.Id != "" && one.UpdatedAt != nil && one.GetStatus() == windlass.STATEENUM_DEPLOYED, "a deployment", one)
	}
	logs := must(client.EnvironmentLogsAPI.ListEnvironmentLogs(ctx, environment).Execute())
	check(len(logs) > 0, "no deployment logs")

	stop := windlass.NewEnvironmentServiceIdsAllRequest()
	stop.SetJobIds([]string{cron, lifecycle})
	done(client.EnvironmentActionsAPI.StopSelectedServices(ctx, environment).EnvironmentServiceIdsAllRequest(*stop).Execute())
	time.Sleep(500 * time.Millisecond)
	watch(environment, windlass.STATEENUM_STOPPED)
	done(client.EnvironmentActionsAPI.DeleteSelectedServices(ctx, environment).EnvironmentServiceIdsAllRequest(*stop).Execute())
	deadline := time.Now().Add(60 * time.Second)
	for len(jobs(environment)) > 1 {
		check(time.Now().Before(deadline), "the jobs are not deleted")
		time.Sleep(200 * time.Millisecond)
	}
}

// withoutBodies makes the calls that the command line makes without a body: the client then sends the four bytes `null`.
func withoutBodies(environment string, registry string) {
	request := job("long", registry)
	step := windlass.NewJobRequestAllOfScheduleOnStart()
	step.SetEntrypoint("/bin/sh")
	step.SetArguments([]string{"-c", "echo the reason; sleep 2; exit 3"})
	schedule := windlass.NewJobRequestAllOfSchedule()
	schedule.SetOnStart(*step)
	request.SetSchedule(*schedule)
	long := must(client.JobsAPI.CreateJob(ctx, environment).JobRequest(request).Execute()).LifecycleJobResponse.Id
	stages := must(client.DeploymentStageMainCallsAPI.ListEnvironmentDeploymentStage(ctx, environment).Execute()).GetResults()
	must(client.DeploymentStageMainCallsAPI.AttachServiceToDeploymentStage(ctx, stages[3].Id, long).Execute())
	must(client.EnvironmentActionsAPI.DeployAllServices(ctx, environment).Execute())
	for _, isCancelled := range []bool{true, false} {
		must(client.JobActionsAPI.DeployJob(ctx, long).Execute())
		if isCancelled {
			must(client.EnvironmentActionsAPI.CancelEnvironmentDeployment(ctx, environment).Execute())
		}
		deadline := time.Now().Add(60 * time.Second)
		for {
			state := string(must(client.JobMainCallsAPI.GetJobStatus(ctx, long).Execute()).State)
			if strings.HasSuffix(state, "ERROR") || state == "CANCELED" {
				break
			}
			check(time.Now().Before(deadline), "the deployment does not end", state)
			time.Sleep(200 * time.Millisecond)
		}
	}
	// `environment deployment explain` names the stages, and why the last deployment failed.
	newest := must(client.EnvironmentDeploymentHistoryAPI.ListEnvironmentDeploymentHistory(ctx, environment).Execute()).GetResults()[0]
	var messages []string
	for _, one := range must(client.EnvironmentLogsAPI.ListEnvironmentLogs(ctx, environment).Version(newest.Id).Execute()) {
		check(one.Details.Stage.GetName() != "", "a stage without a name", one)
		message := one.GetMessage()
		messages = append(messages, message.GetSafeMessage())
	}
	text := strings.Join(messages, "; ")
	check(strings.Contains(text, "the reason") && strings.Contains(text, "exit code 3"), "the reason of a failure", text)
	done(client.JobMainCallsAPI.DeleteJob(ctx, long).Execute())
	deadline := time.Now().Add(60 * time.Second)
	for len(jobs(environment)) > 2 {
		check(time.Now().Before(deadline), "the job is not deleted")
		time.Sleep(200 * time.Millisecond)
	}
}

// onlyADockerfile builds without a repository, which the command line reads all the same; its schedule never fires.
func onlyADockerfile(environment string) {
	request := windlass.NewJobRequest("raw")
	docker := windlass.NewJobRequestAllOfSourceDocker()
	docker.SetDockerfileRaw("FROM busybox:1.36.1")
	source := windlass.NewJobRequestAllOfSource()
	source.SetDocker(*docker)
	request.SetSource(*source)
	schedule := windlass.NewJobRequestAllOfSchedule()
	schedule.SetCronjob(*windlass.NewJobRequestAllOfScheduleCronjob("0 0 31 2 *"))
	request.SetSchedule(*schedule)
	created, response, err := client.JobsAPI.CreateJob(ctx, environment).JobRequest(*request).Execute()
	must(created, response, err)
	check(response.Header.Get("Warning") != "", "a schedule that never fires is accepted without a warning")
	answered, err := json.Marshal(created.CronJobResponse.Source)
	check(err == nil && strings.Contains(string(answered), `"git_repository":{`), "the repository of a build", string(answered))
	done(client.JobMainCallsAPI.DeleteJob(ctx, created.CronJobResponse.Id).Execute())
}

func variables(environment, cron string) {
	api := client.VariableMainCallsAPI
	create := func(key string, scope windlass.APIVariableScopeEnum, parent string) *windlass.VariableResponse {
		request := windlass.NewVariableRequest(key, key+" value", false, scope, parent)
		return must(api.CreateVariable(ctx).VariableRequest(*request).Execute())
	}
	own := create("OWN", windlass.APIVARIABLESCOPEENUM_JOB, cron)
	wide := create("WIDE", windlass.APIVARIABLESCOPEENUM_ENVIRONMENT, environment)
	scope := windlass.APIVARIABLESCOPEENUM_JOB
	must(api.CreateVariableAlias(ctx, own.Id).VariableAliasRequest(*windlass.NewVariableAliasRequest("ALIAS", scope, cron)).Execute())
	override := windlass.NewVariableOverrideRequest("of the job", scope, cron)
	must(api.CreateVariableOverride(ctx, wide.Id).VariableOverrideRequest(*override).Execute())
	edit := windlass.NewVariableEditRequest("OWN")
	edit.SetValue("another value")
	must(api.EditVariable(ctx, own.Id).VariableEditRequest(*edit).Execute())
	// The command line edits and deletes the first variable that has the name.
	for _, one := range must(api.ListVariables(ctx).ParentId(cron).Scope(scope).Execute()).GetResults() {
		if one.Key == "WIDE" {
			check(one.Scope == scope, "the narrowest scope of a key comes first", one.Scope)
			break
		}
	}
	list := func() []string {
		var keys []string
		for _, one := range must(api.ListVariables(ctx).ParentId(cron).Scope(scope).Execute()).GetResults() {
			check(one.UpdatedAt != nil, "updated_at", one.Key)
			if one.VariableType != windlass.APIVARIABLETYPEENUM_BUILT_IN {
				keys = append(keys, one.Key)
			}
		}
		sort.Strings(keys)
		return keys
	}
	check(strings.Join(list(), " ") == "ALIAS OWN WIDE WIDE", "the variables", list())
	done(api.DeleteVariable(ctx, own.Id).Execute())
	check(strings.Join(list(), " ") == "WIDE WIDE", "the variables that are left", list())
}

func main() {
	configuration := windlass.NewConfiguration()
	configuration.Servers = windlass.ServerConfigurations{{URL: os.Getenv("WINDLASS_URL")}}
	configuration.AddDefaultHeader("Authorization", "Token "+os.Getenv("WINDLASS_TOKEN"))
	client = windlass.NewAPIClient(configuration)

	organization := must(client.OrganizationMainCallsAPI.ListOrganization(ctx).Execute()).GetResults()[0].Id
	hub := windlass.NewContainerRegistryRequest("hub of Go", windlass.CONTAINERREGISTRYKINDENUM_DOCKER_HUB, *windlass.NewContainerRegistryRequestConfig())
	registry := must(client.ContainerRegistriesAPI.CreateContainerRegistry(ctx, organization).ContainerRegistryRequest(*hub).Execute())
	project := must(client.ProjectsAPI.CreateProject(ctx, organization).ProjectRequest(*windlass.NewProjectRequest("Go")).Execute())
	environment := must(client.EnvironmentsAPI.CreateEnvironment(ctx, project.Id).CreateEnvironmentRequest(*windlass.NewCreateEnvironmentRequest("go")).Execute()).Id
	for _, one := range must(client.EnvironmentsAPI.ListEnvironment(ctx, project.Id).Execute()).GetResults() {
		check(one.ClusterName != nil && one.UpdatedAt != nil, "an environment", one)
	}
	must(client.EnvironmentsAPI.GetProjectEnvironmentsStatus(ctx, project.Id).Execute())

	request := job("nightly", registry.Id)
	schedule := windlass.NewJobRequestAllOfSchedule()
	schedule.SetCronjob(*windlass.NewJobRequestAllOfScheduleCronjob("30 2 * * 1-5"))
	request.SetSchedule(*schedule)
	created := must(client.JobsAPI.CreateJob(ctx, environment).JobRequest(request).Execute())
	check(created.CronJobResponse != nil && created.LifecycleJobResponse == nil, "the type of a CRON job")
	cron := created.CronJobResponse.Id
	read := must(client.JobMainCallsAPI.GetJob(ctx, cron).Execute())
	check(read.CronJobResponse.Schedule.Cronjob.ScheduledAt == "30 2 * * 1-5", "the schedule")

	request = job("seed", registry.Id)
	step := windlass.NewJobRequestAllOfScheduleOnStart()
	step.SetEntrypoint("/bin/true")
	schedule = windlass.NewJobRequestAllOfSchedule()
	schedule.SetOnStart(*step)
	request.SetSchedule(*schedule)
	created = must(client.JobsAPI.CreateJob(ctx, environment).JobRequest(request).Execute())
	check(created.LifecycleJobResponse != nil && created.CronJobResponse == nil, "the type of a LIFECYCLE job")
	lifecycle := created.LifecycleJobResponse.Id
	check(len(jobs(environment)) == 2, "the jobs")

	variables(environment, cron)
	withoutBodies(environment, registry.Id)
	onlyADockerfile(environment)
	copied := must(client.JobsAPI.CloneJob(ctx, cron).CloneServiceRequest(*windlass.NewCloneServiceRequest("copy", environment)).Execute())
	check(copied.CronJobResponse != nil, "the type of a copy")
	for _, stage := range must(client.DeploymentStageMainCallsAPI.ListEnvironmentDeploymentStage(ctx, environment).Execute()).GetResults() {
		check(stage.DeploymentOrder != nil && stage.Name != nil, "a stage", stage)
	}
	deployAndStop(environment, cron, lifecycle, registry.Id)

	done(client.JobMainCallsAPI.DeleteJob(ctx, copied.CronJobResponse.Id).Execute())
	_, response, err := client.JobMainCallsAPI.GetJob(ctx, lifecycle).Execute()
	check(err != nil && response.StatusCode == http.StatusNotFound, "a job that is gone", err)
	done(client.EnvironmentMainCallsAPI.DeleteEnvironment(ctx, environment).Execute())
	deadline := time.Now().Add(60 * time.Second)
	for len(must(client.EnvironmentsAPI.ListEnvironment(ctx, project.Id).Execute()).GetResults()) > 0 {
		check(time.Now().Before(deadline), "the environment is not deleted")
		time.Sleep(200 * time.Millisecond)
	}
	done(client.ProjectMainCallsAPI.DeleteProject(ctx, project.Id).Execute())
	done(client.ContainerRegistriesAPI.DeleteContainerRegistry(ctx, organization, registry.Id).Execute())
	fmt.Println("generated Go SDK: all calls succeeded")
}
