//! Tests of the choice between the two databases.

use std::fs;
use std::path::Path;

use chrono::{TimeZone as _, Utc};

use super::Database;

/// A zone without rules, an hour ahead of UTC, as a compiled file.
fn an_hour_ahead() -> Vec<u8> {
    let header =
        |types: u8| [b"TZif2".as_slice(), &[0; 15], &[0; 4 * 4], &[0, 0, 0, types], &[0, 0, 0, types * 4]].concat();
    let body = [3600_u32.to_be_bytes().as_slice(), &[0, 0], b"ABC\0"].concat();
    [header(1), body.clone(), header(1), body, b"\nABC-1\n".to_vec()].concat()
}

fn folder(release: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let source =
        format!("# version {release}\nZ Mars/Olympus 1 - ABC\nL Mars/Olympus Mars/Base\nL Mars/Olympus ../x\n");
    fs::write(folder.path().join("tzdata.zi"), source).unwrap();
    fs::create_dir_all(folder.path().join("Mars")).unwrap();
    fs::create_dir_all(folder.path().join("Europe")).unwrap();
    for name in ["Mars/Olympus", "Mars/Base", "Mars/Unnamed", "Europe/Paris"] {
        fs::write(folder.path().join(name), an_hour_ahead()).unwrap();
    }
    folder
}

fn summer_hour(database: &Database, name: &str) -> Option<String> {
    let noon = Utc.with_ymd_and_hms(2027, 7, 1, 12, 0, 0).unwrap();
    database.find(name).map(|zone| noon.with_timezone(&zone).format("%H:%M%:z").to_string())
}

#[test]
fn a_newer_database_of_the_machine_is_used() {
    let folder = folder("2099a");
    let database = Database::newest(folder.path());
    assert_eq!(database.to_string(), format!("2099a from {}", folder.path().display()));
    for name in ["Mars/Olympus", "Mars/Base", "Europe/Paris"] {
        assert_eq!(summer_hour(&database, name).as_deref(), Some("13:00+01:00"), "{name}");
    }
    // A zone whose file is missing comes from the built-in database.
    assert_eq!(summer_hour(&database, "Asia/Tokyo").as_deref(), Some("21:00+09:00"));
    for name in ["Mars/Unnamed", "../x", "tzdata.zi", "Factory", "europe/paris", ""] {
        assert_eq!(summer_hour(&database, name), None, "{name}");
    }
}

#[test]
fn an_older_or_unnamed_database_of_the_machine_is_not_used() {
    for release in ["2025b", "", "none"] {
        let folder = folder(release);
        let database = Database::newest(folder.path());
        assert_eq!(database.to_string(), "2026f built in", "{release}");
        assert_eq!(summer_hour(&database, "Europe/Paris").as_deref(), Some("14:00+02:00"));
        assert_eq!(summer_hour(&database, "Mars/Olympus"), None);
    }
    assert_eq!(Database::newest(Path::new("/nonexistent")).to_string(), "2026f built in");
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("+VERSION"), "2099c\n").unwrap();
    assert!(Database::newest(folder.path()).to_string().starts_with("2099c from"));
}
