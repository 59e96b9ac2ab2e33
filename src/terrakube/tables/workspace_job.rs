//! Pure: jobs of workspaces, and their steps.

use super::building_blocks::{
    JOB, NAME, OF_ORGANIZATION, OF_WORKSPACE, ORGANIZATION, STATUSES, WORKSPACE, many, of_workspace,
};
use super::derived::{no_value, step_output};
use crate::store::resource::{Column, Kind};
use crate::terrakube::attribute::{Attribute, Shape};
use crate::terrakube::resource::{NONE, Resource};

pub(super) const JOB_RESOURCE: Resource = Resource {
    key: Kind::Number,
    attributes: &[
        Attribute::text("comments", "comments").at_most(512),
        Attribute::choice("status", "status", STATUSES).or("pending"),
        Attribute::text("output", "output").server(),
        Attribute::text("commitId", "commit_id").at_most(64).once(),
        Attribute::of("terraformPlan", Shape::Derived(no_value)).server(),
        Attribute::text("approvalTeam", "approval_team").server(),
        Attribute::text("tcl", "tcl").at_most(512 * 1024).once(),
        Attribute::text("overrideSource", "override_source").server(),
        Attribute::text("overrideBranch", "override_branch").at_most(128).once(),
        Attribute::text("templateReference", "template_reference").at_most(36).once(),
        Attribute::text("via", "via").or("UI").at_most(64).once(),
        Attribute::flag("refresh", "refresh", true).once(),
        Attribute::flag("planChanges", "plan_changes", true).server(),
        Attribute::flag("refreshOnly", "refresh_only", false).once(),
        Attribute::of("prNumber", Shape::Number("pr_number")).server(),
        Attribute::of("prCommentError", Shape::Derived(no_value)).server(),
        Attribute::of("targetAddrs", Shape::Texts("target_addrs")).once(),
        Attribute::of("replaceAddrs", Shape::Texts("replace_addrs")).once(),
        Attribute::text("approvedBy", "approved_by").server(),
        Attribute::of("approvedDate", Shape::Time("approved_at")).server(),
    ],
    relations: &[ORGANIZATION, WORKSPACE, many("step", "step", "job_id"), many("address", "address", "job_id")],
    ..of_workspace("job", "workspace_job", |rights| rights.plan || rights.approve)
};

pub(super) const STEP: Resource = Resource {
    root: true,
    attributes: &[
        Attribute::of("stepNumber", Shape::Number("number")).server(),
        Attribute::text("name", "name").server(),
        Attribute::choice("status", "status", STATUSES).server(),
        Attribute::of("output", Shape::Derived(step_output)).server(),
    ],
    relations: &[JOB],
    methods: NONE,
    audited: false,
    extra: &[OF_ORGANIZATION, OF_WORKSPACE, Column { name: "run_id", kind: Kind::Id }],
    ..of_workspace("step", "workspace_step", |rights| rights.plan)
};

pub(super) const ADDRESS: Resource = Resource {
    root: true,
    attributes: &[NAME.server(), Attribute::choice("addressType", "kind", &["TARGET", "REPLACE"]).server()],
    relations: &[JOB],
    methods: NONE,
    ..of_workspace("address", "workspace_address", |rights| rights.plan)
};
