//! A backup that is changed in any place is refused.

use std::io::{Read as _, Write as _};

use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

use super::super::backup_writer::BackupWriter;
use super::{BackupReader, Damage, Part};
use crate::backup::backup_header::{FORMAT, Header};
use crate::store::whole::{Column, Kind, Table, Value};

fn table(name: &str) -> Table {
    let columns =
        vec![Column { name: "id".into(), kind: Kind::Integer }, Column { name: "text".into(), kind: Kind::Text }];
    Table { name: name.into(), columns }
}

fn header() -> Header {
    Header {
        windlass_backup: FORMAT,
        program: "1.2.3".into(),
        created_at: "2026-11-28T22:00:00Z".parse().unwrap(),
        database: "sqlite".into(),
        schema: vec!["m0001".into()],
        needed_keys: vec!["00ff00ff".into()],
        keys: None,
        tables: vec![table("empty"), table("full")],
        left_out: vec!["lease".into()],
    }
}

fn row(id: i64) -> Vec<Value> {
    vec![Value::Integer(id), Value::Text(format!("row {id}"))]
}

fn backup() -> Vec<u8> {
    let mut writer = BackupWriter::new(Vec::new(), &header()).unwrap();
    writer.begin("empty").unwrap();
    writer.end().unwrap();
    writer.begin("full").unwrap();
    for id in 1..=3 {
        writer.row(&row(id)).unwrap();
    }
    writer.end().unwrap();
    let (bytes, rows) = writer.finish().unwrap();
    assert_eq!(rows, 3);
    bytes
}

fn check(bytes: &[u8]) -> Result<u64, Damage> {
    BackupReader::open(bytes)?.check()
}

fn lines(bytes: &[u8]) -> Vec<String> {
    let mut text = String::new();
    GzDecoder::new(bytes).read_to_string(&mut text).unwrap();
    text.lines().map(str::to_owned).collect()
}

fn packed(lines: &[String]) -> Vec<u8> {
    let mut output = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    output.write_all((lines.join("\n") + "\n").as_bytes()).unwrap();
    output.finish().unwrap()
}

#[test]
fn a_backup_is_read_part_by_part() {
    let bytes = backup();
    let mut reader = BackupReader::open(bytes.as_slice()).unwrap();
    assert_eq!(*reader.header(), header());
    let mut parts = Vec::new();
    while !matches!(parts.last(), Some(Part::Done { .. })) {
        parts.push(reader.next_part().unwrap());
    }
    let rows = (1..=3).map(|id| Part::Row(row(id)));
    let mut expected = vec![Part::Begin(0), Part::End { rows: 0 }, Part::Begin(1)];
    expected.extend(rows);
    expected.extend([Part::End { rows: 3 }, Part::Done { rows: 3 }]);
    assert_eq!(parts, expected);
}

#[test]
fn any_changed_byte_is_noticed() {
    let bytes = backup();
    for place in 0..bytes.len() {
        // The hint about text, the time, the speed and the system in the head of the compression mean nothing.
        if (3..10).contains(&place) {
            continue;
        }
        let mut changed = bytes.clone();
        changed[place] ^= 1;
        assert!(check(&changed).is_err(), "the byte {place} of {}", bytes.len());
    }
}

#[test]
fn any_missing_end_is_noticed() {
    let bytes = backup();
    for length in 0..bytes.len() {
        assert!(check(&bytes[..length]).is_err(), "{length} of {}", bytes.len());
    }
}

#[test]
fn lines_that_are_missing_moved_or_doubled_are_noticed() {
    let all = lines(&backup());
    assert_eq!(check(&packed(&all)), Ok(3));
    for place in 0..all.len() {
        let mut less = all.clone();
        less.remove(place);
        assert!(check(&packed(&less)).is_err(), "without {}", all[place]);
        let mut more = all.clone();
        more.insert(place, all[place].clone());
        assert!(check(&packed(&more)).is_err(), "twice {}", all[place]);
        if place > 0 {
            let mut moved = all.clone();
            moved.swap(place - 1, place);
            assert!(check(&packed(&moved)).is_err(), "moved {}", all[place]);
        }
    }
}

#[test]
fn what_is_wrong_is_named() {
    let all = lines(&backup());
    let with = |place: usize, from: &str, to: &str| {
        let mut changed = all.clone();
        assert!(changed[place].contains(from), "{}", changed[place]);
        changed[place] = changed[place].replace(from, to);
        check(&packed(&changed)).unwrap_err().0
    };
    assert!(with(0, "\"windlass_backup\":1", "\"windlass_backup\":2").starts_with("the backup has the format 2"));
    assert_eq!(with(0, "windlass_backup", "other"), "this is not a backup of Windlass");
    assert_eq!(with(0, "1.2.3", "1.2.4"), "the last line of the backup does not fit the lines before it");
    assert_eq!(with(1, "empty", "other"), "the table empty is missing in the backup");
    assert_eq!(with(4, "row 1", "row 9"), "the rows of the table full in the backup are not those that were written");
    assert_eq!(
        with(7, "\"rows\":3", "\"rows\":4"),
        "the rows of the table full in the backup are not those that were written"
    );
    assert_eq!(check(b"no backup").unwrap_err().0, "this is not a backup of Windlass");
    assert_eq!(check(&packed(&all[..6])).unwrap_err().0, "the backup is incomplete; its end is missing");
}
