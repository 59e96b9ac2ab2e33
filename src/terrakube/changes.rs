//! The column values that a request writes.

use poem::http::StatusCode;

use super::error::Problem;
use super::resource::Resource;
use crate::store::resource::{Cell, Column, Kind};

/// The columns to write, with their values.
#[derive(Clone, Debug, Default)]
pub(super) struct Changes(pub(super) Vec<(Column, Cell)>);

impl Changes {
    /// Sets the value of a column.
    pub(super) fn set(&mut self, name: &'static str, kind: Kind, value: Cell) {
        match self.0.iter_mut().find(|(column, _)| column.name == name) {
            Some((_, cell)) => *cell = value,
            None => self.0.push((Column { name, kind }, value)),
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&Cell> {
        self.0.iter().find(|(column, _)| column.name == name).map(|(_, cell)| cell)
    }

    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.get(name).and_then(Cell::text).map(str::to_owned)
    }
}

/// Whether a row is created or updated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WriteMethod {
    Create,
    Update,
}

impl WriteMethod {
    pub(super) fn denied(self) -> Problem {
        Problem::denied(match self {
            Self::Create => "CreatePermission",
            Self::Update => "UpdatePermission",
        })
    }

    /// The problem of a resource that does not have this method.
    pub(super) fn denied_for(self, of: &Resource) -> Problem {
        of.refusal.map_or_else(|| self.denied(), Problem::bad)
    }
}

/// Maps a violated constraint, such as a duplicate name, to 409.
pub(super) fn conflict(error: sea_orm::DbErr) -> Problem {
    match error.sql_err() {
        Some(_) => Problem::new(StatusCode::CONFLICT, "This operation conflicts with data that already exists."),
        None => error.into(),
    }
}
