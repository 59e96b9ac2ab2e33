//! Who reads the private registry: a caller with a token, or a workspace step with its own credential, which reads that of its organization.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use entity::id::OrganizationId;
use entity::organization;
use poem::Request;
use serde::Serialize;

use super::caller::{Visit, base};
use super::error::{Problem, Result};
use super::sealed_address;
use super::state_visit::step_of;
use crate::access::reach::Rights;
use crate::access::{self, require_right};
use crate::app::App;
use crate::error::Error;

/// How long the address of a file can be used. Programs use it at once.
const LIFETIME: TimeDelta = TimeDelta::minutes(15);

/// A request to the private registry.
pub(super) struct RegistryVisit {
    pub(super) app: Arc<App>,
    /// The time of the request.
    pub(super) now: DateTime<Utc>,
    base: String,
    reader: Reader,
}

enum Reader {
    Caller(Box<Visit>),
    Step(OrganizationId),
}

impl RegistryVisit {
    /// Authenticates whoever reads.
    pub(super) async fn of(app: &Arc<App>, request: &Request) -> Result<Self> {
        let reader = match step_of(app, request).await? {
            Some(step) => Reader::Step(step.organization_id),
            None => Reader::Caller(Box::new(Visit::of(app, request).await?)),
        };
        Ok(Self { app: Arc::clone(app), now: app.clock.now(), base: base(app, request), reader })
    }

    /// An organization by its name or its id, if the reader may read its registry.
    pub(super) async fn organization(&self, name: &str) -> Result<organization::Model> {
        match &self.reader {
            Reader::Caller(visit) => Ok(visit.organization(name).await?.0),
            Reader::Step(own) => {
                let row = access::shown_organization(&self.app.db, *own).await?;
                let is_named = row.name == name || row.id.to_string() == name;
                if is_named { Ok(row) } else { Err(Problem::missing("organization")) }
            }
        }
    }

    /// An organization of whose registry the caller may change a part, and the name of the caller. Steps only read.
    pub(super) async fn changeable(
        &self,
        name: &str,
        may: fn(Rights) -> bool,
    ) -> Result<(organization::Model, String)> {
        let Reader::Caller(visit) = &self.reader else {
            return Err(Error::Forbidden("a workspace step may only read the registry").into());
        };
        let (row, rights) = visit.organization(name).await?;
        require_right(may(rights))?;
        Ok((row, visit.author().to_owned()))
    }

    /// The address of a file, which needs no credential.
    pub(super) fn address<T: Serialize>(&self, kind: &str, about: T) -> Result<String> {
        sealed_address::create_at(&self.app, (&self.base, self.now), kind, about, LIFETIME)
    }
}
