//! Pure: organizations, and the resources that their workspaces share.

use super::building_blocks::{DESCRIPTION, NAME, ORGANIZATION, ROLES, VARIABLE, empty, many, shared};
use super::derived::no_value;
use crate::engine::workspace_definition::MODES;
use crate::terrakube::attribute::{Attribute, Shape};
use crate::terrakube::resource::{ALL, Methods, NONE, Resource, Visibility};

pub(super) const ORGANIZATION_RESOURCE: Resource = Resource {
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
        many("module", "module", "organization_id"),
        many("provider", "provider", "organization_id"),
        many("agent", "agent", "organization_id"),
        empty("collection", "collection"),
        empty("notificationConfiguration", "notification_configuration"),
    ],
    visibility: Visibility::Organization,
    hidden: Some("disabled"),
    methods: Methods { delete: false, ..ALL },
    audited: false,
    extra: &[],
    ..shared("organization", "organization", |rights| rights.organization)
};

/// A cluster. It is registered and changed by the API of clusters, which has more to say about it.
pub(super) const AGENT: Resource = Resource {
    attributes: &[NAME.server(), DESCRIPTION.server(), Attribute::of("url", Shape::Derived(no_value)).server()],
    methods: Methods { create: true, ..NONE },
    audited: false,
    refusal: Some(AGENTS),
    ..shared("agent", "cluster", |rights| rights.organization)
};

const AGENTS: &str = "the agents are the clusters of the organization, which are registered, changed and deleted at \
     /organization/{organizationId}/cluster, or in the console under Settings, Clusters";

pub(super) const TEAM: Resource = Resource {
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
        Attribute::of("role", Shape::Word("role", ROLES)),
    ],
    ..shared("team", "team", |rights| rights.teams)
};

pub(super) const TEMPLATE: Resource = Resource {
    root: true,
    attributes: &[
        NAME,
        DESCRIPTION,
        Attribute::text("version", "version").at_most(64),
        Attribute::text("tcl", "tcl").required().at_most(512 * 1024),
    ],
    visibility: Visibility::Shared,
    ..shared("template", "template", |rights| rights.templates)
};

pub(super) const GLOBALVAR: Resource =
    Resource { attributes: VARIABLE, ..shared("globalvar", "terraform_variable", |rights| rights.workspaces) };

/// Where the login of a connection belongs.
const LOGIN: &str = "they belong into accessToken or clientSecret";

pub(super) const VCS: Resource = Resource {
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
        Attribute::text("endpoint", "endpoint").url(LOGIN),
        Attribute::text("apiUrl", "api_url").url(LOGIN),
        Attribute::text("redirectUrl", "redirect_url").url(LOGIN),
        Attribute::choice("status", "status", &["PENDING", "COMPLETED", "ERROR"]).or("PENDING"),
        Attribute::of("callback", Shape::Derived(no_value)).server(),
    ],
    relations: &[ORGANIZATION, many("workspace", "workspace", "vcs_id")],
    ..shared("vcs", "vcs", |rights| rights.logins)
};

pub(super) const SSH: Resource = Resource {
    attributes: &[
        NAME,
        DESCRIPTION,
        Attribute::choice("sshType", "ssh_type", &["rsa", "ed25519"]).or("rsa"),
        Attribute::of("privateKey", Shape::Secret("private_key")).required().at_most(64 * 1024),
        Attribute::text("knownHosts", "known_hosts").at_most(64 * 1024),
    ],
    relations: &[ORGANIZATION, many("workspace", "workspace", "ssh_key_id")],
    ..shared("ssh", "ssh_key", |rights| rights.logins)
};

pub(super) const TAG: Resource = Resource {
    attributes: &[NAME],
    visibility: Visibility::Shared,
    ..shared("tag", "tag", |rights| rights.workspaces)
};

pub(super) const PROJECT: Resource = Resource {
    root: true,
    attributes: &[
        NAME,
        DESCRIPTION.or(""),
        Attribute::of("createdBy", Shape::Derived(no_value)).server(),
        Attribute::of("createdDate", Shape::Time("created_at")).server(),
        Attribute::of("updatedBy", Shape::Derived(no_value)).server(),
        Attribute::of("updatedDate", Shape::Time("updated_at")).server(),
    ],
    relations: &[ORGANIZATION, many("workspace", "workspace", "project_id"), empty("projectAccess", "project_access")],
    audited: false,
    ..shared("project", "project", |rights| rights.workspaces)
};
