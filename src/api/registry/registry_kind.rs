//! The kinds of registries, under their official names.

use entity::registry::RegistryKind;

use super::super::wire::mirrored;

mirrored!(ContainerRegistryKindEnum of RegistryKind {
    Ecr,
    ScalewayCr,
    DockerHub,
    GithubCr,
    GithubEnterpriseCr,
    GitlabCr,
    PublicEcr,
    Docr,
    GenericCr,
    GcpArtifactRegistry,
    AzureCr,
});
