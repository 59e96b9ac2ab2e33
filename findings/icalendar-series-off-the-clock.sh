#!/bin/sh
# calcard 0.3.14, an iCalendar library for Rust, expands recurring events on a floating clock, and so gets three kinds of valid series wrong.
#
# A series whose DTSTART is in UTC comes out in the default zone that the caller passes for times without a zone: 10:00Z becomes 10:00
# in Berlin. A single event in UTC is right. A series in a zone east of Greenwich loses its last occurrence if UNTIL is exactly that start,
# as most programs write it: 09:00 in Berlin is later than 080000Z, which is compared as if it were local. A series whose first start
# is in the hour that comes twice in autumn is refused as a whole (InvalidDtStart), where RFC 5545 (3.3.5) reads the first of the two.
# A good guess is that a UTC time is an instant in a series, too, that the last day of a series is in it, and that a weekly
# event at 01:30 may begin on any Sunday.
#
# Needs: cargo, and a registry of crates. Prints what it saw; fails if that changes.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir src
cat > Cargo.toml <<'EOF'
[package]
name = "series"
version = "0.1.0"
edition = "2024"
[dependencies]
calcard = { version = "=0.3.14", default-features = false }
chrono = { version = "=0.4.42", default-features = false }
chrono-tz = "=0.10.4"
[workspace]
EOF
cat > src/main.rs <<'EOF'
use calcard::icalendar::ICalendar;

fn show(what: &str, lines: &str) {
    let event = format!("BEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20260101T000000Z\r\n{lines}\r\nDURATION:PT1H\r\nEND:VEVENT");
    let text = format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//EN\r\n{event}\r\nEND:VCALENDAR\r\n");
    let found = ICalendar::parse(&text).unwrap().expand_dates(chrono_tz::Europe::Berlin, 9);
    let starts: Vec<String> = found.events.iter().map(|event| event.start.to_utc().format("%dT%H:%MZ").to_string()).collect();
    println!("{what}: {} {:?}", starts.join(" "), found.errors.iter().map(|error| &error.error).collect::<Vec<_>>());
}

fn main() {
    show("one event in UTC", "DTSTART:20261102T100000Z");
    show("two in UTC", "DTSTART:20261102T100000Z\r\nRRULE:FREQ=DAILY;COUNT=2");
    let daily = "DTSTART;TZID=Europe/Berlin:20261102T090000\r\nRRULE:FREQ=DAILY;UNTIL=20261104T080000Z";
    show("three days in Berlin", daily);
    let daily = "DTSTART;TZID=America/New_York:20261102T090000\r\nRRULE:FREQ=DAILY;UNTIL=20261104T140000Z";
    show("three days in New York", daily);
    let weekly = "DTSTART;TZID=America/New_York:20261101T013000\r\nRRULE:FREQ=WEEKLY;COUNT=2";
    show("two Sundays in New York", weekly);
}
EOF
seen=$(cargo run --quiet 2>build.log) || { cat build.log; exit 1; }
echo "$seen"
expected="one event in UTC: 02T10:00Z []
two in UTC: 02T09:00Z 03T09:00Z []
three days in Berlin: 02T08:00Z 03T08:00Z []
three days in New York: 02T14:00Z 03T14:00Z 04T14:00Z []
two Sundays in New York:  [InvalidDtStart]"
[ "$seen" = "$expected" ] || { echo "expected:"; echo "$expected"; exit 1; }
