// Decodes both kinds of jobs with the packages of two generators.
package main

import (
	"context"
	"fmt"
	"net/http"
	"os"

	"github.com/google/uuid"

	"windlass.example/generators/oapi"
	"windlass.example/generators/ogenapi"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func withOapi(ctx context.Context, kind string, id uuid.UUID) {
	client, err := oapi.NewClientWithResponses(os.Getenv("WINDLASS_URL"), oapi.WithRequestEditorFn(
		func(_ context.Context, request *http.Request) error {
			request.Header.Set("Authorization", "Token "+os.Getenv("WINDLASS_TOKEN"))
			return nil
		}))
	check(err)
	response, err := client.GetJobWithResponse(ctx, id)
	check(err)
	if response.JSON200 == nil {
		check(fmt.Errorf("oapi-codegen: %s", response.Status()))
	}
	job, err := response.JSON200.ValueByDiscriminator()
	check(err)
	found := ""
	switch job := job.(type) {
	case oapi.CronJobResponse:
		found = string(job.JobType)
	case oapi.LifecycleJobResponse:
		found = string(job.JobType)
	}
	if found != kind {
		check(fmt.Errorf("oapi-codegen: %q is a %T", kind, job))
	}
}

type token struct{}

func (token) ApiKeyAuth(context.Context, ogenapi.OperationName) (ogenapi.ApiKeyAuth, error) {
	return ogenapi.ApiKeyAuth{APIKey: "Token " + os.Getenv("WINDLASS_TOKEN")}, nil
}

func (token) BearerAuth(context.Context, ogenapi.OperationName) (ogenapi.BearerAuth, error) {
	return ogenapi.BearerAuth{Token: os.Getenv("WINDLASS_TOKEN")}, nil
}

func withOgen(ctx context.Context, kind string, id uuid.UUID) {
	client, err := ogenapi.NewClient(os.Getenv("WINDLASS_URL"), token{})
	check(err)
	response, err := client.GetJob(ctx, ogenapi.GetJobParams{JobId: id})
	check(err)
	job, ok := response.(*ogenapi.JobResponse)
	if !ok || string(job.Type) != kind {
		check(fmt.Errorf("ogen: %q is a %T", kind, response))
	}
}

func main() {
	ctx := context.Background()
	for _, kind := range []string{"CRON", "LIFECYCLE"} {
		id, err := uuid.Parse(os.Getenv("WINDLASS_" + kind + "_JOB"))
		check(err)
		withOapi(ctx, kind, id)
		withOgen(ctx, kind, id)
	}
	fmt.Println("oapi-codegen and ogen: both kinds of jobs")
}
