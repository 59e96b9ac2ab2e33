//! Pure: resources that clients read although none can be stored: their collections are empty.

use super::building_blocks::{DESCRIPTION, NAME, STATUSES, VARIABLE, empty, not_stored, nothing};
use crate::terrakube::attribute::{Attribute, Shape};
use crate::terrakube::resource::{Relation, Resource};

const COLLECTIONS: &str = "collections are not supported: use global variables, or the variables of each workspace";
const PROJECTS: &str = "access to projects is not supported: use teams, or access to each workspace";
const NOTIFICATIONS: &str = "notifications are not supported: read the status of a job instead";

const ORGANIZATION: Relation = nothing("organization", "organization");
const WORKSPACE: Relation = nothing("workspace", "workspace");

pub(super) const COLLECTION: Resource = Resource {
    attributes: &[NAME, DESCRIPTION, Attribute::of("priority", Shape::Number("priority"))],
    relations: &[ORGANIZATION, empty("item", "item"), empty("reference", "reference")],
    ..not_stored("collection", |rights| rights.workspaces, COLLECTIONS)
};

pub(super) const ITEM: Resource = Resource {
    attributes: VARIABLE,
    relations: &[nothing("collection", "collection")],
    audited: false,
    ..not_stored("item", |rights| rights.workspaces, COLLECTIONS)
};

pub(super) const REFERENCE: Resource = Resource {
    root: true,
    attributes: &[DESCRIPTION],
    relations: &[nothing("collection", "collection"), WORKSPACE],
    audited: false,
    ..not_stored("reference", |rights| rights.workspaces, COLLECTIONS)
};

pub(super) const NOTIFICATION_CONFIGURATION: Resource = Resource {
    root: true,
    attributes: &[
        NAME,
        DESCRIPTION,
        Attribute::choice("channelType", "channel_type", &["SLACK", "TEAMS", "WEBHOOK"]),
        Attribute::text("destinationUrl", "destination_url").at_most(2048),
        Attribute::of("signingSecret", Shape::Secret("signing_secret")).at_most(1024),
        Attribute::flag("active", "active", true),
        Attribute::choice("messageStyle", "message_style", &["DETAILED", "SIMPLE"]).or("DETAILED"),
    ],
    relations: &[ORGANIZATION, WORKSPACE, empty("triggers", "notification_trigger"), empty("templates", "template")],
    ..not_stored("notification_configuration", |rights| rights.workspaces, NOTIFICATIONS)
};

pub(super) const NOTIFICATION_TRIGGER: Resource = Resource {
    root: true,
    attributes: &[Attribute::choice("jobStatus", "job_status", STATUSES)],
    relations: &[nothing("configuration", "notification_configuration")],
    ..not_stored("notification_trigger", |rights| rights.workspaces, NOTIFICATIONS)
};

pub(super) const PROJECT_ACCESS: Resource = Resource {
    attributes: &[
        NAME,
        Attribute::flag("manageState", "manage_state", false),
        Attribute::flag("manageWorkspace", "manage_workspace", false),
        Attribute::flag("manageJob", "manage_job", false),
        Attribute::flag("planJob", "plan_job", false),
        Attribute::flag("approveJob", "approve_job", false),
        Attribute::text("role", "role").at_most(64),
    ],
    relations: &[nothing("project", "project")],
    audited: false,
    ..not_stored("project_access", |rights| rights.teams, PROJECTS)
};
