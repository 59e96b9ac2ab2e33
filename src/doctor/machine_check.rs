//! The machine: the data folder, its disk, the clock and the time zones.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use chrono::{DateTime, Datelike as _, Utc};
use windlass_schedule::time_zone;

use super::finding::Finding;
use crate::config::Config;

/// Below this, there is a warning, and then something is wrong, in MiB.
const LITTLE_MIB: u64 = 1024;
const TOO_LITTLE_MIB: u64 = 100;

/// How long the program may take that knows whether the clock is synchronized.
const PATIENCE: Duration = Duration::from_secs(3);

pub(super) async fn check(config: &Config, now: DateTime<Utc>) -> Vec<Finding> {
    let mut found = vec![folder(&config.data_dir)];
    if let Some(there) = nearest(&config.data_dir) {
        found.extend(free_mib(&there).map(space));
    }
    found.push(clock().await);
    found.push(zones(&time_zone::database().to_string(), now));
    found
}

/// The folder, or the nearest one above it that exists.
fn nearest(folder: &Path) -> Option<PathBuf> {
    let whole = std::path::absolute(folder).ok()?;
    whole.ancestors().find(|folder| folder.exists()).map(Path::to_owned)
}

fn folder(path: &Path) -> Finding {
    use std::os::unix::fs::PermissionsExt as _;
    const SUBJECT: &str = "data folder";
    let shown = path.display();
    let Ok(found) = std::fs::metadata(path) else {
        let above = nearest(path).filter(|above| is_writable(above));
        return match above {
            Some(_) => Finding::ok(SUBJECT, format!("{shown} is not there yet; the server creates it")),
            None => Finding::wrong(
                SUBJECT,
                format!("{shown} is not there, and cannot be created by this user"),
                owner_of(path),
            ),
        };
    };
    if !found.is_dir() {
        return Finding::wrong(SUBJECT, format!("{shown} is not a folder"), "set --data-dir to a folder");
    }
    if !is_writable(path) {
        return Finding::wrong(SUBJECT, format!("this user cannot write to {shown}"), owner_of(path));
    }
    if found.permissions().mode() & 0o007 != 0 {
        let remedy = format!("chmod 700 {shown}");
        return Finding::warning(SUBJECT, format!("other users of this machine can enter {shown}"), remedy);
    }
    Finding::ok(SUBJECT, format!("{shown} is private and can be written"))
}

fn owner_of(path: &Path) -> String {
    format!(
        "run this command as the user of the server, or give it the folder: install -d -m 700 -o USER {}",
        path.display()
    )
}

fn is_writable(path: &Path) -> bool {
    use rustix::fs::{Access, access};
    access(path, Access::WRITE_OK | Access::EXEC_OK).is_ok()
}

fn free_mib(folder: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize) / (1024 * 1024))
}

fn space(mib: u64) -> Finding {
    const SUBJECT: &str = "disk space";
    let detail = format!("{mib} MiB are free in the data folder");
    let remedy = "free some space, or move the data folder; docs/operations.md#sizing says what grows";
    match mib {
        ..TOO_LITTLE_MIB => Finding::wrong(SUBJECT, detail, remedy),
        TOO_LITTLE_MIB..LITTLE_MIB => Finding::warning(SUBJECT, detail, remedy),
        _ => Finding::ok(SUBJECT, detail),
    }
}

/// Whether something sets the clock, as systemd knows it.
async fn clock() -> Finding {
    const SUBJECT: &str = "clock";
    let asked = tokio::process::Command::new("timedatectl")
        .args(["show", "--property=NTPSynchronized", "--value"])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .output();
    let answer = match tokio::time::timeout(PATIENCE, asked).await {
        Ok(Ok(output)) if output.status.success() => String::from_utf8_lossy(&output.stdout).trim().to_owned(),
        _ => String::new(),
    };
    if answer == "yes" || Path::new("/run/systemd/timesync/synchronized").exists() {
        return Finding::ok(SUBJECT, "something synchronizes the clock");
    }
    if answer == "no" {
        let remedy = "install and start chrony or systemd-timesyncd: schedules follow this clock";
        return Finding::warning(SUBJECT, "nothing synchronizes the clock", remedy);
    }
    Finding::skipped(SUBJECT, "this machine does not say whether its clock is synchronized")
}

/// Countries change their clocks a few times per year.
fn zones(release: &str, now: DateTime<Utc>) -> Finding {
    const SUBJECT: &str = "time zones";
    let year: Option<i32> = release.get(..4).and_then(|year| year.parse().ok());
    let remedy = "install a newer tzdata package, or a newer windlass, and restart the server";
    match year {
        Some(year) if year + 1 >= now.year() => Finding::ok(SUBJECT, format!("release {release}")),
        Some(_) => Finding::warning(SUBJECT, format!("release {release} is older than a year"), remedy),
        None => Finding::warning(SUBJECT, format!("the release is not known ({release})"), remedy),
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::Outcome;
    use super::{space, zones};

    #[test]
    fn little_space_and_old_zones_are_noticed() {
        let outcomes = [50, 500, 5000].map(|mib| space(mib).outcome);
        assert_eq!(outcomes, [Outcome::Wrong, Outcome::Warning, Outcome::Ok]);
        let now = "2028-01-05T00:00:00Z".parse().unwrap();
        let of = |release| zones(release, now).outcome;
        assert_eq!(of("2027c built in"), Outcome::Ok);
        assert_eq!(of("2026f from /usr/share/zoneinfo"), Outcome::Warning);
        assert_eq!(of("unknown release built in"), Outcome::Warning);
    }
}
