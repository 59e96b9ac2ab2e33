//! Pure: the resources of this face, each of them a table of its attributes and relationships.

use serde_json::{Value, json};

use super::resource::{ALL, Attribute, Link, Methods, NONE, Relation, Resource, Scope, Shape};
use crate::access::team::Rights;
use crate::store::resource::{Cell, Column, Kind, Row};

const ORGANIZATION: Relation = one("organization", "organization", "organization_id");
const WORKSPACE: Relation = one("workspace", "workspace", "workspace_id");
const JOB: Relation = one("job", "job", "job_id");
const NAME: Attribute = Attribute::text("name", "name").required().at_most(256);
const DESCRIPTION: Attribute = Attribute::text("description", "description").at_most(2048);

const fn one(name: &'static str, target: &'static str, column: &'static str) -> Relation {
    Relation { name, target, link: Link::One(column) }
}

const fn maybe(name: &'static str, target: &'static str, column: &'static str) -> Relation {
    Relation { name, target, link: Link::Maybe(column) }
}

const fn many(name: &'static str, target: &'static str, column: &'static str) -> Relation {
    Relation { name, target, link: Link::Many(column) }
}

/// What most resources are: in the way of an organization, with all methods.
const fn shared(kind: &'static str, table: &'static str, needs: fn(Rights) -> bool) -> Resource {
    Resource {
        kind,
        table,
        key: Kind::Id,
        root: false,
        attributes: &[],
        relations: &[ORGANIZATION],
        scope: Scope::Whole,
        needs,
        methods: ALL,
        hidden: None,
        audited: true,
        extra: &[OF_ORGANIZATION],
    }
}

const OF_ORGANIZATION: Column = Column { name: "organization_id", kind: Kind::Id };
const OF_WORKSPACE: Column = Column { name: "workspace_id", kind: Kind::Id };

/// What belongs to a workspace.
const fn of_workspace(kind: &'static str, table: &'static str, needs: fn(Rights) -> bool) -> Resource {
    Resource {
        relations: &[ORGANIZATION, WORKSPACE],
        scope: Scope::OfWorkspace,
        extra: &[OF_ORGANIZATION, OF_WORKSPACE],
        ..shared(kind, table, needs)
    }
}

fn id(row: &Row, column: &str) -> String {
    match row.get(column) {
        Some(Cell::Id(id)) => id.to_string(),
        Some(Cell::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}

/// Where the log of a step is; none before it has begun.
fn step_output(row: &Row, server: &str) -> Value {
    if row.get("run_id").and_then(Cell::id).is_none() {
        return Value::Null;
    }
    let (organization, job, step) = (id(row, "organization_id"), id(row, "job_id"), id(row, "id"));
    json!(format!("{server}/tfoutput/v1/organization/{organization}/job/{job}/step/{step}"))
}

/// Where a version of a state is.
fn state_output(row: &Row, server: &str) -> Value {
    let (organization, workspace, version) = (id(row, "organization_id"), id(row, "workspace_id"), id(row, "id"));
    json!(format!("{server}/tfstate/v1/organization/{organization}/workspace/{workspace}/state/{version}.json"))
}

/// The job that wrote a version of a state, as clients know it.
fn job_reference(row: &Row, _: &str) -> Value {
    row.get("job_id").and_then(Cell::number).map_or(Value::Null, |number| json!(number.to_string()))
}

fn nothing(_: &Row, _: &str) -> Value {
    Value::Null
}

const MODES: &[&str] = &["remote", "local"];
const ROLES: &[&str] = &["admin", "write", "plan", "read", "custom"];
/// All that a status can be for clients; the last ones are never stored.
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

const VARIABLE: &[Attribute] = &[
    Attribute::text("key", "key").required().at_most(256),
    Attribute::text("value", "value").at_most(1024 * 1024),
    DESCRIPTION,
    Attribute::choice("category", "category", &["TERRAFORM", "ENV"]).required(),
    Attribute::flag("sensitive", "sensitive", false),
    Attribute::flag("hcl", "hcl", false),
];

/// All of them.
pub(super) static RESOURCES: [Resource; 17] = [
    Resource {
        root: true,
        attributes: &[
            NAME,
            DESCRIPTION,
            Attribute::choice("executionMode", "execution_mode", MODES).or("remote"),
            Attribute::flag("disabled", "disabled", false),
            Attribute::text("icon", "icon").at_most(256),
        ],
        relations: &[
            many("workspace", "workspace", "organization_id"),
            many("job", "job", "organization_id"),
            many("template", "template", "organization_id"),
            many("team", "team", "organization_id"),
            many("globalvar", "globalvar", "organization_id"),
            many("vcs", "vcs", "organization_id"),
            many("ssh", "ssh", "organization_id"),
            many("tag", "tag", "organization_id"),
            many("project", "project", "organization_id"),
        ],
        scope: Scope::Organization,
        hidden: Some("disabled"),
        methods: Methods { delete: false, ..ALL },
        audited: false,
        extra: &[],
        ..shared("organization", "organization", |rights| rights.organization)
    },
    Resource {
        root: true,
        attributes: &[
            NAME,
            DESCRIPTION,
            Attribute::text("source", "source").or("empty").at_most(2048),
            Attribute::text("branch", "branch").or("remote-content").at_most(256),
            Attribute::text("folder", "folder").or("/").at_most(1024),
            Attribute::text("terraformVersion", "terraform_version").or("").at_most(64),
            Attribute::choice("iacType", "iac_type", &["tofu", "terraform"]).or("tofu"),
            Attribute::choice("executionMode", "execution_mode", MODES).or("remote"),
            Attribute::flag("locked", "locked", false),
            Attribute::text("lockDescription", "lock_description").at_most(2048),
            Attribute::flag("deleted", "deleted", false),
            Attribute::text("defaultTemplate", "default_template").at_most(64),
            Attribute::flag("allowRemoteApply", "allow_remote_apply", false),
            Attribute::text("moduleSshKey", "module_ssh_key").at_most(64),
            Attribute::text("lastJobStatus", "last_job_status").server(),
            Attribute::of("lastJobDate", Shape::Time("last_job_date")).server(),
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
        ],
        scope: Scope::Workspace,
        hidden: Some("deleted"),
        ..shared("workspace", "workspace", |rights| rights.workspaces)
    },
    Resource {
        root: true,
        attributes: &[
            NAME,
            DESCRIPTION,
            Attribute::text("version", "version").at_most(64),
            Attribute::text("tcl", "tcl").required().at_most(512 * 1024),
        ],
        scope: Scope::Shared,
        ..shared("template", "template", |rights| rights.templates)
    },
    Resource {
        attributes: &[
            NAME,
            Attribute::flag("manageState", "manage_state", false),
            Attribute::flag("manageWorkspace", "manage_workspace", false),
            Attribute::flag("manageModule", "manage_module", false),
            Attribute::flag("manageProvider", "manage_provider", false),
            Attribute::flag("manageVcs", "manage_vcs", false),
            Attribute::flag("manageTemplate", "manage_template", false),
            Attribute::flag("manageJob", "manage_job", false),
            Attribute::flag("manageCollection", "manage_collection", false),
            Attribute::flag("planJob", "plan_job", false),
            Attribute::flag("approveJob", "approve_job", false),
            Attribute::choice("role", "role", ROLES),
        ],
        ..shared("team", "team", |rights| rights.teams)
    },
    Resource { attributes: VARIABLE, ..shared("globalvar", "terraform_variable", |rights| rights.workspaces) },
    Resource { attributes: VARIABLE, ..of_workspace("variable", "terraform_variable", |rights| rights.workspaces) },
    Resource {
        attributes: &[
            NAME,
            Attribute::flag("manageState", "manage_state", false),
            Attribute::flag("manageWorkspace", "manage_workspace", false),
            Attribute::flag("manageJob", "manage_job", false),
            Attribute::flag("planJob", "plan_job", false),
            Attribute::flag("approveJob", "approve_job", false),
            Attribute::choice("role", "role", ROLES),
        ],
        ..of_workspace("access", "workspace_access", |rights| rights.teams)
    },
    Resource {
        key: Kind::Number,
        attributes: &[
            Attribute::text("comments", "comments").at_most(512),
            Attribute::choice("status", "status", STATUSES).or("pending"),
            Attribute::text("output", "output").server(),
            Attribute::text("commitId", "commit_id").at_most(64).once(),
            Attribute::of("terraformPlan", Shape::Derived(nothing)).server(),
            Attribute::text("approvalTeam", "approval_team").server(),
            Attribute::text("tcl", "tcl").at_most(512 * 1024).once(),
            Attribute::text("overrideSource", "override_source").server(),
            Attribute::text("overrideBranch", "override_branch").at_most(128).once(),
            Attribute::text("templateReference", "template_reference").at_most(36).once(),
            Attribute::text("via", "via").or("UI").at_most(64).once(),
            Attribute::flag("refresh", "refresh", true).once(),
            Attribute::flag("planChanges", "plan_changes", true).server(),
            Attribute::flag("refreshOnly", "refresh_only", false).once(),
            Attribute::of("prNumber", Shape::Derived(nothing)).server(),
            Attribute::of("prCommentError", Shape::Derived(nothing)).server(),
            Attribute::of("targetAddrs", Shape::Texts("target_addrs")).once(),
            Attribute::of("replaceAddrs", Shape::Texts("replace_addrs")).once(),
            Attribute::text("approvedBy", "approved_by").server(),
            Attribute::of("approvedDate", Shape::Time("approved_at")).server(),
        ],
        relations: &[ORGANIZATION, WORKSPACE, many("step", "step", "job_id"), many("address", "address", "job_id")],
        ..of_workspace("job", "workspace_job", |rights| rights.plan || rights.approve)
    },
    Resource {
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
    },
    Resource {
        root: true,
        attributes: &[NAME.server(), Attribute::choice("addressType", "kind", &["TARGET", "REPLACE"]).server()],
        relations: &[JOB],
        methods: NONE,
        ..of_workspace("address", "workspace_address", |rights| rights.plan)
    },
    Resource {
        attributes: &[
            Attribute::of("jobReference", Shape::Derived(job_reference)).server(),
            Attribute::of("output", Shape::Derived(state_output)).server(),
            Attribute::of("serial", Shape::Long("serial")).server(),
            Attribute::text("md5", "md5").server(),
            Attribute::text("lineage", "lineage").server(),
        ],
        methods: Methods { delete: true, ..NONE },
        extra: &[OF_ORGANIZATION, OF_WORKSPACE, Column { name: "job_id", kind: Kind::Number }],
        ..of_workspace("history", "state_version", |rights| rights.states)
    },
    Resource {
        attributes: &[
            Attribute::text("cron", "cron").required().at_most(256),
            Attribute::text("tcl", "tcl").at_most(512 * 1024),
            Attribute::text("templateReference", "template_reference").at_most(36),
            DESCRIPTION,
            Attribute::flag("enabled", "enabled", true),
        ],
        ..of_workspace("schedule", "workspace_schedule", |rights| rights.workspaces)
    },
    Resource {
        attributes: &[
            NAME,
            DESCRIPTION,
            Attribute::choice(
                "vcsType",
                "vcs_type",
                &["PUBLIC", "GITHUB", "GITLAB", "BITBUCKET", "AZURE_DEVOPS", "AZURE_SP_MI"],
            )
            .or("PUBLIC"),
            Attribute::choice("connectionType", "connection_type", &["OAUTH", "STANDALONE"]).or("OAUTH"),
            Attribute::text("clientId", "client_id").at_most(256),
            Attribute::of("clientSecret", Shape::Secret("client_secret")).at_most(64 * 1024),
            Attribute::of("accessToken", Shape::Secret("access_token")).at_most(64 * 1024),
            Attribute::of("privateKey", Shape::Secret("private_key")).at_most(64 * 1024),
            Attribute::text("endpoint", "endpoint").at_most(2048),
            Attribute::text("apiUrl", "api_url").at_most(2048),
            Attribute::text("redirectUrl", "redirect_url").at_most(2048),
            Attribute::choice("status", "status", &["PENDING", "COMPLETED", "ERROR"]).or("PENDING"),
        ],
        relations: &[ORGANIZATION, many("workspace", "workspace", "vcs_id")],
        ..shared("vcs", "vcs", |rights| rights.logins)
    },
    Resource {
        attributes: &[
            NAME,
            DESCRIPTION,
            Attribute::choice("sshType", "ssh_type", &["rsa", "ed25519"]).or("rsa"),
            Attribute::of("privateKey", Shape::Secret("private_key")).required().at_most(64 * 1024),
        ],
        relations: &[ORGANIZATION, many("workspace", "workspace", "ssh_key_id")],
        ..shared("ssh", "ssh_key", |rights| rights.logins)
    },
    Resource { attributes: &[NAME], scope: Scope::Shared, ..shared("tag", "tag", |rights| rights.workspaces) },
    Resource {
        attributes: &[Attribute::of("tagId", Shape::Id("tag_id")).required()],
        ..of_workspace("workspacetag", "workspace_tag", |rights| rights.workspaces)
    },
    Resource {
        root: true,
        attributes: &[NAME, DESCRIPTION.or("")],
        relations: &[ORGANIZATION, many("workspace", "workspace", "project_id")],
        audited: false,
        ..shared("project", "project", |rights| rights.workspaces)
    },
];

/// The resource of a `type`.
pub(super) fn by_kind(kind: &str) -> Option<&'static Resource> {
    RESOURCES.iter().find(|resource| resource.kind == kind)
}

/// The resource that a relationship leads to.
pub(super) fn target(relation: &Relation) -> Option<&'static Resource> {
    by_kind(relation.target)
}
