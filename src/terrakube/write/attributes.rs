//! Attributes of a document as column values.

use poem::http::StatusCode;
use serde_json::Value;

use crate::secret;
use crate::store::resource::{Cell, Kind, Row};
use crate::terrakube::attribute::{Attribute, Fallback, Shape, Writer};
use crate::terrakube::attribute_value::{parse_cell, to_cell, to_json};
use crate::terrakube::changes::{Changes, WriteMethod};
use crate::terrakube::error::{Problem, Result};
use crate::terrakube::resource::Resource;
use crate::terrakube::session::Session;
use crate::terrakube::special;

impl Session {
    /// The column values of the attributes, with defaults for a new row. `row` is the one that is updated.
    pub(super) fn attributes(
        &self,
        of: &Resource,
        given: &serde_json::Map<String, Value>,
        row: Option<&Row>,
    ) -> Result<Changes> {
        let method = if row.is_some() { WriteMethod::Update } else { WriteMethod::Create };
        let server = self.app.public_url();
        let mut changes = Changes::default();
        for (name, value) in given {
            let unknown = || Problem::new(StatusCode::NOT_FOUND, format!("Unknown attribute {name} in {}", of.kind));
            let Some(attribute) = of.attribute(name) else {
                if special::is_extra_attribute(of, name) {
                    continue;
                }
                return Err(unknown());
            };
            let privileged = attribute.writer == Writer::Server
                || (attribute.writer == Writer::Creator && method == WriteMethod::Update);
            // Clients send every attribute they know: a read-only attribute that is empty or unchanged counts as absent.
            let unchanged = row.is_some_and(|row| to_json(attribute, row, &server) == *value);
            let empty = value.is_null() || value == "" || unchanged;
            let once = attribute.writer == Writer::Creator && empty;
            if (privileged && empty)
                || (once && attribute.fallback.is_some())
                || special::is_ignored_value(of, name, value)
            {
                continue;
            }
            if privileged {
                return Err(Problem::new(
                    StatusCode::FORBIDDEN,
                    format!("{}: {name} is read-only", method.denied().detail),
                ));
            }
            let Some(column) = attribute.shape.column() else { continue };
            let cell = match to_cell(attribute, value)? {
                Cell::Null => fallback(attribute).ok_or_else(|| missing(name))?,
                cell => cell,
            };
            changes.set(column.name, column.kind, cell);
        }
        if method == WriteMethod::Create {
            for attribute in of.attributes() {
                let Some(column) = attribute.shape.column() else { continue };
                if changes.get(column.name).is_none() {
                    let cell = match fallback(attribute) {
                        Some(cell) => cell,
                        None if attribute.writer == Writer::Server => Cell::Null,
                        None => return Err(missing(attribute.name)),
                    };
                    changes.set(column.name, column.kind, cell);
                }
            }
        }
        let empty = |name: &str| changes.text(name).is_some_and(|text| text.trim().is_empty());
        for name in ["name", "key"] {
            if empty(name) {
                return Err(Problem::bad(format!("{name} must not be empty")));
            }
        }
        Ok(changes)
    }

    pub(super) fn stamp(&self, of: &Resource, changes: &mut Changes, method: WriteMethod) {
        let name = || Cell::Text(self.author().to_owned());
        if method == WriteMethod::Create {
            changes.set("created_at", Kind::Time, Cell::Time(self.now));
        }
        changes.set("updated_at", Kind::Time, Cell::Time(self.now));
        if of.audited {
            if method == WriteMethod::Create {
                changes.set("created_by", Kind::Text, name());
            }
            changes.set("updated_by", Kind::Text, name());
        }
    }

    /// Seals the secret columns for their row.
    pub(super) fn seal(&self, of: &Resource, id: &Cell, changes: &mut Changes) -> Result<()> {
        let Some(id) = id.id() else { return Ok(()) };
        let secrets = of.attributes().filter_map(|attribute| match attribute.shape {
            Shape::Secret(column) => Some(column),
            _ => None,
        });
        for column in secrets {
            if let Some(Cell::Bytes(plain)) = changes.get(column) {
                let sealed = self.app.keys.seal(&secret::place(of.table, id), plain)?;
                changes.set(column, Kind::Bytes, Cell::Bytes(sealed));
            }
        }
        Ok(())
    }
}

fn fallback(attribute: &Attribute) -> Option<Cell> {
    match attribute.fallback? {
        Fallback::Null => Some(Cell::Null),
        Fallback::Flag(flag) => Some(Cell::Flag(flag)),
        Fallback::Text(text) => parse_cell(Kind::Text, text),
    }
}

fn missing(name: &str) -> Problem {
    Problem::bad(format!("{name} must not be null"))
}
