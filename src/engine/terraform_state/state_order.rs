//! Pure: whether a state may follow the newest one: it must be of the same lineage, and must not be older.

/// Why a state with this serial and lineage must not follow the newest one, if it must not. Forcing it is possible.
#[must_use]
pub fn refusal(newest: (i64, Option<&str>), given: (i64, Option<&str>)) -> Option<String> {
    let named = |lineage: Option<&str>| lineage.filter(|lineage| !lineage.is_empty()).map(str::to_owned);
    // An emptied state has no lineage.
    if let (Some(stored), Some(lineage)) = (named(newest.1), named(given.1))
        && stored != lineage
    {
        return Some(format!(
            "lineage: the stored state has the lineage {stored}, and this one {lineage}, so that it belongs to other resources"
        ));
    }
    (given.0 < newest.0).then(|| {
        format!("serial: the stored state has the serial {}, and this one the lower serial {}", newest.0, given.0)
    })
}

#[cfg(test)]
mod tests {
    use super::refusal;

    #[test]
    fn a_state_follows_one_of_its_lineage_that_is_not_newer() {
        for (newest, given, why) in [
            ((3, Some("a")), (4, Some("a")), None),
            ((3, Some("a")), (3, Some("a")), None),
            ((3, Some("a")), (2, Some("a")), Some("serial: ")),
            ((3, Some("a")), (4, Some("b")), Some("lineage: ")),
            ((0, Some("")), (1, Some("b")), None),
            ((0, None), (0, Some("b")), None),
            ((3, Some("a")), (4, None), None),
            ((3, Some("a")), (1, None), Some("serial: ")),
        ] {
            let refused = refusal(newest, given);
            assert_eq!(refused.is_some(), why.is_some(), "{newest:?} {given:?}");
            assert!(refused.unwrap_or_default().starts_with(why.unwrap_or_default()));
        }
    }
}
