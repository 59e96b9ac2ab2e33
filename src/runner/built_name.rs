//! Pure: the names of images that are built, and whose they are.
//!
//! An engine has no tenants: whoever can name an image on it can use it. The name of a built image therefore contains a part that
//! is known only inside its organization, and references to built images of others are refused.

/// The beginning of the names of all built images.
const BUILT: &str = "windlass-build/";

/// The name of the images of a job, without a tag. `tenant` is the secret part of its organization.
#[must_use]
pub fn image_name(tenant: &str, job: &str) -> String {
    format!("{BUILT}{tenant}/{job}")
}

/// The name that older servers gave to the images of the same job.
#[must_use]
pub fn older_name(name: &str) -> String {
    format!("{BUILT}{}", name.rsplit('/').next().unwrap_or_default())
}

/// The beginning of the names of all images of the same organization.
#[must_use]
pub fn of_tenant(name: &str) -> &str {
    name.rsplit_once('/').map_or(name, |(tenant, _)| tenant)
}

/// Whether a reference names a built image that does not belong to this organization.
#[must_use]
pub fn is_foreign(reference: &str, tenant: &str) -> bool {
    let local = ["docker.io/", "index.docker.io/"].iter().find_map(|host| reference.strip_prefix(host));
    let Some(rest) = local.unwrap_or(reference).strip_prefix(BUILT) else { return false };
    let own = tenant.strip_prefix(BUILT).and_then(|own| rest.strip_prefix(own));
    !own.is_some_and(|rest| rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::{image_name, is_foreign, of_tenant, older_name};

    #[test]
    fn images_belong_to_their_organization() {
        let name = image_name("1a", "job");
        assert_eq!((of_tenant(&name), older_name(&name).as_str()), ("windlass-build/1a", "windlass-build/job"));
        let foreign = |reference: &str| is_foreign(reference, of_tenant(&name));
        for reference in
            ["windlass-build/1a/job:x", "docker.io/windlass-build/1a/other", "busybox", "host/windlass-build/2b/x"]
        {
            assert!(!foreign(reference), "{reference}");
        }
        for reference in [
            "windlass-build/job:x",
            "windlass-build/2b/job",
            "windlass-build/1a",
            "windlass-build/1abc/job",
            "docker.io/windlass-build/2b/job",
            "index.docker.io/windlass-build/job@sha256:0",
        ] {
            assert!(foreign(reference), "{reference}");
        }
        // Images that do not come from this server's builds have no tenant.
        assert!(is_foreign("windlass-build/2b/job", "windlass-test"));
    }
}
