// River beside the benchmark: runs a program for each job, on PostgreSQL.
//
// Usage: river due|burst DATABASE_URL PROGRAM JOBS WORKERS. It prints the seconds until all jobs are recorded as completed,
// and the CPU seconds of itself and of the programs.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

const clients = 16

type start struct {
	Program string `json:"program"`
}

func (start) Kind() string { return "start" }

type worker struct {
	river.WorkerDefaults[start]
}

func (worker) Work(ctx context.Context, job *river.Job[start]) error {
	return exec.CommandContext(ctx, job.Args.Program).Run()
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func number(text string) int {
	value, err := strconv.Atoi(text)
	must(err)
	return value
}

func cpu() float64 {
	total := 0.0
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var usage syscall.Rusage
		must(syscall.Getrusage(who, &usage))
		for _, part := range []syscall.Timeval{usage.Utime, usage.Stime} {
			total += float64(part.Sec) + float64(part.Usec)/1e6
		}
	}
	return total
}

func main() {
	task, url, program := os.Args[1], os.Args[2], os.Args[3]
	jobs, workers := number(os.Args[4]), number(os.Args[5])
	ctx := context.Background()
	pool, err := pgxpool.New(ctx, url)
	must(err)
	migrator, err := rivermigrate.New(riverpgxv5.New(pool), nil)
	must(err)
	_, err = migrator.Migrate(ctx, rivermigrate.DirectionUp, nil)
	must(err)
	registered := river.NewWorkers()
	river.AddWorker(registered, &worker{})
	client, err := river.NewClient[pgx.Tx](riverpgxv5.New(pool), &river.Config{
		// By default it fetches at most ten times per second, no more jobs than it has free workers.
		FetchCooldown:     river.FetchCooldownMin,
		FetchPollInterval: 100 * time.Millisecond,
		Queues:            map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: workers}},
		Workers:           registered,
	})
	must(err)
	if task == "due" {
		params := make([]river.InsertManyParams, jobs)
		for index := range params {
			params[index] = river.InsertManyParams{Args: start{program}}
		}
		_, err = client.InsertMany(ctx, params)
		must(err)
	} else {
		must(client.Start(ctx))
		time.Sleep(2 * time.Second)
	}
	begin, before := time.Now(), cpu()
	if task == "due" {
		must(client.Start(ctx))
	} else {
		insert(ctx, client, program, jobs)
	}
	for count := 0; count < jobs; {
		must(pool.QueryRow(ctx, "SELECT count(*) FROM river_job WHERE state = 'completed'").Scan(&count))
		time.Sleep(20 * time.Millisecond)
	}
	fmt.Println(time.Since(begin).Seconds(), cpu()-before)
	must(client.Stop(ctx))
}

// Inserts jobs one by one from several clients.
func insert(ctx context.Context, client *river.Client[pgx.Tx], program string, jobs int) {
	numbers := make(chan int)
	var group sync.WaitGroup
	for range clients {
		group.Go(func() {
			for range numbers {
				_, err := client.Insert(ctx, start{program}, nil)
				must(err)
			}
		})
	}
	for index := range jobs {
		numbers <- index
	}
	close(numbers)
	group.Wait()
}
