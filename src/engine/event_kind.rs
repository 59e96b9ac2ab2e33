//! Pure: the kind of the thing that an event is about.

/// The targets whose parts are things of their own, with ids and names.
const OF_PARTS: [&str; 2] = ["ORGANIZATION", "MEMBERS_AND_ROLES"];

/// The kind of what was changed. The official target of a token is its organization, and its part the token.
#[must_use]
pub fn target_kind<'a>(target: &'a str, part: Option<&'a str>) -> &'a str {
    part.filter(|_| OF_PARTS.contains(&target)).unwrap_or(target)
}

#[cfg(test)]
mod tests {
    use super::target_kind;

    #[test]
    fn a_part_with_a_name_is_a_kind() {
        for (target, part, kind) in [
            ("ORGANIZATION", Some("API_TOKEN"), "API_TOKEN"),
            ("ORGANIZATION", None, "ORGANIZATION"),
            ("MEMBERS_AND_ROLES", Some("INVITATION"), "INVITATION"),
            ("CLUSTER", Some("KUBERNETES_CREDENTIALS"), "CLUSTER"),
            ("JOB", Some("VARIABLE"), "JOB"),
        ] {
            assert_eq!(target_kind(target, part), kind);
        }
    }
}
