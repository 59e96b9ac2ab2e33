//! Pure: the modules and providers of the private registry.

use super::building_blocks::{DESCRIPTION, NAME, OF_ORGANIZATION, ORGANIZATION, many, maybe, one, shared};
use crate::terrakube::attribute::{Attribute, Shape};
use crate::terrakube::resource::{Methods, NONE, Resource, Visibility};

/// Where the login of a repository belongs.
const LOGIN: &str = "they belong into a vcs or an ssh key";

pub(super) const MODULE: Resource = Resource {
    attributes: &[
        NAME,
        DESCRIPTION,
        Attribute::text("provider", "provider").required().at_most(64),
        Attribute::text("source", "source").required().url(LOGIN),
        Attribute::text("folder", "folder").at_most(1024),
        Attribute::text("tagPrefix", "tag_prefix").at_most(256),
        Attribute::text("latestVersion", "latest_version").server(),
        Attribute::of("refreshedDate", Shape::Time("refreshed_at")).server(),
        Attribute::text("refreshError", "refresh_error").server(),
    ],
    relations: &[
        ORGANIZATION,
        maybe("vcs", "vcs", "vcs_id"),
        maybe("ssh", "ssh", "ssh_key_id"),
        many("version", "module_version", "module_id"),
    ],
    visibility: Visibility::Shared,
    ..shared("module", "terraform_module", |rights| rights.modules)
};

pub(super) const MODULE_VERSION: Resource = Resource {
    attributes: &[
        Attribute::text("version", "version").server(),
        Attribute::text("commit", "commit_id").server(),
        Attribute::text("gitTag", "git_tag").server(),
    ],
    relations: &[one("module", "module", "module_id")],
    visibility: Visibility::Shared,
    methods: NONE,
    audited: false,
    extra: &[OF_ORGANIZATION],
    ..shared("module_version", "module_version", |rights| rights.modules)
};

pub(super) const PROVIDER: Resource = Resource {
    attributes: &[
        NAME,
        DESCRIPTION,
        Attribute::text("hostname", "hostname").server(),
        Attribute::text("namespace", "namespace").server(),
    ],
    relations: &[ORGANIZATION, many("version", "version", "provider_id")],
    visibility: Visibility::Shared,
    ..shared("provider", "terraform_provider", |rights| rights.providers)
};

pub(super) const VERSION: Resource = Resource {
    attributes: &[
        Attribute::text("versionNumber", "version").server(),
        Attribute::text("protocols", "protocols").server(),
    ],
    relations: &[
        one("provider", "provider", "provider_id"),
        many("implementation", "implementation", "provider_version_id"),
    ],
    visibility: Visibility::Shared,
    methods: Methods { delete: true, ..NONE },
    audited: false,
    extra: &[OF_ORGANIZATION],
    ..shared("version", "provider_version", |rights| rights.providers)
};

pub(super) const IMPLEMENTATION: Resource = Resource {
    attributes: &[
        Attribute::text("os", "os").server(),
        Attribute::text("arch", "arch").server(),
        Attribute::text("filename", "filename").server(),
        Attribute::text("shasum", "shasum").server(),
    ],
    relations: &[one("version", "version", "provider_version_id")],
    visibility: Visibility::Shared,
    methods: Methods { delete: true, ..NONE },
    audited: false,
    extra: &[OF_ORGANIZATION],
    ..shared("implementation", "provider_platform", |rights| rights.providers)
};
