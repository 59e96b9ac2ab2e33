//! Pure: the kind of the thing that an event is about.

/// The kind of what was created, changed or deleted. The official target of a token, for example, is its organization, and of a variable
/// its job; their part says what it was.
#[must_use]
pub fn target_kind<'a>(target: &'a str, part: Option<&'a str>) -> &'a str {
    match (target, part) {
        // A role of a member, or the ownership, is no thing of its own.
        ("MEMBERS_AND_ROLES", None | Some("MEMBER_ROLE" | "TRANSFER_OWNERSHIP")) => "MEMBER",
        ("JOB", Some("CONFIG")) => "DEPLOYMENT_RESTRICTION",
        ("ORGANIZATION" | "MEMBERS_AND_ROLES", Some(part))
        | ("PROJECT" | "ENVIRONMENT" | "JOB", Some(part @ ("VARIABLE" | "SECRET")))
        | ("PROJECT" | "ENVIRONMENT", Some(part @ ("DEPLOYMENT_RULE" | "DEPLOYMENT_STAGE")))
        | ("CLUSTER", Some(part @ ("API_TOKEN" | "KUBERNETES_CREDENTIALS")))
        // A check is a job of its own kind.
        | ("JOB", Some(part @ "CHECK")) => part,
        (target, _) => target,
    }
}

/// The kind of what an event names, and its part if that has no name of its own.
#[must_use]
pub fn named_kind(target: &str, part: Option<&str>) -> String {
    let has_name = matches!((target, part), ("ORGANIZATION" | "MEMBERS_AND_ROLES", _) | ("JOB", Some("CHECK")));
    match part.filter(|_| !has_name) {
        Some(part) => format!("{target} {part}"),
        None => target_kind(target, part).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{named_kind, target_kind};

    #[test]
    fn a_part_that_is_a_thing_is_a_kind() {
        for (target, part, kind, named) in [
            ("ORGANIZATION", Some("API_TOKEN"), "API_TOKEN", "API_TOKEN"),
            ("ORGANIZATION", None, "ORGANIZATION", "ORGANIZATION"),
            ("MEMBERS_AND_ROLES", Some("INVITATION"), "INVITATION", "INVITATION"),
            ("MEMBERS_AND_ROLES", Some("MEMBER_ROLE"), "MEMBER", "MEMBER"),
            ("MEMBERS_AND_ROLES", None, "MEMBER", "MEMBER"),
            ("CLUSTER", Some("KUBERNETES_CREDENTIALS"), "KUBERNETES_CREDENTIALS", "CLUSTER KUBERNETES_CREDENTIALS"),
            ("CLUSTER", None, "CLUSTER", "CLUSTER"),
            ("JOB", Some("VARIABLE"), "VARIABLE", "JOB VARIABLE"),
            ("JOB", Some("CHECK"), "CHECK", "CHECK"),
            ("JOB", Some("CONFIG"), "DEPLOYMENT_RESTRICTION", "JOB CONFIG"),
            // The job is changed, and not its stage.
            ("JOB", Some("DEPLOYMENT_STAGE"), "JOB", "JOB DEPLOYMENT_STAGE"),
            ("ENVIRONMENT", Some("DEPLOYMENT_STAGE"), "DEPLOYMENT_STAGE", "ENVIRONMENT DEPLOYMENT_STAGE"),
            ("JOB", Some("ADVANCED_SETTINGS"), "JOB", "JOB ADVANCED_SETTINGS"),
        ] {
            assert_eq!((target_kind(target, part), named_kind(target, part).as_str()), (kind, named));
        }
    }
}
