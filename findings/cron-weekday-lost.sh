#!/bin/sh
# robfig/cron v3.0.1, the schedule library of Kubernetes' CronJob controller, loses whole days around clock changes.
#
# Egypt skips midnight on the last Friday of April. The search finds no 00:00 there and goes back an hour, into Thursday; the next step
# of a day then ends at 23:00 on Friday and is rounded up to Saturday, so `0 9 * * 5` loses a week although 09:00 exists. On Lord Howe
# Island the clock moves by half an hour: the search steps by whole hours, arrives at 09:30, and `0 9 * * *` loses a day.
# A good guess is that a schedule at 09:00 is untouched by a change in the night.
#
# Needs: go, and a proxy for Go modules. Prints what it saw; fails if that changes.
set -eu
folder=$(mktemp -d)
trap 'chmod -R u+w "$folder"; rm -rf "$folder"' EXIT
cd "$folder"
export GOPATH="$folder/go" GOFLAGS=-mod=mod
cat > main.go <<'EOF'
package main

import (
	"fmt"
	"time"
	_ "time/tzdata"

	"github.com/robfig/cron/v3"
)

func main() {
	for _, c := range []struct{ zone, text, after string }{
		{"Africa/Cairo", "0 9 * * 5", "2027-04-23T12:00:00+02:00"},
		{"Australia/Lord_Howe", "0 9 * * *", "2027-04-03T09:00:00+11:00"},
	} {
		schedule, err := cron.ParseStandard("CRON_TZ=" + c.zone + " " + c.text)
		if err != nil {
			panic(err)
		}
		after, _ := time.Parse(time.RFC3339, c.after)
		zone, _ := time.LoadLocation(c.zone)
		fmt.Println(c.zone, schedule.Next(after).In(zone).Format(time.RFC3339))
	}
}
EOF
go mod init example.com/lost >/dev/null 2>&1
go get github.com/robfig/cron/v3@v3.0.1 >/dev/null 2>&1
seen=$(go run .)
echo "robfig/cron v3.0.1, $(go version | cut -d' ' -f3):"
echo "$seen"
expected="Africa/Cairo 2027-05-07T09:00:00+03:00
Australia/Lord_Howe 2027-04-05T09:00:00+10:30"
[ "$seen" = "$expected" ] || { echo "expected:"; echo "$expected"; exit 1; }
