//! Pure: workspaces, and the resources that belong to one.

use super::building_blocks::{
    DESCRIPTION, LAST_STATUSES, NAME, OF_ORGANIZATION, OF_WORKSPACE, ORGANIZATION, ROLES, WORKSPACE_VARIABLE, empty,
    many, maybe, of_workspace, shared,
};
use super::derived::{job_reference, no_value, state_output};
use crate::engine::workspace_definition::{BRANCH, FOLDER, LOGIN, MODES, TOOLS, VERSION};
use crate::store::resource::{Column, Kind};
use crate::terrakube::attribute::{Attribute, Shape};
use crate::terrakube::resource::{Methods, NONE, Resource, Visibility};

pub(super) const WORKSPACE_RESOURCE: Resource = Resource {
    root: true,
    attributes: &[
        NAME,
        DESCRIPTION,
        Attribute::text("source", "source").or("empty").url(LOGIN),
        Attribute::text("branch", "branch").or("remote-content").at_most(BRANCH),
        Attribute::text("folder", "folder").or("/").at_most(FOLDER),
        Attribute::text("terraformVersion", "terraform_version").or("").at_most(VERSION),
        Attribute::choice("iacType", "iac_type", TOOLS).or("terraform"),
        Attribute::choice("executionMode", "execution_mode", MODES).or("remote"),
        Attribute::flag("locked", "locked", false),
        Attribute::text("lockDescription", "lock_description").at_most(2048),
        Attribute::flag("deleted", "deleted", false),
        Attribute::text("defaultTemplate", "default_template").at_most(64),
        Attribute::flag("allowRemoteApply", "allow_remote_apply", false),
        Attribute::flag("destroyProtection", "destroy_protection", false),
        Attribute::flag("seesName", "sees_name", false),
        Attribute::text("moduleSshKey", "module_ssh_key").at_most(64),
        Attribute::choice("lastJobStatus", "last_job_status", LAST_STATUSES).server(),
        Attribute::of("lastJobDate", Shape::Time("last_job_date")).server(),
        Attribute::of("globalRemoteState", Shape::Always(false)).server(),
        Attribute::of("sharedIds", Shape::Derived(no_value)).server(),
    ],
    relations: &[
        ORGANIZATION,
        maybe("project", "project", "project_id"),
        maybe("vcs", "vcs", "vcs_id"),
        maybe("ssh", "ssh", "ssh_key_id"),
        many("variable", "variable", "workspace_id"),
        many("job", "job", "workspace_id"),
        many("history", "history", "workspace_id"),
        many("schedule", "schedule", "workspace_id"),
        many("access", "access", "workspace_id"),
        many("workspaceTag", "workspacetag", "workspace_id"),
        maybe("agent", "agent", "cluster_id"),
        maybe("webhook", "webhook", "webhook_id"),
        empty("reference", "reference"),
        empty("notificationConfiguration", "notification_configuration"),
    ],
    visibility: Visibility::Workspace,
    hidden: Some("deleted"),
    ..shared("workspace", "workspace", |rights| rights.workspaces)
};

pub(super) const VARIABLE_RESOURCE: Resource = Resource {
    attributes: WORKSPACE_VARIABLE,
    ..of_workspace("variable", "terraform_variable", |rights| rights.workspaces)
};

pub(super) const ACCESS: Resource = Resource {
    attributes: &[
        NAME,
        Attribute::flag("manageState", "manage_state", false),
        Attribute::flag("manageWorkspace", "manage_workspace", false),
        Attribute::flag("manageJob", "manage_job", false),
        Attribute::flag("planJob", "plan_job", false),
        Attribute::flag("approveJob", "approve_job", false),
        Attribute::of("role", Shape::Word("role", ROLES)),
    ],
    ..of_workspace("access", "workspace_access", |rights| rights.teams)
};

pub(super) const HISTORY: Resource = Resource {
    attributes: &[
        Attribute::of("jobReference", Shape::Derived(job_reference)).server(),
        Attribute::of("output", Shape::Derived(state_output)).server(),
        Attribute::of("serial", Shape::Long("serial")).server(),
        Attribute::text("md5", "md5").server(),
        Attribute::text("lineage", "lineage").server(),
        Attribute::text("reason", "reason").server(),
    ],
    methods: Methods { delete: true, ..NONE },
    extra: &[OF_ORGANIZATION, OF_WORKSPACE, Column { name: "job_id", kind: Kind::Number }],
    ..of_workspace("history", "state_version", |rights| rights.states)
};

pub(super) const SCHEDULE: Resource = Resource {
    attributes: &[
        Attribute::text("cron", "cron").required().at_most(256),
        Attribute::text("tcl", "tcl").at_most(512 * 1024),
        Attribute::text("templateReference", "template_reference").at_most(36),
        DESCRIPTION,
        Attribute::flag("enabled", "enabled", true),
        Attribute::flag("refreshOnly", "refresh_only", false),
    ],
    ..of_workspace("schedule", "workspace_schedule", |rights| rights.workspaces)
};

pub(super) const WORKSPACETAG: Resource = Resource {
    attributes: &[Attribute::of("tagId", Shape::Id("tag_id")).required()],
    ..of_workspace("workspacetag", "workspace_tag", |rights| rights.workspaces)
};
