#!/bin/sh
# icalendar 7.3.2 with recurring-ical-events 3.8.2 (Python) and ical.js 2.2.1 (JavaScript): 24 hours last 23 when clocks change.
#
# RFC 5545 (3.3.6) adds the days of a duration first, which depend on the calendar, and then hours, which are exact. Both libraries move
# the hands of the clock for hours, too: an event of PT24H from noon on the day before the clocks go forward ends at noon, like one of
# P1D, and 23 hours later. A good guess is that whoever writes PT24H and not P1D gets 24 hours; a maintenance window is an hour short in
# spring and an hour long in autumn, and a program that computes with exact hours disagrees about its end.
#
# Needs: python3 with venv, node, npm, and their package indexes. Prints what it saw; fails if that changes.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv tools
tools/bin/pip install --quiet icalendar==7.3.2 recurring-ical-events==3.8.2
npm install --silent --no-audit --no-fund ical.js@2.2.1 >/dev/null
write() { # FILE, DAY, DURATION
  cat > "$1" <<EOF
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//example//example//EN
BEGIN:VTIMEZONE
TZID:Europe/Paris
BEGIN:STANDARD
DTSTART:19961027T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:19970330T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
END:DAYLIGHT
END:VTIMEZONE
BEGIN:VEVENT
UID:one@example.com
DTSTAMP:20260101T000000Z
DTSTART;TZID=Europe/Paris:$2T120000
DURATION:$3
END:VEVENT
END:VCALENDAR
EOF
  sed -i 's/$/\r/' "$1"
}
cat > hours.py <<'EOF'
import sys

import icalendar
import recurring_ical_events

for name in sys.argv[1:]:
    with open(name, "rb") as file:
        calendar = icalendar.Calendar.from_ical(file.read())
    event = recurring_ical_events.of(calendar).between((2026, 1, 1), (2027, 1, 1))[0]
    print("python", name, (event.end.timestamp() - event.start.timestamp()) / 3600)
EOF
cat > hours.mjs <<'EOF'
import { readFileSync } from 'node:fs'
import ICAL from 'ical.js'

for (const name of process.argv.slice(2)) {
  const calendar = new ICAL.Component(ICAL.parse(readFileSync(name, 'utf8')))
  const event = new ICAL.Event(calendar.getFirstSubcomponent('vevent'))
  console.log('javascript', name, (event.endDate.toJSDate() - event.startDate.toJSDate()) / 3600000)
}
EOF
write spring-PT24H 20260328 PT24H
write spring-P1D 20260328 P1D
write autumn-PT24H 20261024 PT24H
write summer-PT24H 20260601 PT24H
set -- spring-PT24H spring-P1D autumn-PT24H summer-PT24H
seen=$(tools/bin/python hours.py "$@"; node hours.mjs "$@")
printf '%s\n' "$seen"
expected='python spring-PT24H 23.0
python spring-P1D 23.0
python autumn-PT24H 25.0
python summer-PT24H 24.0
javascript spring-PT24H 23
javascript spring-P1D 23
javascript autumn-PT24H 25
javascript summer-PT24H 24'
[ "$seen" = "$expected" ] || { printf 'expected:\n%s\n' "$expected"; exit 1; }
