//! Pure: building blocks shared by several resources.

use crate::access::reach::Rights;
use crate::engine::workspace_definition;
use crate::store::resource::{Column, Kind};
use crate::terrakube::attribute::{Attribute, Shape};
use crate::terrakube::resource::{ALL, Link, Methods, NONE, Relation, Resource, Visibility};

pub(super) const ORGANIZATION: Relation = one("organization", "organization", "organization_id");
pub(super) const WORKSPACE: Relation = one("workspace", "workspace", "workspace_id");
pub(super) const JOB: Relation = one("job", "job", "job_id");
pub(super) const NAME: Attribute = Attribute::text("name", "name").required().at_most(workspace_definition::NAME);
pub(super) const DESCRIPTION: Attribute =
    Attribute::text("description", "description").at_most(workspace_definition::DESCRIPTION);
pub(super) const OF_ORGANIZATION: Column = Column { name: "organization_id", kind: Kind::Id };
pub(super) const OF_WORKSPACE: Column = Column { name: "workspace_id", kind: Kind::Id };

pub(super) const fn one(name: &'static str, target: &'static str, column: &'static str) -> Relation {
    Relation { name, target, link: Link::One(column) }
}

pub(super) const fn maybe(name: &'static str, target: &'static str, column: &'static str) -> Relation {
    Relation { name, target, link: Link::Maybe(column) }
}

pub(super) const fn many(name: &'static str, target: &'static str, column: &'static str) -> Relation {
    Relation { name, target, link: Link::Many(column) }
}

/// A to-one relationship to a resource of which none can be stored.
pub(super) const fn nothing(name: &'static str, target: &'static str) -> Relation {
    Relation { name, target, link: Link::Nothing }
}

/// A to-many relationship to a resource of which none can be stored.
pub(super) const fn empty(name: &'static str, target: &'static str) -> Relation {
    Relation { name, target, link: Link::Empty }
}

/// A resource of which none can be stored, for this reason.
pub(super) const fn not_stored(kind: &'static str, needs: fn(Rights) -> bool, refusal: &'static str) -> Resource {
    Resource {
        visibility: Visibility::Shared,
        methods: Methods { create: true, ..NONE },
        extra: &[],
        refusal: Some(refusal),
        ..shared(kind, "", needs)
    }
}

/// The defaults of most resources: below an organization, with all methods.
pub(super) const fn shared(kind: &'static str, table: &'static str, needs: fn(Rights) -> bool) -> Resource {
    Resource {
        kind,
        table,
        key: Kind::Id,
        root: false,
        attributes: &[],
        relations: &[ORGANIZATION],
        visibility: Visibility::FullOrganization,
        needs,
        methods: ALL,
        hidden: None,
        audited: true,
        extra: &[OF_ORGANIZATION],
        refusal: None,
    }
}

/// The defaults of resources that belong to a workspace.
pub(super) const fn of_workspace(kind: &'static str, table: &'static str, needs: fn(Rights) -> bool) -> Resource {
    Resource {
        relations: &[ORGANIZATION, WORKSPACE],
        visibility: Visibility::OfWorkspace,
        extra: &[OF_ORGANIZATION, OF_WORKSPACE],
        ..shared(kind, table, needs)
    }
}

pub(super) const ROLES: &[&str] = &["admin", "write", "plan", "read", "custom"];

/// All statuses that clients accept; the last ones are never stored.
pub(super) const STATUSES: &[&str] = &[
    "pending",
    "queue",
    "running",
    "waitingApproval",
    "approved",
    "completed",
    "failed",
    "rejected",
    "cancelled",
    "notExecuted",
    "noChanges",
    "unknown",
];

/// The statuses of the last job of a workspace.
pub(super) const LAST_STATUSES: &[&str] = &[
    "NeverExecuted",
    "pending",
    "queue",
    "running",
    "waitingApproval",
    "approved",
    "completed",
    "failed",
    "rejected",
    "cancelled",
    "notExecuted",
    "noChanges",
    "unknown",
];

const KEY: Attribute = Attribute::text("key", "key").required().at_most(256);
const VALUE: Attribute = Attribute::text("value", "value").at_most(1024 * 1024);
const CATEGORY: Attribute = Attribute::choice("category", "category", &["TERRAFORM", "ENV"]).required();
const SENSITIVE: Attribute = Attribute::flag("sensitive", "sensitive", false);
const HCL: Attribute = Attribute::flag("hcl", "hcl", false);

pub(super) const VARIABLE: &[Attribute] = &[KEY, VALUE, DESCRIPTION, CATEGORY, SENSITIVE, HCL];
/// A sensitive variable of a workspace may lack its value in Terrakube; here it is stored with one.
pub(super) const WORKSPACE_VARIABLE: &[Attribute] =
    &[KEY, VALUE, DESCRIPTION, CATEGORY, SENSITIVE, HCL, Attribute::of("incomplete", Shape::Always(false)).server()];
