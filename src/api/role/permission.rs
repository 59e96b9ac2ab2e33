//! The permissions of custom roles, under their official names.

use entity::custom_role::{ClusterPermission, ProjectPermission};

use super::super::wire::mirrored;

mirrored!(OrganizationCustomRoleClusterPermission of ClusterPermission { Viewer, EnvCreator, Admin });

mirrored!(OrganizationCustomRoleProjectPermission of ProjectPermission { NoAccess, Viewer, Deployer, Manager });
