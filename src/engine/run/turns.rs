//! Pure: which waiting runs get the free slots. Organizations take turns.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use entity::id::{OrganizationId, RunId};

/// A run that waits for a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    pub run: RunId,
    pub organization: OrganizationId,
    pub since: DateTime<Utc>,
    pub number: i64,
}

/// Chooses at most `free` runs. Each slot goes to the organization that has the fewest, counting those in `held` and those already
/// given; among these, to the run that has waited the longest.
#[must_use]
pub fn take_turns(mut waiting: Vec<Waiting>, held: &HashMap<OrganizationId, u64>, free: usize) -> Vec<RunId> {
    waiting.sort_by_key(|run| (run.since, run.number));
    let mut slots: BTreeMap<OrganizationId, u64> = BTreeMap::new();
    let mut turns: Vec<_> = waiting
        .into_iter()
        .map(|run| {
            let next =
                slots.entry(run.organization).or_insert_with(|| held.get(&run.organization).copied().unwrap_or(0));
            *next += 1;
            (*next, run.since, run.number, run.run)
        })
        .collect();
    turns.sort_unstable();
    turns.into_iter().take(free).map(|(.., run)| run).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use chrono::DateTime;
    use entity::id::{OrganizationId, RunId};
    use uuid::Uuid;

    use super::{Waiting, take_turns};

    fn waiting(organization: u128, number: i64) -> Waiting {
        Waiting {
            run: RunId(Uuid::from_u128(u128::try_from(number).unwrap())),
            organization: OrganizationId(Uuid::from_u128(organization)),
            since: DateTime::from_timestamp(1_800_000_000 + number, 0).unwrap(),
            number,
        }
    }

    fn taken(waiting_runs: Vec<Waiting>, held: &[(u128, u64)], free: usize) -> Vec<u128> {
        let held: HashMap<_, _> =
            held.iter().map(|(id, count)| (OrganizationId(Uuid::from_u128(*id)), *count)).collect();
        take_turns(waiting_runs, &held, free).into_iter().map(|run| run.0.as_u128()).collect()
    }

    #[test]
    fn organizations_take_turns() {
        let queue = || vec![waiting(1, 1), waiting(1, 2), waiting(1, 3), waiting(2, 4), waiting(2, 5), waiting(3, 6)];
        assert_eq!(taken(queue(), &[], 4), [1, 4, 6, 2]);
        assert_eq!(taken(queue(), &[], 100), [1, 4, 6, 2, 5, 3], "everything that there are slots for");
        assert_eq!(taken(queue(), &[(1, 2), (2, 1)], 3), [6, 4, 1], "those who hold slots wait");
        assert_eq!(taken(queue(), &[], 0), [0_u128; 0]);
    }

    #[test]
    fn one_organization_is_served_in_order() {
        let queue = vec![waiting(1, 3), waiting(1, 1), waiting(1, 2)];
        assert_eq!(taken(queue, &[(1, 5)], 2), [1, 2]);
    }
}
