//! Writing a relationship by its own URL. A relationship is stored in one of its two resources, and writing it is an update of
//! that resource.

use futures_util::future::BoxFuture;
use poem::Response;
use poem::http::{Method, StatusCode};
use sea_orm::DatabaseTransaction;
use serde_json::Value;

use crate::store;
use crate::store::resource::Row;
use crate::terrakube::attribute_value::{cell_id, row_id};
use crate::terrakube::document::{Linkage, Reference, ResourceObject, parse_linkage, require_kind};
use crate::terrakube::error::{Problem, Result};
use crate::terrakube::path::{End, ResourcePath};
use crate::terrakube::path_context::{PathContext, belongs_to};
use crate::terrakube::resource::{Link, Relation, Resource};
use crate::terrakube::session::Session;
use crate::terrakube::{special, tables};

/// The most resources that one request may add to a relationship, or remove from it.
const MOST: usize = 500;

/// How a request changes the members of a relationship.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::terrakube) enum MemberChange {
    Replace,
    Add,
    Remove,
}

impl MemberChange {
    /// The change that a method makes.
    pub(in crate::terrakube) fn of(method: &Method) -> Self {
        match *method {
            Method::POST => Self::Add,
            Method::DELETE => Self::Remove,
            _ => Self::Replace,
        }
    }
}

fn read_only(relation: &Relation, why: &str) -> Problem {
    Problem::new(StatusCode::FORBIDDEN, format!("UpdatePermission Denied: {} {why}", relation.name))
}

impl Session {
    /// Handles a PATCH, POST or DELETE of a relationship.
    pub(in crate::terrakube) async fn write_relationship(
        &self,
        resource_path: &ResourcePath<'_>,
        change: MemberChange,
        data: &Value,
    ) -> Result<Response> {
        let found = self.walk(&self.app.db, resource_path).await?;
        let (End::Relationship(relation), Some((of, _))) = (resource_path.end, &found.last) else {
            return Err(Problem::bad("the path does not name a relationship"));
        };
        let linkage = parse_linkage(data)?;
        let changed =
            store::write(&self.app.db, async |tx| self.change_members(tx, relation, &found, change, &linkage).await);
        for of in changed.await?.into_iter().chain([*of]) {
            special::after_write(self, of);
        }
        Ok(Response::builder().status(StatusCode::NO_CONTENT).finish())
    }

    /// Changes the members of a relationship, and returns the resource whose rows were updated.
    pub(in crate::terrakube) async fn change_members(
        &self,
        tx: &DatabaseTransaction,
        relation: &'static Relation,
        found: &PathContext,
        change: MemberChange,
        linkage: &Linkage,
    ) -> Result<Option<&'static Resource>> {
        let (Some((of, row)), Some(target)) = (&found.last, tables::target(relation)) else { return Ok(None) };
        let given: &[Reference] = match linkage {
            Linkage::One(reference) => reference.as_slice(),
            Linkage::Many(list) => list,
        };
        self.require(found, of, "UpdatePermission")?;
        if given.len() > MOST {
            return Err(Problem::bad(format!("data must name at most {MOST} resources")));
        }
        if change != MemberChange::Replace && *linkage == Linkage::One(None) {
            return Err(Problem::bad("Bad Request Body'Expected data but received null'"));
        }
        if change == MemberChange::Remove && given.is_empty() {
            return Err(Problem::denied("UpdatePermission"));
        }
        for reference in given {
            require_kind(&reference.kind, target)?;
        }
        match relation.link {
            Link::One(column) | Link::Maybe(column) => {
                if matches!(linkage, Linkage::Many(list) if list.len() > 1) {
                    return Err(Problem::bad(format!("Bad Request Body'{} must be a single resource'", relation.name)));
                }
                let id = row.get(column).map(cell_id).unwrap_or_default();
                let one = given.first().cloned();
                let same = one.as_ref().is_some_and(|one| one.id.as_deref() == Some(id.as_str()));
                let one = match change {
                    MemberChange::Remove if !same => return Ok(None),
                    MemberChange::Remove => None,
                    MemberChange::Add | MemberChange::Replace => one,
                };
                if matches!(relation.link, Link::One(_)) {
                    return if same && one.is_some() { Ok(None) } else { Err(read_only(relation, "must not change")) };
                }
                self.link(tx, (of, row), found, relation, one).await?;
                Ok(Some(of))
            }
            Link::Many(_) => self.change_many(tx, (relation, target), found, change, given).await,
            Link::Nothing | Link::Empty => {
                for reference in given {
                    self.resolve_linkage(tx, relation, Some(reference), found).await?;
                }
                Ok(None)
            }
        }
    }

    /// Sets a to-one relationship of a row.
    fn link<'a>(
        &'a self,
        tx: &'a DatabaseTransaction,
        (of, row): (&'static Resource, &'a Row),
        found: &'a PathContext,
        relation: &Relation,
        to: Option<Reference>,
    ) -> BoxFuture<'a, Result<()>> {
        let mut given = ResourceObject { kind: of.kind.into(), ..ResourceObject::default() };
        given.relationships.insert(relation.name.into(), Linkage::One(to));
        // Boxed, because an update may change relationships in turn.
        Box::pin(async move { self.update(tx, of, found, row, &given).await })
    }

    /// Changes a to-many relationship, which is stored in its target rows.
    async fn change_many(
        &self,
        tx: &DatabaseTransaction,
        (relation, target): (&'static Relation, &'static Resource),
        found: &PathContext,
        change: MemberChange,
        given: &[Reference],
    ) -> Result<Option<&'static Resource>> {
        let Some((of, row)) = &found.last else { return Ok(None) };
        let members = self.rows(tx, target, belongs_to(target, relation, row)).await?;
        let id_of = |reference: &Reference| reference.id.clone().unwrap_or_default();
        let (mut added, mut removed) = (Vec::new(), Vec::new());
        for reference in given {
            let member = members.iter().find(|member| row_id(member) == id_of(reference));
            match (member, change) {
                (Some(member), MemberChange::Remove) => removed.push(member.clone()),
                (None, MemberChange::Add | MemberChange::Replace) => {
                    let unknown = || {
                        Problem::new(
                            StatusCode::NOT_FOUND,
                            format!("Unknown identifier {} for {}", id_of(reference), target.kind),
                        )
                    };
                    let row = self.by_id(tx, target, &id_of(reference), store::resource::constant(true)).await;
                    added.push(row.map_err(|_| unknown())?);
                }
                _ => {}
            }
        }
        if change == MemberChange::Replace {
            let kept = |member: &&Row| given.iter().any(|reference| id_of(reference) == row_id(member));
            removed.extend(members.iter().filter(|member| !kept(member)).cloned());
        }
        if added.is_empty() && removed.is_empty() {
            return Ok(None);
        }
        if removed.len() > MOST {
            return Err(Problem::bad(format!("data must leave out at most {MOST} members")));
        }
        // The other side of the relationship.
        let Link::Many(column) = relation.link else { return Ok(None) };
        let back = target.relations.iter().find(|back| back.link == Link::Maybe(column));
        let back = back.ok_or_else(|| {
            read_only(relation, &format!("must not change: each {} belongs to its {}", target.kind, of.kind))
        })?;
        let own = Reference { kind: of.kind.into(), id: Some(row_id(row)), lid: None };
        for (rows, to) in [(removed, None), (added, Some(own))] {
            for row in rows {
                let mut context = PathContext::default();
                context.note(target, row.clone());
                self.link(tx, (target, &row), &context, back, to.clone()).await?;
            }
        }
        Ok(Some(target))
    }
}
