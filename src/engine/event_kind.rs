//! Pure: the kind of the thing that an event is about.

/// The kind of what was created, changed or deleted. The official target of a token, for example, is its organization, and of a variable
/// its job; their part says what it was.
#[must_use]
pub fn target_kind<'a>(target: &'a str, part: Option<&'a str>) -> &'a str {
    match (target, part) {
        // A role of a member, or the ownership, is no thing of its own.
        ("MEMBERS_AND_ROLES", None | Some("MEMBER_ROLE" | "TRANSFER_OWNERSHIP")) => "MEMBER",
        ("JOB", Some("CONFIG")) => "DEPLOYMENT_RESTRICTION",
        ("TERRAFORM", None) => "WORKSPACE",
        ("TERRAFORM", Some(part)) => part,
        ("ORGANIZATION" | "MEMBERS_AND_ROLES", Some(part))
        | ("PROJECT" | "ENVIRONMENT" | "JOB", Some(part @ ("VARIABLE" | "SECRET")))
        | ("PROJECT" | "ENVIRONMENT", Some(part @ ("DEPLOYMENT_RULE" | "DEPLOYMENT_STAGE")))
        | ("CLUSTER", Some(part @ ("API_TOKEN" | "KUBERNETES_CREDENTIALS")))
        // A check is a job of its own kind.
        | ("JOB", Some(part @ "CHECK")) => part,
        (target, _) => target,
    }
}

#[cfg(test)]
mod tests {
    use super::target_kind;

    #[test]
    fn a_part_that_is_a_thing_is_a_kind() {
        for (target, part, kind) in [
            ("ORGANIZATION", Some("API_TOKEN"), "API_TOKEN"),
            ("ORGANIZATION", None, "ORGANIZATION"),
            ("MEMBERS_AND_ROLES", Some("INVITATION"), "INVITATION"),
            ("MEMBERS_AND_ROLES", Some("MEMBER_ROLE"), "MEMBER"),
            ("MEMBERS_AND_ROLES", None, "MEMBER"),
            ("CLUSTER", Some("KUBERNETES_CREDENTIALS"), "KUBERNETES_CREDENTIALS"),
            ("CLUSTER", None, "CLUSTER"),
            ("JOB", Some("VARIABLE"), "VARIABLE"),
            ("JOB", Some("CHECK"), "CHECK"),
            ("JOB", Some("CONFIG"), "DEPLOYMENT_RESTRICTION"),
            // The job is changed, and not its stage.
            ("JOB", Some("DEPLOYMENT_STAGE"), "JOB"),
            ("ENVIRONMENT", Some("DEPLOYMENT_STAGE"), "DEPLOYMENT_STAGE"),
            ("JOB", Some("ADVANCED_SETTINGS"), "JOB"),
            ("TERRAFORM", None, "WORKSPACE"),
            ("TERRAFORM", Some("WORKSPACE_STATE"), "WORKSPACE_STATE"),
        ] {
            assert_eq!(target_kind(target, part), kind);
        }
    }
}
