//! Pure: webhooks of the repositories of workspaces, and what they start.

use super::building_blocks::{OF_ORGANIZATION, OF_WORKSPACE, WORKSPACE, many, of_workspace, one};
use super::derived::webhook_address;
use crate::terrakube::attribute::{Attribute, Shape};
use crate::terrakube::resource::Resource;

pub(super) const WEBHOOK: Resource = Resource {
    root: true,
    attributes: &[
        Attribute::text("remoteHookId", "remote_hook_id").at_most(256),
        Attribute::flag("migratedV2", "migrated_v2", false),
        // What Terrakube does not have: it derives its secrets, and does not poll.
        Attribute::of("secret", Shape::Secret("secret")).at_most(256),
        Attribute::of("pollSeconds", Shape::Number("poll_seconds")),
        Attribute::of("url", Shape::Derived(webhook_address)).server(),
        Attribute::text("pollError", "poll_error").server(),
    ],
    relations: &[WORKSPACE, many("events", "webhook_event", "webhook_id")],
    extra: &[OF_ORGANIZATION, OF_WORKSPACE],
    ..of_workspace("webhook", "workspace_webhook", |rights| rights.workspaces)
};

pub(super) const WEBHOOK_EVENT: Resource = Resource {
    root: true,
    attributes: &[
        Attribute::text("branch", "branch").at_most(1024),
        Attribute::text("path", "path").at_most(1024),
        Attribute::text("templateId", "template_id").at_most(64),
        Attribute::choice("pathType", "path_type", &["REGEX", "PATTERN"]).or("REGEX"),
        Attribute::choice("event", "event", &["PUSH", "PULL_REQUEST", "PR_COMMENT", "PING", "RELEASE", "UNKNOWN"])
            .or("PUSH"),
        Attribute::of("priority", Shape::Number("priority")),
        Attribute::flag("prWorkflowEnabled", "pr_workflow_enabled", false),
        Attribute::flag("prApplyEnabled", "pr_apply_enabled", false),
    ],
    relations: &[one("webhook", "webhook", "webhook_id")],
    extra: &[OF_ORGANIZATION, OF_WORKSPACE],
    ..of_workspace("webhook_event", "workspace_webhook_event", |rights| rights.workspaces)
};
