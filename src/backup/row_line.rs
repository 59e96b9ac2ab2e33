//! Pure: a row as a line, which is a JSON array. Binary values are in base64, times as in RFC 3339, and documents are texts, so that
//! each is the same as before, and the document `null` is not the same as none.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::SecondsFormat;
use serde_json::value::RawValue;

use super::damage::Damage;
use crate::store::whole::{Kind, Table, Value};

/// Appends a row and the end of its line.
pub(super) fn write(row: &[Value], line: &mut Vec<u8>) -> Result<(), serde_json::Error> {
    line.push(b'[');
    for (place, value) in row.iter().enumerate() {
        if place > 0 {
            line.push(b',');
        }
        match value {
            Value::Null => line.extend_from_slice(b"null"),
            Value::Boolean(value) => serde_json::to_writer(&mut *line, value)?,
            Value::Integer(value) => serde_json::to_writer(&mut *line, value)?,
            Value::Float(value) => serde_json::to_writer(&mut *line, value)?,
            Value::Text(text) | Value::Json(text) => serde_json::to_writer(&mut *line, text)?,
            Value::Bytes(bytes) => serde_json::to_writer(&mut *line, &STANDARD.encode(bytes))?,
            Value::Time(time) => {
                serde_json::to_writer(&mut *line, &time.to_rfc3339_opts(SecondsFormat::AutoSi, true))?;
            }
            Value::Uuid(id) => serde_json::to_writer(&mut *line, id)?,
        }
    }
    line.extend_from_slice(b"]\n");
    Ok(())
}

/// The row of a line.
pub(super) fn read(line: &[u8], table: &Table) -> Result<Vec<Value>, Damage> {
    let damaged = || Damage(format!("a row of the table {} in the backup cannot be read", table.name));
    let found: Vec<&RawValue> = serde_json::from_slice(line).map_err(|_| damaged())?;
    if found.len() != table.columns.len() {
        return Err(damaged());
    }
    table
        .columns
        .iter()
        .zip(found)
        .map(|(column, text)| {
            value(column.kind, text.get()).ok_or_else(|| {
                Damage(format!("a value of {}.{} in the backup cannot be read", table.name, column.name))
            })
        })
        .collect()
}

fn value(kind: Kind, text: &str) -> Option<Value> {
    if text == "null" {
        return Some(Value::Null);
    }
    let string = || serde_json::from_str::<String>(text).ok();
    Some(match kind {
        Kind::Boolean => Value::Boolean(serde_json::from_str(text).ok()?),
        Kind::Integer => Value::Integer(serde_json::from_str(text).ok()?),
        Kind::Float => Value::Float(serde_json::from_str(text).ok()?),
        Kind::Text => Value::Text(string()?),
        Kind::Json => Value::Json(string()?),
        Kind::Bytes => Value::Bytes(STANDARD.decode(string()?).ok()?),
        Kind::Time => Value::Time(string()?.parse().ok()?),
        Kind::Uuid => Value::Uuid(string()?.parse().ok()?),
    })
}

#[cfg(test)]
mod tests {
    use super::{Kind, Table, Value, read, write};
    use crate::store::whole::Column;

    fn back(kind: Kind, value: Value) -> Value {
        let columns = vec![Column { name: "one".into(), kind }, Column { name: "two".into(), kind }];
        let table = Table { name: "t".into(), columns };
        let mut line = Vec::new();
        write(&[value, Value::Null], &mut line).unwrap();
        assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1, "one line");
        let row = read(&line, &table).unwrap();
        assert_eq!(row[1], Value::Null);
        row[0].clone()
    }

    #[test]
    fn every_value_comes_back() {
        let text = "a \"quote\", a \\, two\nlines\r\n, ü, \u{1f600}, \u{2028} and \u{1}";
        let bytes: Vec<u8> = (0..=255).collect();
        for (kind, value) in [
            (Kind::Boolean, Value::Boolean(false)),
            (Kind::Integer, Value::Integer(i64::MIN)),
            (Kind::Integer, Value::Integer(i64::MAX)),
            (Kind::Float, Value::Float(0.1 + 0.2)),
            (Kind::Float, Value::Float(-1e300)),
            (Kind::Text, Value::Text(text.into())),
            (Kind::Text, Value::Text("null".into())),
            (Kind::Text, Value::Text(String::new())),
            (Kind::Json, Value::Json(r#"{"a": [1, 18446744073709551615, 1e999, "\n"], "b": null}"#.into())),
            (Kind::Json, Value::Json("{\n\"a\":\r1}".into())),
            (Kind::Json, Value::Json("null".into())),
            (Kind::Bytes, Value::Bytes(bytes)),
            (Kind::Bytes, Value::Bytes(Vec::new())),
            (Kind::Time, Value::Time("2026-11-28T22:15:00.123456Z".parse().unwrap())),
            (Kind::Time, Value::Time("1969-12-31T23:59:59Z".parse().unwrap())),
            (Kind::Time, Value::Time(chrono::DateTime::from_timestamp(300_000_000_000, 1_000).unwrap())),
            (Kind::Uuid, Value::Uuid(uuid::Uuid::from_u128(7))),
        ] {
            assert_eq!(back(kind, value.clone()), value);
        }
    }

    #[test]
    fn what_is_no_row_is_refused() {
        let columns = vec![Column { name: "id".into(), kind: Kind::Uuid }];
        let table = Table { name: "job".into(), columns };
        for (line, expected) in [
            ("[1]", "a value of job.id in the backup cannot be read"),
            ("[\"no id\"]", "a value of job.id in the backup cannot be read"),
            ("[null,null]", "a row of the table job in the backup cannot be read"),
            ("{}", "a row of the table job in the backup cannot be read"),
            ("[null", "a row of the table job in the backup cannot be read"),
        ] {
            assert_eq!(read(line.as_bytes(), &table).unwrap_err().0, expected, "{line}");
        }
    }
}
